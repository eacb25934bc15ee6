/// Integers of any size, as far as exact sums and squares need them.
struct BigInteger: Equatable {
  /// Little-endian digits of the magnitude, without leading zeros.
  private(set) var digits: [UInt32]
  private(set) var isNegative: Bool

  init(digits: [UInt32], isNegative: Bool) {
    var digits = digits
    while digits.last == 0 { digits.removeLast() }
    self.digits = digits
    self.isNegative = isNegative && !digits.isEmpty
  }

  init(_ value: Int128) {
    var rest = value.magnitude
    var digits: [UInt32] = []
    while rest != 0 {
      digits.append(UInt32(truncatingIfNeeded: rest))
      rest >>= 32
    }
    self.init(digits: digits, isNegative: value < 0)
  }

  /// Signed digits of any 64-bit size, digit `i` weighing 2^(32 i).
  init(carrying lanes: [Int64]) {
    var carry: Int64 = 0
    var digits: [UInt32] = []
    for lane in lanes {
      // Lanes stay below 2^62, so that a carry fits.
      let total = lane &+ carry
      digits.append(UInt32(truncatingIfNeeded: total))
      carry = total >> 32
    }
    digits.append(UInt32(truncatingIfNeeded: carry))
    digits.append(UInt32(truncatingIfNeeded: carry >> 32))
    guard carry < 0 else {
      self.init(digits: digits, isNegative: false)
      return
    }
    var borrow: UInt64 = 1
    for index in digits.indices {
      let sum = UInt64(~digits[index]) &+ borrow
      digits[index] = UInt32(truncatingIfNeeded: sum)
      borrow = sum >> 32
    }
    self.init(digits: digits, isNegative: true)
  }

  static func * (left: BigInteger, right: BigInteger) -> BigInteger {
    guard !left.digits.isEmpty, !right.digits.isEmpty else { return BigInteger(digits: [], isNegative: false) }
    var result = Array(repeating: UInt32(0), count: left.digits.count + right.digits.count)
    for (i, a) in left.digits.enumerated() {
      var carry: UInt64 = 0
      for (j, b) in right.digits.enumerated() {
        let sum = UInt64(a) &* UInt64(b) &+ UInt64(result[i + j]) &+ carry
        result[i + j] = UInt32(truncatingIfNeeded: sum)
        carry = sum >> 32
      }
      result[i + right.digits.count] = UInt32(truncatingIfNeeded: carry)
    }
    return BigInteger(digits: result, isNegative: left.isNegative != right.isNegative)
  }

  static func + (left: BigInteger, right: BigInteger) -> BigInteger {
    let lanes = (0..<max(left.digits.count, right.digits.count)).map { index -> Int64 in
      let a = index < left.digits.count ? Int64(left.digits[index]) : 0
      let b = index < right.digits.count ? Int64(right.digits[index]) : 0
      return (left.isNegative ? -a : a) + (right.isNegative ? -b : b)
    }
    return BigInteger(carrying: lanes)
  }

  static prefix func - (value: BigInteger) -> BigInteger {
    BigInteger(digits: value.digits, isNegative: !value.isNegative)
  }

  /// The double nearest to this times 2^`exponent`, halves to even.
  func rounded(exponent: Int) -> Double {
    guard let top = digits.last else { return 0 }
    let length = digits.count * 32 - top.leadingZeroBitCount
    // Keep 64 bits and whether anything was cut off; subnormals keep fewer.
    let lowest = max(length - 64, 0)
    var mantissa: UInt64 = 0
    for bit in stride(from: length - 1, through: lowest, by: -1) {
      mantissa = mantissa << 1 | UInt64(digits[bit / 32] >> UInt32(bit % 32) & 1)
    }
    var sticky = false
    for bit in 0..<lowest where digits[bit / 32] >> UInt32(bit % 32) & 1 != 0 {
      sticky = true
      break
    }
    let value = Self.assemble(mantissa, exponent: exponent + lowest, sticky: sticky)
    return isNegative ? -value : value
  }

  /// `mantissa` (and a bit below it) times 2^`exponent`, rounded once.
  private static func assemble(_ mantissa: UInt64, exponent: Int, sticky: Bool) -> Double {
    let length = 64 - mantissa.leadingZeroBitCount
    // The unit of the result: 53 bits, or the least subnormal.
    let unit = max(exponent + length - 53, -1074)
    let shift = unit - exponent
    guard shift > 0 else { return Double(sign: .plus, exponent: exponent, significand: Double(mantissa)) }
    guard shift < 65 else { return 0 }
    var kept = shift == 64 ? 0 : mantissa >> UInt64(shift)
    let cut = shift == 64 ? mantissa : mantissa & ((1 << UInt64(shift)) &- 1)
    let half: UInt64 = 1 << UInt64(shift - 1)
    if cut > half || (cut == half && (sticky || kept & 1 == 1)) { kept += 1 }
    return Double(sign: .plus, exponent: unit, significand: Double(kept))
  }
}
