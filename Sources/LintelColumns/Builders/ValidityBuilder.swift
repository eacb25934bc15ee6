/// Collects the validity of a column under construction. Costs nothing until the first null: rows that were not named
/// as null are valid.
@usableFromInline
struct ValidityBuilder: Sendable {
  /// Bits of the rows up to the last null.
  private var words: [UInt64] = []
  /// Rows that `words` covers.
  private var count = 0
  @usableFromInline private(set) var nullCount = 0

  @usableFromInline init() {}

  /// Notes that `nulls` rows from `row` on are null. Rows must be named in ascending order.
  @usableFromInline
  mutating func appendNulls(at row: Int, count nulls: Int) {
    guard nulls > 0 else { return }
    extend(to: row, valid: true)
    extend(to: row &+ nulls, valid: false)
    nullCount &+= nulls
  }

  /// The bitmap for `rowCount` rows, or `nil` without nulls. The builder is empty afterwards.
  @usableFromInline
  mutating func finish(rowCount: Int) -> Bitmap? {
    defer { self = ValidityBuilder() }
    guard nullCount > 0 else { return nil }
    extend(to: rowCount, valid: true)
    return Bitmap(words: words, count: rowCount)
  }

  private mutating func extend(to end: Int, valid: Bool) {
    guard end > count else { return }
    let wordCount = (end &+ 63) &>> 6
    let last = words.count &- 1
    if valid, last >= 0, count & 63 != 0 { words[last] |= ~0 &<< UInt64(count & 63) }
    while words.count < wordCount { words.append(valid ? ~0 : 0) }
    if valid, end & 63 != 0 { words[wordCount &- 1] &= (1 &<< UInt64(end & 63)) &- 1 }
    count = end
  }
}
