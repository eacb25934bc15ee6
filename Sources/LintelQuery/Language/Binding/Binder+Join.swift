internal import LintelColumns

/// The sides of a join while its SELECT is bound, and the columns of the pairs that have been asked for.
struct JoinScope {
  let relation: TraceJoin.Relation
  let leftName: String
  let rightName: String
  let keys: TraceJoin.Keys
  private var columns: [TraceJoin.Column] = []
  private var numbers: [TraceJoin.Column: Int] = [:]

  init(_ relation: TraceJoin.Relation, leftName: String, rightName: String, keys: TraceJoin.Keys) {
    self.relation = relation
    self.leftName = leftName
    self.rightName = rightName
    self.keys = keys
  }

  var join: TraceJoin {
    TraceJoin(relation, leftName: leftName, rightName: rightName, keys: keys, columns: columns)
  }

  func side(_ name: String) -> TraceJoin.Side? {
    let folded = Keywords.folded(name)
    return folded == Keywords.folded(leftName) ? .left : folded == Keywords.folded(rightName) ? .right : nil
  }

  /// The column of the pairs that is `source` of a side's rows.
  mutating func column(_ side: TraceJoin.Side, _ source: Expression) -> Expression {
    let column = TraceJoin.Column(side, source)
    let number = numbers[column] ?? columns.count
    if number == columns.count {
      columns.append(column)
      numbers[column] = number
    }
    return .column(number, source.type)
  }
}

extension Binder {
  /// Names the sides, before any other name is looked up.
  mutating func bindJoin(_ select: SelectSyntax) throws(QueryError) {
    guard let syntax = select.join, let schema, let leftName = select.tableAlias else { return }
    guard [syntax.table.name, Keywords.folded(syntax.table.name)].contains(schema.name) else {
      throw QueryError(
        .binding, "a join pairs the rows of one table, and \(syntax.table.name) is not \(schema.name)",
        offset: syntax.table.offset)
    }
    guard let keys = TraceJoin.Keys(schema) else {
      throw QueryError(
        .binding, "the rows of \(schema.name) have no parents to join by", offset: syntax.table.offset)
    }
    guard Keywords.folded(leftName) != Keywords.folded(syntax.alias) else {
      let relation = syntax.relation.rawValue.uppercased()
      throw QueryError(
        .binding, "both sides of the join are called \(leftName)", offset: syntax.aliasOffset,
        hint: "name them apart, as in \(schema.name) AS a JOIN \(relation) \(schema.name) AS b")
    }
    join = JoinScope(syntax.relation, leftName: leftName, rightName: syntax.alias, keys: keys)
  }

  /// The side that a name belongs to; `nil` without a join, and for a name without a qualifier.
  func side(of name: NameSyntax, _ node: SyntaxNode, _ scope: Scope) throws(QueryError) -> TraceJoin.Side? {
    guard let join else {
      try checkQualifier(name, node)
      return nil
    }
    guard let qualifier = name.qualifier else { return scope.side }
    guard let side = join.side(qualifier) else {
      throw QueryError(
        .binding, "there is no table \(qualifier) in this query", offset: node.range.lowerBound,
        hint: NameSuggestion.hint(for: qualifier, among: [join.leftName, join.rightName])
          ?? "the sides of the join are \(join.leftName) and \(join.rightName)")
    }
    return side
  }

  /// A stored column or an attribute; in a join, the column of the pairs that it is.
  mutating func stored(_ source: Expression, _ side: TraceJoin.Side?) -> Expression {
    guard let side else { return source }
    return join?.column(side, source) ?? source
  }

  func ambiguous(_ name: NameSyntax, _ node: SyntaxNode) -> QueryError {
    let left = join?.leftName ?? ""
    let right = join?.rightName ?? ""
    return QueryError(
      .binding, "\(name.name) is ambiguous: both sides of the join have it", offset: node.range.lowerBound,
      hint: "write \(left).\(name.name) or \(right).\(name.name)")
  }
}
