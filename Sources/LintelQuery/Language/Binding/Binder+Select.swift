internal import LintelColumns
internal import LintelStorage

extension Binder {
  /// - Parameter outputHint: how attributes in the SELECT list are read, for a subquery of IN.
  mutating func plan(_ select: SelectSyntax, outputHint: AttributeHint? = nil) throws(QueryError) -> QueryPlan {
    try bindJoin(select)
    var filter: Expression?
    if let condition = select.filter {
      filter = try bindCondition(condition, Scope(aliases: .refused, clause: "in WHERE; use HAVING"), "WHERE")
    }
    let isGrouped = !select.grouping.isEmpty || select.having != nil || usesAggregates(select)
    for key in select.grouping { keys.append(try bindKey(key)) }
    let outputs = try bindOutputs(isGrouped: isGrouped, hint: outputHint)
    var having: Expression?
    if let condition = select.having {
      having = try bindCondition(condition, Scope(isGrouped: true, aliases: .beforeColumns), "HAVING")
    }
    let ordering = try bindOrdering(select, outputs, isGrouped: isGrouped)
    return QueryPlan(
      table: schema?.name ?? "", schema: schema, join: join?.join, filter: filter,
      aggregation: isGrouped ? .init(keys: keys.map(\.expression), calls: calls, having: having) : nil,
      outputs: outputs, isDistinct: select.isDistinct, ordering: ordering, limit: select.limit, offset: select.offset,
      subqueries: subqueries)
  }

  private func usesAggregates(_ select: SelectSyntax) -> Bool {
    select.items.contains { $0.expression.map(containsAggregate) ?? false }
      || select.ordering.contains { containsAggregate($0.expression) }
  }

  func containsAggregate(_ node: SyntaxNode) -> Bool {
    if case .call(let call) = node.kind, FunctionNames.aggregates.contains(call.name) { return true }
    return node.kind.children.contains(where: containsAggregate)
  }

  // MARK: SELECT list

  private mutating func bindOutputs(isGrouped: Bool, hint: AttributeHint?) throws(QueryError) -> [QueryPlan.Output] {
    var outputs: [QueryPlan.Output] = []
    for (index, item) in items.enumerated() {
      guard let syntax = item.expression else {
        outputs += try bindStar(item, isGrouped: isGrouped)
        continue
      }
      let expression = try bindItem(index, syntax, isGrouped: isGrouped, hint: hint)
      outputs.append(.init(name: item.alias ?? outputName(syntax), expression: expression))
    }
    return outputs
  }

  /// An item of the SELECT list, for itself or where its alias or ordinal stands.
  mutating func bindItem(
    _ index: Int, _ syntax: SyntaxNode, isGrouped: Bool, hint: AttributeHint? = nil
  ) throws(QueryError) -> Expression {
    if isGrouped, let key = keys.firstIndex(where: { $0.item == index }) {
      return read(.groupKey(key, keys[key].expression.type), as: isDynamic(syntax, .rows) ? hint : nil)
    }
    return try bind(syntax, Scope(isGrouped: isGrouped, clause: "here"), hint: hint)
  }

  /// The visible columns but for what is large, computed ones last.
  private mutating func bindStar(_ item: SelectSyntax.Item, isGrouped: Bool) throws(QueryError) -> [QueryPlan.Output] {
    guard let schema else {
      throw QueryError(.binding, "* needs a table to read from", offset: item.range.lowerBound, hint: "add FROM spans")
    }
    let computed = schema.computed.filter { !$0.isOnRequest }
    let names = schema.columns.filter { !$0.isHidden }.map(\.name) + computed.map(\.name)
    var outputs: [QueryPlan.Output] = []
    for side in join.map({ [$0.leftName, $0.rightName] as [String?] }) ?? [nil] {
      for name in names {
        let syntax = try SyntaxNode(.name(NameSyntax(qualifier: side, name: name, isQuoted: true)), item.range)
        let output = side.map { "\($0).\(name)" } ?? name
        outputs.append(.init(name: output, expression: try bind(syntax, Scope(isGrouped: isGrouped))))
      }
    }
    return outputs
  }

  /// A column's own name, else the expression as written with its blanks run together.
  private func outputName(_ syntax: SyntaxNode) -> String {
    if case .name(let name) = syntax.kind { return name.name }
    let bytes = text.utf8.dropFirst(syntax.range.lowerBound).prefix(syntax.range.count)
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  // MARK: Keys and order

  private mutating func bindKey(_ syntax: SyntaxNode) throws(QueryError) -> Key {
    if let index = try ordinal(syntax, "GROUP BY"), let item = items[index].expression {
      return Key(expression: try bindKeyExpression(item), item: index)
    }
    if case .name(let name) = syntax.kind, name.qualifier == nil, !isColumn(name), let index = itemIndex(of: name),
      let item = items[index].expression
    {
      return Key(expression: try bindKeyExpression(item), item: index)
    }
    let scope = Scope(aliases: .afterColumns, clause: "in GROUP BY")
    return Key(expression: try bind(syntax, scope), item: nil)
  }

  private mutating func bindKeyExpression(_ item: SyntaxNode) throws(QueryError) -> Expression {
    try bind(item, Scope(clause: "in GROUP BY"))
  }

  /// The item that a bare integer in GROUP BY or ORDER BY names.
  private func ordinal(_ syntax: SyntaxNode, _ clause: String) throws(QueryError) -> Int? {
    guard case .integer(let number) = syntax.kind else { return nil }
    guard number >= 1, number <= Int64(items.count) else {
      throw QueryError(
        .binding, "\(clause) \(number): the SELECT list has \(items.count) item\(items.count == 1 ? "" : "s")",
        offset: syntax.range.lowerBound)
    }
    guard items[Int(number) - 1].expression != nil else {
      throw QueryError(.binding, "\(clause) \(number) names *, not a column", offset: syntax.range.lowerBound)
    }
    return Int(number) - 1
  }

  private mutating func bindOrdering(
    _ select: SelectSyntax, _ outputs: [QueryPlan.Output], isGrouped: Bool
  ) throws(QueryError) -> [QueryPlan.Ordering] {
    var ordering: [QueryPlan.Ordering] = []
    for order in select.ordering {
      let expression: Expression
      if let index = try ordinal(order.expression, "ORDER BY"), let item = items[index].expression {
        expression = try bindItem(index, item, isGrouped: isGrouped)
      } else {
        let scope = Scope(isGrouped: isGrouped, aliases: .beforeColumns, clause: "here")
        expression = try bind(order.expression, scope)
      }
      if select.isDistinct, !outputs.contains(where: { $0.expression == expression }) {
        throw QueryError(
          .binding, "with DISTINCT, ORDER BY takes only what the SELECT list has",
          offset: order.expression.range.lowerBound)
      }
      ordering.append(.init(expression, isDescending: order.isDescending, nullsFirst: order.nullsFirst))
    }
    return ordering
  }
}
