internal import LintelColumns

/// Puts batches of one table end to end.
enum BatchJoin {
  static func join(_ batches: [Batch]) -> Batch? {
    guard let first = batches.first else { return nil }
    guard batches.count > 1 else { return first }
    let schema = first.schema
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    let columns = schema.columns.indices.map { index in
      ColumnJoin.join(batches.map { $0.columns[index] }, type: schema.columns[index].type.physical)
    }
    let attributes = attributes(of: batches).map { key, pieces in
      let joined = join(pieces, type: key.kind.physical)
      return AttributeColumn(key: key, rows: joined.rows, values: joined.values)
    }
    return Batch(schema: schema, rowCount: rowCount, columns: columns, attributes: attributes)
  }

  /// A dynamic column of one batch, and how many rows come before the batch.
  struct Piece {
    var column: AttributeColumn
    var firstRow: Int
  }

  /// The dynamic columns of all batches, sorted by key.
  static func attributes(of batches: [Batch]) -> [(key: AttributeKey, pieces: [Piece])] {
    var pieces: [AttributeKey: [Piece]] = [:]
    var firstRow = 0
    for batch in batches {
      for column in batch.attributes {
        pieces[column.key, default: []].append(Piece(column: column, firstRow: firstRow))
      }
      firstRow += batch.rowCount
    }
    return pieces.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  static func join(_ pieces: [Piece], type: PhysicalType) -> SparseColumn {
    var rows: [UInt32] = []
    rows.reserveCapacity(pieces.reduce(0) { $0 + $1.column.rows.count })
    for piece in pieces {
      let shift = UInt32(truncatingIfNeeded: piece.firstRow)
      for row in piece.column.rows { rows.append(row &+ shift) }
    }
    return SparseColumn(rows: rows, values: ColumnJoin.join(pieces.map(\.column.values), type: type))
  }
}
