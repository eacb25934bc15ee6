import LintelColumns

/// The inner loops of counts and sums.
///
/// Rows of one group come in runs, and adding to one memory cell again and again waits for the store before. With few
/// groups each block therefore adds into four tables in turn, folded at its end; with many a run, where there are such, is
/// added up in registers and put into its group's cell when it ends.
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
          countRuns(groups, counts) { lane in Int64(valid[lane]) }
        }
      } else {
        countRuns(groups, counts) { _ in 1 }
      }
    }
  }

  /// Whether neighbours are mostly of one group, going by one pair in sixteen: then runs pay.
  static func hasRuns(_ groups: UnsafeBufferPointer<UInt32>) -> Bool {
    var changes = 0
    var lane = 1
    while lane < groups.count {
      if groups[lane] != groups[lane &- 1] { changes &+= 1 }
      lane &+= 16
    }
    return changes &* 64 <= groups.count
  }

  @inline(__always)
  private static func countRuns(
    _ groups: UnsafeBufferPointer<UInt32>, _ counts: UnsafeMutablePointer<Int64>, _ count: (Int) -> Int64
  ) {
    guard hasRuns(groups), var group = groups.first else {
      for lane in 0..<groups.count { counts[Int(groups[lane])] &+= count(lane) }
      return
    }
    var run: Int64 = 0
    for lane in 0..<groups.count {
      if groups[lane] != group {
        counts[Int(group)] &+= run
        group = groups[lane]
        run = 0
      }
      run &+= count(lane)
    }
    counts[Int(group)] &+= run
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
            sumRuns(groups, states) { lane in
              let one = Int64(valid[lane])
              return SIMD2(values[lane] & (0 &- one), one)
            }
          }
        } else {
          sumRuns(groups, states) { lane in SIMD2(values[lane], 1) }
        }
      }
    }
  }

  @inline(__always)
  private static func sumRuns(
    _ groups: UnsafeBufferPointer<UInt32>, _ states: UnsafeMutablePointer<SIMD2<Int64>>,
    _ state: (Int) -> SIMD2<Int64>
  ) {
    guard hasRuns(groups), var group = groups.first else {
      for lane in 0..<groups.count { states[Int(groups[lane])] &+= state(lane) }
      return
    }
    var run = SIMD2<Int64>.zero
    for lane in 0..<groups.count {
      if groups[lane] != group {
        states[Int(group)] &+= run
        group = groups[lane]
        run = .zero
      }
      run &+= state(lane)
    }
    states[Int(group)] &+= run
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
}
