internal import CLintelKernels
import LintelColumns

/// Where neighbours begin that have the same keys: the spans of a trace lie together, and with them their tenant, user,
/// session and trace. Groups are then looked up, and added to, once a run instead of once a row.
struct RowRuns {
  /// First lanes of the runs, ascending; the first is 0.
  let starts: [UInt32]

  /// Runs shorter than this on average cost more than they save.
  private static let worthwhile = 3

  /// `nil` where runs don't pay.
  init?(_ keys: [Vector]) {
    guard let count = keys.first?.count, count >= 256, keys.allSatisfy({ Self.seemsToRun($0) }) else { return nil }
    starts = Self.changes(in: keys, and: [0])
    guard starts.count &* Self.worthwhile <= count else { return nil }
  }

  /// The lanes at which one of the vectors changes, and `others`, ascending.
  static func changes(in vectors: [Vector], and others: [UInt32]) -> [UInt32] {
    let count = vectors.first?.count ?? 0
    return [UInt32](unsafeUninitializedCapacity: count + ScanKernels.selectionSlack) { out, initialized in
      guard let start = out.baseAddress else { return }
      withScratch(of: UInt8.self, count: count) { flags in
        flags.initialize(repeating: 0)
        guard let flags = flags.baseAddress else { return }
        for lane in others { flags[Int(lane)] = 1 }
        for vector in vectors { mark(vector, flags) }
        initialized = lintel_select(flags, nil, count, start)
      }
    }
  }

  /// Whether neighbours are mostly alike, going by one pair in sixteen.
  private static func seemsToRun(_ key: Vector) -> Bool {
    let changes: Int
    switch key.lanes {
    case .int64(let lanes): changes = Self.changes(lanes)
    case .id128(let lanes): changes = Self.changes(lanes)
    case .codes(let lanes, _): changes = Self.changes(lanes)
    case .bool(let lanes): changes = Self.changes(lanes)
    case .float64, .bytes: return false
    }
    return max(changes, key.validity.map { Self.changes($0) } ?? 0) &* worthwhile <= key.count / 16
  }

  private static func changes<Lane: Equatable>(_ lanes: [Lane]) -> Int {
    var changes = 0
    var lane = 1
    while lane < lanes.count {
      if lanes[lane] != lanes[lane &- 1] { changes &+= 1 }
      lane &+= 16
    }
    return changes
  }

  /// Flags the lanes that differ from the one before. Lanes of null rows may differ though the rows don't: that makes more
  /// runs than need be.
  private static func mark(_ key: Vector, _ flags: UnsafeMutablePointer<UInt8>) {
    switch key.lanes {
    case .int64(let lanes): mark(lanes, flags)
    case .id128(let lanes): mark(lanes, flags)
    case .codes(let lanes, _): mark(lanes, flags)
    case .bool(let lanes): mark(lanes, flags)
    case .float64(let lanes): mark(lanes, flags)
    // Compared by no one so far: every lane is taken for a change.
    case .bytes: (flags + 1).update(repeating: 1, count: max(key.count, 1) - 1)
    }
    if let validity = key.validity { mark(validity, flags) }
  }

  private static func mark<Lane: BitwiseCopyable>(_ lanes: [Lane], _ flags: UnsafeMutablePointer<UInt8>) {
    lanes.withUnsafeBytes { lanes in
      if let start = lanes.baseAddress {
        lintel_mark_changes(start, lanes.count / MemoryLayout<Lane>.stride, MemoryLayout<Lane>.stride, flags)
      }
    }
  }
}

/// Runs of lanes and the group that each belongs to.
struct GroupRuns {
  let starts: [UInt32]
  /// By run.
  let groups: [UInt32]
  /// Lanes in all.
  let laneCount: Int

  /// The group of every lane.
  var lanes: [UInt32] {
    [UInt32](unsafeUninitializedCapacity: laneCount) { out, initialized in
      forEach { group, start, end in
        for lane in start..<end { out[lane] = UInt32(truncatingIfNeeded: group) }
      }
      initialized = laneCount
    }
  }

  /// Calls `body(group, first lane, lane past the last)` for every run.
  @inline(__always)
  func forEach(_ body: (Int, Int, Int) -> Void) {
    starts.withUnsafeBufferPointer { starts in
      groups.withUnsafeBufferPointer { groups in
        for run in 0..<groups.count {
          let end = run &+ 1 < starts.count ? Int(starts[run &+ 1]) : laneCount
          body(Int(groups[run]), Int(starts[run]), end)
        }
      }
    }
  }

  /// The lanes at which a run begins or `values` changes, and the group of each.
  func heads(with values: Vector) -> (lanes: [UInt32], groups: [UInt32]) {
    let changes = RowRuns.changes(in: [values], and: starts)
    let groups = [UInt32](unsafeUninitializedCapacity: changes.count) { out, initialized in
      var run = 0
      for (index, lane) in changes.enumerated() {
        if run &+ 1 < starts.count, starts[run &+ 1] == lane { run &+= 1 }
        out[index] = self.groups[run]
      }
      initialized = changes.count
    }
    return (changes, groups)
  }

  /// Adds to each group's count its rows, those that are valid.
  func count(_ validity: [Bool]?, into counts: UnsafeMutablePointer<Int64>) {
    guard let validity else { return forEach { group, start, end in counts[group] &+= Int64(end &- start) } }
    withScratch(of: UInt32.self, count: groups.count) { found in
      guard let first = found.baseAddress else { return }
      withKernelArguments(validity) { valid, starts in
        if let valid { lintel_run_counts(valid, starts, groups.count, laneCount, first) }
      }
      for (run, group) in groups.enumerated() { counts[Int(group)] &+= Int64(found[run]) }
    }
  }

  /// Adds to each group's state the valid values and how many they are; the caller knows that nothing overflows.
  func sum(_ values: [Int64], _ validity: [Bool]?, into states: UnsafeMutablePointer<SIMD2<Int64>>) {
    withScratch(of: Int64.self, count: groups.count) { sums in
      withScratch(of: UInt32.self, count: groups.count) { counts in
        guard let firstSum = sums.baseAddress, let firstCount = counts.baseAddress else { return }
        withKernelArguments(validity) { valid, starts in
          lintel_run_sums_i64(values, valid, starts, groups.count, laneCount, firstSum, firstCount)
        }
        for (run, group) in groups.enumerated() { states[Int(group)] &+= SIMD2(sums[run], Int64(counts[run])) }
      }
    }
  }

  /// Lowers each group's bits to the least of its valid values after XOR with `flip`.
  func least(_ values: [Int64], _ validity: [Bool]?, flip: UInt64, into best: UnsafeMutablePointer<UInt64>) {
    withScratch(of: UInt64.self, count: groups.count) { found in
      guard let first = found.baseAddress else { return }
      withKernelArguments(validity) { valid, starts in
        lintel_run_least_u64(values, valid, starts, groups.count, laneCount, flip, first)
      }
      for (run, group) in groups.enumerated() { best[Int(group)] = min(best[Int(group)], found[run]) }
    }
  }

  /// `groups` has an element for each of the starts.
  private func withKernelArguments(
    _ validity: [Bool]?, _ body: (UnsafePointer<UInt8>?, UnsafePointer<UInt32>?) -> Void
  ) {
    starts.withUnsafeBufferPointer { starts in
      ScanKernels.withBytes(validity) { body($0, starts.baseAddress) }
    }
  }
}
