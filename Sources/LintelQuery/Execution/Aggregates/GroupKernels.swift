import LintelColumns

/// The inner loops of counts and sums.
///
/// Rows of one group come in runs, and adding to one memory cell again and again waits for the store before. With few
/// groups each block therefore adds into four tables in turn, folded at its end.
enum GroupKernels {
  /// Groups up to which four tables pay.
  static let interleavedGroups = 512
  /// Sums take four times as much.
  private static let interleavedSums = 256

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

  /// Adds to each group's state the valid values and how many they are; the caller knows that nothing overflows.
  static func sum(
    _ values: [Int64], _ groups: [UInt32], _ validity: [Bool]?, into states: UnsafeMutablePointer<SIMD2<Int64>>,
    groupCount: Int
  ) {
    values.withUnsafeBufferPointer { values in
      groups.withUnsafeBufferPointer { groups in
        if groupCount <= interleavedSums, groups.count >= groupCount {
          sumInterleaved(values, groups, validity, states, groupCount)
        } else if let validity {
          validity.withUnsafeBytes { valid in
            for lane in 0..<values.count {
              let one = Int64(valid[lane])
              states[Int(groups[lane])] &+= SIMD2(values[lane] & (0 &- one), one)
            }
          }
        } else {
          for lane in 0..<values.count { states[Int(groups[lane])] &+= SIMD2(values[lane], 1) }
        }
      }
    }
  }

  private static func sumInterleaved(
    _ values: UnsafeBufferPointer<Int64>, _ groups: UnsafeBufferPointer<UInt32>, _ validity: [Bool]?,
    _ states: UnsafeMutablePointer<SIMD2<Int64>>, _ groupCount: Int
  ) {
    withScratch(of: SIMD2<Int64>.self, count: groupCount * 4) { tables in
      tables.initialize(repeating: .zero)
      if let validity {
        validity.withUnsafeBytes { valid in
          for lane in 0..<values.count {
            let one = Int64(valid[lane])
            tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= SIMD2(values[lane] & (0 &- one), one)
          }
        }
      } else {
        for lane in 0..<values.count {
          tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= SIMD2(values[lane], 1)
        }
      }
      for group in 0..<groupCount {
        let base = group &* 4
        states[group] &+= tables[base] &+ tables[base &+ 1] &+ tables[base &+ 2] &+ tables[base &+ 3]
      }
    }
  }

  static func countValid(_ validity: [Bool]) -> Int64 {
    var count: Int64 = 0
    validity.withUnsafeBytes { valid in for flag in valid { count &+= Int64(flag) } }
    return count
  }
}
