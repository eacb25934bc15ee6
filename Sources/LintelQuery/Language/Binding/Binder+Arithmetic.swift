internal import LintelColumns

extension Binder {
  mutating func bindArithmetic(
    _ function: ScalarFunction, _ left: SyntaxNode, _ right: SyntaxNode, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    let first = try bindNumber(left, scope, "an operand of arithmetic")
    let second = try bindNumber(right, scope, "an operand of arithmetic")
    return try arithmetic(function, first, second, left, right)
  }

  func arithmetic(
    _ function: ScalarFunction, _ first: Expression, _ second: Expression, _ left: SyntaxNode, _ right: SyntaxNode
  ) throws(QueryError) -> Expression {
    guard let type = Self.arithmeticType(function, first.type, second.type) else {
      throw Self.arithmeticError(function, first.type, second.type, right)
    }
    let offset = left.range.lowerBound
    if type == .float64 {
      return try fold(.call(function, [Self.toDouble(first), Self.toDouble(second)], .float64), offset)
    }
    return try fold(.call(function, [first, second], type), offset)
  }

  /// A number, or an attribute read as one.
  mutating func bindNumber(_ node: SyntaxNode, _ scope: Scope, _ place: String) throws(QueryError) -> Expression {
    let expression = try bind(node, scope, hint: .number)
    if expression.type.isNumeric { return expression }
    if Self.isNull(expression) { return .constant(.null, .int64) }
    if expression.type == .variant { return read(expression, as: .number) }
    throw QueryError(
      .binding, "\(place) is a number, and this is \(expression.type.name)", offset: node.range.lowerBound,
      hint: expression.type == .string ? "CAST(.. AS int64) reads a number from text, '..'::timestamp a time" : nil)
  }

  mutating func bindNegation(_ operand: SyntaxNode, _ scope: Scope) throws(QueryError) -> Expression {
    let expression = try bindNumber(operand, scope, "the operand of -")
    guard expression.type != .timestamp else {
      throw QueryError(.binding, "a timestamp has no negative", offset: operand.range.lowerBound)
    }
    let type: ColumnType = expression.type == .uint32 ? .int64 : expression.type
    return try fold(.call(.negate, [expression], type), operand.range.lowerBound)
  }

  // MARK: Types

  /// The type of `left function right`; `nil` where that means nothing.
  ///
  ///     integer and integer: int64                          anything and float64: float64 (ns and nano-USD as numbers)
  ///     timestamp - timestamp: duration                     timestamp +- duration or integer: timestamp
  ///     duration +- duration or integer: duration           integer +- duration: int64 (the integer counts ns)
  ///     money +- money: money                               duration or money * integer: duration, money
  ///     any / any: float64                                  duration or timestamp % duration or integer: duration
  static func arithmeticType(_ function: ScalarFunction, _ left: ColumnType, _ right: ColumnType) -> ColumnType? {
    if function == .divide { return .float64 }
    let pair = (left.isInteger ? .int64 : left, right.isInteger ? .int64 : right) as (ColumnType, ColumnType)
    switch (function, pair.0, pair.1) {
    case (_, .int64, .int64): return .int64
    case (.add, .timestamp, .timestamp): return nil
    case (.subtract, .timestamp, .timestamp): return .duration
    case (.add, .timestamp, .duration), (.add, .timestamp, .int64): return .timestamp
    case (.add, .duration, .timestamp), (.add, .int64, .timestamp): return .timestamp
    case (.subtract, .timestamp, .duration), (.subtract, .timestamp, .int64): return .timestamp
    case (.add, .duration, .duration), (.add, .duration, .int64): return .duration
    case (.subtract, .duration, .duration), (.subtract, .duration, .int64): return .duration
    case (.add, .int64, .duration), (.subtract, .int64, .duration): return .int64
    case (.add, .money, .money), (.subtract, .money, .money): return .money
    case (.multiply, .duration, .int64), (.multiply, .int64, .duration): return .duration
    case (.multiply, .money, .int64), (.multiply, .int64, .money): return .money
    case (.modulo, .duration, .duration), (.modulo, .duration, .int64): return .duration
    case (.modulo, .timestamp, .duration), (.modulo, .timestamp, .int64): return .duration
    case (.modulo, .money, .money): return .money
    case (.add, .money, .float64), (.add, .float64, .money): return nil
    case (.subtract, .money, .float64), (.subtract, .float64, .money): return nil
    case (_, .float64, .timestamp), (_, .timestamp, .float64): return function == .multiply ? nil : .float64
    case (_, .float64, _), (_, _, .float64): return .float64
    default: return nil
    }
  }

  private static func arithmeticError(
    _ function: ScalarFunction, _ left: ColumnType, _ right: ColumnType, _ node: SyntaxNode
  ) -> QueryError {
    let sign = [ScalarFunction.add: "+", .subtract: "-", .multiply: "*", .modulo: "%"][function] ?? "/"
    let hint: String? =
      switch (left, right) {
      case (.money, _), (_, .money): "amounts of money are written 0.25usd"
      case (.timestamp, _), (_, .timestamp): "to a timestamp add a duration, such as 5m"
      default: "CAST(.. AS float64) makes a plain number"
      }
    return QueryError(
      .binding, "\(left.name) \(sign) \(right.name) has no meaning", offset: node.range.lowerBound, hint: hint)
  }
}
