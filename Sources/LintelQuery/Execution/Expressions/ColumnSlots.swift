import LintelColumns

/// The columns that a plan reads, numbered. Made before any block is read; then fixed.
struct ColumnSlots {
  private(set) var references: [ColumnReference] = []
  private(set) var types: [PhysicalType] = []
  private var numbers: [ColumnReference: Int] = [:]

  init() {}

  init(_ expressions: [Expression]) throws(ExecutionFailure) {
    for expression in expressions { try add(expression) }
  }

  func slot(_ reference: ColumnReference) -> Int? { numbers[reference] }

  mutating func add(_ reference: ColumnReference, _ type: PhysicalType) {
    guard numbers[reference] == nil else { return }
    numbers[reference] = references.count
    references.append(reference)
    types.append(type)
  }

  /// Adds every column that `expression` reads.
  mutating func add(_ expression: Expression, depth: Int = 0) throws(ExecutionFailure) {
    guard depth < Semantics.maximumDepth else {
      throw .query(QueryError(.limitExceeded, "the expression is nested more than \(Semantics.maximumDepth) deep"))
    }
    switch expression {
    case .column(let index, let type): add(.column(index), type.physical)
    case .attribute(let read): for kind in read.kinds { add(.attribute(AttributeKey(read.name, kind)), kind.physical) }
    case .constant, .groupKey, .aggregate: break
    case .call, .caseWhen, .inList, .inSubquery:
      for child in expression.children { try add(child, depth: depth + 1) }
    }
  }
}

extension Expression {
  /// Direct subexpressions, in order of evaluation.
  var children: [Expression] {
    switch self {
    case .constant, .column, .attribute, .groupKey, .aggregate: []
    case .call(_, let operands, _): operands
    case .caseWhen(let branches, let otherwise, _): branches.flatMap { [$0.condition, $0.result] } + [otherwise]
    case .inList(let operand, _, _), .inSubquery(let operand, _): [operand]
    }
  }

  /// Whether evaluating may end in an overflow.
  var canFail: Bool {
    if case .call(let function, _, let type) = self {
      switch function {
      case .add, .subtract, .multiply, .negate, .abs, .roundTo: if type.physical == .int64 { return true }
      case .timeBucket: return true
      default: break
      }
    }
    return children.contains { $0.canFail }
  }

  /// The conjuncts of nested ANDs, in order.
  var conjuncts: [Expression] {
    if case .call(.and, let operands, _) = self { return operands.flatMap(\.conjuncts) }
    return [self]
  }
}
