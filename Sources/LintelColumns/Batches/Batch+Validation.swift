extension Batch {
  /// Most rows of a batch.
  public static let maximumRows = 1 << 24

  /// Checks everything that the storage layer relies on: as many vectors as columns, of their types and of `rowCount`
  /// lanes, codes within their dictionaries, no null where none may be, attributes sorted and in range.
  ///
  /// Throws `.malformed` with the column's name, or `.limitExceeded`.
  public func validate() throws(ColumnError) {
    guard rowCount >= 0, rowCount <= Batch.maximumRows else {
      throw ColumnError(.limitExceeded, "a batch of \(rowCount) rows; the most is \(Batch.maximumRows)")
    }
    guard columns.count == schema.columns.count else {
      throw ColumnError(.malformed, "\(schema.name) has \(schema.columns.count) columns, the batch \(columns.count)")
    }
    for (definition, vector) in zip(schema.columns, columns) { try check(vector, of: definition) }
    guard schema.hasAttributes || attributes.isEmpty else {
      throw ColumnError(.malformed, "\(schema.name) takes no attributes")
    }
    var previous: AttributeKey?
    for column in attributes {
      if let previous, previous >= column.key {
        throw ColumnError(.malformed, "attribute \(column.key.name) is repeated or out of order")
      }
      previous = column.key
      try check(column)
    }
  }

  private func check(_ vector: ColumnVector, of definition: ColumnDefinition) throws(ColumnError) {
    try vector.check(named: definition.name, type: definition.type.physical, count: rowCount)
    if !definition.isNullable, vector.nullCount > 0 {
      throw ColumnError(.malformed, "column \(definition.name) has nulls and may not")
    }
    if definition.type == .uint32, case .int64(let lanes) = vector.storage {
      let bounds = lanes.withUnsafeBufferPointer { Kernels.bounds($0) }
      guard bounds.minimum >= 0, bounds.maximum <= Int64(UInt32.max) else {
        throw ColumnError(.malformed, "column \(definition.name) has numbers outside 0 ..< 2^32")
      }
    }
  }

  private func check(_ column: AttributeColumn) throws(ColumnError) {
    let name = column.key.name
    try column.values.check(named: name, type: column.key.kind.physical, count: column.rows.count)
    if column.values.nullCount > 0 { throw ColumnError(.malformed, "attribute \(name) has nulls") }
    var next: UInt32 = 0
    var isAscending = true
    for row in column.rows {
      isAscending = isAscending && row >= next && Int(row) < rowCount
      next = row &+ 1
    }
    if !isAscending {
      throw ColumnError(.malformed, "the rows of attribute \(name) are not ascending below \(rowCount)")
    }
  }
}

extension ColumnVector {
  /// Whether lanes, validity and codes hang together.
  func check(named name: String, type: PhysicalType, count: Int) throws(ColumnError) {
    guard physicalType == type else {
      throw ColumnError(.malformed, "column \(name) takes \(type), not \(physicalType)")
    }
    guard self.count == count, validity?.count ?? count == count else {
      throw ColumnError(.malformed, "column \(name) has \(self.count) lanes for \(count) rows")
    }
    if case .codes(let codes, let dictionary) = storage, !areInRange(codes, dictionary.count) {
      throw ColumnError(.malformed, "column \(name) has codes beyond its dictionary")
    }
    if case .bytes(let strings) = storage, Int(strings.offsets.last ?? 0) != strings.bytes.count {
      throw ColumnError(.malformed, "column \(name) has offsets that don't fit its bytes")
    }
  }

  private func areInRange(_ codes: [UInt32], _ count: Int) -> Bool {
    if codes.isEmpty || Int(Kernels.maximum(codes)) < count { return true }
    guard let validity else { return false }
    return codes.indices.allSatisfy { Int(codes[$0]) < count || !validity[$0] }
  }
}
