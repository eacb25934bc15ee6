import LintelColumns

/// `operand IN (..)`.
final class MembershipNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode
  private let members: MemberSet

  init(_ operand: EvaluationNode, _ members: MemberSet) {
    self.operand = operand
    self.members = members
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    if members.isVoid { return .constant(.bool(false), .bool, count: vector.count) }
    let flags = try members.contains(vector, context.interrupt)
    guard members.hasNull else { return Vector(.bool(flags), validity: vector.validity) }
    return Vector(.bool(flags), validity: bothValid(vector.validity, flags))
  }
}
