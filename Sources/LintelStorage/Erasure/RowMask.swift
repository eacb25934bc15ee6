public import LintelColumns

/// Rows of a segment that aren't there any more: erased, or past their retention. Blocks that are whole have no entry.
public struct RowMask: Sendable {
  /// Of each block that lacks rows, those that are left, one bit a row.
  private let blocks: [Int: Bitmap]
  public let removedCount: Int
  /// Equal for equal masks, and different for others as far as 64 bits can tell: part of what caches go by.
  public let identity: UInt64

  /// `nil` when no block lacks a row.
  public init?(kept blocks: [Int: Bitmap]) {
    let lacking = blocks.filter { !$0.value.isAllSet }
    guard !lacking.isEmpty else { return nil }
    self.blocks = lacking
    removedCount = lacking.values.reduce(0) { $0 + $1.count - $1.setCount }
    var identity: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ word: UInt64) {
      identity = (identity ^ word) &* 0x0000_0100_0000_01b3
      identity ^= identity &>> 29
    }
    for (block, bits) in lacking.sorted(by: { $0.key < $1.key }) {
      mix(UInt64(truncatingIfNeeded: block) &* 0x9e37_79b9_7f4a_7c15)
      for word in bits.words { mix(word) }
    }
    self.identity = identity
  }

  /// Whether rows of the block are missing.
  public func affects(_ block: Int) -> Bool { blocks[block] != nil }

  /// Blocks that lack rows, ascending.
  public var affectedBlocks: [Int] { blocks.keys.sorted() }

  /// A bit for each row of the block, set where it is left; `nil` when all are.
  public func bits(_ block: Int) -> Bitmap? { blocks[block] }

  /// The rows of the block that are left, ascending; `nil` when all are.
  public func kept(_ block: Int) -> [UInt32]? {
    guard let bits = blocks[block] else { return nil }
    var rows: [UInt32] = []
    rows.reserveCapacity(bits.setCount)
    for (index, var word) in bits.words.enumerated() {
      while word != 0 {
        rows.append(UInt32(truncatingIfNeeded: index &* 64 &+ word.trailingZeroBitCount))
        word &= word &- 1
      }
    }
    return rows
  }

  /// The rows of the block that are gone, ascending.
  func removed(_ block: Int) -> [Int] {
    guard let bits = blocks[block] else { return [] }
    return (0..<bits.count).filter { !bits[$0] }
  }

  /// The mask of some consecutive blocks, counted from 0.
  public func slice(_ range: Range<Int>) -> RowMask? {
    var sliced: [Int: Bitmap] = [:]
    for (block, bits) in blocks where range.contains(block) { sliced[block - range.lowerBound] = bits }
    return RowMask(kept: sliced)
  }
}

/// A segment of which some rows aren't there any more.
///
/// Zone maps, filters and dictionaries are the whole segment's: they may let a block pass in which no row is left, and
/// never hold one back in which there is one. Who answers from them without reading has to look at ``mask`` first.
struct MaskedSegment: Segment {
  let base: any Segment
  let rows: RowMask

  var name: String { base.name }
  var rowCount: Int { base.rowCount }
  var blockRows: Int { base.blockRows }
  var isPart: Bool { base.isPart }
  var mask: RowMask? { rows }
  var attributeKeys: [AttributeKey] { base.attributeKeys }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int { base.storedBytes(column, block: block) }

  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? {
    base.statistics(column, block: block)
  }

  func filters(_ column: ColumnReference) -> BlockFilters? { base.filters(column) }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? { try base.dictionary(column) }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    try base.read(column, block: block)
  }

  func packed(_ column: ColumnReference, block: Int) -> PackedVector? { base.packed(column, block: block) }

  func picked(_ column: ColumnReference, block: Int, rows: [UInt32]) throws(StorageError) -> ColumnVector? {
    try base.picked(column, block: block, rows: rows)
  }
}
