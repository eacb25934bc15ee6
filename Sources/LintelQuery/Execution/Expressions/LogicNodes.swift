import LintelColumns

/// AND or OR of any number of operands, in three-valued logic.
final class LogicNode: EvaluationNode, @unchecked Sendable {
  private let operands: [EvaluationNode]
  private let isAnd: Bool

  init(_ operands: [EvaluationNode], isAnd: Bool) {
    self.operands = operands
    self.isAnd = isAnd
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    var result: Vector?
    for operand in operands {
      let next = try operand.evaluate(context)
      if let first = result { result = isAnd ? Self.and(first, next) : Self.or(first, next) } else { result = next }
    }
    return result ?? Vector.constant(.bool(isAnd), .bool, count: context.count)
  }

  private static func flags(_ vector: Vector) -> [Bool] {
    if case .bool(let flags) = vector.lanes { return flags }
    return Array(repeating: false, count: vector.count)
  }

  private static func and(_ a: Vector, _ b: Vector) -> Vector {
    let (x, y) = (flags(a), flags(b))
    let result = zipLanes(x, y) { $0 && $1 }
    guard a.validity != nil || b.validity != nil else { return Vector(.bool(result)) }
    // Null unless both are known or one is known to be false.
    let validity = makeLanes(x.count) { lane in
      let (p, q) = (a.isValid(lane), b.isValid(lane))
      return (p && q) || (p && !x[lane]) || (q && !y[lane])
    }
    return Vector(.bool(result), validity: validity)
  }

  private static func or(_ a: Vector, _ b: Vector) -> Vector {
    let (x, y) = (flags(a), flags(b))
    guard a.validity != nil || b.validity != nil else { return Vector(.bool(zipLanes(x, y) { $0 || $1 })) }
    let result = makeLanes(x.count) { lane in (x[lane] && a.isValid(lane)) || (y[lane] && b.isValid(lane)) }
    let validity = makeLanes(x.count) { lane in result[lane] || (a.isValid(lane) && b.isValid(lane)) }
    return Vector(.bool(result), validity: validity)
  }
}

final class NotNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode

  init(_ operand: EvaluationNode) { self.operand = operand }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    guard case .bool(let flags) = vector.lanes else { return .nulls(.bool, count: context.count) }
    return Vector(.bool(mapLanes(flags) { !$0 }), validity: vector.validity)
  }
}

final class IsNullNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode

  init(_ operand: EvaluationNode) { self.operand = operand }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    guard let validity = vector.validity else { return .constant(.bool(false), .bool, count: vector.count) }
    return Vector(.bool(mapLanes(validity) { !$0 }))
  }
}

/// The first operand that isn't null; operands are evaluated only where all before are null.
final class CoalesceNode: EvaluationNode, @unchecked Sendable {
  private let operands: [EvaluationNode]
  private let type: PhysicalType

  init(_ operands: [EvaluationNode], type: PhysicalType) {
    self.operands = operands
    self.type = type
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    try firstValues(type, context) { (operand) throws(ExecutionFailure) in try operand.evaluate(context) }
  }

  override func contains(_ pattern: LikePattern, _ context: EvaluationContext) throws(ExecutionFailure) -> Vector? {
    try firstValues(.bool, context) { (operand) throws(ExecutionFailure) in try operand.matches(pattern, context) }
  }

  /// What `value` gives of the first operand for which it gives something.
  private func firstValues(
    _ type: PhysicalType, _ context: EvaluationContext,
    _ value: (EvaluationNode) throws(ExecutionFailure) -> Vector
  ) throws(ExecutionFailure) -> Vector {
    var merger = LaneMerger(type, count: context.count)
    var pending = makeLanes(context.count) { UInt32(truncatingIfNeeded: $0) }
    for operand in operands {
      if pending.isEmpty { break }
      let vector = try context.narrowed(to: pending) { () throws(ExecutionFailure) in try value(operand) }
      guard let validity = vector.validity else {
        merger.put(vector, at: pending)
        return merger.finish()
      }
      let found = selectTrue(validity, validity: nil, base: nil)
      merger.put(vector.gather(found), at: Vector.gather(pending, found))
      pending = selectTrue(mapLanes(validity) { !$0 }, validity: nil, base: pending)
    }
    return merger.finish()
  }
}

final class CaseNode: EvaluationNode, @unchecked Sendable {
  private let branches: [(condition: EvaluationNode, result: EvaluationNode)]
  private let otherwise: EvaluationNode
  private let type: PhysicalType

  init(_ branches: [(condition: EvaluationNode, result: EvaluationNode)], otherwise: EvaluationNode, type: PhysicalType)
  {
    self.branches = branches
    self.otherwise = otherwise
    self.type = type
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    var merger = LaneMerger(type, count: context.count)
    var pending = makeLanes(context.count) { UInt32(truncatingIfNeeded: $0) }
    for branch in branches {
      if pending.isEmpty { return merger.finish() }
      let holds = try context.narrowed(to: pending) { () throws(ExecutionFailure) in
        try branch.condition.evaluate(context)
      }
      guard case .bool(let flags) = holds.lanes else { continue }
      let taken = selectTrue(flags, validity: holds.validity, base: pending)
      if !taken.isEmpty {
        let result = try context.narrowed(to: taken) { () throws(ExecutionFailure) in
          try branch.result.evaluate(context)
        }
        merger.put(result, at: taken)
      }
      let rest = makeLanes(flags.count) { lane in !(flags[lane] && holds.isValid(lane)) }
      pending = selectTrue(rest, validity: nil, base: pending)
    }
    if !pending.isEmpty {
      let result = try context.narrowed(to: pending) { () throws(ExecutionFailure) in try otherwise.evaluate(context) }
      merger.put(result, at: pending)
    }
    return merger.finish()
  }
}

/// Puts vectors together lane by lane; lanes that nobody puts are null.
struct LaneMerger {
  private let type: PhysicalType
  private let count: Int
  private var parts: [Vector] = []
  private var places: [UInt32]
  private var filled = 0

  init(_ type: PhysicalType, count: Int) {
    self.type = type
    self.count = count
    places = Array(repeating: .max, count: count)
  }

  mutating func put(_ vector: Vector, at lanes: [UInt32]) {
    for lane in lanes {
      places[Int(lane)] = UInt32(truncatingIfNeeded: filled)
      filled += 1
    }
    parts.append(vector)
  }

  func finish() -> Vector {
    let all = Vector.concatenate(parts + [.nulls(type, count: 1)], type)
    let last = UInt32(truncatingIfNeeded: filled)
    return all.gather(mapLanes(places) { min($0, last) })
  }
}

enum Coalesce {
  /// `first` where it is not null, else `second`.
  static func merge(_ first: Vector, _ second: Vector, _ type: PhysicalType) -> Vector {
    guard let validity = first.validity else { return first }
    let count = UInt32(truncatingIfNeeded: first.count)
    let both = Vector.concatenate([first, second], type)
    return both.gather(
      makeLanes(first.count) { lane in UInt32(truncatingIfNeeded: lane) &+ (validity[lane] ? 0 : count) })
  }
}
