internal import LintelColumns

extension Binder {
  /// Binds an expression.
  ///
  /// - Parameter hint: what the surroundings want where the expression is an attribute; nothing else heeds it.
  mutating func bind(
    _ node: SyntaxNode, _ scope: Scope, hint: AttributeHint? = nil
  ) throws(QueryError) -> Expression {
    if scope.isGrouped, !isAlias(node, scope), let key = matchingKey(node) {
      return read(key, as: isDynamic(node, .rows) ? hint : nil)
    }
    if let literal = Self.literal(node.kind) { return literal }
    if let operation = try bindOperation(node, scope, hint: hint) { return operation }
    return try bindPredicate(node, scope)
  }

  // Literals, values and conditions are bound by functions of their own: unoptimised, the stack frame of a function holds
  // the temporaries of all of its cases, and these functions call each other as deep as expressions nest.

  private static func literal(_ kind: SyntaxNode.Kind) -> Expression? {
    switch kind {
    case .null: .constant(.null, .string)
    case .bool(let flag): .constant(.bool(flag), .bool)
    case .integer(let number): .constant(.int64(number), .int64)
    case .decimal(let number): .constant(.float64(number), .float64)
    case .string(let text): .constant(.bytes(Array(text.utf8)), .string)
    case .duration(let nanoseconds): .constant(.int64(nanoseconds), .duration)
    case .money(let nanos): .constant(.int64(nanos), .money)
    default: nil
    }
  }

  private mutating func bindOperation(
    _ node: SyntaxNode, _ scope: Scope, hint: AttributeHint?
  ) throws(QueryError) -> Expression? {
    switch node.kind {
    case .name(let name): try bindName(name, node, scope, hint: hint)
    case .element(let base, let key): try bindElement(base, key, node, scope, hint: hint)
    case .call(let call): try bindCall(call, node, scope)
    case .negate(let operand): try bindNegation(operand, scope)
    case .arithmetic(let function, let left, let right): try bindArithmetic(function, left, right, node, scope)
    case .concatenate(let operands): try bindConcatenation(operands, scope)
    case .caseWhen(let operand, let branches, let otherwise): try bindCase(operand, branches, otherwise, scope)
    case .cast(let operand, let type): try bindCast(operand, type, scope)
    default: nil
    }
  }

  private mutating func bindPredicate(_ node: SyntaxNode, _ scope: Scope) throws(QueryError) -> Expression {
    switch node.kind {
    case .not(let operand): return .call(.not, [try bindCondition(operand, scope, "NOT")], .bool)
    case .logical(let function, let operands): return try bindLogical(function, operands, scope)
    case .comparison(let function, let left, let right):
      let (first, second) = try bindPair(left, right, scope)
      return try compare(function, first, second, left, right)
    case .match(let function, let operand, let pattern, let isNegated):
      return Self.negated(try bindMatch(function, operand, pattern, scope), isNegated)
    case .between(let operand, let low, let high, let isNegated):
      return Self.negated(try bindBetween(operand, low, high, scope), isNegated)
    case .inList(let operand, let list, let isNegated):
      return Self.negated(try bindInList(operand, list, scope), isNegated)
    case .inSelect(let operand, let query, let isNegated):
      return Self.negated(try bindInSelect(operand, query, scope), isNegated)
    case .isNull(let operand, let isNegated):
      return Self.negated(.call(.isNull, [try bind(operand, scope)], .bool), isNegated)
    case .isDistinct(let left, let right, let isNegated):
      return Self.negated(try bindIsDistinct(left, right, scope), isNegated)
    default: throw QueryError(.binding, "this expression has no meaning here", offset: node.range.lowerBound)
    }
  }

  static func negated(_ expression: Expression, _ isNegated: Bool) -> Expression {
    isNegated ? .call(.not, [expression], .bool) : expression
  }

  /// Whether a node is an alias that comes before the columns.
  private func isAlias(_ node: SyntaxNode, _ scope: Scope) -> Bool {
    guard scope.aliases == .beforeColumns, case .name(let name) = node.kind, name.qualifier == nil else { return false }
    return itemIndex(of: name) != nil
  }

  /// The group key that a node of an output is, if it is one.
  private func matchingKey(_ node: SyntaxNode) -> Expression? {
    if keys.isEmpty { return nil }
    switch node.kind {
    case .null, .bool, .integer, .decimal, .string, .duration, .money, .inSelect: return nil
    default: break
    }
    if containsAggregate(node) { return nil }
    var probe = self
    guard let expression = try? probe.bind(node, .rows) else { return nil }
    guard let index = keys.firstIndex(where: { $0.expression == expression }) else { return nil }
    return .groupKey(index, expression.type)
  }

  // MARK: Conditions

  /// A boolean. Attributes are read as booleans here.
  mutating func bindCondition(_ node: SyntaxNode, _ scope: Scope, _ place: String) throws(QueryError) -> Expression {
    let expression = try bind(node, scope, hint: .bool)
    if expression.type == .bool { return expression }
    if Self.isNull(expression) { return .constant(.null, .bool) }
    let hint: String? =
      switch expression.type {
      case .variant, .map: "compare it with a value"
      case .string: "compare it with a string, as in = '..', or use IS NOT NULL"
      default: "compare it with a value, as in > 0, or use IS NOT NULL"
      }
    throw QueryError(
      .binding, "\(place) needs a condition, and this is \(expression.type.name)", offset: node.range.lowerBound,
      hint: hint)
  }

  private mutating func bindLogical(
    _ function: ScalarFunction, _ operands: [SyntaxNode], _ scope: Scope
  ) throws(QueryError) -> Expression {
    var flat: [Expression] = []
    let place = function == .and ? "AND" : "OR"
    for operand in operands {
      let expression = try bindCondition(operand, scope, place)
      if case .call(function, let inner, _) = expression { flat += inner } else { flat.append(expression) }
    }
    return .call(function, flat, .bool)
  }

  // MARK: Choice

  private mutating func bindCase(
    _ operand: SyntaxNode?, _ branches: [BranchSyntax], _ otherwise: SyntaxNode?, _ scope: Scope
  ) throws(QueryError) -> Expression {
    var conditions: [Expression] = []
    let wasConditional = isConditional
    defer { isConditional = wasConditional }
    for branch in branches {
      defer { isConditional = true }
      if let operand {
        let (left, right) = try bindPair(operand, branch.condition, scope)
        conditions.append(try compare(.equal, left, right, operand, branch.condition))
      } else {
        conditions.append(try bindCondition(branch.condition, scope, "WHEN"))
      }
    }
    let results = try bindAlike(branches.map(\.result) + [otherwise].compactMap(\.self), scope, "the results of CASE")
    let type = results[0].type
    let pairs = zip(conditions, results).map { Expression.CaseBranch(condition: $0, result: $1) }
    return .caseWhen(pairs, otherwise: otherwise == nil ? .constant(.null, type) : results[results.count - 1], type)
  }

  private mutating func bindIsDistinct(
    _ left: SyntaxNode, _ right: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    let (first, second) = try bindPair(left, right, scope)
    let unequal = try compare(.notEqual, first, second, left, right)
    let firstIsNull = Expression.call(.isNull, [first], .bool)
    let secondIsNull = Expression.call(.isNull, [second], .bool)
    let bothAreNull = Expression.call(.and, [firstIsNull, secondIsNull], .bool)
    // Two values that don't compare (kinds of attributes that differ) are distinct.
    let differ = Expression.call(.coalesce, [unequal, .constant(.bool(true), .bool)], .bool)
    return .caseWhen(
      [.init(condition: .call(.or, [firstIsNull, secondIsNull], .bool), result: .call(.not, [bothAreNull], .bool))],
      otherwise: differ, .bool)
  }
}
