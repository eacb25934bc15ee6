/// JSON strings and numbers.
extension TextBuffer {
  /// Quoted and escaped; invalid UTF-8 becomes U+FFFD, since JSON text must be valid.
  package mutating func append(jsonString text: UnsafeBufferPointer<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    guard let base = UnsafeRawPointer(text.baseAddress) else { return }
    var start = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        index &+= 1
        continue
      }
      if byte >= 0x80 {
        let length = UTF8Check.sequenceLength(base + index, available: text.count &- index)
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
  }

  package mutating func append(jsonString text: String) {
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

  /// A number, or a string where JSON has no number for it.
  package mutating func append(jsonDouble value: Double) {
    if value.isFinite { return append(double: value) }
    bytes.append(UInt8(ascii: "\""))
    append(double: value)
    bytes.append(UInt8(ascii: "\""))
  }

  package mutating func append(jsonBase64 run: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "\""))
    Base64.append(run, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }
}
