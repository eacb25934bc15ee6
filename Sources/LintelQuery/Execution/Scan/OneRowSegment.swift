import LintelColumns
import LintelStorage

/// What SELECT without FROM scans: one row, no columns.
struct OneRowSegment: Segment {
  var name: String { "(one row)" }
  var rowCount: Int { 1 }
  var blockRows: Int { 1 }
  var attributeKeys: [AttributeKey] { [] }
  func storedBytes(_ column: ColumnReference, block: Int) -> Int { 0 }
  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? { nil }
  func filters(_ column: ColumnReference) -> BlockFilters? { nil }
  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? { nil }
  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector { .nulls(.int64, count: 1) }
}
