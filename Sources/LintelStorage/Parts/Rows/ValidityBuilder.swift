internal import LintelColumns

/// Puts the validity of pieces of columns end to end; 64 rows at a time where it can.
struct ValidityBuilder {
  private var words: [UInt64] = []
  private(set) var count = 0
  private var hasNulls = false

  /// Appends `rows` times the same bit.
  mutating func append(_ bit: Bool, count rows: Int) {
    guard rows > 0 else { return }
    if !bit { hasNulls = true }
    var rest = rows
    while rest > 0 {
      let chunk = min(rest, 64 - (count & 63))
      push(bit ? ~0 : 0, chunk)
      rest -= chunk
    }
  }

  /// Appends the validity of `range` of a vector; without a bitmap every row is valid.
  mutating func append(_ validity: Bitmap?, _ range: Range<Int>) {
    guard let validity else { return append(true, count: range.count) }
    var row = range.lowerBound
    while row < range.upperBound {
      let offset = row & 63
      let chunk = min(64 - offset, range.upperBound - row)
      let bits = validity.words[row >> 6] >> UInt64(offset)
      let mask: UInt64 = chunk == 64 ? ~0 : (1 << UInt64(chunk)) &- 1
      if bits & mask != mask { hasNulls = true }
      append(bits & mask, chunk)
      row += chunk
    }
  }

  /// `chunk` bits, which may straddle a word's end.
  private mutating func append(_ bits: UInt64, _ chunk: Int) {
    let room = 64 - (count & 63)
    push(bits, min(room, chunk))
    if chunk > room { push(bits >> UInt64(room), chunk - room) }
  }

  private mutating func push(_ bits: UInt64, _ chunk: Int) {
    let offset = count & 63
    if offset == 0 { words.append(0) }
    let mask: UInt64 = chunk == 64 ? ~0 : (1 << UInt64(chunk)) &- 1
    words[words.count - 1] |= (bits & mask) << UInt64(offset)
    count += chunk
  }

  /// `nil` when every row is valid.
  func finish() -> Bitmap? { hasNulls ? Bitmap(words: words, count: count) : nil }
}
