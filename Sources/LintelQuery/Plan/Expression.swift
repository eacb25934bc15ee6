public import LintelColumns

/// An expression whose names are resolved and whose types are known. What the binder makes and both executors run.
public indirect enum Expression: Sendable, Hashable {
  case constant(Value, ColumnType)
  /// A stored column.
  case column(Int, ColumnType)
  /// `attributes['name']`, read as one type.
  case attribute(AttributeRead)
  /// The output of the plan's aggregation: group key `n`, or aggregate `n`. Only above an aggregation.
  case groupKey(Int, ColumnType)
  case aggregate(Int, ColumnType)
  case call(ScalarFunction, [Expression], ColumnType)
  /// Pairs of condition and result, then the result when none holds. A branch is evaluated only for the rows that reach
  /// it, so that an overflow in a branch not taken is no error.
  case caseWhen([CaseBranch], otherwise: Expression, ColumnType)
  /// `operand IN (constants)`: constants of the operand's type, nulls removed; `hasNull` when the list held one.
  /// The operand is never of type `.variant`. NULL where the operand is null, or nothing matches and `hasNull`.
  case inList(Expression, [Value], hasNull: Bool)
  /// `operand IN (SELECT ..)`: number of the subquery in ``QueryPlan/subqueries``, whose one output has the operand's
  /// physical type. False when the subquery has no rows; else as `inList` of its rows.
  case inSubquery(Expression, Int)

  public struct CaseBranch: Sendable, Hashable {
    public let condition: Expression
    public let result: Expression

    public init(condition: Expression, result: Expression) {
      self.condition = condition
      self.result = result
    }
  }

  public var type: ColumnType {
    switch self {
    case .constant(_, let type), .column(_, let type), .groupKey(_, let type), .aggregate(_, let type),
      .call(_, _, let type), .caseWhen(_, _, let type):
      type
    case .attribute(let read): read.type
    case .inList, .inSubquery: .bool
    }
  }
}

/// How a dynamic attribute is read. Kinds that the read doesn't list read as null.
public struct AttributeRead: Sendable, Hashable {
  public let name: String
  /// Kinds taken, in order of preference where a row has several.
  public let kinds: [AttributeKind]
  /// `.string`, `.int64`, `.float64` (ints converted), `.bool`, or `.variant` when kinds are mixed.
  public let type: ColumnType

  public init(name: String, kinds: [AttributeKind], type: ColumnType) {
    self.name = name
    self.kinds = kinds
    self.type = type
  }
}
