internal import LintelColumns

extension PartWriter {
  /// Writes a whole column that is at hand; codes are renumbered in the order of their first use.
  func writeColumn(
    _ role: PartColumnRole, typeName: String, physical: PhysicalType, _ vector: ColumnVector
  ) throws(StorageError) {
    let vector = vector.withCodesByFirstUse()
    beginColumn(role, typeName: typeName, physical: physical)
    var start = 0
    while start < rowCount {
      let end = min(start + blockRows, rowCount)
      try write(vector.slice(start..<end))
      start = end
    }
    try endColumn(dictionary: vector.sharedDictionary)
  }

  /// Writes a dynamic column whose rows are numbered in the part's order.
  func writeColumn(_ key: AttributeKey, _ column: SparseColumn) throws(StorageError) {
    let column = SparseColumn(rows: column.rows, values: column.values.withCodesByFirstUse())
    beginColumn(.attribute(key), typeName: "", physical: key.kind.physical)
    var cursor = 0
    var start = 0
    while start < rowCount {
      let count = min(blockRows, rowCount - start)
      if let block = column.block(start: start, count: count, cursor: &cursor) {
        try write(block)
      } else {
        skip(count)
      }
      start += count
    }
    try endColumn(dictionary: column.values.sharedDictionary)
  }
}

extension ColumnVector {
  var sharedDictionary: ValueDictionary? {
    if case .codes(_, let dictionary) = storage { return dictionary }
    return nil
  }
}

/// How many rows a block of a part has.
enum BlockSize {
  /// Plain bytes that a block of one column shouldn't exceed on average.
  static let targetBytes = 8 << 20
  static let minimumRows = 16

  /// `configured`, halved as often as the widest column demands.
  /// - Parameter widestBytes: Plain bytes of the column that has most.
  static func rows(configured: Int, rowCount: Int, widestBytes: Int) -> Int {
    var rows = 1
    while rows < configured, rows < PartFormat.maximumBlockRows { rows *= 2 }
    let average = Double(widestBytes) / Double(max(1, rowCount))
    while rows > minimumRows, Double(rows) * average > Double(targetBytes) { rows /= 2 }
    return rows
  }
}
