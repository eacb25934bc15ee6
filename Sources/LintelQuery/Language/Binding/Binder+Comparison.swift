internal import LintelColumns

extension Binder {
  /// Binds two operands that are compared. An attribute is read as the other operand wants it.
  mutating func bindPair(
    _ left: SyntaxNode, _ right: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> (Expression, Expression) {
    switch (isDynamic(left, scope), isDynamic(right, scope)) {
    case (true, false):
      let second = try bind(right, scope)
      let (attribute, other) = try bindAttribute(left, beside: second, scope)
      return (attribute, other)
    case (false, true):
      let first = try bind(left, scope)
      let (attribute, other) = try bindAttribute(right, beside: first, scope)
      return (other, attribute)
    case (true, true):
      let first = try bind(left, scope)
      let second = try bind(right, scope)
      if AttributeHint(first.type) == AttributeHint(second.type) { return (first, second) }
      return (Self.widen(first, to: .variant), Self.widen(second, to: .variant))
    case (false, false):
      return (try bind(left, scope), try bind(right, scope))
    }
  }

  /// An attribute as the other operand wants it. One that has doubles too is read as a double, which an integer from 2^53 on may
  /// not be: then both stay what they are.
  mutating func bindAttribute(
    _ node: SyntaxNode, beside other: Expression, _ scope: Scope
  ) throws(QueryError) -> (attribute: Expression, other: Expression) {
    let attribute = try bind(node, scope, hint: Self.hint(from: other))
    guard attribute.type == .float64, Self.mayExceedDouble(other) else { return (attribute, other) }
    return (Self.widen(try bind(node, scope), to: .variant), Self.widen(other, to: .variant))
  }

  /// Whether an expression has integers that a double can't tell from their neighbours.
  private static func mayExceedDouble(_ expression: Expression) -> Bool {
    if case .constant(let value, _) = expression {
      if case .int64(let number) = value { return number.magnitude >= 1 << 53 }
      return false
    }
    switch expression.type {
    case .int64, .timestamp, .duration, .money: return true
    default: return false
    }
  }

  static func hint(from expression: Expression) -> AttributeHint? {
    isNull(expression) ? nil : AttributeHint(expression.type)
  }

  static func isNull(_ expression: Expression) -> Bool {
    if case .constant(.null, _) = expression { true } else { false }
  }

  /// A comparison of bound operands.
  func compare(
    _ function: ScalarFunction, _ left: Expression, _ right: Expression, _ leftNode: SyntaxNode, _ rightNode: SyntaxNode
  ) throws(QueryError) -> Expression {
    if let exact = Self.exactComparison(function, left, right) { return exact }
    let (first, second) = try align(left, right, leftNode, rightNode)
    return .call(function, [first, second], .bool)
  }

  // MARK: Alignment

  /// Makes the types of two compared operands equal.
  func align(
    _ left: Expression, _ right: Expression, _ leftNode: SyntaxNode, _ rightNode: SyntaxNode
  ) throws(QueryError) -> (Expression, Expression) {
    if Self.isNull(left) { return (.constant(.null, right.type), right) }
    if Self.isNull(right) { return (left, .constant(.null, left.type)) }
    if left.type == .map || right.type == .map || left.type == .variant && right.type == .variant {
      return (Self.widen(left, to: .variant), Self.widen(right, to: .variant))
    }
    if left.type == right.type { return (left, right) }
    if left.type.isNumeric, right.type.isNumeric { return try alignNumbers(left, right, leftNode, rightNode) }
    if left.type == .variant { return (read(left, as: AttributeHint(right.type)), plainValue(right)) }
    if right.type == .variant { return (plainValue(left), read(right, as: AttributeHint(left.type))) }
    if case .constant(.bytes(let text), .string) = right {
      guard let second = try literal(text, for: left.type, rightNode) else { throw mismatch(left, right, rightNode) }
      return (left, second)
    }
    if case .constant(.bytes(let text), .string) = left {
      guard let first = try literal(text, for: right.type, leftNode) else { throw mismatch(right, left, leftNode) }
      return (first, right)
    }
    if right.type == .string, let first = asText(left) { return (first, right) }
    if left.type == .string, let second = asText(right) { return (left, second) }
    if case .enumeration = left.type, right.type.isInteger { return (left, right) }
    if case .enumeration = right.type, left.type.isInteger { return (left, right) }
    throw mismatch(left, right, rightNode)
  }

  /// What stands beside the value of an attribute: numbers as doubles, names and ids as text.
  private func plainValue(_ expression: Expression) -> Expression {
    expression.type.isNumeric ? Self.toDouble(expression) : asText(expression) ?? expression
  }

  /// An enumeration or an id as text, to stand beside text.
  private func asText(_ expression: Expression) -> Expression? {
    switch expression.type {
    case .enumeration, .id8, .id16: .call(.toText, [expression], .string)
    default: nil
    }
  }

  private func alignNumbers(
    _ left: Expression, _ right: Expression, _ leftNode: SyntaxNode, _ rightNode: SyntaxNode
  ) throws(QueryError) -> (Expression, Expression) {
    try checkMoney(left, right, rightNode)
    try checkMoney(right, left, leftNode)
    if left.type == .float64 || right.type == .float64 { return (Self.toDouble(left), Self.toDouble(right)) }
    if let unit = left.type.unit, let other = right.type.unit, unit != other {
      throw QueryError(
        .binding, "a \(left.type.name) doesn't compare with a \(right.type.name)", offset: rightNode.range.lowerBound,
        hint: unit == .timestamp || other == .timestamp
          ? "a point in time is now() - 5m, or '2026-01-02T03:04:05Z'" : nil)
    }
    return (left, right)
  }

  /// A decimal beside money would count nano-USD, which nobody means.
  private func checkMoney(_ money: Expression, _ number: Expression, _ node: SyntaxNode) throws(QueryError) {
    guard money.type == .money, case .constant(.float64(let value), .float64) = number else { return }
    throw QueryError(
      .binding, "money compares with money", offset: node.range.lowerBound,
      hint: "write \(value.description)usd for dollars")
  }

  private func mismatch(_ left: Expression, _ right: Expression, _ node: SyntaxNode) -> QueryError {
    let hint: String? =
      switch (left.type, right) {
      case (let type, .constant(.bytes(let text), .string)) where type.isNumeric:
        switch type {
        case .timestamp: "times are written '2026-01-02T03:04:05Z', or now() - 5m"
        case .duration: "durations are written 250ms, 30s, 5m, 1h"
        case .money: "money is written 0.25usd"
        default: Double(String(decoding: text, as: UTF8.self)) != nil ? "write the number without quotes" : nil
        }
      case (.bool, _): "conditions compare with true and false"
      case (.string, let other) where other.type.isNumeric: "write the value in quotes, or CAST it"
      default: nil
      }
    return QueryError(
      .binding, "\(left.type.name) doesn't compare with \(right.type.name)", offset: node.range.lowerBound, hint: hint)
  }

  // MARK: Numbers and constants

  static func toDouble(_ expression: Expression) -> Expression {
    switch expression {
    case let own where own.type == .float64: own
    case .constant(.null, _): .constant(.null, .float64)
    case .constant(.int64(let number), _): .constant(.float64(Double(number)), .float64)
    default: .call(.toFloat64, [expression], .float64)
    }
  }

  /// An integer beside a decimal constant, as a comparison of integers: exact, and of use for pruning. `nil` where that
  /// can't be said so.
  static func exactComparison(_ function: ScalarFunction, _ left: Expression, _ right: Expression) -> Expression? {
    if case .constant(.float64(let bound), _) = right, left.type.isLaneNumber {
      guard let (kind, whole) = integerBound(function, bound) else { return nil }
      return .call(kind, [left, .constant(.int64(whole), left.type)], .bool)
    }
    if case .constant(.float64(let bound), _) = left, right.type.isLaneNumber {
      guard let (kind, whole) = integerBound(mirrored(function), bound) else { return nil }
      return .call(kind, [right, .constant(.int64(whole), right.type)], .bool)
    }
    return nil
  }

  private static func integerBound(_ function: ScalarFunction, _ bound: Double) -> (ScalarFunction, Int64)? {
    switch function {
    case .less, .greaterOrEqual: Int64(exactly: bound.rounded(.up)).map { (function, $0) }
    case .lessOrEqual, .greater: Int64(exactly: bound.rounded(.down)).map { (function, $0) }
    default: Int64(exactly: bound).map { (function, $0) }
    }
  }

  /// The function that gives the same with its operands swapped.
  static func mirrored(_ function: ScalarFunction) -> ScalarFunction {
    switch function {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    default: function
    }
  }
}

extension ColumnType {
  /// Integers and doubles, whatever they count.
  var isNumeric: Bool {
    switch self {
    case .int64, .uint32, .timestamp, .duration, .money, .float64: true
    default: false
    }
  }

  /// Numbers in integer lanes other than money, which doesn't compare with decimals.
  var isLaneNumber: Bool { isInteger || self == .timestamp || self == .duration }

  var isInteger: Bool { self == .int64 || self == .uint32 }

  /// What a number counts, where that is more than a number.
  var unit: ColumnType? {
    switch self {
    case .timestamp, .duration, .money: self
    default: nil
    }
  }
}
