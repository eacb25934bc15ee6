import LintelColumns

/// An integer column compared with a constant: the commonest conjunct, filtered without a vector in between.
final class CompareConstantNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode
  private let function: ScalarFunction
  private let constant: Int64

  /// Signed lanes only.
  init(_ operand: EvaluationNode, _ function: ScalarFunction, _ constant: Int64) {
    self.operand = operand
    self.function = function
    self.constant = constant
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    guard case .int64(let values) = vector.lanes else { return .nulls(.bool, count: context.count) }
    return Vector(.bool(flags(values)), validity: vector.validity)
  }

  private func flags(_ values: [Int64]) -> [Bool] {
    let constant = constant
    return switch function {
    case .equal: mapLanes(values) { $0 == constant }
    case .notEqual: mapLanes(values) { $0 != constant }
    case .less: mapLanes(values) { $0 < constant }
    case .lessOrEqual: mapLanes(values) { $0 <= constant }
    case .greater: mapLanes(values) { $0 > constant }
    default: mapLanes(values) { $0 >= constant }
    }
  }
}
