import LintelColumns

/// Keeps every value of every group, as order-preserving bits.
class CollectingAggregator: Aggregator {
  private var groups = StateBuffer<UInt32>(0)
  private var values = StateBuffer<UInt64>(0)
  fileprivate let isDouble: Bool

  init(isDouble: Bool, _ interrupt: Interrupt = .never) {
    self.isDouble = isDouble
    super.init(interrupt)
  }

  override var byteCount: Int { values.count * 12 }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let bits: [UInt64]
    switch operand.lanes {
    case .int64(let lanes): bits = mapLanes(lanes) { SortOrder.bits($0, isUnsigned: false) }
    case .float64(let lanes): bits = mapLanes(lanes) { SortOrder.bits($0) }
    default: return
    }
    if operand.validity == nil {
      if let all = rows.groups {
        all.withUnsafeBufferPointer { groups.append(contentsOf: $0) }
      } else {
        groups.grow(groups.count + bits.count)
      }
      bits.withUnsafeBufferPointer { values.append(contentsOf: $0) }
      return
    }
    for lane in bits.indices where operand.isValid(lane) {
      groups.append(UInt32(truncatingIfNeeded: rows.group(lane)))
      values.append(bits[lane])
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? CollectingAggregator else { return }
    let (groups, values) = (groups, values)
    try interrupt.forEachStretch(of: other.groups.count) { stretch in
      values.append(
        contentsOf: UnsafeBufferPointer(start: other.values.pointer + stretch.lowerBound, count: stretch.count))
      for index in stretch { groups.append(mapping[Int(other.groups[index])]) }
    }
  }

  /// Values in no particular order, and the group of each.
  final var ungrouped: (values: StateBuffer<UInt64>, groups: StateBuffer<UInt32>) { (values, groups) }

  /// Values put together by group: those of group `g` lie at `starts[g] ..< starts[g + 1]`. Those of a single group are the
  /// values themselves, whose order nothing depends on.
  final func collected(_ count: Int) throws(ExecutionFailure) -> Collected {
    let (groups, values, collected) = (groups, values, StateBuffer<UInt64>(0))
    if count == 1 { return Collected(values, [0, values.count]) }
    let (order, starts) = try interrupt.byGroup(groups.count, groups: count) { groups[$0] }
    try interrupt.forEachStretch(of: order.count) { stretch in
      for place in stretch { collected.append(values[Int(order[place])]) }
    }
    return Collected(collected, starts)
  }

  /// Values by group.
  final class Collected: @unchecked Sendable {
    let values: StateBuffer<UInt64>
    let starts: [Int]

    init(_ values: StateBuffer<UInt64>, _ starts: [Int]) {
      self.values = values
      self.starts = starts
    }
  }

  // MARK: Putting values aside

  private var sealed: Collected?

  override var stateTypes: [PhysicalType] { [.int64, .int64] }

  override func seal(_ groups: Int) throws(ExecutionFailure) {
    sealed = try collected(groups)
    // They would be held twice.
    self.groups = StateBuffer(0)
    values = StateBuffer(0)
  }

  override func states(of groups: [UInt32]) -> StateRows {
    guard let sealed else { return .none }
    var owners: [Int64] = []
    var bits: [Int64] = []
    for (number, group) in groups.enumerated() {
      for place in sealed.starts[Int(group)]..<sealed.starts[Int(group) + 1] {
        owners.append(Int64(number))
        bits.append(Int64(bitPattern: sealed.values[place]))
      }
    }
    return StateRows(owners: owners, [Vector(.int64(bits))])
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard let owners = rows.owners(below: groups), let bits = rows.integers(1) else { return false }
    self.groups = StateBuffer(0)
    values = StateBuffer(0)
    for row in owners.indices {
      self.groups.append(owners[row])
      values.append(UInt64(bitPattern: bits[row]))
    }
    return true
  }

  final func double(_ bits: UInt64) -> Double {
    guard isDouble else { return Double(Int64(bitPattern: bits ^ 1 << 63)) }
    if bits == .max { return .nan }
    return Double(bitPattern: bits >> 63 == 1 ? bits & ~(1 << 63) : ~bits)
  }
}

/// Memory that threads write to, each in its own places.
private struct SharedCells: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<UInt64>
}

/// Which of sorted values a quantile is.
enum NearestRank {
  /// Position of the quantile among `count` sorted values.
  static func index(_ rank: Double, of count: Int) -> Int {
    let position = (rank * Double(count)).rounded(.up)
    return position >= Double(count) ? count - 1 : position >= 1 ? Int(position) - 1 : 0
  }
}

/// quantile_exact: values of nearest rank; all quantiles of one operand share the values.
final class ExactQuantileAggregator: CollectingAggregator {
  private var finished: Selection?

  /// Selecting reorders values within their group, and what was selected bounds the next selection.
  private final class Selection: @unchecked Sendable {
    private let collected: Collected
    let starts: [Int]
    /// For each group the positions that hold what they would in sorted order, ascending.
    var settled: [[Int]]

    init(_ collected: Collected) {
      self.collected = collected
      starts = collected.starts
      settled = Array(repeating: [], count: starts.count - 1)
    }

    var count: Int { collected.values.count }

    func select(_ rank: Double, group: Int, _ interrupt: Interrupt) -> UInt64 {
      let start = starts[group]
      let wanted = start + NearestRank.index(rank, of: starts[group + 1] - start)
      let low = settled[group].last { $0 <= wanted } ?? start
      let high = settled[group].first { $0 >= wanted } ?? starts[group + 1] - 1
      let range = UnsafeMutableBufferPointer(start: collected.values.pointer + low, count: high - low + 1)
      return LintelQuery.select(range, wanted - low, interrupt)
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    guard case .quantileExact(let rank) = call.function else { return .nulls(.int64, count: groups) }
    let all: Selection
    if let finished { all = finished } else { all = Selection(try collected(groups)) }
    finished = all
    let validity = try interrupt.makeLanes(groups) { all.starts[$0 + 1] > all.starts[$0] }
    let picked = try select(all, groups, rank)
    for group in 0..<groups where validity[group] {
      try interrupt.check(atStep: group)
      let wanted = all.starts[group] + NearestRank.index(rank, of: all.starts[group + 1] - all.starts[group])
      let place = all.settled[group].firstIndex { $0 >= wanted } ?? all.settled[group].count
      all.settled[group].insert(wanted, at: place)
    }
    let known = validity.contains(false) ? validity : nil
    if isDouble { return Vector(.float64(try interrupt.mapLanes(picked) { double($0) }), validity: known) }
    return Vector(.int64(mapLanes(picked) { Int64(bitPattern: $0 ^ 1 << 63) }), validity: known)
  }

  /// Selects in all groups, on all processors where that pays.
  private func select(_ all: Selection, _ groups: Int, _ rank: Double) throws(ExecutionFailure) -> [UInt64] {
    let picked = StateBuffer<UInt64>(0)
    picked.grow(groups)
    let cells = SharedCells(pointer: picked.pointer)
    let next = SharedCounter()
    let threads = all.count > 1 << 16 ? min(WorkerPool.processorCount, groups) : 1
    let interrupt = interrupt
    WorkerPool.shared.run(threads: threads) { _ in
      var steps = 0
      while let group = next.take(below: groups) {
        let count = all.starts[group + 1] - all.starts[group]
        if count > 0 { cells.pointer[group] = all.select(rank, group: group, interrupt) }
        steps += count + 1
        if steps > Interrupt.interval {
          if interrupt.isRaised { return }
          steps = 0
        }
      }
    }
    return try interrupt.makeLanes(groups) { picked[$0] }
  }
}

/// The `wanted`-th least of `values`, reordering them: quickselect with a median-of-three pivot, and sorting what is small
/// or won't shrink. Any value where `interrupt` ends the query meanwhile.
func select(
  _ values: UnsafeMutableBufferPointer<UInt64>, _ wanted: Int, _ interrupt: Interrupt = .never
) -> UInt64 {
  var low = 0
  var high = values.count - 1
  var rounds = 0
  var swaps = 0
  while high - low > 32, rounds < 64 {
    rounds += 1
    if high - low > Interrupt.interval, interrupt.isRaised { return 0 }
    let a = values[low]
    let b = values[low + (high - low) / 2]
    let c = values[high]
    let pivot = max(min(a, b), min(max(a, b), c))
    var left = low
    var right = high
    while left <= right {
      while values[left] < pivot { left += 1 }
      while values[right] > pivot { right -= 1 }
      if left <= right {
        values.swapAt(left, right)
        left += 1
        right -= 1
        swaps &+= 1
        if swaps & (Interrupt.interval - 1) == 0, interrupt.isRaised { return 0 }
      }
    }
    if wanted <= right {
      high = right
    } else if wanted >= left {
      low = left
    } else {
      return values[wanted]
    }
  }
  var rest = UnsafeMutableBufferPointer(rebasing: values[low...high])
  rest.sort()
  return values[wanted]
}
