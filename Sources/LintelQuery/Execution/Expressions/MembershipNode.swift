import LintelColumns

/// The members of an IN list, of one physical type.
struct MemberSet: Sendable {
  var integers: Set<Int64> = []
  var doubles: Set<Double> = []
  var bools: Set<Bool> = []
  var bytes: Set<[UInt8]> = []
  var ids: Set<UInt128> = []
  var hasNull = false
  /// Nothing at all was in the list: then even null is no member.
  var isVoid = false

  init(_ values: [Value], hasNull: Bool) {
    self.hasNull = hasNull
    for value in values { insert(value) }
  }

  /// The rows of a subquery's one column.
  init(rows vector: Vector) {
    isVoid = vector.count == 0
    for lane in 0..<vector.count { insert(vector.value(lane)) }
  }

  private mutating func insert(_ value: Value) {
    switch value {
    case .null: hasNull = true
    case .int64(let number): integers.insert(number)
    case .float64(let number): if !number.isNaN { doubles.insert(number) }
    case .bool(let flag): bools.insert(flag)
    case .bytes(let content): bytes.insert(content)
    case .id128(let id): ids.insert(id)
    }
  }

  func contains(_ vector: Vector) -> [Bool] {
    switch vector.lanes {
    case .int64(let values): return mapLanes(values) { integers.contains($0) }
    case .float64(let values): return mapLanes(values) { doubles.contains($0) }
    case .bool(let values): return mapLanes(values) { bools.contains($0) }
    case .id128(let values): return mapLanes(values) { ids.contains($0) }
    case .bytes: return vector.withBytes { view in makeLanes(vector.count) { bytes.contains(Array(view[$0])) } }
    case .codes: return contains(vector.plain)
    }
  }
}

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
    let flags = members.contains(vector)
    guard members.hasNull else { return Vector(.bool(flags), validity: vector.validity) }
    return Vector(.bool(flags), validity: bothValid(vector.validity, flags))
  }
}
