extension TextFormats {
  /// Reads `YYYY-MM-DD[(T| )HH:MM[:SS[.fraction]]][Z|+HH:MM|-HH:MM]`, UTC where no zone is given, as nanoseconds since 1970.
  /// `nil` for other text, for impossible dates, and for times that 64 bits don't hold.
  public static func timestamp(_ text: some StringProtocol) -> Int64? {
    var reader = Reader(bytes: Array(text.utf8))
    guard let year = reader.number(digits: 4), reader.take("-"), let month = reader.number(digits: 2), reader.take("-"),
      let day = reader.number(digits: 2), (1...12).contains(month), (1...daysOfMonth(month, year: year)).contains(day)
    else { return nil }
    var seconds = days(year: year, month: month, day: day) * 86_400
    var fraction: Int64 = 0
    if reader.take("T") || reader.take("t") || reader.take(" ") {
      guard let clock = reader.clock() else { return nil }
      seconds += clock.seconds
      fraction = clock.fraction
    }
    guard let zone = reader.zone(), reader.isAtEnd else { return nil }
    seconds -= zone
    return Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(fraction))
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
      position += 1
      return true
    }

    private mutating func digit() -> Int64? {
      guard position < bytes.count, (0x30...0x39).contains(bytes[position]) else { return nil }
      position += 1
      return Int64(bytes[position - 1] - 0x30)
    }

    mutating func number(digits: Int) -> Int64? {
      var result: Int64 = 0
      for _ in 0..<digits {
        guard let digit = digit() else { return nil }
        result = result * 10 + digit
      }
      return result
    }

    mutating func clock() -> (seconds: Int64, fraction: Int64)? {
      guard let hour = number(digits: 2), hour < 24, take(":"), let minute = number(digits: 2), minute < 60 else {
        return nil
      }
      guard take(":") else { return (hour * 3600 + minute * 60, 0) }
      guard let second = number(digits: 2), second < 60 else { return nil }
      var fraction: Int64 = 0
      if take(".") {
        var unit: Int64 = 100_000_000
        guard let first = digit() else { return nil }
        fraction = first * unit
        while let next = digit() {
          unit /= 10
          if unit == 0 { return nil }
          fraction += next * unit
        }
      }
      return (hour * 3600 + minute * 60 + second, fraction)
    }

    /// Seconds east of UTC.
    mutating func zone() -> Int64? {
      if isAtEnd || take("Z") || take("z") { return 0 }
      let isEast = take("+")
      guard isEast || take("-"), let hours = number(digits: 2), hours < 24, take(":"),
        let minutes = number(digits: 2), minutes < 60
      else { return nil }
      let seconds = hours * 3600 + minutes * 60
      return isEast ? seconds : -seconds
    }
  }

  // MARK: Calendar

  private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  private static func daysOfMonth(_ month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years count from 0. March begins the year, so
  /// that the leap day is its last.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The inverse of `days`.
  static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
