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
  /// Pairs of condition and result, then the result when none holds.
  case caseWhen([CaseBranch], otherwise: Expression, ColumnType)
  /// `operand IN (constants)`: constants of the operand's type, nulls removed; `hasNull` when the list held one.
  case inList(Expression, [Value], hasNull: Bool)
  /// `operand IN (SELECT ..)`: number of the subquery in ``QueryPlan/subqueries``.
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

/// Scalar functions after binding; operand types have been made equal where a function needs it.
///
/// NULL in, NULL out, except `and`/`or` (three-valued logic), `isNull`, `coalesce`, `isDistinct`.
public enum ScalarFunction: String, Sendable, Hashable, CaseIterable {
  // Comparison: both operands of one physical type. Text and ids compare by bytes; doubles by IEEE 754 (NaN sorts last
  // in ORDER BY and is unequal to everything here). `variant` operands compare as numbers with numbers and text with text.
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case and, or, not
  case isNull, coalesce
  // Arithmetic. On integers: overflow is an error (`QueryError.overflow`). `/` is always a double division; x / 0 is null.
  // `%` on integers takes the sign of the dividend; x % 0 is null.
  case add, subtract, multiply, divide, modulo, negate
  // Text. LIKE operands: text, pattern (constant). `matches`: text, regular expression (constant).
  case like, ilike, matches, concat, lower, upper, length, substring, startsWith, endsWith, contains
  // Numbers.
  case abs, floor, ceil, round, sqrt, ln, log2, log10, exp, power, least, greatest
  /// Operands: width in ns (constant), time. Start of the bucket that holds the time, aligned to the epoch.
  case timeBucket
  // Conversions, by name of the target; impossible text gives null.
  case toInt64, toFloat64, toText, toBool, toTimestamp, toDuration, toMoney
  /// Operand: `map` or `variant`, key (constant). The value under the key, as `variant`; the last of repeats.
  case element
  /// Operand: origins column, origin entry (constant). Whether the row made this move.
  case hasOrigin
  /// Operand: any. As `variant`.
  case toVariant
}

/// An aggregate of a plan.
public struct AggregateCall: Sendable, Hashable {
  public enum Function: Sendable, Hashable {
    /// Operand absent for `count(*)`.
    case count
    case countDistinct
    /// HyperLogLog; the error is stated in docs/spanql.md.
    case approximateCountDistinct
    /// Exact on integers (overflow is an error); doubles sum in a stated, deterministic order.
    case sum
    case average
    case min, max
    case any
    /// Operands: value, key. The value of the row with the least (greatest) key; among equals, the first in scan order.
    case argMin, argMax
    /// Operand: number. Constants: the quantiles' rank in 0...1.
    case quantile(Double)
    case standardDeviation
    /// Operand: number. Result: variant, array of [lower bound, count].
    case histogram(buckets: Int)
    /// Operand: any. Result: variant, array of [value, count], most frequent first.
    case topK(Int)
  }

  public let function: Function
  public let operands: [Expression]
  /// `FILTER (WHERE ..)`.
  public let filter: Expression?
  public let type: ColumnType

  public init(_ function: Function, operands: [Expression], filter: Expression?, type: ColumnType) {
    self.function = function
    self.operands = operands
    self.filter = filter
    self.type = type
  }
}
