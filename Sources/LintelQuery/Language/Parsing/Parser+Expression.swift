/// How tightly arithmetic operators bind, loosest first.
private enum Precedence: Int, Comparable {
  case sum, product

  static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Parser {
  ///     expression := or        or := and (OR and)*         and := not (AND not)*       not := NOT* comparison
  ///     comparison := text [operator text | [NOT] BETWEEN .. | [NOT] IN .. | [NOT] LIKE .. | IS ..]
  ///     text := sum (|| sum)*   sum := product (+|- product)*   product := prefix (*|/|% prefix)*
  ///     prefix := -* postfix    postfix := primary ([key] | ::type)*
  mutating func expression() throws(QueryError) -> SyntaxNode {
    try enter()
    let result = try disjunction()
    leave()
    return result
  }

  private mutating func disjunction() throws(QueryError) -> SyntaxNode {
    var operands = [try conjunction()]
    while take(keyword: "or") { operands.append(try conjunction()) }
    return try chain(operands) { .logical(.or, $0) }
  }

  private mutating func conjunction() throws(QueryError) -> SyntaxNode {
    var operands = [try negation()]
    while take(keyword: "and") { operands.append(try negation()) }
    return try chain(operands) { .logical(.and, $0) }
  }

  private mutating func concatenation() throws(QueryError) -> SyntaxNode {
    var operands = [try binary(.sum)]
    while take(.concatenate) { operands.append(try binary(.sum)) }
    return try chain(operands) { .concatenate($0) }
  }

  private func chain(
    _ operands: [SyntaxNode], _ make: ([SyntaxNode]) -> SyntaxNode.Kind
  ) throws(QueryError) -> SyntaxNode {
    guard operands.count > 1, let first = operands.first, let last = operands.last else { return operands[0] }
    return try SyntaxNode(make(operands), first.range.lowerBound..<last.range.upperBound)
  }

  private mutating func negation() throws(QueryError) -> SyntaxNode {
    var offsets: [Int] = []
    while isKeyword("not") {
      offsets.append(token.range.lowerBound)
      advance()
    }
    var result = try comparison()
    for offset in offsets.reversed() { result = try SyntaxNode(.not(result), offset..<result.range.upperBound) }
    return result
  }

  // MARK: Comparison

  private mutating func comparison() throws(QueryError) -> SyntaxNode {
    var left = try concatenation()
    while let next = try comparisonTail(left) {
      if case .comparison = left.kind, case .comparison = next.kind {
        throw QueryError(
          .syntax, "comparisons don't chain", offset: next.range.lowerBound, hint: "write a < b AND b < c")
      }
      left = next
    }
    return left
  }

  /// The comparison that begins with `left`, if an operator follows.
  private mutating func comparisonTail(_ left: SyntaxNode) throws(QueryError) -> SyntaxNode? {
    if let function = comparisonFunction {
      advance()
      let right = try concatenation()
      return try node(.comparison(function, left, right), from: left)
    }
    if take(keyword: "is") { return try isTail(left) }
    if take(.matches) { return try matchTail(.matches, left, false) }
    if take(.notMatches) { return try matchTail(.matches, left, true) }
    let isNegated = isKeyword("not")
    let ahead = isNegated ? 1 : 0
    if isKeyword("between", ahead: ahead) {
      position += ahead + 1
      let low = try concatenation()
      try expect(keyword: "and", "between the bounds of BETWEEN")
      let high = try concatenation()
      return try node(.between(left, low, high, isNegated: isNegated), from: left)
    }
    if isKeyword("in", ahead: ahead) {
      position += ahead + 1
      return try inTail(left, isNegated)
    }
    for (keyword, function) in [("like", ScalarFunction.like), ("ilike", .ilike)] where isKeyword(keyword, ahead: ahead)
    {
      position += ahead + 1
      return try matchTail(function, left, isNegated)
    }
    if isNegated, case .word(let word) = peek(1).kind, NameSuggestion.nearest(to: word, among: ["null"]) == nil {
      advance()
      throw unexpected("expected BETWEEN, IN, LIKE or ILIKE after NOT", ["between", "in", "like", "ilike"])
    }
    return nil
  }

  private var comparisonFunction: ScalarFunction? {
    guard case .symbol(let symbol) = token.kind else { return nil }
    return switch symbol {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    default: nil
    }
  }

  private mutating func matchTail(
    _ function: ScalarFunction, _ left: SyntaxNode, _ isNegated: Bool
  ) throws(QueryError) -> SyntaxNode {
    let pattern = try concatenation()
    return try node(.match(function, left, pattern: pattern, isNegated: isNegated), from: left)
  }

  private mutating func isTail(_ left: SyntaxNode) throws(QueryError) -> SyntaxNode {
    let isNegated = take(keyword: "not")
    if take(keyword: "null") { return try node(.isNull(left, isNegated: isNegated), from: left) }
    if take(keyword: "distinct") {
      try expect(keyword: "from", "after IS DISTINCT")
      let right = try concatenation()
      return try node(.isDistinct(left, right, isNegated: isNegated), from: left)
    }
    throw unexpected("expected NULL, NOT NULL or DISTINCT FROM after IS", ["null", "not", "distinct"])
  }

  private mutating func inTail(_ left: SyntaxNode, _ isNegated: Bool) throws(QueryError) -> SyntaxNode {
    try expect(.leftParenthesis, "after IN")
    if isKeyword("select") {
      let query = try select()
      try expect(.rightParenthesis, "after the subquery")
      return try node(.inSelect(left, query, isNegated: isNegated), from: left)
    }
    if isSymbol(.rightParenthesis) {
      throw QueryError(.syntax, "the list of IN is empty", offset: token.range.lowerBound)
    }
    var list: [SyntaxNode] = []
    repeat { list.append(try expression()) } while take(.comma)
    try expect(.rightParenthesis, "or ',' in the list of IN")
    return try node(.inList(left, list, isNegated: isNegated), from: left)
  }

  // MARK: Arithmetic and text

  private func binaryOperator() -> (precedence: Precedence, function: ScalarFunction)? {
    guard case .symbol(let symbol) = token.kind else { return nil }
    return switch symbol {
    case .plus: (.sum, .add)
    case .minus: (.sum, .subtract)
    case .star: (.product, .multiply)
    case .slash: (.product, .divide)
    case .percent: (.product, .modulo)
    default: nil
    }
  }

  private mutating func binary(_ least: Precedence) throws(QueryError) -> SyntaxNode {
    try continuing(try prefix(), least)
  }

  /// `left` and what follows it at `least` or tighter.
  private mutating func continuing(_ left: SyntaxNode, _ least: Precedence) throws(QueryError) -> SyntaxNode {
    var left = left
    while let (precedence, function) = binaryOperator(), precedence >= least {
      advance()
      var right = try prefix()
      while let next = binaryOperator(), next.precedence > precedence {
        right = try continuing(right, next.precedence)
      }
      left = try node(.arithmetic(function, left, right), from: left)
    }
    return left
  }

  private mutating func prefix() throws(QueryError) -> SyntaxNode {
    let start = token.range.lowerBound
    if take(.plus) {
      try enter()
      let operand = try prefix()
      leave()
      return operand
    }
    guard take(.minus) else { return try postfix() }
    if case .integer(let magnitude) = token.kind, let value = Int64(exactly: -Int128(magnitude)) {
      advance()
      return try postfix(of: SyntaxNode(.integer(value), start..<endOfLast))
    }
    try enter()
    let operand = try prefix()
    leave()
    return try SyntaxNode(.negate(operand), start..<endOfLast)
  }

  func node(_ kind: SyntaxNode.Kind, from left: SyntaxNode) throws(QueryError) -> SyntaxNode {
    try SyntaxNode(kind, left.range.lowerBound..<endOfLast)
  }
}
