import LintelColumns

/// Selected rows and the groups they belong to.
struct GroupedRows {
  /// The group of every lane; `nil` when all belong to group 0, or to those of the runs.
  let groups: [UInt32]?
  /// The same by runs, for aggregators that ask for them (``Aggregator/usesRuns``).
  var runs: GroupRuns?
  let count: Int
  /// Scan positions of the lanes, made where an aggregate asks for them.
  let context: EvaluationContext

  @inline(__always)
  func group(_ lane: Int) -> Int {
    if let groups { return Int(groups[lane]) }
    return 0
  }
}

/// One aggregate's states for all groups of one thread.
class Aggregator {
  /// What ends the query; loops over groups or kept values look at it.
  final let interrupt: Interrupt

  init(_ interrupt: Interrupt = .never) { self.interrupt = interrupt }

  /// Makes room for `groups` groups.
  func grow(_ groups: Int) {}
  func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {}
  /// Whether it is given runs, where neighbours mostly are of one group, instead of the group of every lane.
  var usesRuns: Bool { false }
  /// Takes in all rows of a block, into group 0, by what is known of the operand (``BlockAnswer``).
  func absorb(_ statistics: BlockStatistics) {}
  /// Takes in another thread's states; group `g` of it is group `mapping[g]` here.
  func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {}
  /// One lane per group: what `call` asks of the states, which several calls may share.
  func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector { .nulls(.int64, count: groups) }
  var byteCount: Int { 0 }

  // MARK: Putting states aside

  /// Of what the columns of ``StateRows`` are.
  var stateTypes: [PhysicalType] { [] }
  /// Makes ready to have ``states(of:)`` of all `groups` groups asked for; nothing is updated any more.
  func seal(_ groups: Int) throws(ExecutionFailure) {}
  /// The states of some groups, whose places in the list are their numbers in the rows.
  func states(of groups: [UInt32]) -> StateRows { .none }
  /// Takes in what ``states(of:)`` gave of `groups` groups. Nothing has been updated yet. False when the rows can't be that.
  func restore(_ rows: StateRows, groups: Int) -> Bool { rows.count == 0 }

  /// What a call keeps per group; calls of the same kind, operands and filter share it.
  struct Kind: Hashable {
    private let function: AggregateCall.Function
    private let operands: [Expression]
    private let filter: Expression?

    init(_ call: AggregateCall) {
      function =
        switch call.function {
        case .average: .sum
        case .quantile: .quantile(0)
        case .quantileExact: .quantileExact(0)
        default: call.function
        }
      operands = call.operands
      filter = call.filter
    }
  }

  static func make(_ call: AggregateCall, _ interrupt: Interrupt) throws(ExecutionFailure) -> Aggregator {
    let type = call.operands.first?.type ?? .int64
    switch call.function {
    case .count: return CountAggregator(interrupt)
    case .countDistinct: return DistinctAggregator(type.physical, interrupt)
    case .approximateCountDistinct: return SketchAggregator(interrupt)
    case .sum, .average:
      return type.physical == .float64 ? DoubleSumAggregator(interrupt) : IntegerSumAggregator(interrupt)
    case .min, .max: return extreme(type, wantsGreatest: call.function == .max, interrupt)
    case .any: return AnyAggregator(type, interrupt)
    case .argMin, .argMax:
      guard call.operands.count == 2 else { throw .unsupported("arg_min and arg_max take two operands") }
      return ArgumentAggregator(
        type, keyType: call.operands[1].type, wantsGreatest: call.function == .argMax, interrupt)
    case .quantile: return QuantileSketchAggregator(isDouble: type.physical == .float64, interrupt)
    case .quantileExact: return ExactQuantileAggregator(isDouble: type.physical == .float64, interrupt)
    case .standardDeviation:
      return type.physical == .float64 ? DoubleDeviationAggregator(interrupt) : IntegerDeviationAggregator(interrupt)
    case .histogram(let buckets): return HistogramAggregator(buckets: max(1, buckets), interrupt)
    case .topK(let count): return TopValuesAggregator(type, limit: max(0, count), interrupt)
    }
  }

  private static func extreme(_ type: ColumnType, wantsGreatest: Bool, _ interrupt: Interrupt) -> Aggregator {
    switch type.physical {
    case .int64: IntegerExtremeAggregator(isUnsigned: type == .id8, wantsGreatest: wantsGreatest, interrupt)
    case .float64: DoubleExtremeAggregator(wantsGreatest: wantsGreatest, interrupt)
    case .bool, .id128, .bytes: ValueExtremeAggregator(type, wantsGreatest: wantsGreatest, interrupt)
    }
  }
}

/// `count(*)` and `count(x)`.
final class CountAggregator: Aggregator {
  private let counts = StateBuffer<Int64>(0)

  override func grow(_ groups: Int) { counts.grow(groups) }
  override var usesRuns: Bool { true }
  override var byteCount: Int { counts.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    let validity = operands.first?.validity
    if let runs = rows.runs {
      runs.count(validity, into: counts.pointer)
    } else if let groups = rows.groups {
      GroupKernels.count(groups, validity, into: counts.pointer, groupCount: counts.count)
    } else {
      counts[0] &+= validity.map(ScanKernels.countTrue) ?? Int64(rows.count)
    }
  }

  override func absorb(_ statistics: BlockStatistics) {
    counts[0] &+= Int64(statistics.rowCount - statistics.nullCount)
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? CountAggregator else { return }
    try interrupt.forEachStretch(of: other.counts.count) { stretch in
      for group in stretch { counts[Int(mapping[group])] &+= other.counts[group] }
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    Vector(.int64(try interrupt.makeLanes(groups) { counts[$0] }))
  }

  override var stateTypes: [PhysicalType] { [.int64] }

  override func states(of groups: [UInt32]) -> StateRows {
    StateRows([Vector(.int64(mapLanes(groups) { counts[Int($0)] }))], count: groups.count)
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard rows.count == groups, let lanes = rows.integers(0) else { return false }
    grow(groups)
    for group in 0..<groups { counts[group] = lanes[group] }
    return true
  }
}

extension Array {
  mutating func grow(_ count: Int, _ value: Element) {
    if count > self.count { append(contentsOf: repeatElement(value, count: count - self.count)) }
  }
}
