internal import LintelColumns
internal import LintelStorage

extension Binder {
  // MARK: BETWEEN

  mutating func bindBetween(
    _ operand: SyntaxNode, _ low: SyntaxNode, _ high: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    let (first, least) = try bindPair(operand, low, scope)
    let above = try compare(.greaterOrEqual, first, least, operand, low)
    let (second, greatest) = try bindPair(operand, high, scope)
    let below = try compare(.lessOrEqual, second, greatest, operand, high)
    return .call(.and, [above, below], .bool)
  }

  // MARK: IN (list)

  mutating func bindInList(
    _ operand: SyntaxNode, _ list: [SyntaxNode], _ scope: Scope
  ) throws(QueryError) -> Expression {
    let natural = try bind(operand, scope)
    let isDynamicOperand = isDynamic(operand, scope)
    var readings: [AttributeHint?: Expression] = [nil: natural]
    var members = Members()
    for node in list {
      var item = try bind(node, scope)
      if Self.isNull(item) {
        members.hasNull = true
        continue
      }
      let hint = isDynamicOperand ? Self.hint(from: item) : nil
      if readings[hint] == nil { readings[hint] = try bind(operand, scope, hint: hint) }
      var own = readings[hint] ?? natural
      if isDynamicOperand, own.type == .float64 { (own, item) = try bindAttribute(operand, beside: item, scope) }
      if Self.isNull(own) {
        // An attribute that has no value of this kind: equal to nothing, and NULL.
        members.hasNull = true
      } else {
        members.add(try compare(.equal, own, item, operand, node))
      }
    }
    return members.expression(natural)
  }

  /// The items of an IN list, by the operand they are compared with.
  private struct Members {
    private var order: [Expression] = []
    private var constants: [Expression: [Value]] = [:]
    private var seen: [Expression: Set<Value>] = [:]
    private var others: [Expression] = []
    var hasNull = false

    /// Adds a comparison of the operand with one item.
    mutating func add(_ comparison: Expression) {
      guard case .call(.equal, let pair, _) = comparison, pair.count == 2, case .constant(let value, _) = pair[1],
        value != .null, pair[0].type != .variant
      else { return others.append(comparison) }
      if constants[pair[0]] == nil { order.append(pair[0]) }
      // 0 and -0 are equal, so that one of them is enough.
      let member = value == .float64(0) ? .float64(0) : value
      if seen[pair[0], default: []].insert(member).inserted { constants[pair[0], default: []].append(member) }
    }

    func expression(_ operand: Expression) -> Expression {
      var alternatives: [Expression] = []
      for operand in order {
        alternatives.append(.inList(operand, constants[operand] ?? [], hasNull: hasNull && order.count == 1))
      }
      alternatives += others
      if hasNull, order.count != 1 {
        alternatives.append(alternatives.isEmpty ? .inList(operand, [], hasNull: true) : .constant(.null, .bool))
      }
      return alternatives.count == 1 ? alternatives[0] : .call(.or, alternatives, .bool)
    }
  }

  // MARK: IN (SELECT ..)

  mutating func bindInSelect(
    _ operand: SyntaxNode, _ query: SelectSyntax, _ scope: Scope
  ) throws(QueryError) -> Expression {
    guard let table = query.table, let snapshot else {
      throw QueryError(
        .binding, "a subquery reads the table of the query around it", offset: query.range.lowerBound)
    }
    guard [table.name, Keywords.folded(table.name)].contains(snapshot.schema.name) else {
      throw QueryError(
        .binding, "a subquery reads the table of the query around it, \(snapshot.schema.name)", offset: table.offset)
    }
    guard query.items.count == 1, let item = query.items[0].expression else {
      throw QueryError(.binding, "the subquery of IN selects one column", offset: query.range.lowerBound)
    }
    var inner = Binder(query, text: text, snapshot: snapshot, catalog: catalog, now: now)
    let own: Expression
    var plan: QueryPlan
    if isDynamic(operand, scope) {
      plan = try inner.plan(query)
      own = try bind(operand, scope, hint: plan.outputs.first.flatMap { Self.hint(from: $0.expression) })
    } else {
      own = try bind(operand, scope)
      plan = try inner.plan(query, outputHint: inner.isDynamic(item, .rows) ? Self.hint(from: own) : nil)
    }
    let (left, right) = try alignSubquery(own, plan, operand, item)
    if let right { plan = plan.replacingOutput(right) }
    // An item that ORDER BY names again is the same expression only by the same number; and what is the same runs once.
    let number = subqueries.firstIndex(of: plan) ?? subqueries.count
    if number == subqueries.count { subqueries.append(plan) }
    return .inSubquery(left, number)
  }

  /// Makes the operand and the subquery's output one type.
  private func alignSubquery(
    _ own: Expression, _ plan: QueryPlan, _ operand: SyntaxNode, _ item: SyntaxNode
  ) throws(QueryError) -> (Expression, Expression?) {
    guard let output = plan.outputs.first?.expression else { return (own, nil) }
    var (left, right) = try align(own, output, operand, item)
    if left.type == .variant {
      // Membership compares plain values: variants are compared by their text.
      left = .call(.toText, [left], .string)
      right = .call(.toText, [right], .string)
    }
    guard right != output else { return (left, nil) }
    if plan.isDistinct || plan.limit != nil || !plan.ordering.isEmpty {
      throw QueryError(
        .binding, "\(own.type.name) IN (SELECT \(output.type.name)): the types differ", offset: item.range.lowerBound,
        hint: "CAST one of them")
    }
    return (left, right)
  }
}

extension QueryPlan {
  /// The same plan with another expression for its one output.
  fileprivate func replacingOutput(_ expression: Expression) -> QueryPlan {
    QueryPlan(
      table: table, schema: schema, join: join, filter: filter, aggregation: aggregation,
      outputs: outputs.prefix(1).map { Output(name: $0.name, expression: expression) }, isDistinct: isDistinct,
      ordering: ordering, limit: limit, offset: offset, subqueries: subqueries)
  }
}
