internal import LintelColumns

/// Times, durations, money and text as people read them.
extension TextBuffer {
  /// `2026-01-31T23:59:59.123Z`, with as many groups of three decimals as the value needs.
  mutating func append(time nanoseconds: Int64) {
    let second: Int64 = 1_000_000_000
    let fraction = ((nanoseconds % second) + second) % second
    let seconds = nanoseconds / second - (nanoseconds % second < 0 ? 1 : 0)
    let secondOfDay = ((seconds % 86_400) + 86_400) % 86_400
    let (year, month, day) = TextFormats.civil(days: (seconds - secondOfDay) / 86_400)
    append(decimal: UInt64(max(0, year)), digits: 4)
    append(UInt8(ascii: "-"))
    append(decimal: UInt64(month), digits: 2)
    append(UInt8(ascii: "-"))
    append(decimal: UInt64(day), digits: 2)
    append(UInt8(ascii: "T"))
    append(decimal: UInt64(secondOfDay / 3600), digits: 2)
    append(UInt8(ascii: ":"))
    append(decimal: UInt64(secondOfDay / 60 % 60), digits: 2)
    append(UInt8(ascii: ":"))
    append(decimal: UInt64(secondOfDay % 60), digits: 2)
    append(fraction: UInt64(fraction), minimumDigits: 0, step: 3)
    append(UInt8(ascii: "Z"))
  }

  /// Nine decimals without the trailing zeros, in steps of `step` digits; nothing at all for zero and no minimum.
  private mutating func append(fraction: UInt64, minimumDigits: Int, step: Int) {
    var digits = 9
    var value = fraction
    let unit: UInt64 = step == 3 ? 1000 : 10
    while digits - step >= minimumDigits, value % unit == 0 {
      digits -= step
      value /= unit
      if digits == 0 { return }
    }
    append(UInt8(ascii: "."))
    append(decimal: value, digits: digits)
  }

  /// Three significant digits and a unit up to a minute (`45.6 ms`), then two units (`2m 05s`, `3h 20m`, `12d 4h`).
  mutating func append(duration nanoseconds: Int64) {
    if nanoseconds < 0 { append(UInt8(ascii: "-")) }
    let value = nanoseconds.magnitude
    if value < 1000 {
      append(decimal: value)
      return append(" ns")
    }
    if append(value, unit: 1000, " µs") || append(value, unit: 1_000_000, " ms")
      || append(value, unit: 1_000_000_000, " s", below: 60)
    {
      return
    }
    let seconds = value / 1_000_000_000 + (value % 1_000_000_000 >= 500_000_000 ? 1 : 0)
    switch seconds {
    case ..<3600: append(seconds / 60, "m ", seconds % 60, "s")
    case ..<86_400: append(seconds / 3600, "h ", seconds / 60 % 60, "m")
    default:
      append(decimal: seconds / 86_400)
      append("d ")
      append(decimal: seconds / 3600 % 24)
      append("h")
    }
  }

  private mutating func append(_ large: UInt64, _ unit: StaticString, _ small: UInt64, _ smallUnit: StaticString) {
    append(decimal: large)
    append(unit)
    append(decimal: small, digits: 2)
    append(smallUnit)
  }

  /// `false`, and nothing written, when the value rounds to `below` units or more.
  private mutating func append(_ value: UInt64, unit: UInt64, _ name: StaticString, below: UInt64 = 1000) -> Bool {
    for (decimals, scale) in [(2, 100 as UInt64), (1, 10), (0, 1)] {
      let step = unit / scale
      let rounded = value / step + (value % step >= step - step / 2 ? 1 : 0)
      guard decimals == 0 || rounded < 1000 else { continue }
      guard rounded < below * scale else { return false }
      append(decimal: rounded / scale)
      if decimals > 0 {
        append(UInt8(ascii: "."))
        append(decimal: rounded % scale, digits: decimals)
      }
      append(name)
      return true
    }
    return false
  }

  /// Exact: `$12.50`, `-$0.000001234`; at least two decimals.
  mutating func append(money nanoUSD: Int64) {
    if nanoUSD < 0 { append(UInt8(ascii: "-")) }
    append(UInt8(ascii: "$"))
    append(decimal: nanoUSD.magnitude / 1_000_000_000)
    append(fraction: nanoUSD.magnitude % 1_000_000_000, minimumDigits: 2, step: 1)
  }

  /// Text with everything that could move the cursor, reorder the line or hide itself made visible.
  mutating func append(visible text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte >= 0x20, byte < 0x7F {
        index &+= 1
        continue
      }
      let (scalar, length) = UTF8Decoding.scalar(text, at: index)
      if length > 0, !Self.mustEscape(scalar) {
        index &+= length
        continue
      }
      append(UnsafeBufferPointer(rebasing: text[start..<index]))
      appendEscape(scalar, isValid: length > 0)
      index &+= max(1, length)
      start = index
    }
    append(UnsafeBufferPointer(rebasing: text[start..<text.count]))
  }

  /// Controls, line and paragraph separators, marks of writing direction, and the byte order mark.
  private static func mustEscape(_ scalar: UInt32) -> Bool {
    switch scalar {
    case ..<0x20, 0x7F...0x9F, 0x061C, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
    default: false
    }
  }

  private mutating func appendEscape(_ scalar: UInt32, isValid: Bool) {
    switch scalar {
    case 0x0A: append("\\n")
    case 0x0D: append("\\r")
    case 0x09: append("\\t")
    case ..<0x80:
      append("\\x")
      append(hexByte: UInt8(truncatingIfNeeded: scalar))
    case _ where isValid:
      append("\\u")
      append(hexByte: UInt8(truncatingIfNeeded: scalar >> 8))
      append(hexByte: UInt8(truncatingIfNeeded: scalar))
    default: append("\u{FFFD}")
    }
  }
}
