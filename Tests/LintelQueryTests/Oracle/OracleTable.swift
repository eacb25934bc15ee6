import LintelColumns
import LintelStorage

@testable import LintelQuery

/// A snapshot read into plain rows: every column of every block, value by value.
struct OracleTable {
  typealias Row = [ColumnReference: Value]

  let rows: [Row]

  init(_ snapshot: TableSnapshot) throws {
    var rows: [Row] = []
    for segment in snapshot.segments {
      var references = snapshot.schema.columns.indices.map { ColumnReference.column($0) }
      references += segment.attributeKeys.map { .attribute($0) }
      for block in 0..<segment.blockCount {
        let first = rows.count
        rows += Array(repeating: [:], count: segment.rowCount(ofBlock: block))
        for reference in references {
          let vector = try segment.read(reference, block: block)
          for row in 0..<vector.count { rows[first + row][reference] = Self.value(vector, row) }
        }
        // Rows that aren't there any more.
        if let kept = segment.mask?.bits(block) {
          for row in (0..<kept.count).reversed() where !kept[row] { rows.remove(at: first + row) }
        }
      }
    }
    self.rows = rows
  }

  static func value(_ vector: ColumnVector, _ row: Int) -> Value {
    guard vector.isValid(row) else { return .null }
    switch vector.storage {
    case .int64(let lanes): return .int64(lanes[row])
    case .float64(let lanes): return .float64(lanes[row])
    case .bool(let lanes): return .bool(lanes[row])
    case .bytes(let lanes): return .bytes(Array(lanes[row]))
    case .id128(let lanes): return .id128(lanes[row])
    case .codes(let lanes, let dictionary):
      switch dictionary.values {
      case .bytes(let values): return .bytes(Array(values[Int(lanes[row])]))
      case .id128(let values): return .id128(values[Int(lanes[row])])
      }
    }
  }
}
