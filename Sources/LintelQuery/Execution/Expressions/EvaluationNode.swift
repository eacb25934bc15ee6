import LintelColumns

/// A compiled expression: evaluates to a vector with one lane per selected row. Immutable, shared by all threads.
class EvaluationNode: @unchecked Sendable {
  func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    .nulls(.int64, count: context.count)
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
}
