public import LintelColumns

/// What a SELECT means, bound to a snapshot's schema: the contract between the binder and the executors.
///
///     scan [-> join] -> filter -> [aggregate -> having] -> project -> [distinct] -> order -> limit
///
/// With a join, every `.column(n)` is a column of the pairs (``TraceJoin/columns``), and there are no attributes.
///
/// With an aggregation, `having`, `outputs` and `ordering` are over `.groupKey` and `.aggregate`; else over columns.
///
/// **Grouping** (group keys, DISTINCT, count(DISTINCT)): NULL is a value like others; every NaN is one value and -0 is 0,
/// and they come out as the quiet NaN and 0; variants are one when their encodings are.
///
/// **Order of rows.** Scan order is by segment, then by row. Without aggregation and DISTINCT, rows that the ordering
/// doesn't tell apart come in scan order. Groups that the ordering doesn't tell apart come in the order of their keys
/// (each ascending, nulls last), and distinct rows in the order of their outputs, so that an answer doesn't depend on
/// how the rows lie.
public struct QueryPlan: Sendable {
  public struct Output: Sendable, Hashable {
    public let name: String
    public let expression: Expression

    public init(name: String, expression: Expression) {
      self.name = name
      self.expression = expression
    }
  }

  public struct Aggregation: Sendable, Hashable {
    public let keys: [Expression]
    public let calls: [AggregateCall]
    public let having: Expression?

    public init(keys: [Expression], calls: [AggregateCall], having: Expression?) {
      self.keys = keys
      self.calls = calls
      self.having = having
    }
  }

  /// The sort order: integers signed, `id8` unsigned, text, bytes and ids by bytes, false before true; doubles with -0 =
  /// 0 and every NaN alike and greater than all numbers; variants by kind (empty, booleans, numbers, text, bytes, arrays,
  /// maps), within a kind as such, numbers as doubles and then ints before doubles, equal
  /// doubles by their bits, arrays and maps by their encoding.
  public struct Ordering: Sendable, Hashable {
    public let expression: Expression
    public let isDescending: Bool
    public let nullsFirst: Bool

    public init(_ expression: Expression, isDescending: Bool, nullsFirst: Bool) {
      self.expression = expression
      self.isDescending = isDescending
      self.nullsFirst = nullsFirst
    }
  }

  public let table: String
  /// `nil`: SELECT without FROM, one row.
  public let schema: TableSchema?
  /// `nil` where single rows are read.
  public let join: TraceJoin?
  public let filter: Expression?
  public let aggregation: Aggregation?
  public let outputs: [Output]
  /// Duplicate output rows are dropped. Every ordering expression is then equal to that of an output.
  public let isDistinct: Bool
  public let ordering: [Ordering]
  public let limit: Int?
  public let offset: Int
  /// One-column plans that `inSubquery` refers to, run first, on the same snapshot.
  public let subqueries: [QueryPlan]

  public init(
    table: String, schema: TableSchema?, join: TraceJoin? = nil, filter: Expression?, aggregation: Aggregation?,
    outputs: [Output], isDistinct: Bool, ordering: [Ordering], limit: Int?, offset: Int, subqueries: [QueryPlan]
  ) {
    self.table = table
    self.schema = schema
    self.join = join
    self.filter = filter
    self.aggregation = aggregation
    self.outputs = outputs
    self.isDistinct = isDistinct
    self.ordering = ordering
    self.limit = limit
    self.offset = offset
    self.subqueries = subqueries
  }
}
