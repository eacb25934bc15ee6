import LintelColumns

/// min and max of `Int64` lanes.
final class IntegerExtremeAggregator: Aggregator {
  /// Order-preserving bits; those of max are inverted, so that the least always wins. All ones at first.
  private let best = StateBuffer<UInt64>(.max)
  /// Groups that have a value whose bits are all ones: the others with such a best have no value.
  private var greatest: Set<Int> = []
  private let flip: UInt64

  init(isUnsigned: Bool, wantsGreatest: Bool) {
    flip = (isUnsigned ? 0 : 1 << 63) ^ (wantsGreatest ? .max : 0)
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
    let flip = flip
    values.withUnsafeBufferPointer { values in
      if let validity {
        validity.withUnsafeBytes { valid in
          // An invalid lane becomes all ones, which never wins.
          take(rows) { (UInt64(bitPattern: values[$0]) ^ flip) | (UInt64(valid[$0]) &- 1) }
        }
      } else {
        take(rows) { UInt64(bitPattern: values[$0]) ^ flip }
      }
    }
  }

  @inline(__always)
  private func take(_ rows: GroupedRows, _ bits: (Int) -> UInt64) {
    let best = best.pointer
    if let runs = rows.runs {
      runs.forEach { group, start, end in
        var least = best[group]
        for lane in start..<end { least = min(least, bits(lane)) }
        best[group] = least
      }
    } else if let groups = rows.groups {
      groups.withUnsafeBufferPointer { Self.takeRuns($0, best, bits) }
    }
  }

  /// The least of each run of one group, as ``GroupKernels`` adds runs up.
  @inline(__always)
  private static func takeRuns(
    _ groups: UnsafeBufferPointer<UInt32>, _ best: UnsafeMutablePointer<UInt64>, _ bits: (Int) -> UInt64
  ) {
    guard GroupKernels.hasRuns(groups), var group = groups.first else {
      for lane in 0..<groups.count { best[Int(groups[lane])] = min(best[Int(groups[lane])], bits(lane)) }
      return
    }
    var run = UInt64.max
    for lane in 0..<groups.count {
      if groups[lane] != group {
        best[Int(group)] = min(best[Int(group)], run)
        group = groups[lane]
        run = .max
      }
      run = min(run, bits(lane))
    }
    best[Int(group)] = min(best[Int(group)], run)
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
    for group in 0..<other.best.count {
      let target = Int(mapping[group])
      best[target] = min(best[target], other.best[group])
    }
    for group in other.greatest { greatest.insert(Int(mapping[group])) }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let valid = makeLanes(groups) { best[$0] != .max || !greatest.isEmpty && greatest.contains($0) }
    return Vector(
      .int64(makeLanes(groups) { Int64(bitPattern: best[$0] ^ flip) }), validity: valid.contains(false) ? valid : nil)
  }
}

/// min and max of doubles in sort order: -0 comes out as 0, any NaN as the one NaN.
final class DoubleExtremeAggregator: Aggregator {
  private var best: [Double] = []
  private var seen: [Bool] = []
  private let sign: Int

  init(wantsGreatest: Bool) { sign = wantsGreatest ? -1 : 1 }

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
    for group in other.best.indices where other.seen[group] { put(other.best[group], Int(mapping[group])) }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    Vector(
      .float64(Array(best.prefix(groups))),
      validity: seen.prefix(groups).contains(false) ? Array(seen.prefix(groups)) : nil)
  }
}

/// Values kept per group beside the key they won with.
struct KeptValues {
  private(set) var values: [Value] = []
  private(set) var keys: [[UInt8]] = []
  private(set) var positions: [UInt64] = []
  private(set) var seen: [Bool] = []
  private(set) var extraBytes = 0

  var byteCount: Int { values.count * 64 + extraBytes }

  mutating func grow(_ groups: Int) {
    values.grow(groups, .null)
    keys.grow(groups, [])
    positions.grow(groups, .max)
    seen.grow(groups, false)
  }

  mutating func put(_ value: Value, key: [UInt8], position: UInt64, _ group: Int) {
    extraBytes += key.count - keys[group].count
    if case .bytes(let bytes) = value { extraBytes += bytes.count }
    values[group] = value
    keys[group] = key
    positions[group] = position
    seen[group] = true
  }

  func vector(_ type: PhysicalType, _ groups: Int) -> Vector { Vector.make(values.prefix(groups), type) }
}

extension Vector {
  /// Lanes from single values.
  static func make(_ values: some Collection<Value>, _ type: PhysicalType) -> Vector {
    var validity: [Bool] = []
    validity.reserveCapacity(values.count)
    for value in values { if case .null = value { validity.append(false) } else { validity.append(true) } }
    let known = validity.contains(false) ? validity : nil
    switch type {
    case .int64:
      return Vector(.int64(values.map { if case .int64(let lane) = $0 { lane } else { 0 } }), validity: known)
    case .float64:
      return Vector(.float64(values.map { if case .float64(let lane) = $0 { lane } else { 0 } }), validity: known)
    case .bool:
      return Vector(.bool(values.map { if case .bool(let lane) = $0 { lane } else { false } }), validity: known)
    case .id128:
      return Vector(.id128(values.map { if case .id128(let lane) = $0 { lane } else { 0 } }), validity: known)
    case .bytes:
      var strings = ByteStrings()
      for value in values { if case .bytes(let bytes) = value { strings.append(bytes) } else { strings.append([]) } }
      return Vector(.bytes(strings), validity: known)
    }
  }
}

/// min and max of booleans, ids, text and variants.
final class ValueExtremeAggregator: Aggregator {
  private var kept = KeptValues()
  private let type: ColumnType
  private let isDescending: Bool

  init(_ type: ColumnType, wantsGreatest: Bool) {
    self.type = type
    isDescending = wantsGreatest
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
    for group in other.kept.seen.indices where other.kept.seen[group] {
      let target = Int(mapping[group])
      if !kept.seen[target] || other.kept.keys[group].lexicographicallyPrecedes(kept.keys[target]) {
        kept.put(other.kept.values[group], key: other.kept.keys[group], position: 0, target)
      }
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    kept.vector(type.physical, groups)
  }
}

/// The first value in scan order.
final class AnyAggregator: Aggregator {
  private var kept = KeptValues()
  private let type: ColumnType

  init(_ type: ColumnType) { self.type = type }

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
    for group in other.kept.seen.indices where other.kept.seen[group] {
      let target = Int(mapping[group])
      if other.kept.positions[group] < kept.positions[target] {
        kept.put(other.kept.values[group], key: [], position: other.kept.positions[group], target)
      }
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    kept.vector(type.physical, groups)
  }
}

/// argMin and argMax: the value of the row with the least (greatest) key, the first in scan order among equals.
final class ArgumentAggregator: Aggregator {
  private var kept = KeptValues()
  private let type: ColumnType
  private let keyType: ColumnType
  private let isDescending: Bool

  init(_ type: ColumnType, keyType: ColumnType, wantsGreatest: Bool) {
    self.type = type
    self.keyType = keyType
    isDescending = wantsGreatest
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
    for group in other.kept.seen.indices where other.kept.seen[group] {
      let target = Int(mapping[group])
      if wins(other.kept.keys[group], other.kept.positions[group], target) {
        kept.put(
          other.kept.values[group], key: other.kept.keys[group], position: other.kept.positions[group], target)
      }
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    kept.vector(type.physical, groups)
  }
}
