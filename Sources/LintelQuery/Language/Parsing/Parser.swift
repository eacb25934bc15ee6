/// Reads tokens by recursive descent. Long chains are read in loops; what nests is counted, so that no text can exhaust
/// the stack.
struct Parser {
  /// Parentheses, CASE, function calls, subqueries and prefix operators within each other.
  static let maximumNesting = 64

  let tokens: [Token]
  var position = 0
  var nesting = 0

  init(_ text: String) throws(QueryError) {
    tokens = try Lexer.tokens(of: text)
  }

  var token: Token { tokens[min(position, tokens.count - 1)] }

  /// Where the last token read ends.
  var endOfLast: Int { position > 0 ? tokens[position - 1].range.upperBound : 0 }

  func peek(_ ahead: Int) -> Token { tokens[min(position + ahead, tokens.count - 1)] }

  mutating func advance() {
    if position < tokens.count - 1 { position += 1 }
  }

  // MARK: Keywords and symbols

  func isKeyword(_ keyword: String, ahead: Int = 0) -> Bool {
    peek(ahead).folded == keyword
  }

  func isSymbol(_ symbol: Token.Symbol, ahead: Int = 0) -> Bool { peek(ahead).kind == .symbol(symbol) }

  mutating func take(keyword: String) -> Bool {
    guard isKeyword(keyword) else { return false }
    advance()
    return true
  }

  mutating func take(_ symbol: Token.Symbol) -> Bool {
    guard isSymbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func expect(keyword: String, _ context: String) throws(QueryError) {
    guard take(keyword: keyword) else { throw unexpected("expected \(keyword.uppercased()) \(context)", [keyword]) }
  }

  mutating func expect(_ symbol: Token.Symbol, _ context: String) throws(QueryError) {
    guard take(symbol) else { throw unexpected("expected '\(symbol.rawValue)' \(context)") }
  }

  // MARK: Names

  /// A word that isn't reserved, or a quoted name.
  mutating func takeName() -> String? {
    switch token.kind {
    case .word(let text) where !Keywords.reserved.contains(token.folded):
      advance()
      return text
    case .quotedName(let text):
      advance()
      return text
    default:
      return nil
    }
  }

  mutating func expectTable(_ context: String) throws(QueryError) -> TableSyntax {
    let offset = token.range.lowerBound
    guard let name = takeName() else { throw unexpected("expected the name of a table \(context)") }
    return TableSyntax(name: name, offset: offset)
  }

  // MARK: Errors and limits

  func unexpected(_ message: String, _ candidates: [String] = []) -> QueryError {
    var hint: String?
    if case .word(let text) = token.kind {
      hint = NameSuggestion.hint(for: text, among: candidates.map { $0.uppercased() })
    }
    return QueryError(
      .syntax, "\(message), found \(token.description)", offset: token.range.lowerBound, hint: hint)
  }

  mutating func enter() throws(QueryError) {
    nesting += 1
    guard nesting <= Self.maximumNesting else {
      throw QueryError(
        .limitExceeded, "this is nested more than \(Self.maximumNesting) levels deep", offset: token.range.lowerBound)
    }
  }

  mutating func leave() { nesting -= 1 }
}
