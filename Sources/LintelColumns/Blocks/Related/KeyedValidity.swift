/// Which rows of a block are null, where that follows from the key of the row: token counts that only calls of a model
/// have cost no bit a row.
///
///     keyed validity := reference, states, bits
///     states         := (2 * keys + 7) / 8 bytes, two bits a key: 0 its rows are null | 1 they have a value | 2 some have
///     bits           := (m + 7) / 8 bytes, a bit for each of the m rows whose key is in state 2, set where it has a value
enum KeyedValidity {
  private static let mixed: UInt8 = 2

  /// How many rows of each key have a value, and what that tells.
  private static func states(_ validity: Bitmap, _ keys: RowKeys) -> (states: [UInt8], mixedRows: Int) {
    var totals = [UInt32](repeating: 0, count: keys.count)
    var valid = [UInt32](repeating: 0, count: keys.count)
    keys.keys.withUnsafeBufferPointer { keys in
      for row in 0..<keys.count {
        let key = Int(keys[row])
        totals[key] &+= 1
        valid[key] &+= UInt32(truncatingIfNeeded: validity.words[row &>> 6] &>> UInt64(row & 63) & 1)
      }
    }
    var mixedRows = 0
    let states = (0..<keys.count).map { key -> UInt8 in
      if valid[key] == 0 { return 0 }
      if valid[key] == totals[key] { return 1 }
      mixedRows += Int(totals[key])
      return mixed
    }
    return (states, mixedRows)
  }

  /// Appends the section if it takes fewer than `limit` bytes.
  static func encode(
    _ validity: Bitmap, keys: RowKeys, reference: BlockReference, limit: Int, into out: inout [UInt8]
  ) -> Bool {
    let (states, mixedRows) = states(validity, keys)
    guard 8 + (2 * states.count + 7) / 8 + (mixedRows + 7) / 8 < limit else { return false }
    reference.write(into: &out)
    out.append(count: (2 * states.count + 7) / 8) { target in
      for (key, state) in states.enumerated() { target[key &>> 2] |= state &<< UInt8(2 &* (key & 3)) }
    }
    out.append(count: (mixedRows + 7) / 8) { target in
      var bit = 0
      for (row, key) in keys.keys.enumerated() where states[Int(key)] == mixed {
        if validity[row] { target[bit &>> 3] |= 1 &<< UInt8(bit & 7) }
        bit &+= 1
      }
    }
    return true
  }

  static func decode(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, rowCount: Int
  ) throws(ColumnError) -> Bitmap? {
    let keys = try related.keys(try BlockReference(&reader))
    guard keys.keys.count == rowCount else { throw ColumnError(.malformed, "keys of \(keys.keys.count) rows") }
    let packed = try reader.take((2 * keys.count + 7) / 8)
    let states = (0..<keys.count).map { packed[$0 &>> 2] &>> UInt8(2 &* ($0 & 3)) & 3 }
    guard states.allSatisfy({ $0 <= mixed }) else { throw ColumnError(.malformed, "a key in no known state") }
    var words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
    words.withUnsafeMutableBufferPointer { words in
      keys.keys.withUnsafeBufferPointer { keys in
        states.withUnsafeBufferPointer { states in
          for index in 0..<words.count {
            var word: UInt64 = 0
            let start = index &* 64
            for lane in 0..<min(64, rowCount &- start) {
              word |= UInt64(states[Int(keys[start &+ lane])] & 1) &<< UInt64(lane)
            }
            words[index] = word
          }
        }
      }
    }
    if states.contains(mixed) { try decodeMixed(&reader, keys, states, &words) }
    return Bitmap(words: words, count: rowCount)
  }

  /// Sets the bits of the rows that are told one by one.
  private static func decodeMixed(
    _ reader: inout ByteReader, _ keys: RowKeys, _ states: [UInt8], _ words: inout [UInt64]
  ) throws(ColumnError) {
    var mixedRows = 0
    for key in keys.keys { mixedRows &+= Int(states[Int(key)] &>> 1) }
    let bits = try reader.take((mixedRows + 7) / 8)
    words.withUnsafeMutableBufferPointer { words in
      keys.keys.withUnsafeBufferPointer { keys in
        states.withUnsafeBufferPointer { states in
          var bit = 0
          for row in 0..<keys.count where states[Int(keys[row])] == mixed {
            words[row &>> 6] |= UInt64(bits[bit &>> 3] &>> UInt8(bit & 7) & 1) &<< UInt64(row & 63)
            bit &+= 1
          }
        }
      }
    }
  }
}
