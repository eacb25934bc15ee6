import LintelColumns

/// The inner loops of counts and sums.
///
/// Rows of one group come in runs, and adding to one memory cell again and again waits for the store before. With few
/// groups each block therefore adds into four tables in turn, folded at its end.
enum GroupKernels {
  /// Groups up to which four tables pay.
  static let interleavedGroups = 512
  /// Values below 2^47 in magnitude: a block's sum of them stays within 64 bits.
  private static let narrowBits: UInt64 = 1 << 47

  static func count(
    _ groups: [UInt32], _ validity: [Bool]?, into counts: UnsafeMutablePointer<Int64>, groupCount: Int
  ) {
    groups.withUnsafeBufferPointer { groups in
      if groupCount <= interleavedGroups, groups.count >= groupCount {
        countInterleaved(groups, validity, counts, groupCount)
      } else if let validity {
        validity.withUnsafeBytes { valid in
          for lane in 0..<groups.count { counts[Int(groups[lane])] &+= Int64(valid[lane]) }
        }
      } else {
        for lane in 0..<groups.count { counts[Int(groups[lane])] &+= 1 }
      }
    }
  }

  private static func countInterleaved(
    _ groups: UnsafeBufferPointer<UInt32>, _ validity: [Bool]?, _ counts: UnsafeMutablePointer<Int64>,
    _ groupCount: Int
  ) {
    withScratch(of: UInt32.self, count: groupCount * 4) { tables in
      tables.initialize(repeating: 0)
      if let validity {
        validity.withUnsafeBytes { valid in
          for lane in 0..<groups.count {
            tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= UInt32(valid[lane])
          }
        }
      } else {
        for lane in 0..<groups.count { tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= 1 }
      }
      for group in 0..<groupCount {
        let base = group &* 4
        let total = tables[base] &+ tables[base &+ 1] &+ tables[base &+ 2] &+ tables[base &+ 3]
        counts[group] &+= Int64(total)
      }
    }
  }

  static func sum(
    _ values: [Int64], _ groups: [UInt32], _ validity: [Bool]?, into sums: UnsafeMutablePointer<Int128>, groupCount: Int
  ) {
    values.withUnsafeBufferPointer { values in
      groups.withUnsafeBufferPointer { groups in
        if groupCount <= interleavedGroups, groups.count >= groupCount, isNarrow(values) {
          sumInterleaved(values, groups, validity, sums, groupCount)
        } else if let validity {
          validity.withUnsafeBytes { valid in
            for lane in 0..<values.count {
              sums[Int(groups[lane])] &+= Int128(values[lane] & (0 &- Int64(valid[lane])))
            }
          }
        } else {
          for lane in 0..<values.count { sums[Int(groups[lane])] &+= Int128(values[lane]) }
        }
      }
    }
  }

  private static func isNarrow(_ values: UnsafeBufferPointer<Int64>) -> Bool {
    var bits: UInt64 = 0
    for value in values { bits |= UInt64(bitPattern: value ^ value >> 63) }
    return bits < narrowBits
  }

  private static func sumInterleaved(
    _ values: UnsafeBufferPointer<Int64>, _ groups: UnsafeBufferPointer<UInt32>, _ validity: [Bool]?,
    _ sums: UnsafeMutablePointer<Int128>, _ groupCount: Int
  ) {
    withScratch(of: Int64.self, count: groupCount * 4) { tables in
      tables.initialize(repeating: 0)
      if let validity {
        validity.withUnsafeBytes { valid in
          for lane in 0..<values.count {
            tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= values[lane] & (0 &- Int64(valid[lane]))
          }
        }
      } else {
        for lane in 0..<values.count { tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= values[lane] }
      }
      for group in 0..<groupCount {
        let base = group &* 4
        let total = tables[base] &+ tables[base &+ 1] &+ tables[base &+ 2] &+ tables[base &+ 3]
        sums[group] &+= Int128(total)
      }
    }
  }

  /// The sum of all values: their upper and lower halves apart, so that 64 bits suffice for a block.
  static func sum(_ values: [Int64], _ validity: [Bool]?) -> Int128 {
    var low: UInt64 = 0
    var high: Int64 = 0
    values.withUnsafeBufferPointer { values in
      if let validity {
        validity.withUnsafeBytes { valid in
          for lane in 0..<values.count {
            let value = values[lane] & (0 &- Int64(valid[lane]))
            low &+= UInt64(bitPattern: value) & 0xFFFF_FFFF
            high &+= value >> 32
          }
        }
      } else {
        for value in values {
          low &+= UInt64(bitPattern: value) & 0xFFFF_FFFF
          high &+= value >> 32
        }
      }
    }
    return Int128(high) << 32 &+ Int128(low)
  }

  static func countValid(_ validity: [Bool]) -> Int64 {
    var count: Int64 = 0
    validity.withUnsafeBytes { valid in for flag in valid { count &+= Int64(flag) } }
    return count
  }
}
