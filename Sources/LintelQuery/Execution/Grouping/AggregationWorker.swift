import LintelColumns

/// The groups of one thread.
final class AggregationWorker: @unchecked Sendable {
  private(set) var table: GroupTable
  private let shape: AggregationShape
  private let interrupt: Interrupt
  private(set) var aggregators: [Aggregator]
  /// How many blocks the query goes through.
  private let blockCount: Int
  /// By key; empty where there are none.
  private let dictionaries: [CommonDictionary?]
  private var reserved = 0

  init(
    _ shape: AggregationShape, blockCount: Int, dictionaries: [CommonDictionary?] = [], _ interrupt: Interrupt
  ) throws(ExecutionFailure) {
    self.dictionaries = dictionaries
    self.shape = shape
    self.blockCount = blockCount
    self.interrupt = interrupt
    table = GroupTable(keyTypes: shape.keyTypes, interrupt)
    aggregators = try shape.makeAggregators(interrupt)
  }

  var hasKeys: Bool { !shape.keyTypes.isEmpty }

  var groupCount: Int { hasKeys ? table.count : 1 }

  /// Those of the groups that rows have.
  var presentCount: Int { hasKeys ? table.presentCount : 1 }

  func consume(_ segment: PreparedSegment, _ context: EvaluationContext) throws(ExecutionFailure) {
    var groups: [UInt32]?
    var runs: GroupRuns?
    if hasKeys {
      var vectors: [Vector] = []
      for key in segment.keys { vectors.append(try key.evaluate(context)) }
      let expectedRows = context.count &* blockCount
      if let found = RowRuns(vectors) {
        let heads = translate(vectors.map { $0.gather(found.starts) })
        let ofRuns = GroupRuns(
          starts: found.starts, groups: table.groups(of: heads, expectedRows: expectedRows), laneCount: context.count)
        runs = ofRuns
        if !shape.calls.allSatisfy({ $0.filter == nil }) || !aggregators.allSatisfy(\.usesRuns) {
          groups = ofRuns.lanes
        }
      } else {
        groups = table.groups(of: translate(vectors), expectedRows: expectedRows)
      }
    }
    for (aggregator, source) in zip(aggregators, shape.sources) {
      let call = segment.calls[source]
      // A table that grows may have taken its time.
      try interrupt.check()
      aggregator.grow(groupCount)
      if let filter = call.filter {
        let lanes = try filter.trueLanes(context)
        guard !lanes.isEmpty else { continue }
        let picked = groups.map { Vector.gather($0, lanes) }
        try context.narrowed(to: lanes) { () throws(ExecutionFailure) in
          try update(aggregator, call, picked, nil, context)
        }
      } else {
        try update(aggregator, call, groups, aggregator.usesRuns ? runs : nil, context)
      }
    }
  }

  /// Keys by codes of dictionaries that all segments share.
  private func translate(_ keys: [Vector]) -> [Vector] {
    guard !dictionaries.isEmpty else { return keys }
    return zip(keys, dictionaries).map { key, dictionary in dictionary?.translate(key) ?? key }
  }

  private func update(
    _ aggregator: Aggregator, _ call: PreparedSegment.CompiledCall, _ groups: [UInt32]?, _ runs: GroupRuns?,
    _ context: EvaluationContext
  ) throws(ExecutionFailure) {
    var operands: [Vector] = []
    for operand in call.operands { operands.append(try operand.evaluate(context)) }
    try aggregator.update(GroupedRows(groups: groups, runs: runs, count: context.count, context: context), operands)
  }

  /// Takes in rows of keys, where there are no calls.
  func consume(keys: [Vector]) { _ = table.groups(of: keys, expectedRows: 0) }

  /// Takes in a whole block by what is known of each call's operand.
  func absorb(_ statistics: [BlockStatistics]) {
    for (aggregator, source) in zip(aggregators, shape.sources) {
      aggregator.grow(1)
      aggregator.absorb(statistics[source])
    }
  }

  var byteCount: Int { table.byteCount + aggregators.reduce(0) { $0 + $1.byteCount } }

  /// Makes room for every group, so that merging from this changes nothing in it and may be done by several threads.
  func settle() {
    for aggregator in aggregators { aggregator.grow(groupCount) }
    table.settle()
  }

  /// Accounts for the groups; where they are too many for memory they go to disk.
  ///
  /// - Parameter spill: `nil` where they can't be split any more.
  func reserve(_ query: QueryContext, _ spill: GroupSpill?) throws(ExecutionFailure) {
    let bytes = byteCount
    let more = bytes - reserved
    reserved = bytes
    if query.account(more), hasKeys, let spill, query.shouldSpill(bytes) { return try self.spill(to: spill, query) }
    try query.checkMemory(more)
  }

  /// Puts all groups on disk and begins anew.
  func spill(to spill: GroupSpill, _ query: QueryContext) throws(ExecutionFailure) {
    if groupCount > 0 { try spill.put(self) }
    table = GroupTable(keyTypes: shape.keyTypes, interrupt)
    aggregators = try shape.makeAggregators(interrupt)
    release(query)
  }

  /// Gives back what was accounted for: the groups are not needed any more.
  func release(_ query: QueryContext) {
    _ = query.account(-reserved)
    reserved = 0
  }

  /// The results of every call, one lane per group.
  func finish() throws(ExecutionFailure) -> [Vector] {
    for aggregator in aggregators { try grow(aggregator) }
    var vectors: [Vector] = []
    for (call, target) in zip(shape.calls, shape.targets) {
      try interrupt.check()
      vectors.append(try aggregators[target].finish(groupCount, call))
    }
    return vectors
  }

  /// Makes room for every group, in stretches: after a merge there may be millions of new ones.
  private func grow(_ aggregator: Aggregator) throws(ExecutionFailure) {
    let count = groupCount
    for groups in stride(from: Interrupt.interval, to: count, by: Interrupt.interval) {
      try interrupt.check()
      aggregator.grow(groups)
    }
    aggregator.grow(count)
  }

  func merge(_ other: AggregationWorker) throws(ExecutionFailure) {
    let mapping = hasKeys ? try table.merge(other.table) : [0]
    for (aggregator, theirs) in zip(aggregators, other.aggregators) {
      try grow(aggregator)
      theirs.grow(other.groupCount)
      try aggregator.merge(theirs, mapping: mapping)
    }
  }
}

/// What is grouped by, and what is asked of the groups.
struct AggregationShape: @unchecked Sendable {
  let keyTypes: [PhysicalType]
  let calls: [AggregateCall]
  /// For each aggregator the call whose operands and filter it takes; for each call its aggregator: calls that keep the
  /// same share it.
  let sources: [Int]
  let targets: [Int]

  init(keys: [Expression], calls: [AggregateCall]) {
    keyTypes = keys.map(\.type.physical)
    self.calls = calls
    var sources: [Int] = []
    var targets: [Int] = []
    var known: [Aggregator.Kind: Int] = [:]
    for (index, call) in calls.enumerated() {
      let kind = Aggregator.Kind(call)
      if let target = known[kind] {
        targets.append(target)
        continue
      }
      known[kind] = sources.count
      targets.append(sources.count)
      sources.append(index)
    }
    self.sources = sources
    self.targets = targets
  }

  func makeAggregators(_ interrupt: Interrupt) throws(ExecutionFailure) -> [Aggregator] {
    var aggregators: [Aggregator] = []
    for source in sources {
      let aggregator = try Aggregator.make(calls[source], interrupt)
      if keyTypes.isEmpty { aggregator.grow(1) }
      aggregators.append(aggregator)
    }
    return aggregators
  }
}
