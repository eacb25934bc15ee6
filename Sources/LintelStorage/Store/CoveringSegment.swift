internal import LintelColumns

/// A segment that shows another one with other values in some columns.
///
/// What is known of a column whose values are others (zone maps, filters, dictionaries, packed blocks) isn't told: it is about
/// what is stored.
protocol CoveringSegment: Segment {
  var base: any Segment { get }

  /// Whether a column's values may be others than those that are stored under its name.
  func isChanged(_ column: ColumnReference) -> Bool
}

extension CoveringSegment {
  var name: String { base.name }
  var rowCount: Int { base.rowCount }
  var blockRows: Int { base.blockRows }
  var isPart: Bool { base.isPart }
  var mask: RowMask? { base.mask }
  var contentName: String { base.contentName }
  var attributeKeys: [AttributeKey] { base.attributeKeys }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int { base.storedBytes(column, block: block) }

  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? {
    isChanged(column) ? nil : base.statistics(column, block: block)
  }

  func blocks(_ blocks: [Int], of column: ColumnReference, _ admits: (BlockStatistics) -> Bool) -> [Int] {
    isChanged(column) ? blocks : base.blocks(blocks, of: column, admits)
  }

  func filters(_ column: ColumnReference) -> BlockFilters? { isChanged(column) ? nil : base.filters(column) }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? {
    isChanged(column) ? nil : try base.dictionary(column)
  }

  func packed(_ column: ColumnReference, block: Int) -> PackedVector? {
    isChanged(column) ? nil : base.packed(column, block: block)
  }

  func picked(_ column: ColumnReference, block: Int, rows: [UInt32]) throws(StorageError) -> ColumnVector? {
    isChanged(column) ? nil : try base.picked(column, block: block, rows: rows)
  }
}
