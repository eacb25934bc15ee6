import LintelColumns

/// The members of an IN list, of one physical type, hashed.
final class MemberSet: @unchecked Sendable {
  /// Integers, bits of doubles, booleans.
  private let narrow = NumberInterner()
  private let wide: WideValues
  private let type: PhysicalType
  private(set) var hasNull = false
  /// Nothing at all was in the list: then even null is no member.
  private(set) var isVoid = false

  init(_ values: [Value], _ type: PhysicalType, hasNull: Bool) {
    self.type = type
    wide = WideValues(type)
    insert(Vector.make(values, type))
    self.hasNull = self.hasNull || hasNull
  }

  /// The rows of a subquery's one column.
  init(rows vector: Vector, _ type: PhysicalType) {
    self.type = type
    wide = WideValues(type)
    isVoid = vector.count == 0
    insert(vector)
  }

  private func insert(_ vector: Vector) {
    if let validity = vector.validity, validity.contains(false) { hasNull = true }
    switch vector.plain.lanes {
    case .int64(let values):
      for lane in values.indices where vector.isValid(lane) { _ = narrow.intern(Self.bits(values[lane])) }
    case .float64(let values):
      for lane in values.indices where vector.isValid(lane) && !values[lane].isNaN {
        _ = narrow.intern(Self.bits(values[lane]))
      }
    case .bool(let values):
      for lane in values.indices where vector.isValid(lane) { _ = narrow.intern(Self.bits(values[lane])) }
    case .id128(let values): for lane in values.indices where vector.isValid(lane) { _ = wide.intern(values[lane]) }
    case .bytes(let values):
      values.withView { view in for lane in 0..<values.count where vector.isValid(lane) { _ = wide.intern(view[lane]) }
      }
    case .codes: break
    }
  }

  private static func bits(_ lane: Int64) -> UInt64 { UInt64(bitPattern: lane) }
  private static func bits(_ number: Double) -> UInt64 { ValueHash.canonical(number).bitPattern }
  private static func bits(_ flag: Bool) -> UInt64 { flag ? 1 : 0 }

  func contains(_ vector: Vector) -> [Bool] {
    switch vector.lanes {
    case .int64(let values): return mapLanes(values) { narrow.holds(Self.bits($0)) }
    case .float64(let values): return mapLanes(values) { narrow.holds(Self.bits($0)) }
    case .bool(let values): return mapLanes(values) { narrow.holds(Self.bits($0)) }
    case .id128(let values): return wide.contains(values)
    case .bytes: return vector.withBytes { view in makeLanes(vector.count) { wide.holds(view[$0]) } }
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
