internal import LintelColumns

/// Gathers one column's values from JSON.
struct ResultColumnBuilder {
  private let name: String
  private let type: ColumnType
  private let isEnumeration: Bool
  private var integers: [Int64] = []
  private var floats: [Double] = []
  private var bools: [Bool] = []
  private var ids: [UInt128] = []
  private var strings = ByteStrings()
  private var validity = Bitmap(count: 0)
  private var labels: [String: Int64] = [:]
  private var hasNull = false
  private var scratch: [UInt8] = []

  init(name: String, type: String) {
    self.name = name
    isEnumeration = type == "enum"
    let known: [ColumnType] = [
      .int64, .uint32, .timestamp, .duration, .money, .float64, .bool, .string, .bytes, .id8, .id16, .variant, .map,
    ]
    // A type of a later version shows as the JSON it came as.
    self.type = isEnumeration ? .int64 : known.first { $0.name == type } ?? .variant
  }

  mutating func append(_ scanner: inout JSONScanner) throws(JSONError) {
    if try scanner.takeWord("null") { return appendNull() }
    validity.append(true)
    switch type {
    case _ where isEnumeration:
      let label = try scanner.string()
      let next = Int64(labels.count)
      integers.append(labels[label, default: next])
      if labels[label] == nil { labels[label] = next }
    case .int64, .uint32, .timestamp, .duration, .money, .enumeration: integers.append(try scanner.int64())
    case .id8: integers.append(Int64(bitPattern: UInt64(truncatingIfNeeded: try Self.hex(&scanner, digits: 16))))
    case .id16: ids.append(try Self.hex(&scanner, digits: 32))
    case .float64: floats.append(try scanner.float64())
    case .bool:
      let isTrue = try scanner.takeWord("true")
      if !isTrue { try scanner.literal("false") }
      bools.append(isTrue)
    case .string:
      try appendBytes(&scanner) { scanner, out throws(JSONError) in
        try scanner.string(into: &out)
        guard out.withUnsafeBytes(UTF8Check.isValid) else { throw scanner.error("half a surrogate pair") }
      }
    case .bytes:
      try appendBytes(&scanner) { scanner, out throws(JSONError) in
        try scanner.string(into: &out)
        guard let decoded = Base64.decoded(out) else { throw scanner.error("expected base64") }
        out = decoded
      }
    case .variant, .map:
      try appendBytes(&scanner) { scanner, out throws(JSONError) in
        var writer = VariantWriter(appendingTo: out)
        try scanner.variant(into: &writer)
        out = writer.bytes
      }
    }
  }

  private mutating func appendNull() {
    hasNull = true
    validity.append(false)
    switch type.physical {
    case .int64: integers.append(0)
    case .float64: floats.append(0)
    case .bool: bools.append(false)
    case .id128: ids.append(0)
    case .bytes: strings.append([] as [UInt8])
    }
  }

  /// Makes empty values of NULLs.
  mutating func setEmpty(_ rows: [Int]) {
    guard type == .variant || type == .map else { return }
    let rows = Set(rows)
    var all = ByteStrings()
    all.reserveCapacity(strings.count, bytes: strings.bytes.count + rows.count)
    for row in 0..<strings.count {
      if rows.contains(row), !validity[row] {
        all.append([CellReader.emptyValue])
        validity[row] = true
      } else {
        all.append(strings[row])
      }
    }
    strings = all
  }

  private mutating func appendBytes(
    _ scanner: inout JSONScanner,
    _ read: (inout JSONScanner, inout [UInt8]) throws(JSONError) -> Void
  ) throws(JSONError) {
    scratch.removeAll(keepingCapacity: true)
    try read(&scanner, &scratch)
    guard strings.hasRoom(for: scratch.count) else { throw scanner.error("more than 4 GiB of text in a column") }
    strings.append(scratch)
  }

  private static func hex(_ scanner: inout JSONScanner, digits: Int) throws(JSONError) -> UInt128 {
    let text = try scanner.string()
    var value: UInt128 = 0
    for byte in text.utf8 {
      guard let digit = Hex.value(byte) else { throw scanner.error("expected \(digits) hex digits") }
      value = value << 4 | UInt128(digit)
    }
    guard text.utf8.count == digits else { throw scanner.error("expected \(digits) hex digits") }
    return value
  }

  func finish() -> QueryResult.Column {
    let storage: ColumnVector.Storage =
      switch type.physical {
      case .int64: .int64(integers)
      case .float64: .float64(floats)
      case .bool: .bool(bools)
      case .id128: .id128(ids)
      case .bytes: .bytes(strings)
      }
    let names = labels.sorted { $0.value < $1.value }.map(\.key)
    return QueryResult.Column(
      name: name, type: isEnumeration ? .enumeration(Enumeration(name: "enum", labels: names)) : type,
      values: ColumnVector(storage, validity: hasNull ? validity : nil))
  }
}
