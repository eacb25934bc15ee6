extension Lexer {
  /// A number, or a duration or an amount of money where a unit follows at once.
  mutating func number() throws(QueryError) -> Token.Kind {
    let start = position
    var isInteger = true
    skipDigits()
    if byte() == UInt8(ascii: "."), Self.isDigit(byte(1)) || !Self.beginsWord(byte(1)) && byte(1) != UInt8(ascii: ".") {
      isInteger = false
      position += 1
      skipDigits()
    }
    let digits = start..<position
    if byte() | 0x20 == UInt8(ascii: "e"), Self.isDigit(byte(exponentSignLength + 1)) {
      isInteger = false
      position += exponentSignLength + 1
      skipDigits()
    }
    let number = text(start..<position)
    if Self.beginsWord(byte()) { return try withUnit(text(digits), whole: digits.upperBound == position, start: start) }
    if isInteger {
      guard let value = UInt64(number) else {
        throw QueryError(
          .syntax, "\(number) is past 64 bits", offset: start, hint: "write \(number).0 for a floating-point number")
      }
      return .integer(value)
    }
    guard let value = Double(number.hasPrefix(".") ? "0" + number : number), value.isFinite else {
      throw QueryError(.syntax, "\(number) is past what a 64-bit floating-point number holds", offset: start)
    }
    return .decimal(value)
  }

  private var exponentSignLength: Int { byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") ? 1 : 0 }

  private mutating func skipDigits() {
    while Self.isDigit(byte()) { position += 1 }
  }

  private mutating func withUnit(_ digits: String, whole: Bool, start: Int) throws(QueryError) -> Token.Kind {
    let unitStart = position
    let unit = word()
    let number = digits.hasPrefix(".") ? "0" + digits : digits
    let isMoney = unit == "usd" || unit == "USD"
    let units = TextFormats.durationUnits.map(\.name)
    guard whole, isMoney || units.contains(unit) else {
      throw QueryError(
        .syntax, "\(unit) is not a unit", offset: unitStart,
        hint: "durations are written with ns, us, ms, s, m, h or d (5m), money with usd (0.25usd)")
    }
    if let value = isMoney ? TextFormats.money(number) : TextFormats.duration(number + unit) {
      return isMoney ? .money(value) : .duration(value)
    }
    throw QueryError(
      .syntax, "\(digits)\(unit) is not a whole number of \(isMoney ? "nano-USD" : "nanoseconds") within 64 bits",
      offset: start)
  }
}
