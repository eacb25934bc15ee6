extension Batch {
  /// The given rows, in the given order, as a batch of their own. Every row must lie below `rowCount`.
  public func select(rows: [UInt32]) -> Batch {
    let columns = columns.map { $0.gather(rows) }
    let attributes = attributes.isEmpty ? [] : selectAttributes(rows)
    return Batch(schema: schema, rowCount: rows.count, columns: columns, attributes: attributes)
  }

  /// Bytes of memory; a dictionary that several columns share counts for each of them.
  public var byteCount: Int {
    let fixed = columns.reduce(0) { $0 + $1.byteCount }
    return attributes.reduce(fixed) { $0 + $1.rows.count * 4 + $1.values.byteCount + $1.key.name.utf8.count + 64 }
  }

  private func selectAttributes(_ rows: [UInt32]) -> [AttributeColumn] {
    var isAscending = true
    for index in rows.indices.dropFirst() where rows[index - 1] >= rows[index] { isAscending = false }
    return isAscending ? selectAscending(rows) : selectAny(rows)
  }

  /// Every row is wanted at most once and in order: one look-up table serves all columns.
  private func selectAscending(_ rows: [UInt32]) -> [AttributeColumn] {
    var target = [UInt32](repeating: .max, count: rowCount)
    for (index, row) in rows.enumerated() { target[Int(row)] = UInt32(truncatingIfNeeded: index) }
    return attributes.compactMap { column in
      var lanes: [UInt32] = []
      var newRows: [UInt32] = []
      for (lane, row) in column.rows.enumerated() where target[Int(row)] != .max {
        lanes.append(UInt32(truncatingIfNeeded: lane))
        newRows.append(target[Int(row)])
      }
      if lanes.isEmpty { return nil }
      return AttributeColumn(key: column.key, rows: newRows, values: column.values.gather(lanes))
    }
  }

  private func selectAny(_ rows: [UInt32]) -> [AttributeColumn] {
    attributes.compactMap { column in
      var laneOfRow = [UInt32](repeating: .max, count: rowCount)
      for (lane, row) in column.rows.enumerated() { laneOfRow[Int(row)] = UInt32(truncatingIfNeeded: lane) }
      var lanes: [UInt32] = []
      var newRows: [UInt32] = []
      for (index, row) in rows.enumerated() where laneOfRow[Int(row)] != .max {
        lanes.append(laneOfRow[Int(row)])
        newRows.append(UInt32(truncatingIfNeeded: index))
      }
      if lanes.isEmpty { return nil }
      return AttributeColumn(key: column.key, rows: newRows, values: column.values.gather(lanes))
    }
  }
}

extension AttributeColumn {
  /// The column with a lane for each of `rowCount` rows, null where the row lacks the attribute.
  public func dense(rowCount: Int) -> ColumnVector {
    if rows.count == rowCount { return values }
    var lanes = [UInt32](repeating: 0, count: rowCount)
    var validity = Bitmap(count: rowCount)
    for (lane, row) in rows.enumerated() where Int(row) < rowCount {
      lanes[Int(row)] = UInt32(truncatingIfNeeded: lane)
      validity[Int(row)] = true
    }
    guard values.count > 0 else { return .nulls(key.kind.physical, count: rowCount) }
    var vector = values.gathering(lanes, validity)
    vector.validity = validity
    return vector
  }
}

extension ColumnVector {
  /// `gather` that leaves zero lanes where `validity` is clear, so that row 0's string isn't repeated for every null.
  fileprivate func gathering(_ lanes: [UInt32], _ validity: Bitmap) -> ColumnVector {
    guard case .bytes(let strings) = storage else { return gather(lanes) }
    return ColumnVector(.bytes(.expanding(lanes, strings, validity, byteCount: strings.bytes.count)))
  }
}
