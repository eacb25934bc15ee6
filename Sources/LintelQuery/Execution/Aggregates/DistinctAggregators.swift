import LintelColumns

/// Numbers group << 32 | value, each once, with how often they occurred.
struct CountedPairs {
  private let pairs: NumberInterner
  private let interrupt: Interrupt
  private let counts = StateBuffer<Int64>(0)

  init(_ interrupt: Interrupt = .never) {
    self.interrupt = interrupt
    pairs = NumberInterner(interrupt)
  }

  var count: Int { counts.count }
  var byteCount: Int { pairs.byteCount + counts.byteCount }

  subscript(number: Int) -> (pair: UInt64, count: Int64) { (pairs.values[number], counts[number]) }

  /// True when the pair is new.
  @inline(__always)
  mutating func add(_ pair: UInt64, _ count: Int64) -> Bool {
    let number = Int(pairs.intern(pair))
    let isNew = number == counts.count
    if isNew { counts.append(0) }
    counts[number] &+= count
    return isNew
  }

  /// Numbers of the pairs of group `g`, at `starts[g] ..< starts[g + 1]`, in order of appearance.
  func byGroup(_ groups: Int) throws(ExecutionFailure) -> (numbers: [UInt32], starts: [Int]) {
    try interrupt.byGroup(count, groups: groups) { UInt32(truncatingIfNeeded: pairs.values[$0] >> 32) }
  }
}

/// Pairs of group and value number, each once, with how often they occurred.
struct PairCounts {
  let values: ValueInterner
  private(set) var pairs: CountedPairs
  private let interrupt: Interrupt
  private let type: PhysicalType

  init(_ type: PhysicalType, _ interrupt: Interrupt = .never) {
    self.type = type
    self.interrupt = interrupt
    values = ValueInterner(type, interrupt)
    pairs = CountedPairs(interrupt)
  }

  var byteCount: Int { values.byteCount + pairs.byteCount }

  mutating func add(_ rows: GroupedRows, _ operand: Vector) {
    let numbers = values.intern(operand)
    var last: UInt64 = .max
    var repeats: Int64 = 0
    for lane in 0..<rows.count where operand.validity?[lane] ?? true {
      let pair = UInt64(rows.group(lane)) << 32 | UInt64(numbers[lane])
      if pair == last {
        repeats &+= 1
        continue
      }
      if repeats > 0 { _ = pairs.add(last, repeats) }
      last = pair
      repeats = 1
    }
    if repeats > 0 { _ = pairs.add(last, repeats) }
  }

  mutating func merge(_ other: PairCounts, mapping: [UInt32]) throws(ExecutionFailure) {
    let valueMapping = try values.merge(other.values)
    for number in 0..<other.pairs.count {
      try interrupt.check(atStep: number)
      let (pair, count) = other.pairs[number]
      let group = mapping[Int(pair >> 32)]
      _ = pairs.add(UInt64(group) << 32 | UInt64(valueMapping[Int(pair & 0xFFFF_FFFF)]), count)
    }
  }

  // MARK: Putting pairs aside

  private var sealed: (numbers: [UInt32], starts: [Int])?

  var stateTypes: [PhysicalType] { [.int64, type, .int64] }

  mutating func seal(_ groups: Int) throws(ExecutionFailure) { sealed = try pairs.byGroup(groups) }

  func states(of groups: [UInt32]) -> StateRows {
    guard let sealed else { return .none }
    var owners: [Int64] = []
    var numbers: [UInt32] = []
    var counts: [Int64] = []
    for (place, group) in groups.enumerated() {
      for number in sealed.numbers[sealed.starts[Int(group)]..<sealed.starts[Int(group) + 1]] {
        let (pair, count) = pairs[Int(number)]
        owners.append(Int64(place))
        numbers.append(UInt32(truncatingIfNeeded: pair))
        counts.append(count)
      }
    }
    return StateRows(owners: owners, [values.vector(numbers), Vector(.int64(counts))])
  }

  mutating func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard let owners = rows.owners(below: groups), rows.columns.count == 3, rows.columns[1].physicalType == type,
      let counts = rows.integers(2)
    else { return false }
    let numbers = values.intern(rows.columns[1])
    for row in owners.indices { _ = pairs.add(UInt64(owners[row]) << 32 | UInt64(numbers[row]), counts[row]) }
    return true
  }
}

/// Exact count(DISTINCT x).
final class DistinctAggregator: Aggregator {
  private var pairs: PairCounts

  init(_ type: PhysicalType, _ interrupt: Interrupt = .never) {
    pairs = PairCounts(type, interrupt)
    super.init(interrupt)
  }

  override var byteCount: Int { pairs.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    pairs.add(rows, operand)
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? DistinctAggregator else { return }
    try pairs.merge(other.pairs, mapping: mapping)
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    var counts = Array(repeating: Int64(0), count: groups)
    try interrupt.forEachStretch(of: pairs.pairs.count) { stretch in
      for number in stretch { counts[Int(pairs.pairs[number].pair >> 32)] += 1 }
    }
    return Vector(.int64(counts))
  }

  override var stateTypes: [PhysicalType] { pairs.stateTypes }

  override func seal(_ groups: Int) throws(ExecutionFailure) { try pairs.seal(groups) }

  override func states(of groups: [UInt32]) -> StateRows { pairs.states(of: groups) }

  override func restore(_ rows: StateRows, groups: Int) -> Bool { pairs.restore(rows, groups: groups) }
}

/// The most frequent values.
final class TopValuesAggregator: Aggregator {
  private var pairs: PairCounts
  private let type: ColumnType
  private let limit: Int

  init(_ type: ColumnType, limit: Int, _ interrupt: Interrupt = .never) {
    pairs = PairCounts(type.physical, interrupt)
    self.type = type
    self.limit = limit
    super.init(interrupt)
  }

  override var byteCount: Int { pairs.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    pairs.add(rows, operand)
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? TopValuesAggregator else { return }
    try pairs.merge(other.pairs, mapping: mapping)
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let (numbers, starts) = try pairs.pairs.byGroup(groups)
    var builder = BytesBuilder(capacity: groups)
    for group in 0..<groups {
      let range = starts[group]..<starts[group + 1]
      let members = try interrupt.makeLanes(range.count) { numbers[range.lowerBound &+ $0] }
      if members.isEmpty { builder.appendNull() } else { builder.append(try encode(members)) }
    }
    return builder.finish()
  }

  /// - Parameter members: numbers of a group's pairs.
  private func encode(_ members: [UInt32]) throws(ExecutionFailure) -> [UInt8] {
    // By falling count, then by value.
    var top = TopRows(limit: limit, interrupt)
    try interrupt.forEachStretch(of: members.count) { (stretch) throws(ExecutionFailure) in
      let pairs = members[stretch]
      let counts = pairs.map { self.pairs.pairs[Int($0)].count }
      try top.add(
        [SortColumn(Vector(.int64(counts)), .int64, isDescending: true), SortColumn(valuesOfPairs(pairs), type)],
        positions: pairs.map { UInt64($0) })
    }
    let first = try top.finish().map { UInt32(truncatingIfNeeded: $0) }
    let values = valuesOfPairs(first[...])
    var out: [UInt8] = [7]
    EncodedVariant.appendVarint(UInt64(first.count), to: &out)
    for (lane, number) in first.enumerated() {
      out += [7, 2]
      Convert.appendVariant(values.value(lane), type, to: &out)
      EncodedVariant.appendInt(pairs.pairs[Int(number)].count, to: &out)
    }
    return out
  }

  /// The values of pairs.
  private func valuesOfPairs(_ members: ArraySlice<UInt32>) -> Vector {
    pairs.values.vector(members.map { UInt32(truncatingIfNeeded: pairs.pairs[Int($0)].pair) })
  }

  override var stateTypes: [PhysicalType] { pairs.stateTypes }

  override func seal(_ groups: Int) throws(ExecutionFailure) { try pairs.seal(groups) }

  override func states(of groups: [UInt32]) -> StateRows { pairs.states(of: groups) }

  override func restore(_ rows: StateRows, groups: Int) -> Bool { pairs.restore(rows, groups: groups) }
}
