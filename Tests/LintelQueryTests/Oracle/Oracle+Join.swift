import LintelColumns

@testable import LintelQuery

/// Joins as nested loops over all rows.
extension Oracle {
  func pairs(_ join: TraceJoin) throws -> [Place] {
    let keys = join.keys
    func value(_ row: OracleTable.Row, _ column: Int) -> Value { row[.column(column)] ?? .null }
    func isSame(_ left: Value, _ right: Value) -> Bool { left != .null && left == right }
    let above = join.relation == .descendant || join.relation == .ancestor ? table.rows.map(idsAbove(keys)) : []
    var places: [Place] = []
    for (number, left) in table.rows.enumerated() {
      for (other, right) in table.rows.enumerated() where isSame(value(left, keys.trace), value(right, keys.trace)) {
        let (leftID, rightID) = (value(left, keys.row), value(right, keys.row))
        let (leftParent, rightParent) = (value(left, keys.parent), value(right, keys.parent))
        let holds =
          switch join.relation {
          case .child: isSame(leftID, rightParent)
          case .parent: isSame(leftParent, rightID)
          case .descendant: above[other].contains(leftID)
          case .ancestor: above[number].contains(rightID)
          case .sibling: isSame(leftParent, rightParent) && leftID != rightID
          }
        guard holds else { continue }
        var row: OracleTable.Row = [:]
        for (index, column) in join.columns.enumerated() {
          row[.column(index)] = try evaluate(column.source, Place(row: column.side == .left ? left : right))
        }
        places.append(Place(row: row))
      }
    }
    return places
  }

  /// Every id that a chain of parents comes by.
  private func idsAbove(_ keys: TraceJoin.Keys) -> (OracleTable.Row) -> Set<Value> {
    { row in
      let trace = row[.column(keys.trace)] ?? .null
      let family = trace == .null ? [] : table.rows.filter { $0[.column(keys.trace)] == trace }
      var above: Set<Value> = []
      var next = [row[.column(keys.parent)] ?? .null]
      while let id = next.popLast() {
        guard id != .null, above.insert(id).inserted else { continue }
        next += family.filter { $0[.column(keys.row)] == id }.map { $0[.column(keys.parent)] ?? .null }
      }
      return above
    }
  }
}
