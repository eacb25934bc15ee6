internal import LintelColumns
internal import LintelStorage

extension Binder {
  // MARK: Columns

  mutating func bindName(
    _ name: NameSyntax, _ node: SyntaxNode, _ scope: Scope, hint: AttributeHint?
  ) throws(QueryError) -> Expression {
    let side = try side(of: name, node, scope)
    if scope.aliases == .beforeColumns, name.qualifier == nil, let index = itemIndex(of: name),
      let item = items[index].expression
    {
      return try bindItem(index, item, isGrouped: scope.isGrouped, hint: hint)
    }
    let isAmbiguous = join != nil && side == nil && isStored(name)
    if !isAmbiguous, let column = try bindColumn(name, node, scope, side) { return column }
    if scope.aliases == .afterColumns, name.qualifier == nil, let index = itemIndex(of: name),
      let item = items[index].expression
    {
      return try bind(item, Scope(isGrouped: scope.isGrouped, clause: scope.clause), hint: hint)
    }
    if isAmbiguous { throw ambiguous(name, node) }
    throw unknownName(name, node, scope)
  }

  private mutating func bindColumn(
    _ name: NameSyntax, _ node: SyntaxNode, _ scope: Scope, _ side: TraceJoin.Side?
  ) throws(QueryError) -> Expression? {
    guard let schema else { return nil }
    for candidate in candidates(name) {
      if let index = schema.index(of: candidate) {
        if scope.isGrouped { throw ungrouped(candidate, node) }
        return stored(.column(index, schema.columns[index].type), side)
      }
      if !scope.isComputed, let computed = schema.computed.first(where: { $0.name == candidate }) {
        if scope.isGrouped { throw ungrouped(candidate, node) }
        return try bindComputed(computed, side)
      }
    }
    return nil
  }

  private mutating func bindComputed(
    _ computed: ComputedColumn, _ side: TraceJoin.Side?
  ) throws(QueryError) -> Expression {
    do {
      var parser = try Parser(computed.expression)
      return try bind(try parser.expression(), Scope(isComputed: true, side: side))
    } catch {
      throw QueryError(.binding, "the computed column \(computed.name) is broken: \(error.message)")
    }
  }

  /// The spellings that an unquoted name may be stored under.
  private func candidates(_ name: NameSyntax) -> [String] {
    let folded = Keywords.folded(name.name)
    return name.isQuoted || folded == name.name ? [name.name] : [name.name, folded]
  }

  /// Whether a name by itself is a column. In a join none is.
  func isColumn(_ name: NameSyntax) -> Bool { join == nil && isStored(name) }

  private func isStored(_ name: NameSyntax) -> Bool {
    guard let schema else { return false }
    return candidates(name).contains { candidate in
      schema.index(of: candidate) != nil || schema.computed.contains { $0.name == candidate }
    }
  }

  /// The item of the SELECT list with this alias.
  func itemIndex(of name: NameSyntax) -> Int? {
    let wanted = candidates(name)
    return items.firstIndex { item in
      guard let alias = item.alias, item.expression != nil else { return false }
      return wanted.contains(alias) || !name.isQuoted && Keywords.folded(alias) == Keywords.folded(name.name)
    }
  }

  func checkQualifier(_ name: NameSyntax, _ node: SyntaxNode) throws(QueryError) {
    guard let qualifier = name.qualifier else { return }
    guard let tableAlias, Keywords.folded(qualifier) == Keywords.folded(tableAlias) else {
      throw QueryError(
        .binding, "there is no table \(qualifier) in this query", offset: node.range.lowerBound,
        hint: tableAlias.map { "did you mean \($0).\(name.name)?" })
    }
  }

  // MARK: Errors

  private func ungrouped(_ column: String, _ node: SyntaxNode) -> QueryError {
    QueryError(
      .binding, "\(column) must appear in GROUP BY or inside an aggregate", offset: node.range.lowerBound,
      hint: "any(\(column)) takes one of a group's values")
  }

  private func unknownName(_ name: NameSyntax, _ node: SyntaxNode, _ scope: Scope) -> QueryError {
    let offset = node.range.lowerBound
    guard let schema else {
      return QueryError(
        .binding, "there is no column \(name.name) without a table to read from", offset: offset,
        hint: name.isQuoted ? "strings stand in 'single quotes'" : "add FROM and a table")
    }
    if scope.aliases == .refused, name.qualifier == nil, itemIndex(of: name) != nil {
      return QueryError(
        .binding, "\(name.name) is an alias of the SELECT list, which WHERE can't use", offset: offset,
        hint: "repeat the expression in WHERE, or use HAVING after GROUP BY")
    }
    let names = schema.columns.filter { !$0.isHidden }.map(\.name) + schema.computed.map(\.name)
    let aliases = scope.aliases == .afterColumns || scope.aliases == .beforeColumns ? items.compactMap(\.alias) : []
    let prefix = join == nil ? "" : name.qualifier.map { $0 + "." } ?? ""
    var hint = NameSuggestion.nearest(to: name.name, among: names + aliases).map { "did you mean \(prefix)\($0)?" }
    if schema.hasAttributes {
      if name.name == "attributes" {
        hint = "name a key, as in attributes['http.method']; SHOW ATTRIBUTES FROM \(schema.name) lists them"
      } else if !attributeKinds(of: name.name).isEmpty {
        hint = "did you mean \(prefix)attributes['\(name.name)']?"
      }
    }
    if hint == nil, name.isQuoted { hint = "strings stand in 'single quotes'" }
    if hint == nil, FunctionNames.all.contains(Keywords.folded(name.name)) {
      hint = "\(name.name) is a function: add its arguments in parentheses"
    }
    return QueryError(
      .binding, "there is no column \(name.name) in \(schema.name)", offset: offset,
      hint: hint ?? "DESCRIBE \(schema.name) lists the columns")
  }
}
