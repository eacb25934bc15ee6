internal import LintelColumns

/// A dynamic column of a run of rows: values at ascending row numbers, spread over blocks on demand.
struct SparseColumn {
  /// Ascending; one per value.
  var rows: [UInt32]
  var values: ColumnVector

  /// The rows `start ..< start + count` as a dense vector; `nil` when none of them has a value.
  /// - Parameter cursor: Index of the first value at or after `start`; moved behind the block.
  func block(start: Int, count: Int, cursor: inout Int) -> ColumnVector? {
    let first = cursor
    let end = start + count
    while cursor < rows.count, Int(rows[cursor]) < end { cursor += 1 }
    guard cursor > first else { return nil }
    return dense(first..<cursor, start: start, count: count)
  }

  /// The same at any place, found by bisection.
  func block(start: Int, count: Int) -> ColumnVector? {
    var cursor = lowerBound(start)
    return block(start: start, count: count, cursor: &cursor)
  }

  private func lowerBound(_ row: Int) -> Int {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func dense(_ range: Range<Int>, start: Int, count: Int) -> ColumnVector {
    if range.count == count { return values.slice(range) }
    let rows = self.rows[range]
    var validity = Bitmap(count: count)
    for row in rows { validity[Int(row) - start] = true }
    let storage: ColumnVector.Storage
    switch values.storage {
    case .int64(let lanes): storage = .int64(spread(lanes[range], rows, start, count, 0))
    case .float64(let lanes): storage = .float64(spread(lanes[range], rows, start, count, 0))
    case .bool(let lanes): storage = .bool(spread(lanes[range], rows, start, count, false))
    case .id128(let lanes): storage = .id128(spread(lanes[range], rows, start, count, 0))
    case .codes(let lanes, let dictionary): storage = .codes(spread(lanes[range], rows, start, count, 0), dictionary)
    case .bytes(let strings): storage = .bytes(spread(strings, range, rows, start, count))
    }
    return ColumnVector(storage, validity: validity)
  }

  private func spread<Lane>(
    _ lanes: ArraySlice<Lane>, _ rows: ArraySlice<UInt32>, _ start: Int, _ count: Int, _ empty: Lane
  ) -> [Lane] {
    var result = Array(repeating: empty, count: count)
    for (row, lane) in zip(rows, lanes) { result[Int(row) - start] = lane }
    return result
  }

  private func spread(
    _ strings: ByteStrings, _ range: Range<Int>, _ rows: ArraySlice<UInt32>, _ start: Int, _ count: Int
  ) -> ByteStrings {
    var result = ByteStrings()
    let first = strings.offsets[range.lowerBound]
    result.bytes = Array(strings.bytes[Int(first)..<Int(strings.offsets[range.upperBound])])
    result.offsets.reserveCapacity(count + 1)
    var end: UInt32 = 0
    for (row, value) in zip(rows, range) {
      let missing = start + result.offsets.count - 1
      result.offsets.append(contentsOf: repeatElement(end, count: Int(row) - missing))
      end = strings.offsets[value + 1] &- first
      result.offsets.append(end)
    }
    result.offsets.append(contentsOf: repeatElement(end, count: count + 1 - result.offsets.count))
    return result
  }
}
