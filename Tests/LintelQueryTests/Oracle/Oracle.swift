import LintelColumns
import LintelStorage

@testable import LintelQuery

/// The meaning of plans, as plainly as it can be written: one row at a time, one value at a time, everything read, nothing
/// skipped. Shares the plan with the executor, and no code.
struct Oracle {
  /// Overflow, the one way in which a bound query fails on data.
  struct Overflow: Error {}

  let table: OracleTable
  /// Members of each IN (SELECT ..).
  private(set) var subqueries: [[Value]] = []

  /// Where an expression is evaluated: a row, or a group.
  struct Place {
    var row: OracleTable.Row = [:]
    var keys: [Value] = []
    var aggregates: [Value] = []
  }

  init(_ snapshot: TableSnapshot?) throws {
    if let snapshot { table = try OracleTable(snapshot) } else { table = OracleTable(rows: [[:]]) }
  }

  private init(table: OracleTable) { self.table = table }

  /// The rows of the answer.
  func run(_ plan: QueryPlan) throws -> [[Value]] {
    var scope = Oracle(table: table)
    for subquery in plan.subqueries { scope.subqueries.append(try run(subquery).map { $0[0] }) }
    if plan.limit == 0, plan.aggregation == nil, !plan.isDistinct { return [] }
    let all = try plan.join.map(scope.pairs) ?? table.rows.map { Place(row: $0) }
    var places = try scope.filtered(all, plan.filter)
    if let aggregation = plan.aggregation { places = try scope.groups(places, aggregation) }
    if plan.isDistinct { return plan.windowed(try scope.distinct(places, plan)) }
    return try plan.windowed(scope.ordered(places, plan)).map { place in
      try plan.outputs.map { try scope.evaluate($0.expression, place) }
    }
  }

  // MARK: Filter

  private func filtered(_ places: [Place], _ filter: Expression?) throws -> [Place] {
    guard let filter else { return places }
    // What may overflow comes last.
    let conjuncts = Self.conjuncts(filter)
    let ordered = conjuncts.filter { !Self.mayOverflow($0) } + conjuncts.filter(Self.mayOverflow)
    return try places.filter { place in
      for conjunct in ordered {
        guard try evaluate(conjunct, place) == .bool(true) else { return false }
      }
      return true
    }
  }

  static func conjuncts(_ filter: Expression) -> [Expression] {
    if case .call(.and, let operands, _) = filter { return operands.flatMap(conjuncts) }
    return [filter]
  }

  static func mayOverflow(_ expression: Expression) -> Bool {
    switch expression {
    case .constant, .column, .attribute, .groupKey, .aggregate: return false
    case .call(let function, let operands, let type):
      let isInteger = type.physical == .int64
      if isInteger, [.add, .subtract, .multiply, .negate, .abs, .timeBucket].contains(function) { return true }
      return operands.contains(where: mayOverflow)
    case .caseWhen(let branches, let otherwise, _):
      return mayOverflow(otherwise) || branches.contains { mayOverflow($0.condition) || mayOverflow($0.result) }
    case .inList(let operand, _, _), .inSubquery(let operand, _): return mayOverflow(operand)
    }
  }

  // MARK: Groups

  private func groups(_ places: [Place], _ aggregation: QueryPlan.Aggregation) throws -> [Place] {
    var order: [[OracleKey]] = []
    var members: [[OracleKey]: [Place]] = [:]
    var keys: [[OracleKey]: [Value]] = [:]
    if aggregation.keys.isEmpty {
      order = [[]]
      members[[]] = []
      keys[[]] = []
    }
    for place in places {
      let values = try aggregation.keys.map { OracleOrder.normalized(try evaluate($0, place)) }
      let key = values.map(OracleKey.init)
      if members[key] == nil { order.append(key) }
      members[key, default: []].append(place)
      keys[key] = values
    }
    var groups: [Place] = []
    for key in order {
      let rows = members[key] ?? []
      let aggregates = try aggregation.calls.map { try aggregate($0, rows) }
      groups.append(Place(keys: keys[key] ?? [], aggregates: aggregates))
    }
    let types = aggregation.keys.map(\.type)
    groups.sort { OracleOrder.compare($0.keys, $1.keys, types) < 0 }
    guard let having = aggregation.having else { return groups }
    return try groups.filter { try evaluate(having, $0) == .bool(true) }
  }

  private func aggregate(_ call: AggregateCall, _ rows: [Place]) throws -> Value {
    let taken = try rows.filter { place in
      guard let filter = call.filter else { return true }
      return try evaluate(filter, place) == .bool(true)
    }
    let operands = try taken.map { place in try call.operands.map { try evaluate($0, place) } }
    return try OracleAggregate(call).value(operands)
  }

  // MARK: Order

  private func ordered(_ places: [Place], _ plan: QueryPlan) throws -> [Place] {
    if plan.ordering.isEmpty { return places }
    let keyed = try places.map { place in (place, try plan.ordering.map { try evaluate($0.expression, place) }) }
    return keyed.enumerated().sorted { left, right in
      let order = OracleOrder.compare(left.element.1, right.element.1, plan.ordering)
      return order == 0 ? left.offset < right.offset : order < 0
    }.map(\.element.0)
  }

  private func distinct(_ places: [Place], _ plan: QueryPlan) throws -> [[Value]] {
    var seen: Set<[OracleKey]> = []
    var rows: [[Value]] = []
    for place in places {
      let row = try plan.outputs.map { OracleOrder.normalized(try evaluate($0.expression, place)) }
      if seen.insert(row.map(OracleKey.init)).inserted { rows.append(row) }
    }
    let columns = plan.ordering.map { order in plan.outputs.firstIndex { $0.expression == order.expression } ?? 0 }
    let types = plan.outputs.map(\.expression.type)
    return rows.sorted { left, right in
      let order = OracleOrder.compare(columns.map { left[$0] }, columns.map { right[$0] }, plan.ordering)
      return order == 0 ? OracleOrder.compare(left, right, types) < 0 : order < 0
    }
  }
}

extension OracleTable {
  init(rows: [Row]) { self.rows = rows }
}

extension QueryPlan {
  func windowed<T>(_ rows: [T]) -> [T] { Array(rows.dropFirst(offset).prefix(limit ?? rows.count)) }
}
