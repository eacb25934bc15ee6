import LintelColumns
import LintelStorage

extension QueryContext {
  func run(_ plan: QueryPlan) throws(ExecutionFailure) -> ResultRows {
    try check()
    if plan.schema == nil, segments.count != 1 || !(segments[0] is OneRowSegment) {
      return try QueryContext(self, segments: [OneRowSegment()]).run(plan)
    }
    var members: [MemberSet] = []
    for subquery in plan.subqueries {
      let rows = try run(subquery)
      guard let column = rows.columns.first else { throw .unsupported("a subquery must have one output") }
      members.append(try MemberSet(rows: column, interrupt))
    }
    guard let join = plan.join else { return try run(plan, members) }
    let filters = join.split(plan.filter)
    let pairs = try TraceJoinRun(self, join, members).pairs(left: filters.left, right: filters.right)
    return try QueryContext(self, segments: [pairs]).run(plan.ofPairs(filters.pairs), members)
  }

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
