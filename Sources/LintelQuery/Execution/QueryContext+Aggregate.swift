import LintelColumns
import LintelStorage

/// The groups of one thread.
final class AggregationWorker: @unchecked Sendable {
  let table: GroupTable
  private let hasKeys: Bool
  private let calls: [AggregateCall]
  private let aggregators: [Aggregator]
  /// For each aggregator the call whose operands and filter it takes; for each call its aggregator.
  private let sources: [Int]
  private let targets: [Int]
  private let blockCount: Int
  private var reserved = 0

  /// - Parameter blockCount: how many blocks the query goes through.
  init(keys: [Expression], calls: [AggregateCall], blockCount: Int) throws(ExecutionFailure) {
    self.blockCount = blockCount
    table = GroupTable(keyTypes: keys.map(\.type.physical))
    hasKeys = !keys.isEmpty
    self.calls = calls
    var aggregators: [Aggregator] = []
    var sources: [Int] = []
    var targets: [Int] = []
    var known: [Aggregator.Kind: Int] = [:]
    for (index, call) in calls.enumerated() {
      let kind = Aggregator.Kind(call)
      if let target = known[kind] {
        targets.append(target)
        continue
      }
      known[kind] = aggregators.count
      targets.append(aggregators.count)
      sources.append(index)
      aggregators.append(try Aggregator.make(call))
    }
    self.aggregators = aggregators
    self.sources = sources
    self.targets = targets
    if !hasKeys { for aggregator in aggregators { aggregator.grow(1) } }
  }

  var groupCount: Int { hasKeys ? table.count : 1 }

  func consume(_ segment: PreparedSegment, _ context: EvaluationContext) throws(ExecutionFailure) {
    var groups: [UInt32]?
    var runs: GroupRuns?
    if hasKeys {
      var vectors: [Vector] = []
      for key in segment.keys { vectors.append(try key.evaluate(context)) }
      let expectedRows = context.count &* blockCount
      if let found = RowRuns(vectors) {
        let heads = vectors.map { $0.gather(found.starts) }
        let ofRuns = GroupRuns(
          starts: found.starts, groups: table.groups(of: heads, expectedRows: expectedRows), laneCount: context.count)
        runs = ofRuns
        if !calls.allSatisfy({ $0.filter == nil }) || !aggregators.allSatisfy(\.usesRuns) { groups = ofRuns.lanes }
      } else {
        groups = table.groups(of: vectors, expectedRows: expectedRows)
      }
    }
    for (aggregator, source) in zip(aggregators, sources) {
      let call = segment.calls[source]
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

  private func update(
    _ aggregator: Aggregator, _ call: PreparedSegment.CompiledCall, _ groups: [UInt32]?, _ runs: GroupRuns?,
    _ context: EvaluationContext
  ) throws(ExecutionFailure) {
    var operands: [Vector] = []
    for operand in call.operands { operands.append(try operand.evaluate(context)) }
    try aggregator.update(GroupedRows(groups: groups, runs: runs, count: context.count, context: context), operands)
  }

  /// Takes in a whole block by what is known of each call's operand.
  func absorb(_ statistics: [BlockStatistics]) {
    for (aggregator, source) in zip(aggregators, sources) {
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

  func reserve(_ query: QueryContext) throws(ExecutionFailure) {
    let bytes = byteCount
    let more = bytes - reserved
    reserved = bytes
    try query.reserve(more)
  }

  /// The results of every call, one lane per group.
  func finish() throws(ExecutionFailure) -> [Vector] {
    for aggregator in aggregators { aggregator.grow(groupCount) }
    var vectors: [Vector] = []
    for (call, target) in zip(calls, targets) { vectors.append(try aggregators[target].finish(groupCount, call)) }
    return vectors
  }

  func merge(_ other: AggregationWorker) throws(ExecutionFailure) {
    let mapping = hasKeys ? table.merge(other.table) : [0]
    for (aggregator, theirs) in zip(aggregators, other.aggregators) {
      aggregator.grow(groupCount)
      theirs.grow(other.groupCount)
      try aggregator.merge(theirs, mapping: mapping)
    }
  }
}

extension QueryContext {
  /// Groups the rows that pass the filter and answers from the groups.
  func aggregate(
    _ plan: QueryPlan, _ aggregation: QueryPlan.Aggregation, _ filtered: ScanPlan
  ) throws(ExecutionFailure) -> ResultRows {
    var scan = filtered
    scan.keys = aggregation.keys
    scan.calls = aggregation.calls
    for key in scan.keys { try scan.slots.add(key) }
    for call in scan.calls {
      for operand in call.operands { try scan.slots.add(operand) }
      if let filter = call.filter { try scan.slots.add(filter) }
    }
    let groups = try groups(scan)
    let start = ContinuousClock.now
    let rows = try answer(plan, aggregation, groups, subqueries: scan.subqueries)
    note("finish groups", ContinuousClock.now - start, rowsIn: groups.groupCount, rowsOut: rows.count)
    return rows
  }

  /// The groups of all rows; those of whole parts from the cache, where there is one and it has them.
  private func groups(_ scan: ScanPlan) throws(ExecutionFailure) -> AggregationWorker {
    let parts = segments.indices.filter { segments[$0].isPart && !excluded.contains($0) }
    guard let cache = cache?.groups, scan.dependsOnRowsAlone, !parts.isEmpty else { return try groups(scan, of: nil) }
    let rest = Set(segments.indices).subtracting(parts)
    let all = try groups(scan, of: rest)
    for part in parts {
      let key = scan.cacheKey(segments[part])
      if let known = cache[key] {
        note(cached: 1)
        try all.merge(known)
      } else {
        let own = try groups(scan, of: [part])
        own.settle()
        cache.insert(own, byteCount: own.byteCount, for: key)
        try all.merge(own)
      }
      try all.reserve(self)
      try check()
    }
    return all
  }

  /// The groups of the rows of some segments, or of all.
  private func groups(_ scan: ScanPlan, of chosen: Set<Int>?) throws(ExecutionFailure) -> AggregationWorker {
    let blocks = try BlockScan(self, scan, segments: chosen)
    var workers: [AggregationWorker] = []
    for _ in 0..<min(threads, max(1, blocks.tasks.count)) {
      workers.append(try AggregationWorker(keys: scan.keys, calls: scan.calls, blockCount: blocks.tasks.count))
    }
    let all = workers
    let answer = options.usePruning ? BlockAnswer(scan) : nil
    let times = try blocks.run(answer: { worker, task in
      guard let known = answer?.statistics(task.segment.segment, block: task.block) else { return false }
      all[worker].absorb(known)
      return true
    }) { (worker, _, task, context) throws(ExecutionFailure) in
      try all[worker].consume(task.segment, context)
      try all[worker].reserve(self)
    }
    let start = ContinuousClock.now
    for other in all.dropFirst() { try all[0].merge(other) }
    note(
      "aggregate", times.body + (ContinuousClock.now - start), rowsIn: times.rowsOut, rowsOut: all[0].groupCount)
    return all[0]
  }

  /// HAVING, outputs, DISTINCT, ORDER BY and LIMIT over the groups.
  private func answer(
    _ plan: QueryPlan, _ aggregation: QueryPlan.Aggregation, _ groups: AggregationWorker, subqueries: [MemberSet]
  ) throws(ExecutionFailure) -> ResultRows {
    let count = groups.groupCount
    let keys = groups.table.keyVectors()
    let context = EvaluationContext(slotCount: keys.count + aggregation.calls.count)
    context.begin(rowCount: count, source: nil)
    for (index, key) in keys.enumerated() { context.preset(index, key) }
    for (index, vector) in try groups.finish().enumerated() { context.preset(keys.count + index, vector) }
    var compiler = ExpressionCompiler(slots: ColumnSlots())
    compiler.subqueries = subqueries
    compiler.keySlots = Array(keys.indices)
    compiler.aggregateSlots = aggregation.calls.indices.map { keys.count + $0 }
    context.select(groups.table.present)
    if let having = aggregation.having { context.select(try compiler.compile(having).filter(context)) }
    if plan.isDistinct { return try distinctGroups(plan, compiler, context) }
    let keyColumns = zip(keys, aggregation.keys).map { SortColumn($0, $1.type) }
    let winners = try order(plan, compiler, context, ties: keyColumns)
    context.select(winners)
    return try outputs(plan, compiler, context)
  }

  private func outputs(
    _ plan: QueryPlan, _ compiler: ExpressionCompiler, _ context: EvaluationContext
  ) throws(ExecutionFailure) -> ResultRows {
    var columns: [Vector] = []
    for output in plan.outputs { columns.append(try compiler.compile(output.expression).evaluate(context)) }
    return ResultRows(columns: columns, count: context.count)
  }

  /// The selected groups (rows of the context) in order, cut to the plan's window. `ties` are whole columns.
  private func order(
    _ plan: QueryPlan, _ compiler: ExpressionCompiler, _ context: EvaluationContext, ties: [SortColumn]
  ) throws(ExecutionFailure) -> [UInt32] {
    var columns: [SortColumn] = []
    for order in plan.ordering {
      let vector = try compiler.compile(order.expression).evaluate(context)
      columns.append(
        SortColumn(vector, order.expression.type, isDescending: order.isDescending, nullsFirst: order.nullsFirst))
    }
    for tie in ties {
      let vector = context.selection.map { tie.vector.gather($0) } ?? tie.vector
      columns.append(SortColumn(vector, tie.type))
    }
    var top = TopRows(limit: plan.neededRows)
    let rows = context.selection ?? makeLanes(context.rowCount) { UInt32(truncatingIfNeeded: $0) }
    top.add(columns, positions: mapLanes(rows) { UInt64($0) })
    return plan.window(top.finish()).map { UInt32(truncatingIfNeeded: $0) }
  }

  /// DISTINCT above an aggregation: the outputs of all groups are grouped once more.
  private func distinctGroups(
    _ plan: QueryPlan, _ compiler: ExpressionCompiler, _ context: EvaluationContext
  ) throws(ExecutionFailure) -> ResultRows {
    let rows = try outputs(plan, compiler, context)
    let table = GroupTable(keyTypes: plan.outputs.map(\.expression.type.physical))
    _ = table.groups(of: rows.columns, expectedRows: 0)
    let keys = table.keyVectors()
    let distinct = table.present ?? makeLanes(table.count) { UInt32(truncatingIfNeeded: $0) }
    var columns: [SortColumn] = []
    for order in plan.ordering {
      guard let output = plan.outputs.firstIndex(where: { $0.expression == order.expression }) else {
        throw .query(QueryError(.binding, "ORDER BY of SELECT DISTINCT must name selected columns"))
      }
      columns.append(
        SortColumn(
          keys[output].gather(distinct), order.expression.type, isDescending: order.isDescending,
          nullsFirst: order.nullsFirst))
    }
    for (key, output) in zip(keys, plan.outputs) {
      columns.append(SortColumn(key.gather(distinct), output.expression.type))
    }
    var top = TopRows(limit: plan.neededRows)
    top.add(columns, positions: mapLanes(distinct) { UInt64($0) })
    let winners = plan.window(top.finish()).map { UInt32(truncatingIfNeeded: $0) }
    return ResultRows(columns: keys.map { $0.gather(winners) }, count: winners.count)
  }
}
