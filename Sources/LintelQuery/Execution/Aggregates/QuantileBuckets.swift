/// The buckets of quantile sketches: numbers that differ by at most 1/64 share one, and its middle stands for them, so that
/// an answer is within 0.8 % of the exact one. As DDSketch has it (Masson, Rim, Lee 2019), but with the exponent and the
/// first six bits of the mantissa for the logarithm: a shift, and the same on every machine.
///
/// Zero, infinities and NaN have buckets of their own; numbers nearer to zero than 2.3e-308 count as zero. Integers below
/// 128 in magnitude come out exactly.
enum QuantileBuckets {
  /// Bits of a double below those that number the bucket.
  private static let shift: UInt64 = 46
  private static let sign: UInt32 = 1 << 17
  private static let infinity: UInt32 = 0x7FF << 6
  /// Above the number of every bucket.
  static let limit: UInt32 = 1 << 18

  /// Numbered in sort order, NaN last; below 2^18.
  @inline(__always)
  static func bucket(_ number: Double) -> UInt32 { UInt32(truncatingIfNeeded: SortOrder.bits(number) >> shift) }

  @inline(__always)
  static func bucket(_ number: Int64) -> UInt32 {
    let bits = Double(number).bitPattern
    // All ones for negative numbers, the sign alone for others: integers have neither NaN nor -0.
    let flip = UInt64(bitPattern: Int64(bitPattern: bits) >> 63) | 1 << 63
    return UInt32(truncatingIfNeeded: (bits ^ flip) >> shift)
  }

  /// The middle of the bucket.
  static func middle(_ bucket: UInt32) -> Double {
    let isNegative = bucket & sign == 0
    let magnitude = (isNegative ? ~bucket : bucket) & (sign - 1)
    if magnitude > infinity { return .nan }
    if magnitude >> 6 == 0 { return 0 }
    let middle: UInt64 = magnitude == infinity ? 0 : 1 << (shift - 1)
    let number = Double(bitPattern: UInt64(magnitude) << shift | middle)
    return isNegative ? -number : number
  }

  /// The integer nearest to zero of those in the middle of the bucket.
  static func integer(_ bucket: UInt32) -> Int64 {
    let number = middle(bucket)
    return number >= 0x1p63 ? .max : number < -0x1p63 ? .min : Int64(number)
  }
}
