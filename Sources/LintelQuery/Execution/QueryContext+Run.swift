import LintelColumns
import LintelStorage
import Synchronization

extension QueryContext {
  func run(_ plan: QueryPlan) throws(ExecutionFailure) -> ResultRows {
    try check()
    if plan.schema == nil, segments.count != 1 || !(segments[0] is OneRowSegment) {
      return try QueryContext(self, segments: [OneRowSegment()]).run(plan)
    }
    var members: [MemberSet] = []
    for subquery in plan.subqueries { members.append(try memberSet(subquery)) }
    guard let join = plan.join else { return try run(plan, members) }
    let filters = join.split(plan.filter)
    let pairs = try TraceJoinRun(self, join, members).pairs(left: filters.left, right: filters.right)
    return try QueryContext(self, segments: [pairs]).run(plan.ofPairs(filters.pairs), members)
  }

  // MARK: Subqueries

  /// What a subquery gives, to be looked up in. Its rows are given back to the memory limit, the set is not.
  private func memberSet(_ subquery: QueryPlan) throws(ExecutionFailure) -> MemberSet {
    guard let output = subquery.outputs.first?.expression else { throw .unsupported("a subquery must have one output") }
    let parts: [Vector]
    if subquery.isAnyRows {
      var nested: [MemberSet] = []
      for inner in subquery.subqueries { nested.append(try memberSet(inner)) }
      parts = try anyRows(output, subquery, nested)
    } else {
      let rows = try run(subquery)
      parts = Array(rows.columns.prefix(1))
    }
    let start = ContinuousClock.now
    let set = try MemberSet(parts: parts, Filling(self))
    let rows = parts.reduce(0) { $0 + $1.count }
    if subquery.isAnyRows { _ = account(-parts.reduce(0) { $0 + $1.byteCount }) }
    note("gather members", ContinuousClock.now - start, rowsIn: rows, rowsOut: set.count)
    return set
  }

  /// The values of an output in all rows that pass, by block: where membership is all that is asked, neither the order of the
  /// rows nor how often a value occurs matters, and no row has to be found again.
  private func anyRows(
    _ output: Expression, _ plan: QueryPlan, _ subqueries: [MemberSet]
  ) throws(ExecutionFailure) -> [Vector] {
    var scan = ScanPlan()
    scan.filter = plan.filter
    scan.subqueries = subqueries
    scan.keys = [output]
    if let filter = plan.filter { try scan.slots.add(filter) }
    try scan.slots.add(output)
    let blocks = try BlockScan(self, scan)
    let parts = Mutex([Vector]())
    let times = try blocks.run { (_, _, task, context) throws(ExecutionFailure) in
      let vector = try task.segment.keys[0].evaluate(context)
      try self.reserve(vector.byteCount)
      parts.withLock { $0.append(vector) }
    }
    note("project", times.body, rowsIn: times.rowsOut, rowsOut: times.rowsOut, bytes: times.bodyBytes)
    return parts.withLock { $0 }
  }

  // MARK: Plans

  /// Runs a plan over the rows of the segments.
  private func run(_ plan: QueryPlan, _ subqueries: [MemberSet]) throws(ExecutionFailure) -> ResultRows {
    var scan = ScanPlan()
    scan.filter = plan.filter
    scan.subqueries = subqueries
    if let filter = plan.filter { try scan.slots.add(filter) }
    if let aggregation = plan.aggregation { return try aggregate(plan, aggregation, scan) }
    if plan.isDistinct { return try distinctRows(plan, scan) }
    return try selectRows(plan, scan)
  }

  /// SELECT DISTINCT over rows is a grouping by all outputs.
  private func distinctRows(_ plan: QueryPlan, _ scan: ScanPlan) throws(ExecutionFailure) -> ResultRows {
    let grouped = try plan.groupedByOutputs()
    let keys = plan.outputs.map(\.expression)
    return try aggregate(grouped, QueryPlan.Aggregation(keys: keys, calls: [], having: nil), scan)
  }
}

extension QueryPlan {
  /// What is left to do when the pairs of the join are rows.
  fileprivate func ofPairs(_ filter: Expression?) -> QueryPlan {
    QueryPlan(
      table: table, schema: schema, filter: filter, aggregation: aggregation, outputs: outputs, isDistinct: isDistinct,
      ordering: ordering, limit: limit, offset: offset, subqueries: [])
  }

  /// Whether the answer is all rows that pass the filter, but for order and repetitions.
  fileprivate var isAnyRows: Bool {
    schema != nil && join == nil && aggregation == nil && limit == nil && offset <= 0
  }

  /// Rows that must be kept to answer: `limit` behind `offset`.
  var neededRows: Int? {
    guard let limit else { return nil }
    let (sum, overflow) = max(limit, 0).addingReportingOverflow(max(offset, 0))
    return overflow ? nil : sum
  }

  /// What of the ordered rows is the answer.
  func window<T>(_ rows: [T]) -> [T] {
    let rest = rows.dropFirst(min(max(offset, 0), rows.count))
    return Array(rest.prefix(max(limit ?? rest.count, 0)))
  }
}
