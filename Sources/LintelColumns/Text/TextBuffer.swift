/// UTF-8 text being put together. Numbers are written digit by digit: results have millions of them.
package struct TextBuffer {
  package var bytes: [UInt8] = []

  package init() {}

  package mutating func append(_ byte: UInt8) { bytes.append(byte) }

  package mutating func append(_ literal: StaticString) {
    literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  package mutating func append(text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  package mutating func append(_ run: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: run) }

  package mutating func append(_ byte: UInt8, count: Int) {
    if count > 0 { bytes.append(contentsOf: repeatElement(byte, count: count)) }
  }

  package mutating func append(_ literal: StaticString, count: Int) {
    for _ in 0..<max(0, count) { append(literal) }
  }

  package mutating func append(decimal value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(decimal: value.magnitude)
  }

  package mutating func append(decimal value: UInt64) { append(decimal: value, digits: 1) }

  /// With leading zeros up to `digits`, at most 20.
  package mutating func append(decimal value: UInt64, digits: Int) {
    var reversed = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var rest = value
    var count = 0
    while rest != 0 {
      let quotient = rest / 10
      reversed[count] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
      rest = quotient
      count &+= 1
    }
    count = max(count, min(digits, 20))
    while count > 0 {
      count &-= 1
      bytes.append(reversed[count])
    }
  }

  /// Two hex digits.
  package mutating func append(hexByte byte: UInt8) {
    bytes.append(Hex.digit(byte >> 4))
    bytes.append(Hex.digit(byte & 15))
  }

  /// All 16 hex digits.
  package mutating func append(hex value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8).reversed() {
      append(hexByte: UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// All 32 hex digits.
  package mutating func append(hex value: UInt128) {
    append(hex: UInt64(truncatingIfNeeded: value >> 64))
    append(hex: UInt64(truncatingIfNeeded: value))
  }

  /// The shortest digits that read back as the same double; `NaN`, `Infinity`, `-Infinity`.
  package mutating func append(double value: Double) {
    if value.isFinite {
      append(text: value.description)
    } else if value.isNaN {
      append("NaN")
    } else {
      append(value < 0 ? "-Infinity" : "Infinity")
    }
  }
}
