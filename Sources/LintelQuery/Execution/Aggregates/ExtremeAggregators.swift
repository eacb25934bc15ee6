import LintelColumns

/// min and max of `Int64` lanes.
final class IntegerExtremeAggregator: Aggregator {
  /// Order-preserving bits; those of max are inverted, so that the least always wins. All ones at first.
  private let best = StateBuffer<UInt64>(.max)
  /// Groups that have a value whose bits are all ones: the others with such a best have no value.
  private var greatest: Set<Int> = []
  private let flip: UInt64

  init(isUnsigned: Bool, wantsGreatest: Bool, _ interrupt: Interrupt = .never) {
    flip = (isUnsigned ? 0 : 1 << 63) ^ (wantsGreatest ? .max : 0)
    super.init(interrupt)
  }

  override func grow(_ groups: Int) { best.grow(groups) }

  override var usesRuns: Bool { true }

  override var byteCount: Int { best.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .int64(let values) = operand.lanes else { return }
    if rows.runs == nil, rows.groups == nil {
      best[0] = min(best[0], ScanKernels.least(values, operand.validity, flip: flip))
    } else {
      updateGroups(values, rows, operand.validity)
    }
    noteGreatest(values, rows, operand)
  }

  override func absorb(_ statistics: BlockStatistics) {
    guard case .int64(let low, let high) = statistics.bounds, statistics.nullCount < statistics.rowCount else { return }
    for bound in [low, high] {
      let bits = UInt64(bitPattern: bound) ^ flip
      best[0] = min(best[0], bits)
      if bits == .max { greatest.insert(0) }
    }
  }

  private func updateGroups(_ values: [Int64], _ rows: GroupedRows, _ validity: [Bool]?) {
    let best = best.pointer
    if let runs = rows.runs {
      runs.least(values, validity, flip: flip, into: best)
    } else if let groups = rows.groups {
      for (lane, group) in groups.enumerated() where validity?[lane] ?? true {
        best[Int(group)] = min(best[Int(group)], UInt64(bitPattern: values[lane]) ^ flip)
      }
    }
  }

  /// Looks for the one value that can't be told from none; rarely there is one.
  private func noteGreatest(_ values: [Int64], _ rows: GroupedRows, _ operand: Vector) {
    guard ScanKernels.least(values, nil, flip: ~flip) == 0 else { return }
    let groups = rows.runs?.lanes ?? rows.groups
    for lane in values.indices where operand.isValid(lane) && UInt64(bitPattern: values[lane]) ^ flip == .max {
      greatest.insert(groups.map { Int($0[lane]) } ?? 0)
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? IntegerExtremeAggregator else { return }
    try interrupt.forEachStretch(of: other.best.count) { stretch in
      for group in stretch {
        let target = Int(mapping[group])
        best[target] = min(best[target], other.best[group])
      }
    }
    for group in other.greatest { greatest.insert(Int(mapping[group])) }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let valid = try interrupt.makeLanes(groups) { best[$0] != .max || !greatest.isEmpty && greatest.contains($0) }
    let lanes = try interrupt.makeLanes(groups) { Int64(bitPattern: best[$0] ^ flip) }
    return Vector(.int64(lanes), validity: valid.contains(false) ? valid : nil)
  }

  override var stateTypes: [PhysicalType] { [.int64, .bool] }

  override func states(of groups: [UInt32]) -> StateRows {
    StateRows(
      [
        Vector(.int64(mapLanes(groups) { Int64(bitPattern: best[Int($0)]) })),
        Vector(.bool(mapLanes(groups) { greatest.contains(Int($0)) })),
      ], count: groups.count)
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard rows.count == groups, let bits = rows.integers(0), let isGreatest = rows.flags(1) else { return false }
    grow(groups)
    for group in 0..<groups {
      best[group] = UInt64(bitPattern: bits[group])
      if isGreatest[group] { greatest.insert(group) }
    }
    return true
  }
}

/// min and max of doubles in sort order: -0 comes out as 0, any NaN as the one NaN.
final class DoubleExtremeAggregator: Aggregator {
  private var best: [Double] = []
  private var seen: [Bool] = []
  private let sign: Int

  init(wantsGreatest: Bool, _ interrupt: Interrupt = .never) {
    sign = wantsGreatest ? -1 : 1
    super.init(interrupt)
  }

  override func grow(_ groups: Int) {
    best.grow(groups, 0)
    seen.grow(groups, false)
  }

  override var byteCount: Int { best.count * 9 }

  private func put(_ value: Double, _ group: Int) {
    if !seen[group] || SortOrder.compare(value, best[group]) * sign < 0 {
      best[group] = ValueHash.canonical(value)
      seen[group] = true
    }
  }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .float64(let values) = operand.lanes else { return }
    for lane in values.indices where operand.isValid(lane) { put(values[lane], rows.group(lane)) }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? DoubleExtremeAggregator else { return }
    try interrupt.forEachStretch(of: other.best.count) { stretch in
      for group in stretch where other.seen[group] { put(other.best[group], Int(mapping[group])) }
    }
  }

  override var stateTypes: [PhysicalType] { [.float64, .bool] }

  override func states(of groups: [UInt32]) -> StateRows {
    StateRows(
      [Vector(.float64(mapLanes(groups) { best[Int($0)] })), Vector(.bool(mapLanes(groups) { seen[Int($0)] }))],
      count: groups.count)
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard rows.count == groups, let best = rows.doubles(0), let seen = rows.flags(1) else { return false }
    self.best = best
    self.seen = seen
    return true
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let valid = try interrupt.makeLanes(groups) { seen[$0] }
    return Vector(
      .float64(try interrupt.makeLanes(groups) { best[$0] }), validity: valid.contains(false) ? valid : nil)
  }
}
