/// Scalar functions after binding; operand types have been made equal where a function needs it.
///
/// NULL in, NULL out, except `and`/`or` (three-valued logic), `isNull`, `coalesce` and `unflatten`.
public enum ScalarFunction: String, Sendable, Hashable, CaseIterable {
  // MARK: Comparison

  /// Two operands of one physical type; bool.
  ///
  /// Integers compare signed, `id8` unsigned (by its bytes), text, bytes and ids by bytes, false before true. Doubles
  /// compare as IEEE 754 says: NaN equals nothing, -0 equals 0. Two `variant` operands: integers with integers exactly,
  /// other numbers as doubles, text with text, bytes with bytes, booleans with booleans; arrays, maps and the empty
  /// value only `equal` and `notEqual`, by their encoding, with their like. Any other pair is NULL.
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  /// Two or more boolean operands (long chains are kept flat). Every operand may be evaluated for every row.
  case and, or
  case not
  /// One operand of any type; never NULL.
  case isNull
  /// One or more operands of one type: the first that is not null.
  case coalesce

  // MARK: Arithmetic

  /// Two operands, both `.int64` lanes or both doubles, as the result is. A result past 64 bits is
  /// ``QueryError/Code-swift.enum/overflow``.
  case add, subtract, multiply
  /// Two doubles; x / 0 is NULL.
  case divide
  /// Integers: the sign of the dividend. Doubles: as C's `fmod`. x % 0 is NULL.
  case modulo
  case negate

  // MARK: Text

  /// Text, pattern (constant); bool. `%` stands for any run of characters, `_` for one (a Unicode scalar); `\` before a
  /// character takes it as it is. `ilike` compares both sides lower-cased.
  case like, ilike
  /// Text, regular expression (constant); bool: whether it matches anywhere. The dialect is in docs/spanql.md.
  case matches
  /// One or more texts, end to end.
  case concat
  /// Every scalar by its full Unicode case mapping, without context.
  case lower, upper
  /// Number of Unicode scalars of a text, of bytes of a byte string; int64.
  case length
  /// Text, start, [count]: the scalars at positions start ..< start + count, the first being 1; positions outside the
  /// text are skipped. A negative count gives the empty text.
  case substring
  /// Text, text; bool. By bytes.
  case startsWith, endsWith, contains

  // MARK: Numbers

  /// Integers or doubles; the operand's type. `abs` of the least integer is an overflow.
  case abs
  /// Doubles (the binder drops them on integers). `round` takes halves away from zero.
  case floor, ceil, round
  /// Number, digits behind the point (constant, negative for places before it; int64 numbers take only those): halves away
  /// from zero. A double that has no such places, or for which they are past its range, is itself.
  case roundTo
  /// Doubles, as the C library's functions give them (NaN and infinities included). `power` has two operands.
  case sqrt, ln, log2, log10, exp, power
  /// Two or more operands of one type: by the sort order (``QueryPlan/Ordering``). NULL when one is NULL.
  case least, greatest
  /// Width in ns (constant, above 0), time. Start of the bucket that holds the time, aligned to the epoch, rounding
  /// down before it too. A start past 64 bits is an overflow.
  case timeBucket

  // MARK: Conversion

  /// By name of the target; what can't be converted gives NULL.
  ///
  /// - `toInt64`: doubles toward zero (NaN and what doesn't fit: NULL), booleans 0 and 1, text `[+-]digits`; times,
  ///   durations, money and enumerations: their number.
  /// - `toFloat64`: numbers as above, booleans 0 and 1, text as Swift's `Double(_: String)`.
  /// - `toBool`: numbers are true unless 0 (NaN is true), text `true` and `false`.
  /// - `toTimestamp`: numbers as `toInt64`, text as ``TextFormats/timestamp(_:)``.
  /// - `toDuration`: numbers as `toInt64` (ns), text as ``TextFormats/duration(_:)``.
  /// - `toMoney`: numbers as `toInt64` (nano-USD), text as ``TextFormats/money(_:)``.
  /// - `toText`: as ``TextFormats/text(_:_:)``; bytes that aren't UTF-8: NULL.
  ///
  /// A `variant` or `map` operand converts as the value in it: arrays and maps only to text (JSON), bytes only to the text that
  /// they are (base64 where they aren't UTF-8), the empty value to NULL.
  case toInt64, toFloat64, toText, toBool, toTimestamp, toDuration, toMoney
  /// Any operand, as `variant`: integers, times, durations, money and `uint32` as int; enumerations and ids as their
  /// text; text as string; bytes as bytes.
  case toVariant

  // MARK: Attributes

  /// Operand: `map` or `variant`, key (constant). A text key: the value under it in a map, the last of repeats. An
  /// int64 key: the element of an array at this position, from 0. As `variant`; NULL where there is none.
  case element
  /// Operand: `variant`. Its value where it is text (boolean), else NULL. Unlike `toText`, nothing is converted.
  case variantText, variantBool
  /// Operand: `variant`. Its value where it is an int or a double, as double, else NULL.
  case variantNumber
  /// Operands: text. As `variant`: the array of these strings.
  case textArray
  /// Operand: bytes, 16 of each digest. As `variant`: the array of the digests, as text of 32 hexadecimal digits each.
  case digestArray
  /// Prefix (constant), then of each attribute its name behind the prefix (constant) and its value, `variant`. As `variant`:
  /// a tree in which dots lead from level to level, an array where all that a level has are numbers, else a map. Values that
  /// are NULL are left out; NULL where all are.
  case unflatten
  /// Origins column, entry (constant). Whether one of the row's `;`-separated entries is this one.
  case hasOrigin
}
