internal import LintelColumns

extension Binder {
  /// Computes a call whose operands are all constants, where that is worth while: bounds such as `now() - 5m`, patterns put
  /// together with `||`, conversions. Everything else is left to the executor.
  func fold(_ expression: Expression, _ offset: Int) throws(QueryError) -> Expression {
    do throws(QueryError) { return try folded(expression, offset) } catch {
      // It fails where its row takes it.
      if isConditional, error.code == .overflow { return expression }
      throw error
    }
  }

  private func folded(_ expression: Expression, _ offset: Int) throws(QueryError) -> Expression {
    guard case .call(let function, let operands, let type) = expression else { return expression }
    var values: [Value] = []
    for operand in operands {
      guard case .constant(let value, _) = operand else { return expression }
      values.append(value)
    }
    guard let first = values.first, let operand = operands.first else { return expression }
    if values.contains(.null) { return .constant(.null, type) }
    switch (function, first) {
    case (.add, .int64(let left)), (.subtract, .int64(let left)), (.multiply, .int64(let left)):
      guard values.count == 2, case .int64(let right) = values[1] else { return expression }
      return .constant(.int64(try Self.exact(function, left, right, offset)), type)
    case (.negate, .int64(let number)):
      return .constant(.int64(try Self.exact(.subtract, 0, number, offset)), type)
    case (.add, .float64(let left)), (.subtract, .float64(let left)), (.multiply, .float64(let left)):
      guard values.count == 2, case .float64(let right) = values[1] else { return expression }
      let result = function == .add ? left + right : function == .subtract ? left - right : left * right
      return .constant(.float64(result), type)
    case (.negate, .float64(let number)): return .constant(.float64(-number), type)
    case (.concat, .bytes):
      var text: [UInt8] = []
      for case .bytes(let part) in values { text += part }
      return .constant(.bytes(text), type)
    case (.toText, _):
      guard let text = TextFormats.text(first, operand.type) else { return expression }
      return .constant(.bytes(Array(text.utf8)), type)
    case (.toTimestamp, .bytes(let text)): return Self.constant(TextFormats.timestamp(Self.string(text)), type)
    case (.toDuration, .bytes(let text)): return Self.constant(TextFormats.duration(Self.string(text)), type)
    case (.toMoney, .bytes(let text)): return Self.constant(TextFormats.money(Self.string(text)), type)
    case (.toInt64, .int64), (.toTimestamp, .int64), (.toDuration, .int64), (.toMoney, .int64):
      return .constant(first, type)
    default: return expression
    }
  }

  private static func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private static func constant(_ value: Int64?, _ type: ColumnType) -> Expression {
    .constant(value.map(Value.int64) ?? .null, type)
  }

  private static func exact(
    _ function: ScalarFunction, _ left: Int64, _ right: Int64, _ offset: Int
  ) throws(QueryError) -> Int64 {
    let (result, overflow) =
      switch function {
      case .add: left.addingReportingOverflow(right)
      case .subtract: left.subtractingReportingOverflow(right)
      default: left.multipliedReportingOverflow(by: right)
      }
    if overflow { throw QueryError(.overflow, "this is past 64 bits", offset: offset) }
    return result
  }
}
