extension Variant {
  /// The value as JSON. Integers and finite doubles are numbers, NaN and the infinities strings, byte strings base64
  /// strings, the empty value null. Maps keep the order and the repeats of their keys.
  public func json() -> String {
    var out: [UInt8] = []
    appendJSON(to: &out, depth: 1)
    return String(decoding: out, as: UTF8.self)
  }

  private func appendJSON(to out: inout [UInt8], depth: Int) {
    guard depth <= Variant.maximumDepth else { return JSONText.append("null", to: &out) }
    switch self {
    case .empty: JSONText.append("null", to: &out)
    case .bool(let value): JSONText.append(value ? "true" : "false", to: &out)
    case .int(let value): JSONText.append(value.description, to: &out)
    case .double(let value): JSONText.append(value, to: &out)
    case .string(let value): JSONText.append(quoted: value, to: &out)
    case .bytes(let value): JSONText.append(base64: value, to: &out)
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        value.appendJSON(to: &out, depth: depth + 1)
      }
      out.append(UInt8(ascii: "]"))
    case .map(let entries):
      out.append(UInt8(ascii: "{"))
      for (index, entry) in entries.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        JSONText.append(quoted: entry.key, to: &out)
        out.append(UInt8(ascii: ":"))
        entry.value.appendJSON(to: &out, depth: depth + 1)
      }
      out.append(UInt8(ascii: "}"))
    }
  }
}

/// The pieces of JSON text.
enum JSONText {
  static func append(_ text: String, to out: inout [UInt8]) { out.append(contentsOf: text.utf8) }

  static func append(_ value: Double, to out: inout [UInt8]) {
    if value.isFinite { return append(value.description, to: &out) }
    append(value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"", to: &out)
  }

  static func append(quoted text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 { append(escaped: byte, to: &out) }
    out.append(UInt8(ascii: "\""))
  }

  private static func append(escaped byte: UInt8, to out: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      out.append(UInt8(ascii: "\\"))
      out.append(byte)
    case 0x0A: append("\\n", to: &out)
    case 0x0D: append("\\r", to: &out)
    case 0x09: append("\\t", to: &out)
    case 0..<0x20, 0x7F:
      append("\\u00", to: &out)
      for nibble in [byte >> 4, byte & 15] { out.append(nibble < 10 ? 48 + nibble : 87 + nibble) }
    default: out.append(byte)
    }
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func append(base64 bytes: [UInt8], to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for (index, byte) in group.enumerated() { word |= UInt32(byte) << UInt32(16 - 8 * index) }
      for index in 0..<4 {
        let sextet = Int(word >> UInt32(18 - 6 * index) & 63)
        out.append(index <= group.count ? alphabet[sextet] : UInt8(ascii: "="))
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}
