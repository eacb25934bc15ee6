import LintelColumns

/// Exact sums of integers in 128 bits: no order of rows or threads can overflow before the total does.
///
/// Rows are added in 64 bits, beside their count, as long as nothing added so far can have overflowed; then those sums
/// move into the 128-bit ones.
final class IntegerSumAggregator: Aggregator {
  /// Sum and count.
  private let states = StateBuffer<SIMD2<Int64>>(.zero)
  /// What has been moved out of the states; behind them in number until something is.
  private let moved = StateBuffer<Int128>(0)
  /// No state's sum is greater in magnitude.
  private var bound: UInt64 = 0
  private static let boundLimit: UInt64 = 1 << 62

  override func grow(_ groups: Int) { states.grow(groups) }

  override var usesRuns: Bool { true }

  override var byteCount: Int { states.byteCount + moved.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let values: [Int64]
    switch operand.lanes {
    case .int64(let lanes): values = lanes
    case .bool(let lanes): values = mapLanes(lanes) { $0 ? 1 : 0 }
    default: return
    }
    if let runs = rows.runs {
      if try makeRoom(for: values) != nil {
        runs.sum(values, operand.validity, into: states.pointer)
      } else {
        addWide(values, runs.lanes, operand.validity)
      }
    } else if let groups = rows.groups {
      if let bound = try makeRoom(for: values) {
        GroupKernels.sum(
          values, bound: bound, groups, operand.validity, into: states.pointer, groupCount: states.count)
      } else {
        addWide(values, groups, operand.validity)
      }
    } else {
      moved.grow(1)
      moved[0] &+= ScanKernels.sum(values, operand.validity)
      states[0][1] &+= operand.validity.map(ScanKernels.countTrue) ?? Int64(values.count)
    }
  }

  override func absorb(_ statistics: BlockStatistics) {
    moved.grow(1)
    moved[0] &+= statistics.sum ?? 0
    states[0][1] &+= Int64(statistics.rowCount - statistics.nullCount)
  }

  /// Sees to it that the values can be added to the states: what none of them exceeds in magnitude, or `nil` when they are
  /// too great for that.
  private func makeRoom(for values: [Int64]) throws(ExecutionFailure) -> UInt64? {
    let greatest = ScanKernels.magnitude(values) &+ 1
    let (most, overflow) = greatest.multipliedReportingOverflow(by: UInt64(values.count))
    guard !overflow, most <= Self.boundLimit else { return nil }
    if bound &+ most > Self.boundLimit { try move() }
    bound &+= most
    return greatest
  }

  private func move() throws(ExecutionFailure) {
    moved.grow(states.count)
    try interrupt.forEachStretch(of: states.count) { stretch in
      for group in stretch {
        moved[group] &+= Int128(states[group][0])
        states[group][0] = 0
      }
    }
    bound = 0
  }

  private func addWide(_ values: [Int64], _ groups: [UInt32], _ validity: [Bool]?) {
    moved.grow(states.count)
    for lane in values.indices where validity?[lane] ?? true {
      moved[Int(groups[lane])] &+= Int128(values[lane])
      states[Int(groups[lane])][1] &+= 1
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? IntegerSumAggregator else { return }
    try move()
    try interrupt.forEachStretch(of: other.states.count) { stretch in
      for group in stretch {
        let target = Int(mapping[group])
        moved[target] &+= other.sum(group)
        states[target][1] &+= other.states[group][1]
      }
    }
  }

  override var stateTypes: [PhysicalType] { [.int64, .id128] }

  override func states(of groups: [UInt32]) -> StateRows {
    StateRows(
      [
        Vector(.int64(mapLanes(groups) { states[Int($0)][1] })),
        Vector(.id128(mapLanes(groups) { UInt128(bitPattern: sum(Int($0))) })),
      ], count: groups.count)
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard rows.count == groups, let counts = rows.integers(0), let sums = rows.wide(1) else { return false }
    grow(groups)
    moved.grow(groups)
    for group in 0..<groups {
      states[group][1] = counts[group]
      moved[group] = Int128(bitPattern: sums[group])
    }
    return true
  }

  private func sum(_ group: Int) -> Int128 {
    (group < moved.count ? moved[group] : 0) &+ Int128(states[group][0])
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let valid = try interrupt.makeLanes(groups) { states[$0][1] > 0 }
    let validity = valid.contains(false) ? valid : nil
    if call.function == .average {
      let lanes = try interrupt.makeLanes(groups) { states[$0][1] > 0 ? Double(sum($0)) / Double(states[$0][1]) : 0 }
      return Vector(.float64(lanes), validity: validity)
    }
    var overflows = false
    let lanes = try interrupt.makeLanes(groups) { group in
      let total = sum(group)
      let lane = Int64(truncatingIfNeeded: total)
      overflows = overflows || Int128(lane) != total
      return lane
    }
    if overflows, let group = (0..<groups).first(where: { Int64(exactly: sum($0)) == nil }) {
      throw .overflow("sum, which came to \(sum(group))")
    }
    return Vector(.int64(lanes), validity: validity)
  }
}

/// Sums and averages of doubles: exact, rounded once.
final class DoubleSumAggregator: Aggregator {
  private var sums = ExactSums()
  private let counts = StateBuffer<Int64>(0)

  override func grow(_ groups: Int) {
    sums.resize(groups)
    counts.grow(groups)
  }

  override var byteCount: Int { sums.byteCount + counts.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .float64(let values) = operand.lanes else { return }
    sums.add(values, operand.validity, rows.groups)
    if let groups = rows.groups {
      GroupKernels.count(groups, operand.validity, into: counts.pointer, groupCount: counts.count)
    } else {
      counts[0] &+= operand.validity.map(ScanKernels.countTrue) ?? Int64(values.count)
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? DoubleSumAggregator else { return }
    try sums.merge(other.sums, mapping: mapping, interrupt)
    try interrupt.forEachStretch(of: other.counts.count) { stretch in
      for group in stretch { counts[Int(mapping[group])] &+= other.counts[group] }
    }
  }

  override var stateTypes: [PhysicalType] { [.int64] + ExactSums.stateTypes }

  override func seal(_ groups: Int) throws(ExecutionFailure) { try sums.seal(interrupt) }

  override func states(of groups: [UInt32]) -> StateRows {
    StateRows(
      [Vector(.int64(mapLanes(groups) { counts[Int($0)] }))] + sums.states(of: groups), count: groups.count)
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard rows.count == groups, let counts = rows.integers(0), sums.restore(rows, from: 1) else { return false }
    self.counts.grow(groups)
    for group in 0..<groups { self.counts[group] = counts[group] }
    return true
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let validity = try interrupt.makeLanes(groups) { counts[$0] > 0 }
    let lanes = try interrupt.makeLanes(groups) { group -> Double in
      guard counts[group] > 0 else { return 0 }
      return call.function == .average ? sums.sum(group) / Double(counts[group]) : sums.sum(group)
    }
    return Vector(.float64(lanes), validity: validity.contains(false) ? validity : nil)
  }
}
