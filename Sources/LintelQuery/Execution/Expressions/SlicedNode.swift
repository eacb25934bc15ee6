import LintelColumns

/// What reads content: evaluated over a few rows at a time (``EvaluationContext/sliced(_:_:)``).
final class SlicedNode: EvaluationNode, @unchecked Sendable {
  private let inner: EvaluationNode
  private let type: PhysicalType

  init(_ inner: EvaluationNode, type: PhysicalType) {
    self.inner = inner
    self.type = type
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    try context.sliced(type) { () throws(ExecutionFailure) in try inner.evaluate(context) }
  }
}
