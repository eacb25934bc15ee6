import LintelColumns

/// What must hold in a block for any of its rows to pass a filter: tests of single columns under AND and OR.
///
/// It follows from the filter and says less: where a part of the filter can't be tested, nothing is demanded for it.
indirect enum BlockCondition: Sendable {
  case test(BlockTest)
  /// Holds where the list is empty.
  case all([BlockCondition])
  /// Never holds where the list is empty.
  case any([BlockCondition])

  /// Members up to which blocks are tested for them one by one.
  private static let testedMembers = 256

  /// `nil` when nothing follows from the expression.
  ///
  /// - Parameter subqueries: The results that the expression refers to; without them nothing is known of those.
  init?(_ expression: Expression, subqueries: [MemberSet]) {
    switch expression {
    case .constant(.bool(true), _): self = .all([])
    case .constant(let value, _) where value == .null || value == .bool(false): self = .any([])
    case .call(.and, let operands, _):
      let conditions = operands.compactMap { BlockCondition($0, subqueries: subqueries) }
      guard !conditions.isEmpty else { return nil }
      self = .all(conditions)
    case .call(.or, let operands, _):
      guard let alternatives = Self.every(operands, { BlockCondition($0, subqueries: subqueries) }) else { return nil }
      self = .any(alternatives)
    case .call(.isNull, let operands, _) where operands.count == 1:
      guard let test = BlockTest(operands[0], .isNull) else { return nil }
      self = .test(test)
    case .call(.not, let operands, _):
      guard case .call(.isNull, let inner, _)? = operands.first, inner.count == 1,
        let test = BlockTest(inner[0], .isNotNull)
      else { return nil }
      self = .test(test)
    case .inList(let operand, let values, _): self.init(operand, .oneOf(values), subqueries)
    case .inSubquery(let operand, let number):
      guard number < subqueries.count, let values = subqueries[number].values(atMost: Self.testedMembers) else {
        return nil
      }
      self.init(operand, .oneOf(values), subqueries)
    case .call(let function, let operands, _):
      guard operands.count == 2, let flipped = BlockTest.flipped(function) else { return nil }
      if case .constant(let value, _) = operands[1] {
        self.init(operands[0], .compare(function, value, operands[0].type), subqueries)
      } else if case .constant(let value, _) = operands[0] {
        self.init(operands[1], .compare(flipped, value, operands[1].type), subqueries)
      } else {
        return nil
      }
    default: return nil
    }
  }

  /// The demand on an operand, which may be a choice: an attribute that was moved into columns is one.
  private init?(_ operand: Expression, _ demand: BlockTest.Demand, _ subqueries: [MemberSet]) {
    switch operand {
    case .caseWhen(let branches, let otherwise, _):
      let chosen = Self.every(branches) { branch -> BlockCondition? in
        let parts = [
          BlockCondition(branch.condition, subqueries: subqueries), BlockCondition(branch.result, demand, subqueries),
        ].compactMap(\.self)
        return parts.isEmpty ? nil : .all(parts)
      }
      guard let chosen, let last = BlockCondition(otherwise, demand, subqueries) else { return nil }
      self = .any(chosen + [last])
    case .constant(let value, _):
      guard let isMet = demand.isMet(by: value) else { return nil }
      self = isMet ? .all([]) : .any([])
    default:
      guard let test = BlockTest(operand, demand) else { return nil }
      self = .test(test)
    }
  }

  private static func every<Element>(
    _ elements: [Element], _ make: (Element) -> BlockCondition?
  ) -> [BlockCondition]? {
    let conditions = elements.compactMap(make)
    return conditions.count == elements.count ? conditions : nil
  }

  /// The blocks among `blocks` where the condition holds, which `passing` says of its tests.
  func holding(_ blocks: [Int], _ passing: (BlockTest, [Int]) -> [Int]) -> [Int] {
    switch self {
    case .test(let test): return passing(test, blocks)
    case .all(let conditions): return conditions.reduce(blocks) { $1.holding($0, passing) }
    case .any(let conditions):
      var held: Set<Int> = []
      for condition in conditions {
        let open = held.isEmpty ? blocks : blocks.filter { !held.contains($0) }
        held.formUnion(condition.holding(open, passing))
      }
      return blocks.filter(held.contains)
    }
  }

  /// Every test in it.
  var tests: [BlockTest] {
    switch self {
    case .test(let test): [test]
    case .all(let conditions), .any(let conditions): conditions.flatMap(\.tests)
    }
  }
}

extension BlockTest.Demand {
  /// Whether a constant meets the demand; `nil` where that takes more than a look.
  fileprivate func isMet(by value: Value) -> Bool? {
    if value == .null { return if case .isNull = self { true } else { false } }
    switch self {
    case .isNull: return false
    case .isNotNull: return true
    case .compare(.equal, let wanted, _): return value.isExact ? value == wanted : nil
    case .oneOf(let values): return value.isExact ? values.contains(value) : nil
    case .compare: return nil
    }
  }
}

extension Value {
  /// Whether values are equal where their representations are.
  fileprivate var isExact: Bool { if case .float64 = self { false } else { true } }
}
