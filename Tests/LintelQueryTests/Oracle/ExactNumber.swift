/// An exact number: an integer of any size times 2^-1074 to some power. Slow and plain.
struct ExactNumber {
  /// Digits of 32 bits, the lowest first, none zero at the end.
  private var digits: [UInt32]
  private var isNegative: Bool
  /// The number is `digits` times 2^-exponent.
  private var exponent: Int

  static let zero = ExactNumber(digits: [], isNegative: false, exponent: 0)

  private init(digits: [UInt32], isNegative: Bool, exponent: Int) {
    self.digits = digits
    while self.digits.last == 0 { self.digits.removeLast() }
    self.isNegative = isNegative && !self.digits.isEmpty
    self.exponent = exponent
  }

  init(integer: Int128) {
    let magnitude = integer.magnitude
    let digits = (0..<4).map { UInt32(truncatingIfNeeded: magnitude >> (32 * $0)) }
    self.init(digits: digits, isNegative: integer < 0, exponent: 0)
  }

  /// A finite double.
  init(_ number: Double) {
    let mantissa = number.significandBitPattern | (number.exponentBitPattern == 0 ? 0 : 1 << 52)
    let shift = max(Int(number.exponentBitPattern), 1) - 1
    let digits = [UInt32(truncatingIfNeeded: mantissa), UInt32(truncatingIfNeeded: mantissa >> 32)]
    self.init(digits: Self.shifted(digits, by: shift), isNegative: number < 0, exponent: 1074)
  }

  /// The sum of doubles, rounded once.
  static func sum(_ numbers: [Double]) -> Double {
    let special = numbers.filter { !$0.isFinite }
    if !special.isEmpty { return special.reduce(0, +) }
    return numbers.map(ExactNumber.init).reduce(.zero, +).rounded
  }

  private static func shifted(_ digits: [UInt32], by bits: Int) -> [UInt32] {
    var result = [UInt32](repeating: 0, count: bits / 32)
    var carry: UInt64 = 0
    for digit in digits {
      let wide = UInt64(digit) << UInt64(bits % 32) | carry
      result.append(UInt32(truncatingIfNeeded: wide))
      carry = wide >> 32
    }
    result.append(UInt32(carry))
    return result
  }

  private func scaled(to target: Int) -> ExactNumber {
    ExactNumber(digits: Self.shifted(digits, by: target - exponent), isNegative: isNegative, exponent: target)
  }

  static func + (left: ExactNumber, right: ExactNumber) -> ExactNumber {
    let exponent = max(left.exponent, right.exponent)
    let (a, b) = (left.scaled(to: exponent), right.scaled(to: exponent))
    if a.isNegative == b.isNegative {
      return ExactNumber(digits: add(a.digits, b.digits), isNegative: a.isNegative, exponent: exponent)
    }
    let isLess = less(a.digits, b.digits)
    let digits = isLess ? subtract(b.digits, a.digits) : subtract(a.digits, b.digits)
    return ExactNumber(digits: digits, isNegative: isLess ? b.isNegative : a.isNegative, exponent: exponent)
  }

  static func - (left: ExactNumber, right: ExactNumber) -> ExactNumber {
    left + ExactNumber(digits: right.digits, isNegative: !right.isNegative, exponent: right.exponent)
  }

  static func * (left: ExactNumber, right: ExactNumber) -> ExactNumber {
    var result = [UInt32](repeating: 0, count: left.digits.count + right.digits.count)
    for (i, a) in left.digits.enumerated() {
      var carry: UInt64 = 0
      for (j, b) in right.digits.enumerated() {
        let wide = UInt64(a) * UInt64(b) + UInt64(result[i + j]) + carry
        result[i + j] = UInt32(truncatingIfNeeded: wide)
        carry = wide >> 32
      }
      result[i + right.digits.count] = UInt32(carry)
    }
    return ExactNumber(
      digits: result, isNegative: left.isNegative != right.isNegative, exponent: left.exponent + right.exponent)
  }

  private static func add(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    var carry: UInt64 = 0
    for index in 0..<max(a.count, b.count) {
      let wide = UInt64(index < a.count ? a[index] : 0) + UInt64(index < b.count ? b[index] : 0) + carry
      result.append(UInt32(truncatingIfNeeded: wide))
      carry = wide >> 32
    }
    return result + [UInt32(carry)]
  }

  private static func subtract(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    var borrow: Int64 = 0
    for index in a.indices {
      let wide = Int64(a[index]) - Int64(index < b.count ? b[index] : 0) - borrow
      result.append(UInt32(truncatingIfNeeded: wide))
      borrow = wide < 0 ? 1 : 0
    }
    return result
  }

  private static func less(_ a: [UInt32], _ b: [UInt32]) -> Bool {
    a.count == b.count ? a.reversed().lexicographicallyPrecedes(b.reversed()) : a.count < b.count
  }

  private func bit(_ index: Int) -> Bool { index >= 0 && digits[index / 32] >> UInt32(index % 32) & 1 != 0 }

  /// The nearest double; halves to even.
  var rounded: Double {
    guard let top = digits.last else { return 0 }
    let length = digits.count * 32 - top.leadingZeroBitCount
    // The lowest bit that the double keeps: 53 bits, or fewer where it is subnormal.
    let lowest = max(length - 53, exponent - 1074)
    var mantissa: UInt64 = 0
    for index in stride(from: length - 1, through: max(lowest, 0), by: -1) {
      mantissa = mantissa << 1 | (bit(index) ? 1 : 0)
    }
    if lowest < 0 { mantissa <<= UInt64(-lowest) }
    if lowest > 0, lowest <= length, bit(lowest - 1) {
      let isHalf = !(0..<max(lowest - 1, 0)).contains(where: bit)
      if !isHalf || mantissa & 1 == 1 { mantissa += 1 }
    }
    let magnitude = Double(sign: .plus, exponent: lowest - exponent, significand: Double(mantissa))
    return isNegative ? -magnitude : magnitude
  }
}
