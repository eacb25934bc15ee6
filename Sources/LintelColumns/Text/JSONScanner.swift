/// A strict JSON reader (RFC 8259) over bytes that have been checked to be UTF-8: a cursor and the tokens at it.
///
/// It never recurses: whoever reads nested values counts their depth.
package struct JSONScanner {
  /// Deepest nesting of values that are skipped unread.
  package static let maximumSkippedDepth = 512

  private let bytes: UnsafeRawBufferPointer
  package private(set) var offset = 0

  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  package func error(_ message: String) -> JSONError { JSONError(message: message, offset: offset) }

  package var isAtEnd: Bool { offset >= bytes.count }

  /// The next byte that isn't white space, not consumed.
  package mutating func peek() throws(JSONError) -> UInt8 {
    while offset < bytes.count {
      let byte = bytes[offset]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      offset += 1
    }
    throw error("the text ends too early")
  }

  package mutating func skipWhiteSpace() {
    while offset < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[offset]) { offset += 1 }
  }

  package mutating func expect(_ byte: UInt8) throws(JSONError) {
    guard try peek() == byte else { throw error("expected '\(Character(UnicodeScalar(byte)))'") }
    offset += 1
  }

  /// Consumes `byte` if it is next.
  package mutating func take(_ byte: UInt8) throws(JSONError) -> Bool {
    guard try peek() == byte else { return false }
    offset += 1
    return true
  }

  package mutating func literal(_ text: StaticString) throws(JSONError) {
    for position in 0..<text.utf8CodeUnitCount {
      guard offset < bytes.count, bytes[offset] == text.utf8Start[position] else { throw error("expected \(text)") }
      offset += 1
    }
  }

  /// Appends the text of the string at the cursor to `out`.
  ///
  /// An escape that names half a surrogate pair is written as its three-byte form, which is not UTF-8: whoever validates
  /// the text afterwards refuses it where it stands.
  package mutating func string(into out: inout [UInt8]) throws(JSONError) {
    try expect(UInt8(ascii: "\""))
    while true {
      let start = offset
      while offset < bytes.count, bytes[offset] != UInt8(ascii: "\""), bytes[offset] != UInt8(ascii: "\\"),
        bytes[offset] >= 0x20
      {
        offset += 1
      }
      out.append(contentsOf: bytes[start..<offset])
      guard offset < bytes.count else { throw error("a string has no end") }
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        offset += 1
        return
      case UInt8(ascii: "\\"): try escape(into: &out)
      default: throw error("a string holds a raw control character")
      }
    }
  }

  private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
    offset += 1
    guard offset < bytes.count else { throw error("a string has no end") }
    let letter = bytes[offset]
    offset += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"): try unicodeEscape(into: &out)
    default: throw error("'\\\(Character(UnicodeScalar(letter)))' is no escape")
    }
  }

  private mutating func unicodeEscape(into out: inout [UInt8]) throws(JSONError) {
    var scalar = try fourHexDigits()
    if scalar & 0xFC00 == 0xD800, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
      bytes[offset + 1] == UInt8(ascii: "u")
    {
      let resume = offset
      offset += 2
      let low = try fourHexDigits()
      if low & 0xFC00 == 0xDC00 { scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF } else { offset = resume }
    }
    switch scalar {
    case 0..<0x80: out.append(UInt8(scalar))
    case 0x80..<0x800: out.append(contentsOf: [UInt8(0xC0 | scalar >> 6), UInt8(0x80 | scalar & 0x3F)])
    case 0x800..<0x10000:
      out.append(contentsOf: [
        UInt8(0xE0 | scalar >> 12), UInt8(0x80 | scalar >> 6 & 0x3F), UInt8(0x80 | scalar & 0x3F),
      ])
    default:
      out.append(contentsOf: [
        UInt8(0xF0 | scalar >> 18), UInt8(0x80 | scalar >> 12 & 0x3F), UInt8(0x80 | scalar >> 6 & 0x3F),
        UInt8(0x80 | scalar & 0x3F),
      ])
    }
  }

  private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard offset < bytes.count, let digit = Hex.value(bytes[offset]) else { throw error("\\u needs four hex digits") }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }

  /// The characters of the number at the cursor, checked against JSON's grammar.
  package mutating func number() throws(JSONError) -> UnsafeRawBufferPointer {
    _ = try peek()
    let start = offset
    if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
    let integerStart = offset
    guard digits() > 0 else { throw error("expected a number") }
    if bytes[integerStart] == UInt8(ascii: "0"), offset - integerStart > 1 { throw error("a number starts with 0") }
    if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
      offset += 1
      guard digits() > 0 else { throw error("a number ends with its point") }
    }
    if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") { offset += 1 }
      guard digits() > 0 else { throw error("a number has an empty exponent") }
    }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
  }

  private mutating func digits() -> Int {
    let start = offset
    while offset < bytes.count, bytes[offset] &- UInt8(ascii: "0") < 10 { offset += 1 }
    return offset - start
  }

  /// Passes over the value at the cursor, whatever it is, checking that it is JSON.
  package mutating func skipValue() throws(JSONError) {
    var open: [UInt8] = []
    var scratch: [UInt8] = []
    repeat {
      switch try peek() {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard open.count < Self.maximumSkippedDepth else { throw error("nested too deeply") }
        let isObject = bytes[offset] == UInt8(ascii: "{")
        offset += 1
        if try take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { break }
        open.append(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        if isObject { try skipKey(&scratch) }
        continue
      case UInt8(ascii: "\""):
        scratch.removeAll(keepingCapacity: true)
        try string(into: &scratch)
      case UInt8(ascii: "t"): try literal("true")
      case UInt8(ascii: "f"): try literal("false")
      case UInt8(ascii: "n"): try literal("null")
      default: _ = try number()
      }
      // A value ended; close what ends with it, and step to the next value of what stays open.
      while let close = open.last {
        if try take(close) {
          open.removeLast()
          continue
        }
        try expect(UInt8(ascii: ","))
        if close == UInt8(ascii: "}") { try skipKey(&scratch) }
        break
      }
    } while !open.isEmpty
  }

  private mutating func skipKey(_ scratch: inout [UInt8]) throws(JSONError) {
    scratch.removeAll(keepingCapacity: true)
    try string(into: &scratch)
    try expect(UInt8(ascii: ":"))
  }
}
