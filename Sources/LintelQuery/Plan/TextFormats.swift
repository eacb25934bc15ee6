public import LintelColumns

/// How values are written as text and read back: what `CAST`, literals and the display of results share.
///
///     timestamp   2026-01-02T03:04:05Z, with 3, 6 or 9 digits of fraction where they are not zero
///     duration    1500000000ns
///     money       0.0025 (USD)
///     float64     the shortest decimal that reads back the same: 5.0, 1e+20, nan, inf
///     ids         lower-case hex
public enum TextFormats {
  /// The text of a scalar value; `nil` for null, for bytes that are not UTF-8, and for variants and maps (those are
  /// written as JSON, see ``Variant``).
  public static func text(_ value: Value, _ type: ColumnType) -> String? {
    switch (value, type) {
    case (.int64(let number), .timestamp): timestamp(number)
    case (.int64(let number), .duration): "\(number)ns"
    case (.int64(let number), .money): money(number)
    case (.int64(let number), .id8): hex(UInt64(bitPattern: number), digits: 16)
    case (.int64(let number), .enumeration(let enumeration)): enumeration.label(of: number) ?? String(number)
    case (.int64(let number), _): String(number)
    case (.float64(let number), _): number.isNaN ? "nan" : number.description
    case (.bool(let flag), _): flag ? "true" : "false"
    case (.id128(let id), _): hex(id, digits: 32)
    case (.bytes(let bytes), .string): String(decoding: bytes, as: UTF8.self)
    case (.bytes(let bytes), .bytes): String(validating: bytes, as: UTF8.self)
    default: nil
    }
  }

  static func hex(_ number: some FixedWidthInteger, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  // MARK: Money

  /// Nano-USD as decimal USD, without needless zeros.
  public static func money(_ nanos: Int64) -> String {
    let (whole, fraction) = nanos.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    var digits = fraction == 0 ? "" : "." + pad(Int64(fraction), 9)
    while digits.last == "0" { digits.removeLast() }
    return (nanos < 0 ? "-" : "") + String(whole) + digits
  }

  /// `[+-]digits[.digits][usd]` with at most nine digits of fraction, as nano-USD; `nil` for other text, or past 64 bits.
  public static func money(_ text: some StringProtocol) -> Int64? {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    if rest.hasSuffix("usd") { rest.removeLast(3) }
    return scaled(rest, by: 1_000_000_000, negative: isNegative)
  }

  // MARK: Durations

  /// Units of duration literals in nanoseconds.
  public static let durationUnits: [(name: String, nanoseconds: Int64)] = [
    ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
    ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
  ]

  /// `[+-]digits[.digits]unit`, such as `250ms` or `1.5h`, in nanoseconds. `nil` for other text, for fractions of a
  /// nanosecond, or past 64 bits.
  public static func duration(_ text: some StringProtocol) -> Int64? {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    let number = rest.prefix { $0 == "." || isDigit($0) }
    let name = rest.dropFirst(number.count)
    guard let unit = durationUnits.first(where: { $0.name == name }) else { return nil }
    return scaled(number, by: unit.nanoseconds, negative: isNegative)
  }

  /// `digits[.digits]` times `unit` where that is a whole number of 64 bits.
  static func scaled(_ text: some StringProtocol, by unit: Int64, negative: Bool) -> Int64? {
    let pieces = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = pieces.first, isDigits(whole), let integer = UInt64(whole) else { return nil }
    var result = Int128(integer) * Int128(unit)
    if pieces.count == 2 {
      guard isDigits(pieces[1]) else { return nil }
      var unit = unit
      for digit in pieces[1].utf8 where digit != UInt8(ascii: "0") || unit % 10 == 0 {
        // What isn't a whole number of nanoseconds is refused.
        guard unit % 10 == 0 else { return nil }
        unit /= 10
        result += Int128(digit - UInt8(ascii: "0")) * Int128(unit)
      }
    }
    return Int64(exactly: negative ? -result : result)
  }

  private static func isDigits(_ text: some StringProtocol) -> Bool { !text.isEmpty && text.allSatisfy(isDigit) }

  static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isWholeNumber }

  // MARK: Times

  /// Nanoseconds since 1970 UTC as ISO 8601.
  public static func timestamp(_ nanoseconds: Int64) -> String {
    let second: Int64 = 1_000_000_000
    var seconds = nanoseconds / second
    var fraction = nanoseconds % second
    if fraction < 0 {
      fraction += second
      seconds -= 1
    }
    var days = seconds / 86_400
    var clock = seconds % 86_400
    if clock < 0 {
      clock += 86_400
      days -= 1
    }
    let (year, month, day) = civil(days: days)
    let digits =
      if fraction == 0 {
        ""
      } else if fraction % 1_000_000 == 0 {
        "." + pad(fraction / 1_000_000, 3)
      } else if fraction % 1_000 == 0 {
        "." + pad(fraction / 1_000, 6)
      } else {
        "." + pad(fraction, 9)
      }
    return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(day, 2) + "T" + pad(clock / 3600, 2) + ":"
      + pad(clock / 60 % 60, 2) + ":" + pad(clock % 60, 2) + digits + "Z"
  }

  private static func pad(_ number: Int64, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}
