import LintelColumns
import LintelStorage

/// The pairs of a join as rows of a segment: what is above the join reads them like a part.
struct PairSegment: Segment {
  static let rowsPerBlock = 8192

  let rowCount: Int
  /// By number.
  let columns: [ColumnVector]

  var name: String { "(pairs)" }
  var blockRows: Int { Self.rowsPerBlock }
  var attributeKeys: [AttributeKey] { [] }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int { 0 }

  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? { nil }

  func filters(_ column: ColumnReference) -> BlockFilters? { nil }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? {
    guard case .column(let index) = column, index < columns.count else { return nil }
    if case .codes(_, let dictionary) = columns[index].storage { return dictionary }
    return nil
  }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    guard case .column(let index) = column, index < columns.count else {
      throw StorageError(.invalid, "the pairs have no column \(column)")
    }
    let start = block * blockRows
    let count = rowCount(ofBlock: block)
    return count == rowCount ? columns[index] : columns[index].slice(start..<(start + count))
  }
}
