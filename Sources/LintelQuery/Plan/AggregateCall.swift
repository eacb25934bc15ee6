public import LintelColumns

/// An aggregate of a plan. Nulls don't take part; without any value the result is null (0 for counts).
public struct AggregateCall: Sendable, Hashable {
  public enum Function: Sendable, Hashable {
    /// Operand absent for `count(*)`.
    case count
    /// Values that are one group in GROUP BY count once.
    case countDistinct
    /// HyperLogLog; the error is stated in docs/spanql.md.
    case approximateCountDistinct
    /// Integers: exact; a result past 64 bits is an error, whatever the order. Doubles: a rule that depends on the
    /// values alone (docs/spanql.md).
    case sum
    /// Always float64: the exact sum of integers (durations in ns, money in nano-USD) or the sum of doubles, divided
    /// once by the count.
    case average
    /// By the sort order (``QueryPlan/Ordering``); -0 comes out as 0, any NaN as the one NaN.
    case min, max
    /// The first value in scan order that is not null.
    case any
    /// Operands: value, key. The value (which may be null) of the row with the least (greatest) key; among equals, the
    /// first in scan order. Rows whose key is null don't take part.
    case argMin, argMax
    /// Operand: number, but no time. Constant: the quantile's rank in 0...1. Within 0.8 % (docs/spanql.md).
    case quantile(Double)
    /// The same, exact: a value that occurs.
    case quantileExact(Double)
    /// Of a sample (divisor n - 1); null for fewer than two values.
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
