import LintelColumns

/// The members of an IN list, of one physical type.
struct MemberSet: @unchecked Sendable {
  private(set) var integers: Set<Int64> = []
  var doubles: Set<Double> = []
  var bools: Set<Bool> = []
  var bytes: Set<[UInt8]> = []
  let ids: IdentifierTable
  /// The members as entries of a dictionary, where a subquery gave them so.
  private var coded: (entries: [UInt32], dictionary: ValueDictionary)?
  var hasNull = false
  /// Nothing at all was in the list: then even null is no member.
  var isVoid = false

  init(_ values: [Value], hasNull: Bool) {
    ids = IdentifierTable()
    self.hasNull = hasNull
    for value in values { insert(value) }
  }

  /// The rows of a subquery's one column.
  init(rows vector: Vector, _ interrupt: Interrupt) throws(ExecutionFailure) {
    ids = IdentifierTable(interrupt)
    isVoid = vector.count == 0
    switch vector.lanes {
    case .id128(let values):
      for lane in values.indices {
        try interrupt.check(atStep: lane)
        if vector.isValid(lane) { _ = ids.intern(values[lane]) } else { hasNull = true }
      }
    case .codes(let codes, let dictionary):
      try insert(codes, vector.validity, dictionary, interrupt)
    default:
      for lane in 0..<vector.count {
        if lane & (Interrupt.interval / 4 - 1) == 0 { try interrupt.check() }
        insert(vector.value(lane))
      }
    }
  }

  private mutating func insert(
    _ codes: [UInt32], _ validity: [Bool]?, _ dictionary: ValueDictionary, _ interrupt: Interrupt
  ) throws(ExecutionFailure) {
    var isEntry = Array(repeating: false, count: dictionary.count)
    for lane in codes.indices {
      try interrupt.check(atStep: lane)
      if validity?[lane] ?? true, Int(codes[lane]) < isEntry.count {
        isEntry[Int(codes[lane])] = true
      } else {
        hasNull = true
      }
    }
    let entries = selectTrue(isEntry, validity: nil, base: nil)
    coded = (entries, dictionary)
    for (number, entry) in entries.enumerated() {
      if number & (Interrupt.interval / 4 - 1) == 0 { try interrupt.check() }
      switch dictionary.values {
      case .id128(let values): _ = ids.intern(values[Int(entry)])
      case .bytes(let values): bytes.insert(Array(values[Int(entry)]))
      }
    }
  }

  /// What membership is for each entry of a dictionary and, last, for null; `nil` when the members don't come from it.
  func flags(of dictionary: ValueDictionary) -> Vector? {
    guard let coded, coded.dictionary === dictionary else { return nil }
    var flags = Array(repeating: false, count: dictionary.count + 1)
    for entry in coded.entries { flags[Int(entry)] = true }
    if isVoid { return Vector(.bool(flags)) }
    var known = hasNull ? flags : Array(repeating: true, count: flags.count)
    known[dictionary.count] = false
    return Vector(.bool(flags), validity: known)
  }

  private mutating func insert(_ value: Value) {
    switch value {
    case .null: hasNull = true
    case .int64(let number): integers.insert(number)
    case .float64(let number): if !number.isNaN { doubles.insert(number) }
    case .bool(let flag): bools.insert(flag)
    case .bytes(let content): bytes.insert(content)
    case .id128(let id): _ = ids.intern(id)
    }
  }

  func contains(_ vector: Vector) -> [Bool] {
    switch vector.lanes {
    case .int64(let values): return mapLanes(values) { integers.contains($0) }
    case .float64(let values): return mapLanes(values) { doubles.contains($0) }
    case .bool(let values): return mapLanes(values) { bools.contains($0) }
    case .id128(let values): return mapLanes(values) { ids.find($0) != IdentifierTable.none }
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
