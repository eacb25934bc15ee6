internal import LintelColumns

/// Collects the rare attributes of a run of rows, in any order, and folds them into one byte string a row.
struct TailBuilder {
  private struct Entry {
    /// Row, then key.
    var place: UInt64
    var start: Int
    var length: Int
  }

  private var entries: [Entry] = []
  private var bytes: [UInt8] = []

  var isEmpty: Bool { entries.isEmpty }

  mutating func add(row: Int, key: Int, value vector: ColumnVector, at index: Int, kind: AttributeKind) {
    let start = bytes.count
    AttributeTail.append(key: key, value: vector, at: index, kind: kind, to: &bytes)
    push(row, key, start)
  }

  /// Adds an entry whose payload has been encoded before.
  mutating func add(row: Int, key: Int, payload: ArraySlice<UInt8>) {
    let start = bytes.count
    var writer = PartBytesWriter()
    writer.count(key)
    bytes.append(contentsOf: writer.bytes)
    bytes.append(contentsOf: payload)
    push(row, key, start)
  }

  private mutating func push(_ row: Int, _ key: Int, _ start: Int) {
    let place = UInt64(UInt32(truncatingIfNeeded: row)) << 32 | UInt64(UInt32(truncatingIfNeeded: key))
    entries.append(Entry(place: place, start: start, length: bytes.count - start))
  }

  /// The folded column of `rowCount` rows; the builder is empty afterwards.
  mutating func finish(rowCount: Int) -> ColumnVector {
    guard !entries.isEmpty else { return .nulls(.bytes, count: rowCount) }
    entries.sort { $0.place < $1.place }
    var strings = ByteStrings()
    strings.reserveCapacity(rowCount, bytes: bytes.count)
    var validity = Bitmap(count: rowCount)
    var next = 0
    for row in 0..<rowCount {
      let first = next
      while next < entries.count, entries[next].place >> 32 == UInt64(row) {
        let entry = entries[next]
        strings.bytes.append(contentsOf: bytes[entry.start..<(entry.start + entry.length)])
        next += 1
      }
      if next > first { validity[row] = true }
      strings.offsets.append(UInt32(truncatingIfNeeded: strings.bytes.count))
    }
    entries.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
    return ColumnVector(.bytes(strings), validity: validity)
  }
}
