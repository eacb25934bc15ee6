extension Parser {
  mutating func select() throws(QueryError) -> SelectSyntax {
    try enter()
    let start = token.range.lowerBound
    try expect(keyword: "select", "")
    let isDistinct = take(keyword: "distinct")
    let items = try selectItems()
    let source = take(keyword: "from") ? try source() : nil
    let filter = take(keyword: "where") ? try expression() : nil
    let grouping = try groupBy()
    let having = take(keyword: "having") ? try expression() : nil
    let ordering = try orderBy()
    let (limit, offset) = try limits()
    leave()
    return SelectSyntax(
      isDistinct: isDistinct, items: items, table: source?.table, tableAlias: source?.alias, join: source?.join,
      filter: filter, grouping: grouping, having: having, ordering: ordering, limit: limit, offset: offset,
      range: start..<endOfLast)
  }

  // MARK: SELECT list

  private mutating func selectItems() throws(QueryError) -> [SelectSyntax.Item] {
    var items: [SelectSyntax.Item] = []
    repeat {
      if isKeyword("from") {
        let hint = items.isEmpty ? "write * for all columns" : "take away the comma before FROM"
        throw QueryError(.syntax, "expected an expression, found FROM", offset: token.range.lowerBound, hint: hint)
      }
      items.append(try selectItem())
    } while take(.comma)
    return items
  }

  private mutating func selectItem() throws(QueryError) -> SelectSyntax.Item {
    let start = token.range.lowerBound
    if take(.star) { return SelectSyntax.Item(expression: nil, alias: nil, range: start..<endOfLast) }
    let expression = try expression()
    let end = endOfLast
    var alias: String?
    if take(keyword: "as") {
      alias = takeName()
      if alias == nil {
        throw unexpected("expected a name after AS")
      }
    } else {
      alias = takeName()
    }
    return SelectSyntax.Item(expression: expression, alias: alias, range: start..<end)
  }

  // MARK: FROM

  private struct Source {
    let table: TableSyntax
    let alias: String
    let aliasOffset: Int
  }

  private mutating func source() throws(QueryError) -> (table: TableSyntax, alias: String, join: SelectSyntax.Join?) {
    if isSymbol(.leftParenthesis) {
      throw QueryError(
        .syntax, "a subquery in FROM is not part of SpanQL", offset: token.range.lowerBound,
        hint: "subqueries stand in IN (SELECT ..)")
    }
    let left = try aliasedTable("after FROM")
    if isSymbol(.comma) {
      throw QueryError(
        .syntax, "a query reads one table", offset: token.range.lowerBound, hint: "JOIN CHILD pairs spans")
    }
    return (left.table, left.alias, try join())
  }

  private mutating func aliasedTable(_ context: String) throws(QueryError) -> Source {
    let table = try expectTable(context)
    var offset = token.range.lowerBound
    if take(keyword: "as") {
      offset = token.range.lowerBound
      guard let name = takeName() else { throw unexpected("expected a name after AS") }
      return Source(table: table, alias: name, aliasOffset: offset)
    }
    if let name = takeAliasOfTable() { return Source(table: table, alias: name, aliasOffset: offset) }
    return Source(table: table, alias: table.name, aliasOffset: table.offset)
  }

  private mutating func join() throws(QueryError) -> SelectSyntax.Join? {
    guard !Self.joinWords.contains(where: { isKeyword($0) }) || !isKeyword("join", ahead: 1) else {
      throw QueryError(
        .syntax, "\(token.description.uppercased()) JOIN is not part of SpanQL", offset: token.range.lowerBound,
        hint: Self.joinHint)
    }
    guard take(keyword: "join") else { return nil }
    let relations = TraceJoin.Relation.allCases
    guard let relation = relations.first(where: { isKeyword($0.rawValue) }) else {
      let error = unexpected("expected a relation after JOIN", relations.map(\.rawValue))
      throw QueryError(.syntax, error.message, offset: error.offset, hint: error.hint ?? Self.joinHint)
    }
    advance()
    let right = try aliasedTable("after JOIN \(relation.rawValue.uppercased())")
    if isKeyword("on") || isKeyword("using") {
      throw QueryError(
        .syntax, "a join of spans has no \(token.description.uppercased()): its relation says which belong together",
        offset: token.range.lowerBound, hint: "other conditions stand in WHERE")
    }
    if isKeyword("join") || isKeyword("join", ahead: 1) {
      throw QueryError(.syntax, "a query joins two sides, not more", offset: token.range.lowerBound)
    }
    return SelectSyntax.Join(
      relation: relation, table: right.table, alias: right.alias, aliasOffset: right.aliasOffset)
  }

  private static let joinHint = "joins are JOIN CHILD, PARENT, DESCENDANT, ANCESTOR and SIBLING"

  private static let joinWords = ["inner", "left", "right", "full", "cross", "natural"]

  /// A name right after the table, unless it looks like a misspelt clause or a join.
  private mutating func takeAliasOfTable() -> String? {
    if isKeyword("join", ahead: 1), Self.joinWords.contains(where: { isKeyword($0) }) { return nil }
    guard case .word(let word) = token.kind else { return takeName() }
    switch peek(1).kind {
    case .end, .symbol(.semicolon), .symbol(.rightParenthesis): return takeName()
    case .word(let next) where Keywords.reserved.contains(Keywords.folded(next)) && Keywords.folded(next) != "by":
      return takeName()
    case .symbol(.comma): return takeName()
    default:
      return NameSuggestion.nearest(to: word, among: ["where", "group", "having", "order", "limit"]) == nil
        ? takeName() : nil
    }
  }

  // MARK: GROUP BY, ORDER BY, LIMIT

  private mutating func groupBy() throws(QueryError) -> [SyntaxNode] {
    guard take(keyword: "group") else { return [] }
    try expect(keyword: "by", "after GROUP")
    var keys: [SyntaxNode] = []
    repeat { keys.append(try expression()) } while take(.comma)
    return keys
  }

  private mutating func orderBy() throws(QueryError) -> [SelectSyntax.Order] {
    guard take(keyword: "order") else { return [] }
    try expect(keyword: "by", "after ORDER")
    var ordering: [SelectSyntax.Order] = []
    repeat {
      let expression = try expression()
      let isDescending = take(keyword: "desc")
      if !isDescending { _ = take(keyword: "asc") }
      var nullsFirst = false
      if take(keyword: "nulls") {
        nullsFirst = take(keyword: "first")
        if !nullsFirst { try expect(keyword: "last", "or FIRST after NULLS") }
      }
      ordering.append(.init(expression: expression, isDescending: isDescending, nullsFirst: nullsFirst))
    } while take(.comma)
    return ordering
  }

  private mutating func limits() throws(QueryError) -> (limit: Int?, offset: Int) {
    let limit = take(keyword: "limit") ? try rowCount("LIMIT") : nil
    let offset = take(keyword: "offset") ? try rowCount("OFFSET") : 0
    return (limit, offset)
  }

  private mutating func rowCount(_ clause: String) throws(QueryError) -> Int {
    guard case .integer(let count) = token.kind, let result = Int(exactly: count) else {
      throw unexpected("expected a number of rows after \(clause)")
    }
    advance()
    return result
  }
}
