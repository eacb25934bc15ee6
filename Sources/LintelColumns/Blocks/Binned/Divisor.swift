/// A common divisor of a block's values (less their least): token counts come in multiples of 128, times in microseconds.
struct Divisor {
  let value: UInt64
  /// The inverse of the odd part, modulo 2^64.
  let inverse: UInt64
  let shift: Int

  init(_ value: UInt64) {
    self.value = max(1, value)
    shift = self.value.trailingZeroBitCount
    let odd = self.value &>> UInt64(shift)
    // Newton's iteration doubles the number of right bits; an odd number is its own inverse in the lowest three.
    var inverse = odd
    for _ in 0..<5 { inverse = inverse &* (2 &- odd &* inverse) }
    self.inverse = inverse
  }

  /// The largest quotient there can be.
  var greatestQuotient: UInt64 { UInt64.max / value }

  /// The greatest number that divides all of `values`; 0 where all are 0.
  static func common(_ values: UnsafeBufferPointer<UInt64>) -> UInt64 {
    var divisor: UInt64 = 0
    for value in values {
      var rest = value
      while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
      if divisor == 1 { return 1 }
    }
    return divisor
  }
}
