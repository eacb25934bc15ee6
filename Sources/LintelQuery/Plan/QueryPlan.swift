public import LintelColumns
public import LintelStorage

/// What a SELECT means, bound to a snapshot's schema: the contract between the binder and the executors.
///
///     scan -> filter -> [aggregate -> having] -> project -> [distinct] -> order -> limit
///
/// With an aggregation, `having`, `outputs` and `ordering` are over `.groupKey` and `.aggregate`; else over columns.
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
  public let filter: Expression?
  public let aggregation: Aggregation?
  public let outputs: [Output]
  public let isDistinct: Bool
  public let ordering: [Ordering]
  public let limit: Int?
  public let offset: Int
  /// One-column plans that `inSubquery` refers to, run first, on the same snapshot.
  public let subqueries: [QueryPlan]

  public init(
    table: String, schema: TableSchema?, filter: Expression?, aggregation: Aggregation?, outputs: [Output],
    isDistinct: Bool, ordering: [Ordering], limit: Int?, offset: Int, subqueries: [QueryPlan]
  ) {
    self.table = table
    self.schema = schema
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
