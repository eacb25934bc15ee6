internal import LintelColumns

extension Binder {
  // MARK: One type for several expressions

  /// Binds expressions that must have one type: the results of CASE, the arguments of coalesce, least and greatest.
  mutating func bindAlike(
    _ nodes: [SyntaxNode], _ scope: Scope, _ place: String
  ) throws(QueryError) -> [Expression] {
    var bound: [Expression] = []
    for node in nodes { bound.append(try bind(node, scope)) }
    var type: ColumnType?
    for (expression, node) in zip(bound, nodes) where !Self.isNull(expression) {
      guard let own = type else {
        type = expression.type
        continue
      }
      if let common = Self.common(own, expression.type) {
        type = common
      } else if nodes.contains(where: { isDynamic($0, scope) }) {
        type = .variant
      } else {
        throw QueryError(
          .binding, "\(place) have one type; \(own.name) and \(expression.type.name) don't mix",
          offset: node.range.lowerBound, hint: "CAST one of them")
      }
    }
    var results: [Expression] = []
    for (expression, node) in zip(bound, nodes) {
      results.append(try convert(expression, to: type ?? .string, node))
    }
    return results
  }

  /// The type that holds values of both; `nil` where there is none.
  static func common(_ left: ColumnType, _ right: ColumnType) -> ColumnType? {
    if left == right { return left }
    if left == .variant || right == .variant { return .variant }
    if left.isInteger, right.isInteger { return .int64 }
    if left.isNumeric, right.isNumeric {
      if left == .float64 || right == .float64 { return .float64 }
      if let unit = left.unit, right.unit == nil { return unit }
      if let unit = right.unit, left.unit == nil { return unit }
      return nil
    }
    switch (left, right) {
    case (.enumeration, .string), (.string, .enumeration): return .string
    // A literal beside a time or an id is read as one.
    case (.string, .timestamp), (.string, .duration), (.string, .money), (.string, .id8), (.string, .id16): return right
    case (.timestamp, .string), (.duration, .string), (.money, .string), (.id8, .string), (.id16, .string): return left
    default: return nil
    }
  }

  private func convert(
    _ expression: Expression, to type: ColumnType, _ node: SyntaxNode
  ) throws(QueryError) -> Expression {
    if Self.isNull(expression) { return .constant(.null, type) }
    if expression.type == type { return expression }
    switch type {
    case .float64: return Self.toDouble(expression)
    case .variant: return .call(.toVariant, [expression], .variant)
    case .string: return .call(.toText, [expression], .string)
    default: break
    }
    if expression.type.isNumeric {
      // Lanes are alike; only the type changes.
      if case .constant(let value, _) = expression { return .constant(value, type) }
      return try Self.conversion(of: expression, to: type)
    }
    if case .constant(.bytes(let text), .string) = expression, let constant = try literal(text, for: type, node) {
      return constant
    }
    throw QueryError(
      .binding, "\(expression.type.name) and \(type.name) don't mix", offset: node.range.lowerBound,
      hint: "CAST one of them")
  }

  // MARK: CAST

  private static let castTypes: [String: ColumnType] = [
    "int64": .int64, "int": .int64, "integer": .int64, "bigint": .int64, "float64": .float64, "double": .float64,
    "float": .float64, "real": .float64, "string": .string, "text": .string, "varchar": .string, "bool": .bool,
    "boolean": .bool, "timestamp": .timestamp, "duration": .duration, "money": .money, "any": .variant, "id8": .id8,
    "id16": .id16,
  ]

  /// Names of the types that CAST takes.
  static var typeNames: [String] { castTypes.keys.sorted() }

  mutating func bindCast(
    _ operand: SyntaxNode, _ type: TypeSyntax, _ scope: Scope
  ) throws(QueryError) -> Expression {
    guard let target = Self.castTypes[type.name] else {
      throw QueryError(
        .binding, "there is no type \(type.name) to CAST to", offset: type.offset,
        hint: NameSuggestion.hint(for: type.name, among: Self.typeNames)
          ?? "types are int64, float64, string, bool, timestamp, duration, money, any")
    }
    let expression = try bind(operand, scope)
    if Self.isNull(expression) { return .constant(.null, target) }
    if expression.type == target { return expression }
    if target == .id8 || target == .id16 {
      if case .constant(.bytes(let text), .string) = expression, let id = try literal(text, for: target, operand) {
        return id
      }
    } else if Self.canConvert(expression.type, to: target) {
      return try fold(Self.conversion(of: expression, to: target), operand.range.lowerBound)
    }
    throw QueryError(
      .binding, "\(expression.type.name) can't be CAST to \(target.name)", offset: operand.range.lowerBound)
  }

  private static func canConvert(_ source: ColumnType, to target: ColumnType) -> Bool {
    if target == .variant { return true }
    if target == .string { return true }
    switch source {
    case .string, .variant, .int64, .uint32, .float64, .enumeration: return true
    case .timestamp, .duration, .money: return target != .bool
    case .bool: return target == .int64 || target == .float64
    case .bytes, .id8, .id16, .map: return false
    }
  }

  static func conversion(of expression: Expression, to type: ColumnType) throws(QueryError) -> Expression {
    let function: ScalarFunction? =
      switch type {
      case .int64: .toInt64
      case .float64: .toFloat64
      case .string: .toText
      case .bool: .toBool
      case .timestamp: .toTimestamp
      case .duration: .toDuration
      case .money: .toMoney
      case .variant: .toVariant
      default: nil
      }
    guard let function else { throw QueryError(.binding, "nothing converts to \(type.name)") }
    return .call(function, [expression], type)
  }
}
