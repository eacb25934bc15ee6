import LintelColumns

/// min and max of booleans, ids, text and variants.
final class ValueExtremeAggregator: Aggregator {
  private var kept = KeptValues()
  private let type: ColumnType
  private let isDescending: Bool

  init(_ type: ColumnType, wantsGreatest: Bool, _ interrupt: Interrupt = .never) {
    self.type = type
    isDescending = wantsGreatest
    super.init(interrupt)
  }

  override func grow(_ groups: Int) { kept.grow(groups) }
  override var byteCount: Int { kept.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let column = SortColumn(operand, type, isDescending: isDescending)
    var key: [UInt8] = []
    for lane in 0..<rows.count where operand.isValid(lane) {
      key.removeAll(keepingCapacity: true)
      column.append(lane, to: &key)
      let group = rows.group(lane)
      if !kept.seen[group] || key.lexicographicallyPrecedes(kept.keys[group]) {
        kept.put(operand.value(lane), key: key, position: 0, group)
      }
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? ValueExtremeAggregator else { return }
    for group in other.kept.seen.indices {
      if group & (Interrupt.interval - 1) == 0 { try interrupt.check() }
      guard other.kept.seen[group] else { continue }
      let target = Int(mapping[group])
      if !kept.seen[target] || other.kept.keys[group].lexicographicallyPrecedes(kept.keys[target]) {
        kept.put(other.kept.values[group], key: other.kept.keys[group], position: 0, target)
      }
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    try kept.vector(type.physical, groups, interrupt)
  }

  override var stateTypes: [PhysicalType] { KeptValues.stateTypes(type.physical) }

  override func states(of groups: [UInt32]) -> StateRows { kept.states(of: groups, type.physical) }

  override func restore(_ rows: StateRows, groups: Int) -> Bool { kept.restore(rows, groups: groups, type.physical) }
}

/// The first value in scan order.
final class AnyAggregator: Aggregator {
  private var kept = KeptValues()
  private let type: ColumnType

  init(_ type: ColumnType, _ interrupt: Interrupt = .never) {
    self.type = type
    super.init(interrupt)
  }

  override func grow(_ groups: Int) { kept.grow(groups) }
  override var byteCount: Int { kept.byteCount }

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

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? AnyAggregator else { return }
    for group in other.kept.seen.indices {
      if group & (Interrupt.interval - 1) == 0 { try interrupt.check() }
      guard other.kept.seen[group] else { continue }
      let target = Int(mapping[group])
      if other.kept.positions[group] < kept.positions[target] {
        kept.put(other.kept.values[group], key: [], position: other.kept.positions[group], target)
      }
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    try kept.vector(type.physical, groups, interrupt)
  }

  override var stateTypes: [PhysicalType] { KeptValues.stateTypes(type.physical) }

  override func states(of groups: [UInt32]) -> StateRows { kept.states(of: groups, type.physical) }

  override func restore(_ rows: StateRows, groups: Int) -> Bool { kept.restore(rows, groups: groups, type.physical) }
}

/// argMin and argMax: the value of the row with the least (greatest) key, the first in scan order among equals.
final class ArgumentAggregator: Aggregator {
  private var kept = KeptValues()
  private let type: ColumnType
  private let keyType: ColumnType
  private let isDescending: Bool

  init(_ type: ColumnType, keyType: ColumnType, wantsGreatest: Bool, _ interrupt: Interrupt = .never) {
    self.type = type
    self.keyType = keyType
    isDescending = wantsGreatest
    super.init(interrupt)
  }

  override func grow(_ groups: Int) { kept.grow(groups) }
  override var byteCount: Int { kept.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard operands.count == 2 else { return }
    let column = SortColumn(operands[1], keyType, isDescending: isDescending)
    let positions = rows.context.positions()
    var key: [UInt8] = []
    for lane in 0..<rows.count where operands[1].isValid(lane) {
      key.removeAll(keepingCapacity: true)
      column.append(lane, to: &key)
      let group = rows.group(lane)
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

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? ArgumentAggregator else { return }
    for group in other.kept.seen.indices {
      if group & (Interrupt.interval - 1) == 0 { try interrupt.check() }
      guard other.kept.seen[group] else { continue }
      let target = Int(mapping[group])
      if wins(other.kept.keys[group], other.kept.positions[group], target) {
        kept.put(
          other.kept.values[group], key: other.kept.keys[group], position: other.kept.positions[group], target)
      }
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    try kept.vector(type.physical, groups, interrupt)
  }

  override var stateTypes: [PhysicalType] { KeptValues.stateTypes(type.physical) }

  override func states(of groups: [UInt32]) -> StateRows { kept.states(of: groups, type.physical) }

  override func restore(_ rows: StateRows, groups: Int) -> Bool { kept.restore(rows, groups: groups, type.physical) }
}
