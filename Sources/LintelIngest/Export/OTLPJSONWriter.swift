internal import LintelColumns

/// Appends OTLP JSON to bytes: the few forms that spans need, exact to the bit.
struct OTLPJSONWriter {
  var bytes: [UInt8] = []

  mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  /// A comma, unless an object or array has just been opened.
  mutating func separate() {
    guard let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") else { return }
    bytes.append(UInt8(ascii: ","))
  }

  mutating func key(_ name: StaticString) {
    separate()
    raw("\"")
    raw(name)
    raw("\":")
  }

  mutating func string(_ utf8: some Collection<UInt8>) {
    raw("\"")
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""): raw("\\\"")
      case UInt8(ascii: "\\"): raw("\\\\")
      case 0x0A: raw("\\n")
      case 0x0D: raw("\\r")
      case 0x09: raw("\\t")
      case 0..<0x20:
        raw("\\u00")
        hex(byte)
      default: bytes.append(byte)
      }
    }
    raw("\"")
  }

  mutating func string(_ text: String) { string(Array(text.utf8)) }

  mutating func number(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }

  /// 64-bit integers are strings in OTLP JSON.
  mutating func quoted(_ value: some BinaryInteger) {
    raw("\"")
    number(value)
    raw("\"")
  }

  mutating func double(_ value: Double) {
    switch value {
    case .infinity: raw("\"Infinity\"")
    case -.infinity: raw("\"-Infinity\"")
    case let value where value.isNaN: raw("\"NaN\"")
    default: bytes.append(contentsOf: value.description.utf8)
    }
  }

  mutating func id(_ bits: UInt64) {
    raw("\"")
    for shift in stride(from: 56, through: 0, by: -8) { hex(UInt8(truncatingIfNeeded: bits >> UInt64(shift))) }
    raw("\"")
  }

  mutating func id(_ bits: UInt128) {
    raw("\"")
    for shift in stride(from: 120, through: 0, by: -8) { hex(UInt8(truncatingIfNeeded: bits >> UInt128(shift))) }
    raw("\"")
  }

  private mutating func hex(_ byte: UInt8) {
    for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
  }

  // MARK: Attributes

  mutating func attribute(_ key: some Collection<UInt8>, _ value: (inout OTLPJSONWriter) -> Void) {
    separate()
    raw("{\"key\":")
    string(key)
    raw(",\"value\":{")
    value(&self)
    raw("}}")
  }

  mutating func attribute(_ entry: Variant.Entry) {
    attribute(Array(entry.key.utf8)) { $0.value(entry.value) }
  }

  mutating func stringValue(_ utf8: some Collection<UInt8>) {
    raw("\"stringValue\":")
    string(utf8)
  }

  mutating func intValue(_ value: Int64) {
    raw("\"intValue\":")
    quoted(value)
  }

  mutating func doubleValue(_ value: Double) {
    raw("\"doubleValue\":")
    double(value)
  }

  mutating func boolValue(_ value: Bool) {
    raw("\"boolValue\":")
    raw(value ? "true" : "false")
  }

  /// The inside of an AnyValue object. Nesting is bounded by ``Variant/maximumDepth``.
  mutating func value(_ value: Variant) {
    switch value {
    case .empty: break
    case .bool(let value): boolValue(value)
    case .int(let value): intValue(value)
    case .double(let value): doubleValue(value)
    case .string(let text): stringValue(Array(text.utf8))
    case .bytes(let content):
      raw("\"bytesValue\":\"")
      base64(content)
      raw("\"")
    case .array(let items):
      raw("\"arrayValue\":{\"values\":[")
      for item in items {
        separate()
        raw("{")
        self.value(item)
        raw("}")
      }
      raw("]}")
    case .map(let entries):
      raw("\"kvlistValue\":{\"values\":[")
      for entry in entries { attribute(entry) }
      raw("]}")
    }
  }

  private mutating func base64(_ content: [UInt8]) {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    for start in stride(from: 0, to: content.count, by: 3) {
      let group = content[start..<min(start + 3, content.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - group.count))
      for position in 0..<4 {
        let isPadding = position > group.count
        bytes.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * position) & 63)])
      }
    }
  }
}
