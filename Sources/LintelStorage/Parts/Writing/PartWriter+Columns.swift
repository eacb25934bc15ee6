internal import LintelColumns

extension PartWriter {
  /// Writes a whole column that is at hand; codes are renumbered in the order of their first use.
  func writeColumn(
    _ role: PartColumnRole, typeName: String, physical: PhysicalType, _ vector: ColumnVector
  ) throws(StorageError) {
    let vector = vector.withCodesByFirstUse()
    var writer = column(role, typeName: typeName, physical: physical)
    var start = 0
    while start < rowCount {
      let end = min(start + blockRows, rowCount)
      writer.write(vector.slice(start..<end))
      try takeMuch(&writer)
      start = end
    }
    writer.finish(dictionary: vector.sharedDictionary)
    try add(&writer)
  }

  /// Writes a dynamic column whose rows are numbered in the part's order.
  func writeColumn(_ key: AttributeKey, _ column: SparseColumn) throws(StorageError) {
    let column = SparseColumn(rows: column.rows, values: column.values.withCodesByFirstUse())
    var writer = self.column(.attribute(key), typeName: "", physical: key.kind.physical)
    var cursor = 0
    var start = 0
    while start < rowCount {
      let count = min(blockRows, rowCount - start)
      if let block = column.block(start: start, count: count, cursor: &cursor) {
        writer.write(block)
        try takeMuch(&writer)
      } else {
        writer.skip(count)
      }
      start += count
    }
    writer.finish(dictionary: column.values.sharedDictionary)
    try add(&writer)
  }

  /// Keeps what waits in memory small.
  private func takeMuch(_ writer: inout ColumnWriter) throws(StorageError) {
    if writer.buffer.count > Self.bufferBytes { try take(&writer) }
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
