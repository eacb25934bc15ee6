import LintelColumns

/// `floor(log2(x))` in one pass.
final class FloorLog2Node: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode

  init(_ operand: EvaluationNode) { self.operand = operand }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    Arithmetic.floorLog2(try operand.evaluate(context))
  }
}
