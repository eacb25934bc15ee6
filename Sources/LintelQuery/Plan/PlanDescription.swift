internal import LintelColumns

/// A plan as a tree of lines, the result at the top and the scan at the bottom.
///
///     limit 10
///     └ order by count(*) DESC NULLS LAST
///       └ project request_model, n = count(*)
///         └ aggregate count(*) by request_model
///           └ filter (status = 'error')
///             └ scan spans: request_model, status
///               prune by status = 'error'
struct PlanDescription {
  private(set) var lines: [String] = []

  init(_ plan: QueryPlan) {
    append(plan, depth: 0)
    // Numbered as IN (subquery n) refers to them.
    for (index, subquery) in plan.subqueries.enumerated() {
      lines.append("subquery \(index + 1)")
      let inner = PlanDescription(subquery).lines
      lines += inner.map { "  " + $0 }
    }
  }

  /// What a run of the plan took, for EXPLAIN ANALYZE.
  static func lines(_ statistics: QueryResult.Statistics, rows: Int) -> [String] {
    func rounded(_ milliseconds: Double) -> Double { (milliseconds * 1000).rounded() / 1000 }
    var lines = [""]
    for step in statistics.operators {
      var line = "\(step.name): \(rounded(step.milliseconds)) ms, \(step.rowsIn) rows in, \(step.rowsOut) out"
      if step.bytesRead > 0 { line += ", \(step.bytesRead) bytes read" }
      if step.bytesSpilled > 0 { line += ", \(step.bytesSpilled) bytes written" }
      lines.append(line)
      if let pruning = step.pruning { lines.append("  " + Self.line(pruning)) }
    }
    let filtered = statistics.blocksFiltered > 0 ? " (\(statistics.blocksFiltered) by filters)" : ""
    lines += [
      "", "rows returned: \(rows)", "time: \(rounded(statistics.elapsedMilliseconds)) ms",
      "rows read: \(statistics.rowsRead)", "bytes read: \(statistics.bytesRead)",
      "blocks pruned: \(statistics.blocksPruned) of \(statistics.blocksTotal)" + filtered,
    ]
    if statistics.peakBytes > 0 { lines.append("memory for intermediate results: \(statistics.peakBytes) bytes") }
    if statistics.bytesSpilled > 0 { lines.append("bytes put on disk for want of memory: \(statistics.bytesSpilled)") }
    if statistics.isFromCache { lines.append("answered from the cache") }
    if statistics.partsFromCache > 0 { lines.append("parts answered from the cache: \(statistics.partsFromCache)") }
    if statistics.blocksAnswered > 0 {
      lines.append("blocks answered by their statistics: \(statistics.blocksAnswered)")
    }
    return lines
  }

  private static func line(_ pruning: QueryResult.Pruning) -> String {
    let reasons = [
      ("zone maps", pruning.byZoneMaps), ("filters", pruning.byFilters), ("dictionaries", pruning.byDictionaries),
      ("statistics", pruning.byStatistics), ("the limit", pruning.byLimit),
    ].filter { $0.1 > 0 }.map { "\($0.1) by \($0.0)" }
    let left =
      pruning.byZoneMaps + pruning.byFilters + pruning.byDictionaries + pruning.byStatistics + pruning.byLimit
    return "blocks not read: \(left) of \(pruning.blocks)"
      + (reasons.isEmpty ? "" : " (\(reasons.joined(separator: ", ")))")
  }

  private mutating func append(_ plan: QueryPlan, depth: Int) {
    let text = ExpressionText(schema: plan.schema, aggregation: plan.aggregation, join: plan.join)
    let rowText = ExpressionText(schema: plan.schema, aggregation: nil, join: plan.join)
    var steps: [String] = []
    if plan.limit != nil || plan.offset > 0 {
      let offset = plan.offset > 0 ? "offset \(plan.offset)" : nil
      steps.append([plan.limit.map { "limit \($0)" }, offset].compactMap(\.self).joined(separator: " "))
    }
    if !plan.ordering.isEmpty {
      let keys = plan.ordering.map { order in
        "\(text.text(order.expression)) \(order.isDescending ? "DESC" : "ASC") NULLS \(order.nullsFirst ? "FIRST" : "LAST")"
      }
      steps.append("order by " + keys.joined(separator: ", "))
    }
    if plan.isDistinct { steps.append("distinct") }
    let outputs = plan.outputs.map { output in
      let expression = text.text(output.expression)
      return expression == output.name ? expression : "\(output.name) = \(expression)"
    }
    steps.append("project " + outputs.joined(separator: ", "))
    if let aggregation = plan.aggregation {
      if let having = aggregation.having { steps.append("having " + text.text(having)) }
      let calls = aggregation.calls.map(rowText.text).joined(separator: ", ")
      let keys = aggregation.keys.map(rowText.text).joined(separator: ", ")
      steps.append("aggregate" + (calls.isEmpty ? "" : " " + calls) + (keys.isEmpty ? "" : " by " + keys))
    }
    if let join = plan.join {
      let filters = join.split(plan.filter)
      if let filter = filters.pairs { steps.append("filter " + rowText.text(filter)) }
      steps.append("join " + Self.condition(join, plan.schema))
      append(steps, depth: depth)
      for (side, filter) in [(TraceJoin.Side.left, filters.left), (.right, filters.right)] {
        let sources = join.columns.filter { $0.side == side }.map(\.source)
        appendScan(
          plan, "\(plan.table) AS \(join.name(of: side))", ReadColumns(filter: filter, sources), filter,
          depth: depth + steps.count)
      }
    } else {
      append(steps, depth: depth)
      appendScan(plan, plan.table, ReadColumns(plan), plan.filter, depth: depth + steps.count)
    }
  }

  private mutating func append(_ steps: [String], depth: Int) {
    for (index, step) in steps.enumerated() { lines.append(Self.indent(depth + index) + step) }
  }

  /// The scan of one table or side, under its filter.
  private mutating func appendScan(
    _ plan: QueryPlan, _ table: String, _ read: ReadColumns, _ filter: Expression?, depth: Int
  ) {
    let text = ExpressionText(schema: plan.schema, aggregation: nil)
    let names = read.columns.map(text.columnName) + read.attributes.map { "attributes['\($0)']" }
    var steps = filter.map { ["filter " + text.text($0)] } ?? []
    steps.append(
      plan.schema == nil ? "one row" : "scan \(table)" + (names.isEmpty ? "" : ": " + names.joined(separator: ", ")))
    append(steps, depth: depth)
    let margin = String(repeating: "  ", count: depth + steps.count - 1)
    for (title, conditions) in [("prune by ", read.pruning), ("look up in filters ", read.lookups)] {
      if conditions.isEmpty { continue }
      lines.append(margin + title + conditions.map(text.text).joined(separator: " AND "))
    }
  }

  /// `a CHILD b: b.parent_span_id = a.span_id within trace_id`.
  private static func condition(_ join: TraceJoin, _ schema: TableSchema?) -> String {
    func name(_ column: Int) -> String { schema?.columns[column].name ?? "column \(column)" }
    let (left, right) = (join.leftName, join.rightName)
    let (row, parent) = (name(join.keys.row), name(join.keys.parent))
    let text =
      switch join.relation {
      case .child: "\(right).\(parent) = \(left).\(row)"
      case .parent: "\(left).\(parent) = \(right).\(row)"
      case .descendant: "\(left).\(row) is above \(right).\(parent)"
      case .ancestor: "\(right).\(row) is above \(left).\(parent)"
      case .sibling: "\(left).\(parent) = \(right).\(parent) AND \(left).\(row) <> \(right).\(row)"
      }
    return "\(left) \(join.relation.rawValue.uppercased()) \(right): \(text) within \(name(join.keys.trace))"
  }

  private static func indent(_ depth: Int) -> String {
    depth == 0 ? "" : String(repeating: "  ", count: depth - 1) + "└ "
  }
}

/// The columns that a plan's scan decodes, and the conditions that may skip blocks.
private struct ReadColumns {
  private(set) var columns: [Int] = []
  private(set) var attributes: [String] = []
  private(set) var pruning: [Expression] = []
  /// Conditions that ask filters which blocks have a value.
  private(set) var lookups: [Expression] = []

  init(_ plan: QueryPlan) {
    var expressions = plan.outputs.map(\.expression) + plan.ordering.map(\.expression)
    if let aggregation = plan.aggregation {
      expressions = aggregation.keys
      for call in aggregation.calls { expressions += call.operands + [call.filter].compactMap(\.self) }
    }
    self.init(filter: plan.filter, expressions)
  }

  init(filter: Expression?, _ expressions: [Expression]) {
    if let filter {
      add(filter)
      pruning = filter.conjuncts.filter(Self.canPrune)
      lookups = filter.conjuncts.filter(Self.asksFilters)
    }
    expressions.forEach { add($0) }
    columns.sort()
    attributes.sort()
  }

  private mutating func add(_ expression: Expression) {
    switch expression {
    case .constant, .groupKey, .aggregate: break
    case .column(let index, _): if !columns.contains(index) { columns.append(index) }
    case .attribute(let read): if !attributes.contains(read.name) { attributes.append(read.name) }
    case .call(_, let operands, _): operands.forEach { add($0) }
    case .caseWhen(let branches, let otherwise, _):
      for branch in branches {
        add(branch.condition)
        add(branch.result)
      }
      add(otherwise)
    case .inList(let operand, _, _), .inSubquery(let operand, _): add(operand)
    }
  }

  private static func asksFilters(_ condition: Expression) -> Bool {
    if case .inSubquery(let operand, _) = condition { return isStored(operand) && operand.type.hasFilters }
    let tests = condition.canFail ? [] : BlockCondition(condition, subqueries: [])?.tests ?? []
    return tests.contains { $0.hashes != nil }
  }

  /// A comparison of a stored column with constants.
  private static func canPrune(_ condition: Expression) -> Bool {
    switch condition {
    case .inList(let operand, _, _): isStored(operand)
    case .call(.isNull, let operands, _): operands.allSatisfy(isStored)
    case .call(.not, let operands, _):
      operands.allSatisfy { if case .call(.isNull, _, _) = $0 { canPrune($0) } else { false } }
    case .call(let function, let operands, _):
      switch function {
      case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .like, .ilike, .matches, .startsWith, .contains,
        .endsWith:
        operands.contains(where: isStored) && operands.allSatisfy { isStored($0) || isConstant($0) }
      default: false
      }
    default: false
    }
  }

  private static func isStored(_ expression: Expression) -> Bool {
    switch expression {
    case .column, .attribute: true
    default: false
    }
  }

  private static func isConstant(_ expression: Expression) -> Bool {
    if case .constant = expression { true } else { false }
  }
}

extension ColumnType {
  /// Whether filters are kept of columns of this type.
  fileprivate var hasFilters: Bool { self == .string || self == .bytes || self == .id16 }
}
