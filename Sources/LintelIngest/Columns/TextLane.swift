internal import LintelColumns

/// Byte strings of a column, dictionary-coded for as long as that pays.
///
/// After ``TextLane/trial`` rows a column in which more than half of the values are new is stored plainly: no more
/// hashing. The values of such a lane come from the request one by one, so that its size is bounded by the request's.
struct TextLane {
  static let trial = 256

  private var table = ByteTable()
  private var codes: [UInt32] = []
  /// Set once the dictionary was given up.
  private var plain: ByteStrings?

  var count: Int { plain?.count ?? codes.count }

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if plain != nil {
      plain?.append(bytes)
      return
    }
    codes.append(table.code(for: bytes))
    if codes.count & (Self.trial - 1) == 0, table.count * 2 > codes.count { giveUpDictionary() }
  }

  /// Appends a value that the caller assembled.
  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  private mutating func giveUpDictionary() {
    var strings = ByteStrings()
    for code in codes { strings.append(table.values[Int(code)]) }
    plain = strings
    table = ByteTable()
    codes = []
  }

  /// The values, one a row.
  consuming func finish() -> ColumnVector {
    if let plain { return ColumnVector(.bytes(plain)) }
    return ColumnVector(.codes(codes, ValueDictionary(.bytes(table.values))))
  }

  /// The values as a column of `rowCount` rows, of which only `rows` (ascending) have one.
  consuming func finish(rows: [UInt32], rowCount: Int) -> ColumnVector {
    if rows.count == rowCount { return finish() }
    if rows.isEmpty { return ColumnVector.nulls(.bytes, count: rowCount) }
    let validity = validityBitmap(rows, rowCount: rowCount)
    if let plain {
      var strings = ByteStrings()
      strings.bytes = plain.bytes
      strings.offsets = [UInt32](repeating: 0, count: rowCount + 1)
      var next = 0
      for row in 0..<rowCount {
        if next < rows.count, Int(rows[next]) == row { next += 1 }
        strings.offsets[row + 1] = plain.offsets[next]
      }
      return ColumnVector(.bytes(strings), validity: validity)
    }
    var dense = [UInt32](repeating: 0, count: rowCount)
    for (row, code) in zip(rows, codes) { dense[Int(row)] = code }
    return ColumnVector(.codes(dense, ValueDictionary(.bytes(table.values))), validity: validity)
  }
}

/// A bitmap with the bits of `rows` set.
func validityBitmap(_ rows: [UInt32], rowCount: Int) -> Bitmap {
  var bits = Bitmap(repeating: false, count: rowCount)
  for row in rows { bits[Int(row)] = true }
  return bits
}
