import LintelColumns

/// A compiled expression: evaluates to a vector with one lane per selected row. Immutable, shared by all threads.
class EvaluationNode: @unchecked Sendable {
  func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    .nulls(.int64, count: context.count)
  }

  /// Whether the values match a pattern that looks for bytes anywhere, where that can be told without putting together all
  /// of them, which are content; `nil` where it can't.
  func contains(_ pattern: LikePattern, _ context: EvaluationContext) throws(ExecutionFailure) -> Vector? { nil }

  /// The same, with the values where there is no other way.
  final func matches(_ pattern: LikePattern, _ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    if let found = try contains(pattern, context) { return found }
    return try context.sliced(.bool) { () throws(ExecutionFailure) in
      try pattern.matches(try evaluate(context), context)
    }
  }

  /// The rows (not lanes) among the selected ones where this boolean is true.
  func filter(_ context: EvaluationContext) throws(ExecutionFailure) -> [UInt32] {
    let vector = try evaluate(context)
    guard case .bool(let flags) = vector.lanes else { return [] }
    return selectTrue(flags, validity: vector.validity, base: context.selection)
  }

  /// The lanes where this boolean is true.
  final func trueLanes(_ context: EvaluationContext) throws(ExecutionFailure) -> [UInt32] {
    let vector = try evaluate(context)
    guard case .bool(let flags) = vector.lanes else { return [] }
    return selectTrue(flags, validity: vector.validity, base: nil)
  }
}

final class ConstantNode: EvaluationNode, @unchecked Sendable {
  let value: Value
  let type: ColumnType

  init(_ value: Value, _ type: ColumnType) {
    self.value = value
    self.type = type
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    .constant(value, type.physical, count: context.count)
  }
}

/// A column of the context.
final class SlotNode: EvaluationNode, @unchecked Sendable {
  let slot: Int

  init(_ slot: Int) { self.slot = slot }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    try context.column(slot)
  }

  override func contains(_ pattern: LikePattern, _ context: EvaluationContext) throws(ExecutionFailure) -> Vector? {
    guard let needle = pattern.onlyLiteral else { return nil }
    return try context.contains(needle, slot)
  }
}

/// `attributes['name']` over the dynamic columns of its kinds.
final class AttributeNode: EvaluationNode, @unchecked Sendable {
  private let parts: [(slot: Int, kind: AttributeKind)]
  private let type: ColumnType

  init(parts: [(slot: Int, kind: AttributeKind)], type: ColumnType) {
    self.parts = parts
    self.type = type
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    var result: Vector?
    for part in parts {
      let vector = try Self.convert(try context.column(part.slot), part.kind, to: type)
      if let first = result {
        result = Coalesce.merge(first, vector, type.physical)
      } else {
        result = vector
      }
    }
    return result ?? .nulls(type.physical, count: context.count)
  }

  /// The attribute's texts come first, if it has any: those, and a node for the others.
  var texts: (texts: SlotNode, others: AttributeNode)? {
    guard type == .variant, let first = parts.first, first.kind == .string else { return nil }
    return (SlotNode(first.slot), AttributeNode(parts: Array(parts.dropFirst()), type: type))
  }

  private static func convert(
    _ vector: Vector, _ kind: AttributeKind, to type: ColumnType
  ) throws(ExecutionFailure) -> Vector {
    switch (kind, type) {
    case (.variant, .variant): return vector
    case (_, .variant): return Convert.toVariant(vector, kind.type)
    case (.int, .float64): return Convert.toFloat64(vector, kind.type)
    default:
      return kind.physical == type.physical ? vector : .nulls(type.physical, count: vector.count)
    }
  }
}

/// A strict function of evaluated operands.
final class FunctionNode: EvaluationNode, @unchecked Sendable {
  private let function: ScalarFunction
  private let operands: [EvaluationNode]
  private let operandTypes: [ColumnType]
  private let type: ColumnType

  init(_ function: ScalarFunction, _ operands: [EvaluationNode], operandTypes: [ColumnType], type: ColumnType) {
    self.function = function
    self.operands = operands
    self.operandTypes = operandTypes
    self.type = type
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    var vectors: [Vector] = []
    vectors.reserveCapacity(operands.count)
    for operand in operands {
      try context.interrupt.check()
      vectors.append(try operand.evaluate(context))
    }
    return try ScalarKernels.apply(
      function, vectors, types: operandTypes, result: type, count: context.count, context.interrupt)
  }

  /// Of an attribute as text: what is text is looked through as it is.
  override func contains(_ pattern: LikePattern, _ context: EvaluationContext) throws(ExecutionFailure) -> Vector? {
    guard function == .toText || function == .variantText,
      let (texts, others) = (operands.first as? AttributeNode)?.texts
    else { return nil }
    let rest = FunctionNode(function, [others], operandTypes: operandTypes, type: type)
    return try CoalesceNode([texts, rest], type: .bytes).contains(pattern, context)
  }
}
