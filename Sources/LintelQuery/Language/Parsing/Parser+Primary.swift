extension Parser {
  /// A value with its `[key]` and `::type`.
  mutating func postfix() throws(QueryError) -> SyntaxNode {
    try postfix(of: try primary())
  }

  mutating func postfix(of base: SyntaxNode) throws(QueryError) -> SyntaxNode {
    var result = base
    while true {
      if take(.leftBracket) {
        let key = try expression()
        try expect(.rightBracket, "after the key")
        result = try node(.element(base: result, key: key), from: base)
      } else if take(.cast) {
        let type = try typeName("after ::")
        result = try node(.cast(result, type), from: base)
      } else {
        return result
      }
    }
  }

  private mutating func primary() throws(QueryError) -> SyntaxNode {
    let start = token.range.lowerBound
    if let literal = try literal() {
      advance()
      return try SyntaxNode(literal, start..<endOfLast)
    }
    switch token.kind {
    case .symbol(.leftParenthesis): return try parenthesized()
    case .symbol(.star):
      throw QueryError(.syntax, "* stands alone or in count(*)", offset: start)
    case .quotedName: return try name()
    case .word(let word):
      switch Keywords.folded(word) {
      case "case": return try caseExpression()
      case "cast": return try castExpression()
      case let folded where Keywords.reserved.contains(folded): throw expectedExpression()
      case _ where isSymbol(.leftParenthesis, ahead: 1): return try call()
      default: return try name()
      }
    default: throw expectedExpression()
    }
  }

  private func expectedExpression() -> QueryError { unexpected("expected an expression") }

  private func literal() throws(QueryError) -> SyntaxNode.Kind? {
    switch token.kind {
    case .integer(let magnitude):
      guard let value = Int64(exactly: magnitude) else {
        throw QueryError(
          .syntax, "\(magnitude) is past 64 bits", offset: token.range.lowerBound,
          hint: "write \(magnitude).0 for a floating-point number")
      }
      return .integer(value)
    case .decimal(let value): return .decimal(value)
    case .string(let text): return .string(text)
    case .duration(let nanoseconds): return .duration(nanoseconds)
    case .money(let nanos): return .money(nanos)
    case .word:
      if isKeyword("null") { return .null }
      if isKeyword("true") { return .bool(true) }
      if isKeyword("false") { return .bool(false) }
      return nil
    default: return nil
    }
  }

  private mutating func parenthesized() throws(QueryError) -> SyntaxNode {
    let start = token.range.lowerBound
    advance()
    if isKeyword("select") {
      throw QueryError(
        .syntax, "a subquery as a value is not part of SpanQL", offset: start,
        hint: "subqueries stand in IN (SELECT ..)")
    }
    let inner = try expression()
    try expect(.rightParenthesis, "to close the parenthesis")
    // Parenthesised chains stay apart from the chain around them: (a AND b) AND c is read as written.
    return try SyntaxNode(inner.kind, start..<endOfLast)
  }

  private mutating func name() throws(QueryError) -> SyntaxNode {
    let start = token.range.lowerBound
    let isQuoted = if case .quotedName = token.kind { true } else { false }
    guard let first = takeName() else { throw expectedExpression() }
    guard take(.dot) else {
      return try SyntaxNode(.name(NameSyntax(qualifier: nil, name: first, isQuoted: isQuoted)), start..<endOfLast)
    }
    let secondIsQuoted = if case .quotedName = token.kind { true } else { false }
    guard let second = takeName() else { throw unexpected("expected the name of a column after '.'") }
    return try SyntaxNode(
      .name(NameSyntax(qualifier: first, name: second, isQuoted: secondIsQuoted)), start..<endOfLast)
  }

  // MARK: Calls

  private mutating func call() throws(QueryError) -> SyntaxNode {
    guard case .word(let word) = token.kind else { throw expectedExpression() }
    let start = token.range.lowerBound
    advance()
    advance()
    var arguments: [SyntaxNode] = []
    var isStar = false
    let isDistinct = take(keyword: "distinct")
    if !isDistinct, isSymbol(.star), isSymbol(.rightParenthesis, ahead: 1) {
      isStar = true
      advance()
    } else if !isSymbol(.rightParenthesis) {
      repeat { arguments.append(try expression()) } while take(.comma)
    }
    try expect(.rightParenthesis, "or ',' in the arguments of \(word)")
    let filter = try filterClause()
    let call = CallSyntax(
      name: Keywords.folded(word), arguments: arguments, isDistinct: isDistinct, isStar: isStar, filter: filter)
    return try SyntaxNode(.call(call), start..<endOfLast)
  }

  private mutating func filterClause() throws(QueryError) -> SyntaxNode? {
    guard isKeyword("filter"), isSymbol(.leftParenthesis, ahead: 1) else { return nil }
    advance()
    advance()
    try expect(keyword: "where", "in FILTER (WHERE ..)")
    let condition = try expression()
    try expect(.rightParenthesis, "to close FILTER (")
    return condition
  }

  // MARK: CASE and CAST

  private mutating func caseExpression() throws(QueryError) -> SyntaxNode {
    let start = token.range.lowerBound
    advance()
    let operand = isKeyword("when") ? nil : try expression()
    var branches: [BranchSyntax] = []
    while take(keyword: "when") {
      let condition = try expression()
      try expect(keyword: "then", "after WHEN and its condition")
      branches.append(BranchSyntax(condition: condition, result: try expression()))
    }
    guard !branches.isEmpty else { throw unexpected("expected WHEN after CASE", ["when"]) }
    let otherwise = take(keyword: "else") ? try expression() : nil
    try expect(keyword: "end", "to close CASE")
    return try SyntaxNode(.caseWhen(operand: operand, branches, otherwise: otherwise), start..<endOfLast)
  }

  private mutating func castExpression() throws(QueryError) -> SyntaxNode {
    let start = token.range.lowerBound
    advance()
    try expect(.leftParenthesis, "after CAST")
    let operand = try expression()
    try expect(keyword: "as", "and a type in CAST")
    let type = try typeName("after AS")
    try expect(.rightParenthesis, "to close CAST(")
    return try SyntaxNode(.cast(operand, type), start..<endOfLast)
  }

  private mutating func typeName(_ context: String) throws(QueryError) -> TypeSyntax {
    guard case .word(let word) = token.kind else { throw unexpected("expected a type \(context)") }
    let offset = token.range.lowerBound
    advance()
    return TypeSyntax(name: Keywords.folded(word), offset: offset)
  }
}
