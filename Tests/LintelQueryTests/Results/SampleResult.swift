import LintelColumns
import LintelQuery

/// A result with a column of every type: a plain row, a row of extremes, a row of nulls.
enum SampleResult {
  static let kind = Enumeration(name: "kind", labels: ["unspecified", "internal", "server"])

  static let everyType: QueryResult = {
    let valid = validity([true, true, false])
    func column(_ name: String, _ type: ColumnType, _ storage: ColumnVector.Storage) -> QueryResult.Column {
      QueryResult.Column(name: name, type: type, values: ColumnVector(storage, validity: valid))
    }
    let names = ValueDictionary(.bytes(ByteStrings(["chat", "a,\"b\"\t\n\\|<\u{1B}[31m\u{7F}\u{202E}"])))
    let hashes = ValueDictionary(.id128([0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F]))
    return QueryResult(
      columns: [
        column("trace", .id16, .id128([0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, .max, 0])),
        column("span", .id8, .int64([0x00f0_67aa_0ba9_02b7, -1, 0])),
        column("hash", .id16, .codes([0, 0, 0], hashes)),
        column("name", .string, .codes([0, 1, 0], names)),
        column("wide", .string, .bytes(ByteStrings(["こんにちは", "👩‍👩‍👧 e\u{301}🇩🇪", ""]))),
        column("kind", .enumeration(kind), .int64([2, 17, 0])),
        column("start", .timestamp, .int64([1_767_225_599_120_000_000, -1, 0])),
        column("took", .duration, .int64([45_600_000, -90_000_000_000, 0])),
        column("cost", .money, .int64([1_234_000, -12_500_000_000, 0])),
        column("tokens", .uint32, .int64([812, 4_294_967_295, 0])),
        column("big", .int64, .int64([9_007_199_254_740_993, .min, 0])),
        column("share", .float64, .float64([0.1, -.infinity, 0])),
        column("hit", .bool, .bool([true, false, false])),
        column("raw", .bytes, .bytes(strings([[0xFF, 0x00], []]))),
        column("any", .variant, .bytes(strings([text("x\"y"), array([int(-3), double(.nan), [0]])]))),
        column("res", .map, .bytes(strings([map([("k", int(200)), ("k", text("200"))]), map([])]))),
      ],
      rowCount: 3,
      statistics: QueryResult.Statistics(elapsedMilliseconds: 12.3456, rowsRead: 1000, bytesRead: 4096))
  }()

  static func validity(_ bits: [Bool]) -> Bitmap {
    var bitmap = Bitmap(count: bits.count)
    for (index, bit) in bits.enumerated() { bitmap[index] = bit }
    return bitmap
  }

  static func strings(_ values: [[UInt8]]) -> ByteStrings {
    var strings = ByteStrings()
    for value in values { strings.append(value) }
    if values.count == 2 { strings.append([] as [UInt8]) }
    return strings
  }

  /// One column of text.
  static func texts(_ values: [String], name: String = "t") -> QueryResult {
    QueryResult(
      columns: [.init(name: name, type: .string, values: ColumnVector(.bytes(ByteStrings(values))))],
      rowCount: values.count)
  }

  /// One column of integers of a type.
  static func integers(_ values: [Int64], _ type: ColumnType) -> QueryResult {
    QueryResult(columns: [.init(name: "v", type: type, values: ColumnVector(.int64(values)))], rowCount: values.count)
  }

  // The encoding of `Variant`, by hand: small values only.
  static func int(_ value: Int) -> [UInt8] {
    var rest = UInt64(bitPattern: Int64(value << 1 ^ value >> 63))
    var bytes: [UInt8] = [3]
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
  static func double(_ value: Double) -> [UInt8] {
    [4] + (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * $0)) }
  }
  static func text(_ value: String) -> [UInt8] { [5, UInt8(value.utf8.count)] + Array(value.utf8) }
  static func array(_ values: [[UInt8]]) -> [UInt8] { [7, UInt8(values.count)] + values.flatMap { $0 } }
  static func map(_ entries: [(String, [UInt8])]) -> [UInt8] {
    [8, UInt8(entries.count)] + entries.flatMap { [UInt8($0.0.utf8.count)] + Array($0.0.utf8) + $0.1 }
  }
}

extension ResultFormatter {
  func string(_ result: QueryResult) -> String { String(decoding: bytes(result), as: UTF8.self) }
}
