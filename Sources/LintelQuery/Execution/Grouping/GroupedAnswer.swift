import LintelColumns

/// All groups of a query: in memory, or on disk in partitions.
enum AllGroups {
  case memory(AggregationWorker)
  case disk(GroupSpill)

  /// How many there are; of those on disk, once they have been gone through.
  var count: Int {
    switch self {
    case .memory(let worker): worker.presentCount
    case .disk(let spill): spill.groupCount
    }
  }

  /// Calls `body` with workers that together have every group once.
  func forEach(_ body: (AggregationWorker) throws(ExecutionFailure) -> Void) throws(ExecutionFailure) {
    switch self {
    case .memory(let worker): try body(worker)
    case .disk(let spill): try spill.forEachPartition(body)
    }
  }
}

/// HAVING, outputs, ORDER BY and LIMIT over groups, which are worked on in stretches as rows are in blocks.
struct GroupedAnswer {
  private let query: QueryContext
  private let plan: QueryPlan
  private let keyTypes: [ColumnType]
  /// Of the keys, and then of the calls' results.
  private let slotTypes: [PhysicalType]
  private let having: EvaluationNode?
  private let ordering: [EvaluationNode]
  private let outputs: [EvaluationNode]

  init(
    _ query: QueryContext, _ plan: QueryPlan, _ aggregation: QueryPlan.Aggregation, _ subqueries: [MemberSet]
  ) throws(ExecutionFailure) {
    self.query = query
    self.plan = plan
    keyTypes = aggregation.keys.map(\.type)
    slotTypes = keyTypes.map(\.physical) + aggregation.calls.map(\.type.physical)
    var compiler = ExpressionCompiler(slots: ColumnSlots(), query.interrupt)
    compiler.subqueries = subqueries
    compiler.keySlots = Array(keyTypes.indices)
    compiler.aggregateSlots = aggregation.calls.indices.map { aggregation.keys.count + $0 }
    having = try aggregation.having.map { (having) throws(ExecutionFailure) in try compiler.compile(having) }
    var ordering: [EvaluationNode] = []
    // DISTINCT orders what it leaves.
    if !plan.isDistinct { for order in plan.ordering { ordering.append(try compiler.compile(order.expression)) } }
    self.ordering = ordering
    var outputs: [EvaluationNode] = []
    for output in plan.outputs { outputs.append(try compiler.compile(output.expression)) }
    self.outputs = outputs
  }

  /// The answer's rows.
  func rows(_ groups: AllGroups) throws(ExecutionFailure) -> ResultRows {
    switch groups {
    case .memory(let worker):
      let columns = GroupColumns.worker(worker, calls: try worker.finish())
      let winners = plan.window(try top(columns).map { UInt32(truncatingIfNeeded: $0) })
      return ResultRows(columns: try evaluated(columns, winners), count: winners.count)
    case .disk(let spill): return try rows(spill)
    }
  }

  /// From each partition the groups that may be in the answer are kept; outputs are evaluated for those that are, as
  /// otherwise they might overflow where the answer doesn't.
  private func rows(_ spill: GroupSpill) throws(ExecutionFailure) -> ResultRows {
    var all = TopRows(limit: plan.neededRows, query.interrupt)
    var parts: [[Vector]] = Array(repeating: [], count: slotTypes.count)
    var count = 0
    var reserved = 0
    try spill.forEachPartition { (worker) throws(ExecutionFailure) in
      let columns = GroupColumns.worker(worker, calls: try worker.finish())
      let winners = try top(columns).map { UInt32(truncatingIfNeeded: $0) }
      try forEachStretch(columns, winners) { (context, numbers) throws(ExecutionFailure) in
        let first = count
        try all.add(try sortColumns(context), positions: makeLanes(numbers.count) { UInt64(first &+ $0) })
        for slot in slotTypes.indices { parts[slot].append(try context.column(slot).plain) }
        count += numbers.count
      }
      if let limit = plan.neededRows, count / 2 - Interrupt.interval > limit {
        let kept = try all.finish()
        for slot in slotTypes.indices { parts[slot] = [try joined(parts[slot], slot, kept)] }
        count = kept.count
        try all.renumber()
      }
      let bytes = parts.joined().reduce(all.byteCount) { $0 + $1.byteCount }
      try query.reserve(bytes - reserved)
      reserved = bytes
    }
    let winners = plan.window(try all.finish())
    var kept: [Vector] = []
    for slot in slotTypes.indices { kept.append(try joined(parts[slot], slot, winners)) }
    let rows = try query.interrupt.makeLanes(winners.count) { UInt32(truncatingIfNeeded: $0) }
    return ResultRows(columns: try evaluated(.kept(kept), rows), count: winners.count)
  }

  private func joined(_ parts: [Vector], _ slot: Int, _ rows: [UInt64]) throws(ExecutionFailure) -> Vector {
    let all = try Vector.concatenate(parts, slotTypes[slot], query.interrupt)
    return try all.gather(try query.interrupt.mapLanes(rows) { UInt32(truncatingIfNeeded: $0) }, query.interrupt)
  }

  /// The outputs of all groups that pass HAVING, a stretch at a time.
  func forEachOutput(
    _ groups: AllGroups, _ body: ([Vector], Int) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    try groups.forEach { (worker) throws(ExecutionFailure) in
      let columns = GroupColumns.worker(worker, calls: try worker.finish())
      try forEachStretch(columns, try columns.all()) { (context, _) throws(ExecutionFailure) in
        if let having { context.select(try having.filter(context)) }
        guard context.count > 0 else { return }
        var vectors: [Vector] = []
        for output in outputs { vectors.append(try output.evaluate(context)) }
        try body(vectors, context.count)
      }
    }
  }

  // MARK: Stretches

  /// Calls `body` with a context of some of `groups` after the other.
  private func forEachStretch(
    _ columns: GroupColumns, _ groups: [UInt32], _ body: (EvaluationContext, [UInt32]) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    guard !groups.isEmpty else { return }
    let context = EvaluationContext(slotCount: slotTypes.count, query.interrupt)
    try query.interrupt.forEachStretch(of: groups.count) { (stretch) throws(ExecutionFailure) in
      let numbers = makeLanes(stretch.count) { groups[stretch.lowerBound &+ $0] }
      context.begin(rowCount: numbers.count, source: nil)
      for (slot, vector) in columns.vectors(of: numbers).enumerated() { context.preset(slot, vector) }
      try body(context, numbers)
    }
  }

  /// The first groups that pass HAVING, in order.
  private func top(_ columns: GroupColumns) throws(ExecutionFailure) -> [UInt64] {
    var top = TopRows(limit: plan.neededRows, query.interrupt)
    let sort = SortMemory(query)
    defer { sort.release() }
    try forEachStretch(columns, try columns.all()) { (context, numbers) throws(ExecutionFailure) in
      if let having { context.select(try having.filter(context)) }
      guard context.count > 0 else { return }
      let positions =
        context.selection.map { mapLanes($0) { UInt64(numbers[Int($0)]) } } ?? mapLanes(numbers) { UInt64($0) }
      try top.add(try sortColumns(context), positions: positions)
      try sort.reserve(&top)
    }
    return try top.finish()
  }

  /// What the selected groups are ordered by: the plan's ordering, then their keys.
  private func sortColumns(_ context: EvaluationContext) throws(ExecutionFailure) -> [SortColumn] {
    var columns: [SortColumn] = []
    for (node, order) in zip(ordering, plan.ordering) {
      columns.append(
        SortColumn(
          try node.evaluate(context), order.expression.type, isDescending: order.isDescending,
          nullsFirst: order.nullsFirst))
    }
    for (slot, type) in keyTypes.enumerated() { columns.append(SortColumn(try context.column(slot), type)) }
    return columns
  }

  private func evaluated(_ groups: GroupColumns, _ numbers: [UInt32]) throws(ExecutionFailure) -> [Vector] {
    var parts: [[Vector]] = Array(repeating: [], count: outputs.count)
    try forEachStretch(groups, numbers) { (context, _) throws(ExecutionFailure) in
      for (number, output) in outputs.enumerated() { parts[number].append(try output.evaluate(context)) }
    }
    var columns: [Vector] = []
    for (number, output) in plan.outputs.enumerated() {
      columns.append(try .concatenate(parts[number], output.expression.type.physical, query.interrupt))
    }
    return columns
  }
}

/// Columns of groups: keys, and then the results of the calls.
private enum GroupColumns {
  case worker(AggregationWorker, calls: [Vector])
  /// Of groups that were kept as rows.
  case kept([Vector])

  /// Numbers of the groups that rows have.
  func all() throws(ExecutionFailure) -> [UInt32] {
    switch self {
    case .worker(let worker, _): worker.hasKeys ? try worker.table.present() : [0]
    case .kept(let columns): makeLanes(columns.first?.count ?? 0) { UInt32(truncatingIfNeeded: $0) }
    }
  }

  func vectors(of groups: [UInt32]) -> [Vector] {
    let range = Self.range(groups)
    func picked(_ columns: [Vector]) -> [Vector] {
      columns.map { column in range.map { column.slice($0) } ?? column.gather(groups) }
    }
    switch self {
    case .worker(let worker, let calls): return worker.table.keyVectors(of: groups) + picked(calls)
    case .kept(let columns): return picked(columns)
    }
  }

  /// The numbers as a range, where they are one after the other, as nearly always.
  private static func range(_ numbers: [UInt32]) -> Range<Int>? {
    guard let first = numbers.first else { return nil }
    for (index, number) in numbers.enumerated() {
      if number != first &+ UInt32(truncatingIfNeeded: index) { return nil }
    }
    return Int(first)..<Int(first) + numbers.count
  }
}
