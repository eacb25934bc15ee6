internal import CLintelKernels
import LintelColumns

/// The inner loops of counts and sums where groups don't come in runs (see ``GroupRuns``).
///
/// With few groups each block adds into four tables in turn, folded at its end: neighbours are still often of one group.
enum GroupKernels {
  /// Groups up to which four tables pay.
  static let interleavedGroups = 512

  static func count(
    _ groups: [UInt32], _ validity: [Bool]?, into counts: UnsafeMutablePointer<Int64>, groupCount: Int
  ) {
    guard groupCount <= interleavedGroups, groups.count >= groupCount else {
      for (lane, group) in groups.enumerated() where validity?[lane] ?? true { counts[Int(group)] &+= 1 }
      return
    }
    withScratch(of: UInt32.self, count: groupCount * 4) { tables in
      guard let table = tables.baseAddress else { return }
      tables.initialize(repeating: 0)
      ScanKernels.withBytes(validity) { valid in
        groups.withUnsafeBufferPointer { groups in
          guard let lanes = groups.baseAddress else { return }
          lintel_group_count(valid, lanes, groups.count, groupCount, table)
        }
      }
      for group in 0..<groupCount { counts[group] &+= folded(tables, group, groupCount) { Int64($0) } }
    }
  }

  /// Adds to each group's state the valid values and how many they are; the caller knows that nothing overflows.
  static func sum(
    _ values: [Int64], _ groups: [UInt32], _ validity: [Bool]?, into states: UnsafeMutablePointer<SIMD2<Int64>>,
    groupCount: Int
  ) {
    guard groupCount <= interleavedGroups, groups.count >= groupCount else {
      for (lane, group) in groups.enumerated() where validity?[lane] ?? true {
        states[Int(group)] &+= SIMD2(values[lane], 1)
      }
      return
    }
    withScratch(of: Int64.self, count: groupCount * 4) { sums in
      withScratch(of: UInt32.self, count: groupCount * 4) { counts in
        guard let sum = sums.baseAddress, let count = counts.baseAddress else { return }
        sums.initialize(repeating: 0)
        counts.initialize(repeating: 0)
        ScanKernels.withBytes(validity) { valid in
          groups.withUnsafeBufferPointer { groups in
            values.withUnsafeBufferPointer { values in
              guard let lanes = groups.baseAddress, let first = values.baseAddress else { return }
              lintel_group_sum_i64(first, valid, lanes, min(groups.count, values.count), groupCount, sum, count)
            }
          }
        }
        for group in 0..<groupCount {
          states[group] &+= SIMD2(
            folded(sums, group, groupCount) { $0 }, folded(counts, group, groupCount) { Int64($0) })
        }
      }
    }
  }

  /// The sum of a group's cells in the four tables.
  private static func folded<Cell>(
    _ tables: UnsafeMutableBufferPointer<Cell>, _ group: Int, _ groupCount: Int, _ number: (Cell) -> Int64
  ) -> Int64 {
    var total: Int64 = 0
    for turn in 0..<4 { total &+= number(tables[turn &* groupCount &+ group]) }
    return total
  }
}
