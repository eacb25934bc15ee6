/// JSON strings, and ``Variant`` bytes as JSON without building the tree.
extension TextBuffer {
  /// Quoted and escaped; invalid UTF-8 becomes U+FFFD, since JSON text must be valid.
  mutating func append(jsonString text: UnsafeBufferPointer<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        index &+= 1
        continue
      }
      if byte >= 0x80 {
        let length = UTF8Decoding.scalar(text, at: index).length
        if length > 0 {
          index &+= length
          continue
        }
      }
      append(UnsafeBufferPointer(rebasing: text[start..<index]))
      appendJSONEscape(byte)
      index &+= 1
      start = index
    }
    append(UnsafeBufferPointer(rebasing: text[start..<text.count]))
    bytes.append(UInt8(ascii: "\""))
  }

  mutating func append(jsonString text: String) {
    var text = text
    text.withUTF8 { append(jsonString: $0) }
  }

  private mutating func appendJSONEscape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case 0x08: append("\\b")
    case 0x09: append("\\t")
    case 0x0A: append("\\n")
    case 0x0C: append("\\f")
    case 0x0D: append("\\r")
    case 0x80...: append("\u{FFFD}")
    default:
      append("\\u00")
      append(hexByte: byte)
    }
  }

  /// Two hex digits.
  mutating func append(hexByte byte: UInt8) {
    for digit in [byte >> 4, byte & 15] {
      bytes.append(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &- 10 &+ digit)
    }
  }

  /// A number, or a string where JSON has no number for it.
  mutating func append(jsonDouble value: Double) {
    if value.isFinite { return append(double: value) }
    bytes.append(UInt8(ascii: "\""))
    append(double: value)
    bytes.append(UInt8(ascii: "\""))
  }

  mutating func append(jsonBase64 run: UnsafeBufferPointer<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    append(base64: run)
    bytes.append(UInt8(ascii: "\""))
  }

  /// The JSON of an encoded ``Variant``: the empty value is `null`, byte strings are base64, repeated keys stay repeated.
  /// Bytes that are no encoding become `null`.
  mutating func append(jsonVariant encoded: UnsafeBufferPointer<UInt8>) {
    let start = bytes.count
    var reader = VariantReader(encoded)
    if !reader.write(into: &self, depth: 0) || !reader.isAtEnd {
      bytes.removeSubrange(start...)
      append("null")
    }
  }
}
