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

  mutating func append(_ scanner: inout JSONScanner) throws(ResultDecodingError) {
    if scanner.takeWord("null") { return appendNull() }
    validity.append(true)
    switch type {
    case _ where isEnumeration:
      let label = try scanner.string()
      let next = Int64(labels.count)
      integers.append(labels[label, default: next])
      if labels[label] == nil { labels[label] = next }
    case .int64, .uint32, .timestamp, .duration, .money, .enumeration: integers.append(try scanner.integer())
    case .id8: integers.append(Int64(bitPattern: UInt64(truncatingIfNeeded: try Self.hex(&scanner, digits: 16))))
    case .id16: ids.append(try Self.hex(&scanner, digits: 32))
    case .float64: floats.append(try scanner.double())
    case .bool:
      let isTrue = scanner.takeWord("true")
      guard isTrue || scanner.takeWord("false") else { throw scanner.failure("true or false") }
      bools.append(isTrue)
    case .string:
      try appendBytes(&scanner) { scanner, out throws(ResultDecodingError) in try scanner.string(into: &out) }
    case .bytes:
      try appendBytes(&scanner) { scanner, out throws(ResultDecodingError) in try Self.base64(&scanner, &out) }
    case .variant, .map:
      try appendBytes(&scanner) { scanner, out throws(ResultDecodingError) in try scanner.variant(into: &out) }
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

  private mutating func appendBytes(
    _ scanner: inout JSONScanner,
    _ read: (inout JSONScanner, inout [UInt8]) throws(ResultDecodingError) -> Void
  ) throws(ResultDecodingError) {
    scratch.removeAll(keepingCapacity: true)
    try read(&scanner, &scratch)
    guard strings.hasRoom(for: scratch.count) else { throw scanner.failure("less than 4 GiB of text in a column") }
    strings.append(scratch)
  }

  private static func hex(_ scanner: inout JSONScanner, digits: Int) throws(ResultDecodingError) -> UInt128 {
    let text = try scanner.string()
    var value: UInt128 = 0
    for byte in text.utf8 {
      guard let digit = hexDigitValue(byte) else { throw scanner.failure("\(digits) hex digits") }
      value = value << 4 | UInt128(digit)
    }
    guard text.utf8.count == digits else { throw scanner.failure("\(digits) hex digits") }
    return value
  }

  private static func base64(_ scanner: inout JSONScanner, _ out: inout [UInt8]) throws(ResultDecodingError) {
    let text = try scanner.string()
    var bits: UInt32 = 0
    var count = 0
    for byte in text.utf8 where byte != UInt8(ascii: "=") {
      guard let digit = base64Value(byte) else { throw scanner.failure("base64") }
      bits = bits << 6 | UInt32(digit)
      count += 6
      if count >= 8 {
        count -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
  }

  private static func base64Value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
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
