package import LintelColumns
package import LintelStorage

/// Rows as text, for comparing what went in with what comes out.
package enum RowText {
  package static func rows(_ batch: Batch) -> [String] { (try? rows(TableSnapshot(of: batch))) ?? [] }

  /// - Throws: also where a value can't be read, and is shown as null.
  package static func rows(_ snapshot: TableSnapshot) throws -> [String] {
    let rows = try snapshot.segments.flatMap { try rowsThrowing($0, snapshot.schema) }
    if let note = snapshot.damage.notes.first { throw StorageError(.corrupt, note) }
    return rows
  }

  package static func rowsThrowing(_ segment: any Segment, _ schema: TableSchema) throws -> [String] {
    var rows = Array(repeating: "", count: segment.rowCount)
    func add(_ label: String, _ column: ColumnReference) throws {
      for block in 0..<segment.blockCount {
        let vector = try segment.read(column, block: block)
        guard vector.count == segment.rowCount(ofBlock: block) else {
          throw StorageError(.corrupt, "block \(block) of \(label) has \(vector.count) rows", path: segment.name)
        }
        for row in 0..<vector.count where vector.isValid(row) {
          rows[block * segment.blockRows + row] += " \(label)=\(text(vector, row))"
        }
      }
    }
    for (index, column) in schema.columns.enumerated() { try add(column.name, .column(index)) }
    for key in segment.attributeKeys { try add("[\(key.name) \(key.kind)]", .attribute(key)) }
    guard let mask = segment.mask else { return rows }
    return rows.indices.filter { row in
      mask.bits(row / segment.blockRows)?[row % segment.blockRows] ?? true
    }.map { rows[$0] }
  }

  private static func text(_ vector: ColumnVector, _ row: Int) -> String {
    switch vector.physicalType {
    case .int64: vector.int64(at: row).map { "\($0)" } ?? "?"
    case .float64: vector.float64(at: row).map { "\($0.bitPattern)" } ?? "?"
    case .bool: vector.bool(at: row).map { "\($0)" } ?? "?"
    case .id128: vector.id128(at: row).map { String($0, radix: 16) } ?? "?"
    case .bytes: vector.bytes(at: row).map { String(decoding: $0, as: UTF8.self) + "/\($0.count)" } ?? "?"
    }
  }
}

/// The first difference of two multisets of rows; `nil` when there is none.
package func difference(_ found: [String], _ expected: [String]) -> String? {
  let (found, expected) = (found.sorted(), expected.sorted())
  for (left, right) in zip(found, expected) where left != right { return "found \(left) where \(right) was expected" }
  return found.count == expected.count ? nil : "\(found.count) rows where \(expected.count) were expected"
}
