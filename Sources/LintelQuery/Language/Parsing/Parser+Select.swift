extension Parser {
  mutating func select() throws(QueryError) -> SelectSyntax {
    try enter()
    let start = token.range.lowerBound
    try expect(keyword: "select", "")
    let isDistinct = take(keyword: "distinct")
    let items = try selectItems()
    var table: TableSyntax?
    var alias: String?
    if take(keyword: "from") {
      (table, alias) = try source()
    }
    let filter = take(keyword: "where") ? try expression() : nil
    let grouping = try groupBy()
    let having = take(keyword: "having") ? try expression() : nil
    let ordering = try orderBy()
    let (limit, offset) = try limits()
    leave()
    return SelectSyntax(
      isDistinct: isDistinct, items: items, table: table, tableAlias: alias, filter: filter, grouping: grouping,
      having: having, ordering: ordering, limit: limit, offset: offset, range: start..<endOfLast)
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

  private mutating func source() throws(QueryError) -> (TableSyntax, String) {
    if isSymbol(.leftParenthesis) {
      throw QueryError(
        .syntax, "a subquery in FROM is not part of SpanQL", offset: token.range.lowerBound,
        hint: "subqueries stand in IN (SELECT ..)")
    }
    let table = try expectTable("after FROM")
    var alias = table.name
    if take(keyword: "as") {
      guard let name = takeName() else { throw unexpected("expected a name after AS") }
      alias = name
    } else if let name = takeAliasOfTable() {
      alias = name
    }
    if isSymbol(.comma) {
      throw QueryError(.syntax, "a query reads one table", offset: token.range.lowerBound)
    }
    if isKeyword("join") || Self.joinWords.contains(where: { isKeyword($0) }) && isKeyword("join", ahead: 1) {
      throw QueryError(.syntax, "JOIN is not part of SpanQL in this version", offset: token.range.lowerBound)
    }
    return (table, alias)
  }

  private static let joinWords = ["inner", "left", "right", "full", "cross", "natural"]

  /// A name right after the table, unless it looks like a misspelt clause or a join.
  private mutating func takeAliasOfTable() -> String? {
    if isKeyword("join", ahead: 1) { return nil }
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
