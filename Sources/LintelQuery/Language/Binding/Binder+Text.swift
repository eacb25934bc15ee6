internal import LintelColumns

extension Binder {
  /// Text, or an attribute read as text. Names of enumerations and ids become text too.
  mutating func bindText(_ node: SyntaxNode, _ scope: Scope, _ place: String) throws(QueryError) -> Expression {
    let expression = try bind(node, scope, hint: .text)
    if Self.isNull(expression) { return .constant(.null, .string) }
    switch expression.type {
    case .string: return expression
    case .variant: return read(expression, as: .text)
    case .enumeration, .id8, .id16: return .call(.toText, [expression], .string)
    default:
      throw QueryError(
        .binding, "\(place) is text, and this is \(expression.type.name)", offset: node.range.lowerBound,
        hint: "CAST(.. AS string) makes it text")
    }
  }

  /// LIKE, ILIKE and ~.
  mutating func bindMatch(
    _ function: ScalarFunction, _ operand: SyntaxNode, _ pattern: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    let name = function == .matches ? "~" : function.rawValue.uppercased()
    let text = try bindText(operand, scope, "the operand of \(name)")
    let constant = try bind(pattern, scope)
    if Self.isNull(constant) { return .constant(.null, .bool) }
    guard case .constant(.bytes(let bytes), .string) = constant else {
      throw QueryError(
        .binding, "the pattern of \(name) is a string in quotes", offset: pattern.range.lowerBound,
        hint: function == .like ? "contains(a, b), starts_with and ends_with compare two columns" : nil)
    }
    if function == .matches { try checkPattern(bytes, pattern) }
    return .call(function, [text, constant], .bool)
  }

  private func checkPattern(_ bytes: [UInt8], _ node: SyntaxNode) throws(QueryError) {
    do throws(RegularExpression.PatternError) {
      _ = try RegularExpression(bytes)
    } catch {
      // Behind the opening quote, where the pattern is a plain literal.
      let isPlain = node.range.count == bytes.count + 2
      throw QueryError(
        .binding, "in the regular expression, \(error.message)",
        offset: node.range.lowerBound + (isPlain ? 1 + error.offset : 0),
        hint: "a backslash takes the next character as it is")
    }
  }

  /// `||`, which takes numbers, times and booleans as their text.
  mutating func bindConcatenation(_ nodes: [SyntaxNode], _ scope: Scope) throws(QueryError) -> Expression {
    var parts: [Expression] = []
    for node in nodes {
      let part = try bind(node, scope)
      if Self.isNull(part) {
        parts.append(.constant(.null, .string))
      } else if part.type == .string {
        parts.append(part)
      } else {
        parts.append(try fold(.call(.toText, [part], .string), node.range.lowerBound))
      }
    }
    return try fold(.call(.concat, parts, .string), nodes.first?.range.lowerBound ?? 0)
  }
}
