/// Why a text is not the JSON it should be.
package struct ResultDecodingError: Error, Sendable, CustomStringConvertible {
  package let description: String
}

/// Reads JSON from left to right, without a tree. Every step checks what stands there; nothing recurses.
struct JSONScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var position = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  func failure(_ expected: String) -> ResultDecodingError {
    ResultDecodingError(description: "the answer is not a result: \(expected) was expected at byte \(position)")
  }

  /// The next byte that isn't blank; 0 at the end.
  mutating func peek() -> UInt8 {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return 0
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte, position < bytes.count else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(ResultDecodingError) {
    guard take(UInt8(truncatingIfNeeded: character.value)) else { throw failure("'\(character)'") }
  }

  /// Takes `null`, `true` or `false` where it stands here.
  mutating func takeWord(_ word: StaticString) -> Bool {
    _ = peek()
    let length = word.utf8CodeUnitCount
    guard bytes.count - position >= length else { return false }
    let matches = word.withUTF8Buffer { $0.elementsEqual(bytes[position..<position + length]) }
    if matches { position += length }
    return matches
  }

  /// Walks over the elements of an array; the body reads one.
  mutating func array(
    _ body: (inout JSONScanner) throws(ResultDecodingError) -> Void
  ) throws(ResultDecodingError) {
    try expect("[")
    if take(UInt8(ascii: "]")) { return }
    repeat { try body(&self) } while take(UInt8(ascii: ","))
    try expect("]")
  }

  /// Walks over the members of an object; the body reads the value.
  mutating func object(
    _ body: (inout JSONScanner, String) throws(ResultDecodingError) -> Void
  ) throws(ResultDecodingError) {
    try expect("{")
    if take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      try expect(":")
      try body(&self, key)
    } while take(UInt8(ascii: ","))
    try expect("}")
  }

  mutating func string() throws(ResultDecodingError) -> String {
    var text: [UInt8] = []
    try string(into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the string that stands here, unescaped.
  mutating func string(into out: inout [UInt8]) throws(ResultDecodingError) {
    try expect("\"")
    var start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        out.append(contentsOf: bytes[start..<position])
        position += 1
        return
      case UInt8(ascii: "\\"):
        out.append(contentsOf: bytes[start..<position])
        position += 1
        try escape(into: &out)
        start = position
      default:
        position += 1
      }
    }
    throw failure("the end of a string")
  }

  private mutating func escape(into out: inout [UInt8]) throws(ResultDecodingError) {
    guard position < bytes.count else { throw failure("an escape") }
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      var scalar = try hexDigits()
      if (0xD800..<0xDC00).contains(scalar), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try hexDigits()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("the second half of a surrogate pair") }
        scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
      }
      out.append(contentsOf: String(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")).utf8)
    default: throw failure("an escape")
    }
  }

  private mutating func hexDigits() throws(ResultDecodingError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = hexDigitValue(bytes[position]) else { throw failure("a hex digit") }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  /// The characters of a number.
  mutating func number() throws(ResultDecodingError) -> Slice<UnsafeBufferPointer<UInt8>> {
    _ = peek()
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        position += 1
        continue
      default: break
      }
      break
    }
    guard position > start else { throw failure("a number") }
    return bytes[start..<position]
  }

  mutating func integer() throws(ResultDecodingError) -> Int64 {
    let digits = try number()
    guard let value = Int64(String(decoding: digits, as: UTF8.self)) else { throw failure("a 64-bit integer") }
    return value
  }

  /// A number, or one of the strings that stand for what JSON has no number for.
  mutating func double() throws(ResultDecodingError) -> Double {
    if peek() == UInt8(ascii: "\"") {
      switch try string() {
      case "NaN": return .nan
      case "Infinity": return .infinity
      case "-Infinity": return -.infinity
      default: throw failure("NaN or Infinity")
      }
    }
    let digits = try number()
    guard let value = Double(String(decoding: digits, as: UTF8.self)) else { throw failure("a number") }
    return value
  }
}

/// The value of a hex digit of either case.
func hexDigitValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x61...0x66: byte - 0x61 + 10
  case 0x41...0x46: byte - 0x41 + 10
  default: nil
  }
}
