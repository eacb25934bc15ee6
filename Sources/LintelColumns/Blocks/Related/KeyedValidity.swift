/// Which rows of a block are null, where that follows from the key of the row: token counts that only calls of a model
/// have cost no bit a row.
///
///     keyed validity := reference, states, bits
///     states         := (2 * keys + 7) / 8 bytes, two bits a key: 0 its rows are null | 1 they have a value | 2 some have
///     bits           := (m + 7) / 8 bytes, a bit for each of the m rows whose key is in state 2, set where it has a value
enum KeyedValidity {
  private static let mixed: UInt8 = 2

  /// Tables that rows are told apart by in turn, so that the rows of a run don't wait for each other.
  private static let tables = 4

  /// What the rows of each key tell, and how many rows have a key whose rows differ.
  private static func states(_ validity: Bitmap, _ keys: RowKeys) -> (states: [UInt8], mixedRows: Int) {
    let count = keys.count
    // Bit 0: a row is null. Bit 1: a row has a value.
    var states = withScratch(of: UInt8.self, count: tables * count) { seen in
      seen.initialize(repeating: 0)
      keys.keys.withUnsafeBufferPointer { keys in
        validity.words.withUnsafeBufferPointer { words in
          for row in 0..<keys.count {
            let bit = UInt8(truncatingIfNeeded: words[row &>> 6] &>> UInt64(row & 63) & 1)
            seen[(row & (tables &- 1)) &* count &+ Int(keys[row])] |= 1 &<< bit
          }
        }
      }
      return (0..<count).map { key in
        seen[key] | seen[key &+ count] | seen[key &+ 2 &* count] | seen[key &+ 3 &* count]
      }
    }
    var isMixed = false
    for key in 0..<count {
      isMixed = isMixed || states[key] == 3
      // Only nulls: 0, only values: 1, both: 2.
      states[key] = states[key] &>> 1 &+ (states[key] & states[key] &>> 1)
    }
    guard isMixed else { return (states, 0) }
    var mixedRows = 0
    states.withUnsafeBufferPointer { states in
      for key in keys.keys { mixedRows &+= Int(states[Int(key)] &>> 1) }
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
    var mixedRows = 0
    if states.contains(mixed) {
      states.withUnsafeBufferPointer { states in
        for key in keys.keys { mixedRows &+= Int(states[Int(key)] &>> 1) }
      }
    }
    let bits = try reader.take((mixedRows + 7) / 8)
    return Bitmap(words: words(keys, states, bits, rowCount: rowCount), count: rowCount)
  }

  /// - Parameter bits: One for each row whose key is mixed.
  private static func words(
    _ keys: RowKeys, _ states: [UInt8], _ bits: UnsafeRawBufferPointer, rowCount: Int
  ) -> [UInt64] {
    // A byte more than there are: a bit is read for every row, and counts for those that are mixed.
    withScratch(of: UInt8.self, count: bits.count + 1) { padded in
      UnsafeMutableRawBufferPointer(padded).copyMemory(from: bits)
      padded[bits.count] = 0
      var words = [UInt64](repeating: 0, count: (rowCount + 63) / 64)
      words.withUnsafeMutableBufferPointer { words in
        keys.keys.withUnsafeBufferPointer { keys in
          states.withUnsafeBufferPointer { states in
            var bit = 0
            for index in 0..<words.count {
              var word: UInt64 = 0
              let start = index &* 64
              for lane in 0..<min(64, rowCount &- start) {
                let state = states[Int(keys[start &+ lane])]
                let isMixed = state &>> 1
                let told = padded[bit &>> 3] &>> UInt8(bit & 7) & isMixed
                word |= UInt64(state & 1 | told) &<< UInt64(lane)
                bit &+= Int(isMixed)
              }
              words[index] = word
            }
          }
        }
      }
      return words
    }
  }
}
