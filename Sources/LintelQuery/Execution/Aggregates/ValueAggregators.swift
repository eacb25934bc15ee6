import LintelColumns

/// Keeps one value per group, the one that wins over the others.
class KeptValueAggregator: Aggregator {
  fileprivate final var kept = KeptValues()
  fileprivate final let type: ColumnType
  fileprivate final let winners = BlockWinners()
  /// False for the plain way, which writes a sort key for every row.
  fileprivate final let usesWinners: Bool

  init(_ type: ColumnType, usesWinners: Bool = true, _ interrupt: Interrupt = .never) {
    self.type = type
    self.usesWinners = usesWinners
    super.init(interrupt)
  }

  override final func grow(_ groups: Int) {
    kept.grow(groups)
    if usesWinners { winners.grow(groups) }
  }

  override final var byteCount: Int { kept.byteCount + winners.byteCount }

  /// Calls `body(lane, group)` for lanes among which are the first of each group in the order of the column; of equal ones
  /// the first lane.
  fileprivate final func forEachCandidate(
    _ column: SortColumn, _ rows: GroupedRows, _ body: (_ lane: Int, _ group: Int) -> Void
  ) {
    if usesWinners, winners.forEach(of: column, rows, body) { return }
    for lane in 0..<rows.count where column.vector.isValid(lane) { body(lane, rows.group(lane)) }
  }

  /// Whether what `other` keeps for its group `theirs`, which has a value, wins over what is kept here for `group`.
  fileprivate func wins(_ other: KeptValues, _ theirs: Int, _ group: Int) -> Bool { false }

  override final func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = (other as? KeptValueAggregator)?.kept else { return }
    for theirs in other.seen.indices {
      try interrupt.check(atStep: theirs)
      let group = Int(mapping[theirs])
      guard other.seen[theirs], wins(other, theirs, group) else { continue }
      kept.put(other.values[theirs], key: other.keys[theirs], position: other.positions[theirs], group)
    }
  }

  override final func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    try kept.vector(type.physical, groups, interrupt)
  }

  override final var stateTypes: [PhysicalType] { KeptValues.stateTypes(type.physical) }

  override final func states(of groups: [UInt32]) -> StateRows { kept.states(of: groups, type.physical) }

  override final func restore(_ rows: StateRows, groups: Int) -> Bool {
    kept.restore(rows, groups: groups, type.physical)
  }
}

/// min and max of booleans, ids, text and variants.
final class ValueExtremeAggregator: KeptValueAggregator {
  private let isDescending: Bool

  init(_ type: ColumnType, wantsGreatest: Bool, usesWinners: Bool = true, _ interrupt: Interrupt = .never) {
    isDescending = wantsGreatest
    super.init(type, usesWinners: usesWinners, interrupt)
  }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let column = SortColumn(operand, type, isDescending: isDescending)
    var key: [UInt8] = []
    forEachCandidate(column, rows) { lane, group in
      key.removeAll(keepingCapacity: true)
      column.append(lane, to: &key)
      if !kept.seen[group] || key.lexicographicallyPrecedes(kept.keys[group]) {
        kept.put(operand.value(lane), key: key, position: 0, group)
      }
    }
  }

  override func wins(_ other: KeptValues, _ theirs: Int, _ group: Int) -> Bool {
    !kept.seen[group] || other.keys[theirs].lexicographicallyPrecedes(kept.keys[group])
  }
}

/// The first value in scan order.
final class AnyAggregator: KeptValueAggregator {
  init(_ type: ColumnType, _ interrupt: Interrupt = .never) { super.init(type, usesWinners: false, interrupt) }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let positions = rows.context.positions()
    for lane in 0..<rows.count where operand.isValid(lane) {
      let group = rows.group(lane)
      if positions[lane] < kept.positions[group] {
        kept.put(operand.value(lane), key: [], position: positions[lane], group)
      }
    }
  }

  override func wins(_ other: KeptValues, _ theirs: Int, _ group: Int) -> Bool {
    other.positions[theirs] < kept.positions[group]
  }
}

/// argMin and argMax: the value of the row with the least (greatest) key, the first in scan order among equals.
final class ArgumentAggregator: KeptValueAggregator {
  private let keyType: ColumnType
  private let isDescending: Bool

  init(
    _ type: ColumnType, keyType: ColumnType, wantsGreatest: Bool, usesWinners: Bool = true,
    _ interrupt: Interrupt = .never
  ) {
    self.keyType = keyType
    isDescending = wantsGreatest
    super.init(type, usesWinners: usesWinners, interrupt)
  }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard operands.count == 2 else { return }
    let column = SortColumn(operands[1], keyType, isDescending: isDescending)
    let positions = rows.context.positions()
    var key: [UInt8] = []
    forEachCandidate(column, rows) { lane, group in
      key.removeAll(keepingCapacity: true)
      column.append(lane, to: &key)
      if wins(key, positions[lane], group) {
        kept.put(operands[0].value(lane), key: key, position: positions[lane], group)
      }
    }
  }

  private func wins(_ key: [UInt8], _ position: UInt64, _ group: Int) -> Bool {
    guard kept.seen[group] else { return true }
    if key == kept.keys[group] { return position < kept.positions[group] }
    return key.lexicographicallyPrecedes(kept.keys[group])
  }

  override func wins(_ other: KeptValues, _ theirs: Int, _ group: Int) -> Bool {
    wins(other.keys[theirs], other.positions[theirs], group)
  }
}
