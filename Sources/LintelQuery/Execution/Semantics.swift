/// What the executor answers where SQL leaves room. The reference for `docs/spanql.md` and for the oracle in the tests.
///
/// **Order of rows.** Scan order is (segment of the snapshot, row). Rows without ORDER BY come in scan order; ties under
/// ORDER BY too. Groups (and DISTINCT rows) without ORDER BY come in ascending order of their keys, left to right, nulls
/// last; ties under ORDER BY too. So an answer depends on neither threads nor pruning nor how rows lie in parts.
///
/// **Order of values** (ORDER BY, min, max, argMin, argMax, quantile, ties of topK): integers by value; `id8`, `id16`,
/// text and bytes by unsigned bytes; false before true; doubles by value, -0.0 equal to 0.0, NaN after every number *in both
/// directions*; variants by kind (empty, booleans, numbers, text, bytes, arrays, maps), numbers exactly by value whether
/// int or double, arrays and maps by encoded bytes.
///
/// **Sameness of values** (GROUP BY, DISTINCT, count(DISTINCT), topK, IN (SELECT)): doubles: -0.0 is 0.0 (shown 0.0), all NaNs
/// are one (GROUP BY, DISTINCT, count) and no member of any IN list; variants: same encoded bytes.
///
/// **Comparison functions.** IEEE 754 for doubles. Variants: numbers with numbers (exact), text with text, booleans with
/// booleans, bytes with bytes; `equal` and `notEqual` also arrays, maps and empty with their own kind, by encoded bytes;
/// every other pair gives null. `x IN ()` over an empty set is false, for null `x` too; otherwise null `x` gives null, and
/// a set that held a null gives null where it would give false.
///
/// **Errors.** Integer overflow is an error on rows where the expression is evaluated: filter conjuncts that can overflow are
/// evaluated last, in their order, each on the rows that passed all others before it; both sides of `or` (and of `and`
/// below the top) are evaluated; a CASE result only where its branch is taken; `coalesce` operands only where all before
/// are null; aggregate operands only where the FILTER holds; outputs only for the rows of the result.
///
/// **Aggregates** skip null operands. Of no values: count, countDistinct and approximateCountDistinct give 0, all others
/// null (histogram and topK too).
/// - `sum` of integers: exact, error when the total needs more than 64 bits. Of doubles: the exact sum, rounded once (so
///   order cannot matter); NaN when a NaN or both infinities are summed.
/// - `average`: of integers the exact sum as a double, divided by the count; of doubles the sum divided by the count.
/// - `min`, `max`: NaN only if there is nothing else; -0.0 is below 0.0.
/// - `any`: the first value in scan order. `argMin`, `argMax`: first row in scan order among equal keys; rows with null key
///   are skipped, rows with NaN key lose to all others; the value may be null.
/// - `quantile(q)`: nearest rank: of n values sorted, NaN last, -0.0 before 0.0, the one at `ceil(q * n)`, counted from 1,
///   at least 1 (`q * n` in double arithmetic).
/// - `standardDeviation` of the sample: `sqrt(D / (n * (n - 1)))`, `D = n * sum(x^2) - sum(x)^2` computed exactly and rounded
///   once; null when n < 2; NaN when a value is not finite.
/// - `approximateCountDistinct`: HyperLogLog of 2^14 registers: standard error 0.81 %, nearly exact below 1,000.
/// - `histogram(b)`: over the finite values, as doubles: `b` buckets of equal width from the least to the greatest value,
///   `[lower bound, count]` each, empty ones included; a single bucket when all are equal.
/// - `topK(k)`: `[value as variant, exact count]`, by falling count, then by rising value.
///
/// **Functions.** `length` and `substring` count Unicode scalars (bytes for the type bytes), `substring` from 1, as in SQL.
/// `lower`/`upper` follow Unicode; `ilike` is `like` of the lowered operands. LIKE: `%`, `_` (one scalar), backslash
/// escapes. `matches` finds the expression anywhere. `round` halves go away from zero. `least`/`greatest` of doubles prefer
/// numbers to NaN. `toVariant`: integers, times, durations and money as int; named enumeration numbers as their names; ids
/// as lower-case hex strings. `toText`: as `toVariant`, numbers in decimal (doubles shortest round-trip), variants of other
/// kinds as JSON, bytes that are not UTF-8 null. `toInt64` (and times, durations, money) of doubles truncates, null when
/// out of range; of text: a whole decimal integer. `toBool` of text: true, false in any case.
///
/// **Corrupt parts.** When a block can't be read because it is corrupt, its whole segment is left out of the query (all of
/// its subqueries included) and a warning names it: never a partial answer of a segment, never silence.
enum Semantics {
  /// Nesting of expressions that the executor accepts.
  static let maximumDepth = 400
  /// Bits of the HyperLogLog register number.
  static let hyperLogLogBits = 14
}
