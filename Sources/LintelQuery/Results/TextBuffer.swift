/// UTF-8 text being put together. Numbers are written digit by digit: results have millions of them.
struct TextBuffer {
  var bytes: [UInt8] = []

  init() {}

  mutating func append(_ byte: UInt8) { bytes.append(byte) }

  mutating func append(_ literal: StaticString) {
    literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  mutating func append(text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ run: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: run) }

  mutating func append(_ byte: UInt8, count: Int) {
    if count > 0 { bytes.append(contentsOf: repeatElement(byte, count: count)) }
  }

  mutating func append(_ literal: StaticString, count: Int) {
    for _ in 0..<max(0, count) { append(literal) }
  }

  mutating func append(decimal value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(decimal: value.magnitude)
  }

  mutating func append(decimal value: UInt64) { append(decimal: value, digits: 1) }

  /// With leading zeros up to `digits`, at most 20.
  mutating func append(decimal value: UInt64, digits: Int) {
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

  /// All 16 hex digits.
  mutating func append(hex value: UInt64) {
    var shift: UInt64 = 60
    for _ in 0..<16 {
      let digit = UInt8(truncatingIfNeeded: value >> shift) & 15
      bytes.append(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &- 10 &+ digit)
      shift = shift &- 4
    }
  }

  /// All 32 hex digits.
  mutating func append(hex value: UInt128) {
    append(hex: UInt64(truncatingIfNeeded: value >> 64))
    append(hex: UInt64(truncatingIfNeeded: value))
  }

  /// The shortest digits that read back as the same double; `NaN`, `Infinity`, `-Infinity`.
  mutating func append(double value: Double) {
    if value.isFinite {
      append(text: value.description)
    } else if value.isNaN {
      append("NaN")
    } else {
      append(value < 0 ? "-Infinity" : "Infinity")
    }
  }

  /// RFC 4648 with padding.
  mutating func append(base64 run: UnsafeBufferPointer<UInt8>) {
    var index = 0
    while index < run.count {
      let left = run.count &- index
      let group =
        UInt32(run[index]) << 16 | (left > 1 ? UInt32(run[index &+ 1]) << 8 : 0)
        | (left > 2 ? UInt32(run[index &+ 2]) : 0)
      bytes.append(Self.base64Digit(group >> 18))
      bytes.append(Self.base64Digit(group >> 12))
      bytes.append(left > 1 ? Self.base64Digit(group >> 6) : UInt8(ascii: "="))
      bytes.append(left > 2 ? Self.base64Digit(group) : UInt8(ascii: "="))
      index &+= 3
    }
  }

  private static func base64Digit(_ bits: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: bits & 63)
    switch value {
    case 0..<26: return UInt8(ascii: "A") &+ value
    case 26..<52: return UInt8(ascii: "a") &+ (value &- 26)
    case 52..<62: return UInt8(ascii: "0") &+ (value &- 52)
    case 62: return UInt8(ascii: "+")
    default: return UInt8(ascii: "/")
    }
  }
}
