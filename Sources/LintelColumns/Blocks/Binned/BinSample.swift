/// Looks at some of a block's values to plan its bins.
enum BinSample {
  /// Enough to tell whether bins pay, and of what.
  private static let trialSize = 512
  private static let trialGroups = 48

  /// Expected bits a value, of the values or of their differences; from a small sample.
  static func estimate(_ values: UnsafeBufferPointer<Int64>, base: Int64, isDelta: Bool) -> Double {
    withScratch(of: UInt64.self, count: trialSize * 2) { scratch in
      let size = min(trialSize, values.count - 1)
      let sample = UnsafeMutableBufferPointer(rebasing: scratch[..<size])
      let other = UnsafeMutableBufferPointer(rebasing: scratch[size..<size * 2])
      var least = Int64.max
      for index in 0..<size {
        let position = place(index, of: size, among: values.count - 1)
        let value = isDelta ? values[position &+ 1] &- values[position] : values[position]
        least = min(least, value)
        sample[index] = UInt64(bitPattern: value)
      }
      for index in 0..<size { sample[index] &-= UInt64(bitPattern: least) }
      let divisor = Divisor(Divisor.common(UnsafeBufferPointer(sample)))
      if divisor.value > 1 { for index in 0..<size { sample[index] /= divisor.value } }
      let sorted = UnsafeBufferPointer(RadixSort.sort(sample, other))
      return BinPlan(sorted: sorted, valueCount: values.count, groupCount: trialGroups).bitsPerValue
    }
  }

  /// What divides the differences to `base` of some values; it need not divide those of all.
  static func commonDivisor(_ values: UnsafeBufferPointer<Int64>, base: Int64) -> UInt64 {
    let size = min(256, values.count)
    return withScratch(of: UInt64.self, count: size) { sample in
      for index in 0..<size {
        sample[index] = UInt64(bitPattern: values[place(index, of: size, among: values.count)] &- base)
      }
      return Divisor.common(UnsafeBufferPointer(sample))
    }
  }

  /// Bins for `values`, whose least is 0.
  static func plan(_ values: UnsafeBufferPointer<UInt64>, greatest: UInt64) -> BinPlan {
    let size = min(BinPlan.maximumSample, values.count / 2 + 2)
    return withScratch(of: UInt64.self, count: size * 2) { scratch in
      let sample = UnsafeMutableBufferPointer(rebasing: scratch[..<size])
      for index in 0..<size - 2 { sample[index] = values[place(index, of: size - 2, among: values.count)] }
      sample[size - 2] = 0
      sample[size - 1] = greatest
      let sorted = RadixSort.sort(sample, UnsafeMutableBufferPointer(rebasing: scratch[size...]))
      return BinPlan(
        sorted: UnsafeBufferPointer(sorted), valueCount: values.count, groupCount: BinPlan.maximumGroups)
    }
  }

  /// The position of sample `index`: one at random in each of `size` equal stretches, so that no period hides.
  @inline(__always)
  private static func place(_ index: Int, of size: Int, among count: Int) -> Int {
    let start = index &* count / size
    let length = (index &+ 1) &* count / size &- start
    let random = UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15 &>> 32
    return start &+ Int(truncatingIfNeeded: random &* UInt64(truncatingIfNeeded: length) &>> 32)
  }
}
