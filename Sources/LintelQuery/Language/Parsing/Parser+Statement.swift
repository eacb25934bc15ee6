extension Parser {
  /// One statement, with nothing but semicolons after it.
  mutating func statement() throws(QueryError) -> Statement {
    let result = try oneStatement()
    while take(.semicolon) {}
    guard token.kind == .end else {
      if endOfLast > 0, position > 0, tokens[position - 1].kind == .symbol(.semicolon) {
        throw QueryError(.syntax, "only one statement at a time", offset: token.range.lowerBound)
      }
      throw afterStatement(result)
    }
    return result
  }

  private mutating func oneStatement() throws(QueryError) -> Statement {
    if isKeyword("select") { return .select(try select()) }
    if take(keyword: "explain") {
      let isAnalyze = take(keyword: "analyze")
      guard isKeyword("select") else { throw unexpected("expected SELECT after EXPLAIN", ["select", "analyze"]) }
      return .explain(try select(), isAnalyze: isAnalyze)
    }
    if isKeyword("show"), let command = try showLifecycle() { return .lifecycle(command) }
    if take(keyword: "show") { return .show(ShowSyntax(subject: try showSubject())) }
    if take(keyword: "describe") || take(keyword: "desc") {
      let storage = isKeyword("storage") && peek(1).kind != .end && !isSymbol(.semicolon, ahead: 1)
      if storage || isKeyword("table") { advance() }
      return .describe(try expectTable("after DESCRIBE"), storage: storage)
    }
    if take(keyword: "export") { return .export(try export()) }
    if take(keyword: "optimize") {
      if isKeyword("table") { advance() }
      return .optimize(try expectTable("after OPTIMIZE TABLE"))
    }
    if take(keyword: "flush") { return .flush }
    if take(keyword: "check") { return .check }
    if let command = try lifecycleCommand() { return .lifecycle(command) }
    throw notAStatement()
  }

  private func notAStatement() -> QueryError {
    guard token.kind != .end else {
      return QueryError(.syntax, "the query is empty", offset: token.range.lowerBound, hint: "try SHOW TABLES")
    }
    if case .word(let text) = token.kind, Self.foreignStatements.contains(Keywords.folded(text)) {
      return QueryError(
        .syntax, "\(text.uppercased()) is not a statement of SpanQL", offset: token.range.lowerBound,
        hint: "statements are " + Keywords.statements.joined(separator: ", "))
    }
    var error = unexpected("expected a statement", Keywords.statements)
    if error.hint == nil {
      error = QueryError(
        .syntax, error.message, offset: error.offset,
        hint: "statements are " + Keywords.statements.joined(separator: ", "))
    }
    return error
  }

  private static let foreignStatements: Set<String> = [
    "insert", "update", "delete", "create", "drop", "with", "truncate", "set", "use", "copy", "grant", "begin",
    "values", "merge", "attach",
  ]

  /// What is wrong with the token after a whole statement.
  private func afterStatement(_ statement: Statement) -> QueryError {
    guard case .select = statement else { return unexpected("expected the end of the statement") }
    if isKeyword("union") || isKeyword("intersect") || isKeyword("except") {
      return QueryError(
        .syntax, "\(token.description.uppercased()) is not part of SpanQL", offset: token.range.lowerBound)
    }
    return unexpected(
      "expected a clause or the end of the query",
      ["from", "where", "group", "having", "order", "limit", "offset", "as"])
  }

  private mutating func showSubject() throws(QueryError) -> ShowSyntax.Subject {
    if take(keyword: "tables") { return .tables }
    if take(keyword: "parts") {
      return .parts(take(keyword: "from") ? try expectTable("after FROM") : nil)
    }
    if take(keyword: "columns") { return .columns(try tableAfterFrom("SHOW COLUMNS")) }
    if take(keyword: "attributes") { return .attributes(try tableAfterFrom("SHOW ATTRIBUTES")) }
    if take(keyword: "problems") { return .problems }
    if take(keyword: "tiers") { return .tiers }
    throw unexpected(
      "expected TABLES, PARTS, TIERS, COLUMNS, ATTRIBUTES, PROBLEMS, ERASURES, HOLDS or RETENTION after SHOW",
      ["tables", "parts", "tiers", "columns", "attributes", "problems", "erasures", "holds", "retention"])
  }

  private mutating func tableAfterFrom(_ statement: String) throws(QueryError) -> TableSyntax {
    if !take(keyword: "from"), !take(keyword: "in") { throw unexpected("expected FROM after \(statement)", ["from"]) }
    return try expectTable("after FROM")
  }

  private mutating func export() throws(QueryError) -> ExportSyntax {
    let table = try expectTable("after EXPORT")
    let filter = take(keyword: "where") ? try expression() : nil
    // Over the network the client has the file: there TO may be left out.
    if token.kind == .end || isSymbol(.semicolon) { return ExportSyntax(table: table, path: "", filter: filter) }
    try expect(keyword: "to", "and a path in quotes")
    guard case .string(let path) = token.kind else { throw unexpected("expected a path in 'quotes' after TO") }
    guard !path.isEmpty else {
      throw QueryError(.syntax, "the path after TO is empty", offset: token.range.lowerBound)
    }
    advance()
    return ExportSyntax(table: table, path: path, filter: filter)
  }
}
