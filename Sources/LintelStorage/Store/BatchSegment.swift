internal import LintelColumns

/// Rows in memory, as queries read them: a batch, or several put together.
final class BatchSegment: MemoizingSegment {
  let name: String
  let batch: Batch
  let blockRows: Int
  let byteCount: Int
  /// Bounds of the time column.
  let minTime: Int64
  let maxTime: Int64
  let maskMemo = MaskMemo()
  private let places: [AttributeKey: Int]

  /// - Parameters:
  ///   - blockRows: Rows a block at most; a power of two.
  ///   - byteCount: The batch's, where it is known.
  init(_ batch: Batch, name: String, blockRows: Int, byteCount: Int? = nil) {
    self.batch = batch
    self.name = name
    self.blockRows = blockRows
    self.byteCount = byteCount ?? batch.byteCount
    var places: [AttributeKey: Int] = [:]
    places.reserveCapacity(batch.attributes.count)
    for (index, attribute) in batch.attributes.enumerated() { places[attribute.key] = index }
    self.places = places
    (minTime, maxTime) = batch.timeRange
  }

  var rowCount: Int { batch.rowCount }

  var attributeKeys: [AttributeKey] { batch.attributes.map(\.key) }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int { 0 }

  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? {
    guard column == .column(batch.schema.timeColumn), batch.rowCount > 0 else { return nil }
    return BlockStatistics(
      rowCount: rowCount(ofBlock: block), nullCount: 0, bounds: .int64(min: minTime, max: maxTime))
  }

  func filters(_ column: ColumnReference) -> BlockFilters? { nil }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? {
    let vector: ColumnVector?
    switch column {
    case .column(let index): vector = index >= 0 && index < batch.columns.count ? batch.columns[index] : nil
    case .attribute(let key): vector = places[key].map { batch.attributes[$0].values }
    }
    if case .codes(_, let dictionary) = vector?.storage { return dictionary }
    return nil
  }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    guard block >= 0, block < blockCount else { throw StorageError(.invalid, "the rows have no block \(block)") }
    let start = block * blockRows
    let count = rowCount(ofBlock: block)
    switch column {
    case .column(let index):
      guard index >= 0, index < batch.columns.count else { return .nulls(.bytes, count: count) }
      let vector = batch.columns[index]
      return count == batch.rowCount ? vector : vector.slice(start..<(start + count))
    case .attribute(let key):
      guard let place = places[key] else { return .nulls(key.kind.physical, count: count) }
      let column = SparseColumn(rows: batch.attributes[place].rows, values: batch.attributes[place].values)
      return column.block(start: start, count: count) ?? .nulls(key.kind.physical, count: count)
    }
  }
}

extension Batch {
  /// Values of the time column; null rows count as 0.
  var times: [Int64] {
    guard case .int64(let lanes) = columns[schema.timeColumn].storage else {
      return Array(repeating: 0, count: rowCount)
    }
    return lanes
  }

  /// Bounds of the time column; zeros when there is no row.
  var timeRange: (Int64, Int64) {
    let times = times
    guard var low = times.first else { return (0, 0) }
    var high = low
    for time in times {
      low = min(low, time)
      high = max(high, time)
    }
    return (low, high)
  }
}
