internal import CLintelKernels
import LintelColumns

/// The inner loops of counts and sums where groups don't come in runs (see ``GroupRuns``).
///
/// With few groups each block adds into several tables in turn, folded at its end: neighbours are still often of one group.
enum GroupKernels {
  /// Groups up to which several tables pay.
  static let interleavedGroups = 512

  static func count(
    _ groups: [UInt32], _ validity: [Bool]?, into counts: UnsafeMutablePointer<Int64>, groupCount: Int
  ) {
    guard groupCount <= interleavedGroups, groups.count >= groupCount else {
      for (lane, group) in groups.enumerated() where validity?[lane] ?? true { counts[Int(group)] &+= 1 }
      return
    }
    let turns = lintel_group_turns(groupCount)
    withScratch(of: UInt32.self, count: groupCount * turns) { tables in
      guard let table = tables.baseAddress else { return }
      tables.initialize(repeating: 0)
      ScanKernels.withBytes(validity) { valid in
        groups.withUnsafeBufferPointer { groups in
          guard let lanes = groups.baseAddress else { return }
          lintel_group_count(valid, lanes, groups.count, groupCount, table)
        }
      }
      for group in 0..<groupCount { counts[group] &+= folded(tables, group, groupCount, turns) { Int64($0) } }
    }
  }

  /// Adds to each group's state the valid values and how many they are; the caller knows that nothing overflows.
  ///
  /// - Parameter bound: no value is greater in magnitude.
  static func sum(
    _ values: [Int64], bound: UInt64, _ groups: [UInt32], _ validity: [Bool]?,
    into states: UnsafeMutablePointer<SIMD2<Int64>>, groupCount: Int
  ) {
    guard groupCount <= interleavedGroups, groups.count >= groupCount else {
      for (lane, group) in groups.enumerated() where validity?[lane] ?? true {
        states[Int(group)] &+= SIMD2(values[lane], 1)
      }
      return
    }
    if let shift = PackedSum.shift(bound: bound, count: groups.count, groupCount: groupCount) {
      return sumPacked(values, groups, validity, into: states, groupCount: groupCount, shift)
    }
    let turns = lintel_group_turns(groupCount)
    withScratch(of: Int64.self, count: groupCount * turns) { sums in
      withScratch(of: UInt32.self, count: groupCount * turns) { counts in
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
            folded(sums, group, groupCount, turns) { $0 }, folded(counts, group, groupCount, turns) { Int64($0) })
        }
      }
    }
  }

  /// A sum and a count in one cell take one addition instead of two.
  private enum PackedSum {
    /// Bits that a table's sum of a group takes, its sign among them, if its count has room above them.
    static func shift(bound: UInt64, count: Int, groupCount: Int) -> Int? {
      // Each table takes its turn, and the first what is left over.
      let turns = lintel_group_turns(groupCount)
      let rows = UInt64(count / turns + turns)
      let (most, overflow) = bound.multipliedReportingOverflow(by: rows)
      let shift = UInt64.bitWidth - most.leadingZeroBitCount + 1
      return !overflow && shift + UInt64.bitWidth - rows.leadingZeroBitCount <= UInt64.bitWidth ? shift : nil
    }

    static func unpacked(_ cell: UInt64, _ shift: Int) -> SIMD2<Int64> {
      let unused = UInt64.bitWidth - shift
      let sum = Int64(bitPattern: cell << unused) >> unused
      return SIMD2(sum, Int64(truncatingIfNeeded: (cell &- UInt64(bitPattern: sum)) >> shift))
    }
  }

  private static func sumPacked(
    _ values: [Int64], _ groups: [UInt32], _ validity: [Bool]?, into states: UnsafeMutablePointer<SIMD2<Int64>>,
    groupCount: Int, _ shift: Int
  ) {
    let turns = lintel_group_turns(groupCount)
    withScratch(of: UInt64.self, count: groupCount * turns) { tables in
      guard let table = tables.baseAddress else { return }
      tables.initialize(repeating: 0)
      ScanKernels.withBytes(validity) { valid in
        groups.withUnsafeBufferPointer { groups in
          values.withUnsafeBufferPointer { values in
            guard let lanes = groups.baseAddress, let first = values.baseAddress else { return }
            lintel_group_sum_packed_i64(
              first, valid, lanes, min(groups.count, values.count), groupCount, UInt32(shift), table)
          }
        }
      }
      for turn in 0..<turns {
        for group in 0..<groupCount {
          states[group] &+= PackedSum.unpacked(tables[turn &* groupCount &+ group], shift)
        }
      }
    }
  }

  /// The sum of a group's cells in the tables.
  private static func folded<Cell>(
    _ tables: UnsafeMutableBufferPointer<Cell>, _ group: Int, _ groupCount: Int, _ turns: Int, _ number: (Cell) -> Int64
  ) -> Int64 {
    var total: Int64 = 0
    for turn in 0..<turns { total &+= number(tables[turn &* groupCount &+ group]) }
    return total
  }
}
