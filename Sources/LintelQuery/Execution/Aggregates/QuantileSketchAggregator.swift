import LintelColumns

/// quantile, median, p50 ..: counts of buckets (``QuantileBuckets``) per group; all quantiles of an operand share them.
///
/// A group starts as entries of one hash table for all groups. When it has many, it gets a window: an array of counts for the
/// stretch of buckets that its values lie in, as long as that takes no more memory than the entries in it would, within a
/// constant. What falls outside goes on to the table, until the window is made anew.
final class QuantileSketchAggregator: Aggregator {
  private struct Group {
    var window: UnsafeMutablePointer<UInt32>?
    var low: UInt32 = 0
    var length: UInt32 = 0
    /// Of the group's entries in the table: how many, and after how many a window is due.
    var entries: UInt32 = 0
    var due: UInt32 = firstDue
    var least: UInt32 = .max
    var greatest: UInt32 = 0
  }

  private static let firstDue: UInt32 = 32
  /// Buckets of a window for each entry that the group has made.
  private static let windowShare: UInt32 = 16

  private let isDouble: Bool
  /// Rows that windows take before their 32-bit counts are moved into the table.
  private let windowRows: UInt64
  private let groups = StateBuffer(Group())
  /// Of group << 32 | bucket.
  private var table: CountedPairs
  private var windowBytes = 0
  private var rowsInWindows: UInt64 = 0
  private var finished: Distribution?

  init(isDouble: Bool, windowRows: UInt64 = UInt64(UInt32.max), _ interrupt: Interrupt = .never) {
    self.isDouble = isDouble
    self.windowRows = windowRows
    table = CountedPairs(interrupt)
    super.init(interrupt)
  }

  deinit { for group in 0..<groups.count { groups[group].window?.deallocate() } }

  override func grow(_ groups: Int) { self.groups.grow(groups) }

  override var byteCount: Int { table.byteCount + groups.byteCount + windowBytes }

  // MARK: Counting

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    try makeRoom(UInt64(rows.count))
    switch operand.lanes {
    case .int64(let lanes): count(lanes, rows, operand.validity) { QuantileBuckets.bucket($0) }
    case .float64(let lanes): count(lanes, rows, operand.validity) { QuantileBuckets.bucket($0) }
    default: return
    }
  }

  @inline(__always)
  private func count<Lane>(
    _ lanes: [Lane], _ rows: GroupedRows, _ validity: [Bool]?, _ bucket: (Lane) -> UInt32
  ) {
    guard let numbers = rows.groups else {
      for lane in lanes.indices where validity?[lane] ?? true { count(bucket(lanes[lane]), group: 0, 1) }
      return
    }
    for lane in lanes.indices where validity?[lane] ?? true {
      count(bucket(lanes[lane]), group: Int(numbers[lane]), 1)
    }
  }

  @inline(__always)
  private func count(_ bucket: UInt32, group: Int, _ count: UInt32) {
    let state = groups.pointer + group
    let place = bucket &- state.pointee.low
    if place < state.pointee.length, let window = state.pointee.window {
      window[Int(place)] &+= count
    } else {
      enter(bucket, group: group, Int64(count))
    }
  }

  @inline(never)
  private func enter(_ bucket: UInt32, group: Int, _ count: Int64) {
    guard table.add(UInt64(group) << 32 | UInt64(bucket), count) else { return }
    let state = groups.pointer + group
    state.pointee.entries &+= 1
    state.pointee.least = min(state.pointee.least, bucket)
    state.pointee.greatest = max(state.pointee.greatest, bucket)
    if state.pointee.entries >= state.pointee.due { widen(group) }
  }

  /// Makes a window for all that the group has been given, if that isn't scattered too widely.
  private func widen(_ group: Int) {
    let state = groups.pointer + group
    let old = state.pointee
    var low = old.least
    var end = old.greatest &+ 1
    if old.window != nil {
      low = min(low, old.low)
      end = max(end, old.low &+ old.length)
    }
    let margin = (end &- low) / 8
    low = low > margin ? low &- margin : 0
    end = end &+ margin
    guard end &- low <= old.entries &* Self.windowShare else {
      state.pointee.due = old.due &* 2
      return
    }
    let window = UnsafeMutablePointer<UInt32>.allocate(capacity: Int(end &- low))
    window.initialize(repeating: 0, count: Int(end &- low))
    if let counts = old.window {
      (window + Int(old.low &- low)).update(from: counts, count: Int(old.length))
      counts.deallocate()
    }
    windowBytes += Int(end &- low &- old.length) * 4
    state.pointee.window = window
    state.pointee.low = low
    state.pointee.length = end &- low
    state.pointee.due = old.entries &+ Self.firstDue
  }

  /// Sees to it that no count of a window can pass 32 bits.
  private func makeRoom(_ rows: UInt64) throws(ExecutionFailure) {
    if rowsInWindows &+ rows > windowRows {
      for group in 0..<groups.count {
        if group & 0xFF == 0 { try interrupt.check() }
        guard let window = groups[group].window else { continue }
        for place in 0..<Int(groups[group].length) where window[place] > 0 {
          let pair = UInt64(group) << 32 | UInt64(groups[group].low &+ UInt32(truncatingIfNeeded: place))
          _ = table.add(pair, Int64(window[place]))
          window[place] = 0
        }
      }
      rowsInWindows = 0
    }
    rowsInWindows &+= rows
  }

  // MARK: Merging

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? QuantileSketchAggregator else { return }
    try makeRoom(other.rowsInWindows)
    for number in 0..<other.table.count {
      try interrupt.check(atStep: number)
      let (pair, count) = other.table[number]
      enter(UInt32(truncatingIfNeeded: pair), group: Int(mapping[Int(pair >> 32)]), count)
    }
    for group in 0..<other.groups.count {
      if group & 0xFF == 0 { try interrupt.check() }
      let theirs = other.groups[group]
      guard let window = theirs.window else { continue }
      for place in 0..<Int(theirs.length) where window[place] > 0 {
        count(theirs.low &+ UInt32(truncatingIfNeeded: place), group: Int(mapping[group]), window[place])
      }
    }
  }

  // MARK: Answers

  /// Buckets and the number of values up to and with each, ascending; those of group `g` at `starts[g] ..< starts[g + 1]`.
  private struct Distribution {
    var starts: [Int] = [0]
    var buckets: [UInt32] = []
    var counts: [Int64] = []
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    guard case .quantile(let rank) = call.function else { return .nulls(.int64, count: groups) }
    let all: Distribution
    if let finished { all = finished } else { all = try distribution(groups) }
    finished = all
    let validity = try interrupt.makeLanes(groups) { all.starts[$0 + 1] > all.starts[$0] }
    let picked = try interrupt.makeLanes(groups) { group -> UInt32 in
      guard validity[group] else { return QuantileBuckets.bucket(Int64(0)) }
      var low = all.starts[group]
      var high = all.starts[group + 1] - 1
      let wanted = NearestRank.index(rank, of: Int(all.counts[high]))
      while low < high {
        let middle = (low + high) / 2
        if all.counts[middle] > wanted { high = middle } else { low = middle + 1 }
      }
      return all.buckets[low]
    }
    let known = validity.contains(false) ? validity : nil
    if isDouble { return Vector(.float64(mapLanes(picked) { QuantileBuckets.middle($0) }), validity: known) }
    return Vector(.int64(mapLanes(picked) { QuantileBuckets.integer($0) }), validity: known)
  }

  // MARK: Putting counts aside

  override var stateTypes: [PhysicalType] { [.int64, .int64, .int64] }

  override func seal(_ groups: Int) throws(ExecutionFailure) { finished = try distribution(groups) }

  override func states(of groups: [UInt32]) -> StateRows {
    guard let all = finished else { return .none }
    var owners: [Int64] = []
    var buckets: [Int64] = []
    var counts: [Int64] = []
    for (number, group) in groups.enumerated() {
      var before: Int64 = 0
      for place in all.starts[Int(group)]..<all.starts[Int(group) + 1] {
        owners.append(Int64(number))
        buckets.append(Int64(all.buckets[place]))
        counts.append(all.counts[place] &- before)
        before = all.counts[place]
      }
    }
    return StateRows(owners: owners, [Vector(.int64(buckets)), Vector(.int64(counts))])
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard let owners = rows.owners(below: groups), let buckets = rows.integers(1), let counts = rows.integers(2),
      buckets.allSatisfy({ $0 >= 0 && $0 < Int64(QuantileBuckets.limit) }), counts.allSatisfy({ $0 > 0 })
    else { return false }
    grow(groups)
    for row in owners.indices {
      enter(UInt32(truncatingIfNeeded: buckets[row]), group: Int(owners[row]), counts[row])
    }
    return true
  }

  private func distribution(_ count: Int) throws(ExecutionFailure) -> Distribution {
    let entries = try table.byGroup(count)
    var all = Distribution()
    for group in 0..<count {
      if group & 0xFF == 0 { try interrupt.check() }
      // Entries are few where there is a window; those within it are put to its counts.
      let state = groups[group]
      var rest = entries.numbers[entries.starts[group]..<entries.starts[group + 1]].map { number in
        let (pair, count) = table[Int(number)]
        return (bucket: UInt32(truncatingIfNeeded: pair), count: count)
      }
      rest.sort { $0.bucket < $1.bucket }
      var total: Int64 = 0
      var next = 0
      func append(_ bucket: UInt32, _ count: Int64) {
        total &+= count
        all.buckets.append(bucket)
        all.counts.append(total)
      }
      if let window = state.window {
        while next < rest.count, rest[next].bucket < state.low {
          append(rest[next].bucket, rest[next].count)
          next += 1
        }
        for place in 0..<state.length {
          var count = Int64(window[Int(place)])
          if next < rest.count, rest[next].bucket == state.low &+ place {
            count &+= rest[next].count
            next += 1
          }
          if count > 0 { append(state.low &+ place, count) }
        }
      }
      while next < rest.count {
        append(rest[next].bucket, rest[next].count)
        next += 1
      }
      all.starts.append(all.buckets.count)
    }
    return all
  }
}
