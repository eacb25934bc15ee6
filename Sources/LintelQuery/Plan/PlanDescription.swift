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
    let milliseconds = (statistics.elapsedMilliseconds * 1000).rounded() / 1000
    return [
      "", "rows returned: \(rows)", "time: \(milliseconds) ms", "rows read: \(statistics.rowsRead)",
      "bytes read: \(statistics.bytesRead)",
      "blocks pruned: \(statistics.blocksPruned) of \(statistics.blocksTotal)"
        + (statistics.blocksFiltered > 0 ? " (\(statistics.blocksFiltered) by filters)" : ""),
    ]
  }

  private mutating func append(_ plan: QueryPlan, depth: Int) {
    let text = ExpressionText(schema: plan.schema, aggregation: plan.aggregation)
    let rowText = ExpressionText(schema: plan.schema, aggregation: nil)
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
    if let filter = plan.filter { steps.append("filter " + rowText.text(filter)) }
    let columns = ReadColumns(plan)
    let names = columns.columns.map(rowText.columnName) + columns.attributes.map { "attributes['\($0)']" }
    steps.append(
      plan.schema == nil
        ? "one row" : "scan \(plan.table)" + (names.isEmpty ? "" : ": " + names.joined(separator: ", ")))
    for (index, step) in steps.enumerated() {
      lines.append(Self.indent(depth + index) + step)
    }
    let margin = String(repeating: "  ", count: depth + steps.count - 1)
    for (title, conditions) in [("prune by ", columns.pruning), ("look up in filters ", columns.lookups)] {
      if conditions.isEmpty { continue }
      lines.append(margin + title + conditions.map(rowText.text).joined(separator: " AND "))
    }
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
    if let filter = plan.filter {
      add(filter)
      pruning = filter.conjuncts.filter(Self.canPrune)
      lookups = filter.conjuncts.filter(Self.asksFilters)
    }
    if let aggregation = plan.aggregation {
      aggregation.keys.forEach { add($0) }
      for call in aggregation.calls {
        call.operands.forEach { add($0) }
        call.filter.map { add($0) }
      }
    } else {
      plan.outputs.forEach { add($0.expression) }
      plan.ordering.forEach { add($0.expression) }
    }
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
