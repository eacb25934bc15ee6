/// What the executor answers where the plan's own comments leave room. The reference for `docs/spanql.md`.
///
/// **Overflow** is an error on rows where the expression is evaluated: filter conjuncts that can overflow are evaluated last,
/// in their order, each on the rows that passed all before it; every operand of `or` (and of `and` below the filter's
/// top) is evaluated; a CASE result only where its branch is taken; `coalesce` operands only where all before are null;
/// aggregate operands only where the FILTER holds; outputs only for the rows of the result (all rows under DISTINCT).
///
/// **Aggregates.**
/// - `sum` of doubles: the exact sum, rounded once to the nearest double, so that no order matters; NaN when a NaN or both
///   infinities take part. `average` of doubles is that sum divided by the count.
/// - `quantileExact(q)`: nearest rank: of n values in sort order the one at `ceil(q * n)` (double arithmetic), counted from 1.
/// - `quantile(q)`: the middle of that value's bucket (``QuantileBuckets``): it depends on the values alone.
/// - `standardDeviation`: `sqrt(D / (n * (n - 1)))` where `D = n * sum(x^2) - sum(x)^2` is computed exactly and then
///   rounded to a double; NaN when a value is not finite.
/// - `approximateCountDistinct`: HyperLogLog with 2^14 registers, standard error 0.81 %, nearly exact for small counts.
/// - `histogram(b)`: over the finite values as doubles: `b` buckets of equal width from the least to the greatest, each
///   `[lower bound, count]`, empty ones included; a single bucket when all values are equal; null without finite values.
/// - `topK(k)`: `[value as toVariant gives it, exact count]`, by falling count, then by rising value (the sort order).
/// - `argMin`, `argMax` compare keys in sort order.
///
/// **Corrupt parts.** When a block can't be read because it is corrupt, its whole segment is left out of the query (all of
/// its subqueries included) and a warning names it: never a partial answer of a segment, never silence.
enum Semantics {
  /// Nesting of expressions that the executor accepts.
  static let maximumDepth = 400
}
