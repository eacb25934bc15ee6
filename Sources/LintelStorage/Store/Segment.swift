public import LintelColumns

/// A run of rows that never changes: a part on disk, or a batch in the memtable. What the query layer reads.
///
/// Rows are numbered from 0 and grouped into blocks of `blockRows` rows (a power of two), the last one shorter.
public protocol Segment: Sendable {
  /// Unique within the store, for messages and EXPLAIN.
  var name: String { get }
  var rowCount: Int { get }
  var blockRows: Int { get }
  /// Whether its name stands for these rows as long as the store is open: a part on disk.
  var isPart: Bool { get }
  /// Rows that aren't there any more, although reading shows them; `nil` when all are there.
  var mask: RowMask? { get }
  /// Stands for what is there, rows and values, where ``name`` stands for all that was written.
  var contentName: String { get }
  /// Every dynamic column that has at least one value here, sorted.
  var attributeKeys: [AttributeKey] { get }
  /// Columns of the kinds in which the storage keeps content. Of a row they have the digests of the pieces that its value of that
  /// name consists of, 16 bytes each, the highest first; null where that value is no content.
  var digestKeys: [AttributeKey] { get }
  /// Bytes that reading the block of this column fetches from its file; 0 for memory.
  func storedBytes(_ column: ColumnReference, block: Int) -> Int
  /// Zone map of one block; `nil` when none is kept.
  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics?
  /// The blocks among `blocks` whose zone map passes `admits`, and those that have none.
  func blocks(_ blocks: [Int], of column: ColumnReference, _ admits: (BlockStatistics) -> Bool) -> [Int]
  /// In which blocks a value of the column may occur; `nil` when nothing is kept that tells.
  func filters(_ column: ColumnReference) -> BlockFilters?
  /// The dictionary that the column's `.codes` vectors refer to in every block of this segment; `nil` when blocks hold
  /// plain values, or dictionaries of their own.
  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary?
  /// Decodes one block. A column that the segment doesn't have reads as nulls.
  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector
  /// Whether values of the column are put together from the content store: they may be large, and are put together for the
  /// rows that are asked for alone. One that can't be read is null, which ``TableSnapshot/damage`` tells.
  func isContent(_ column: ColumnReference) -> Bool
  /// The values of some rows of a block, ascending, or of all; `nil` when they take more bytes than the bounds allow.
  func content(
    _ column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector?
  /// Whether the values of some rows of a block, or of all, hold the bytes, without putting them together; null where there
  /// is no value. `nil` where there is no quicker way than to read them.
  func contains(
    _ needle: [UInt8], in column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector?
  /// What ``read(_:block:)`` would give, where it happens to be in memory in this form; `nil` says nothing.
  func packed(_ column: ColumnReference, block: Int) -> PackedVector?
  /// The values of some rows of a block, where they happen to be in memory in a form that gives them without the others;
  /// `nil` says nothing.
  func picked(_ column: ColumnReference, block: Int, rows: [UInt32]) throws(StorageError) -> ColumnVector?
}

extension Segment {
  public var isPart: Bool { false }

  public var digestKeys: [AttributeKey] { [] }

  public func blocks(
    _ blocks: [Int], of column: ColumnReference, _ admits: (BlockStatistics) -> Bool
  ) -> [Int] {
    blocks.filter { block in
      guard let statistics = statistics(column, block: block) else { return true }
      return admits(statistics)
    }
  }

  public func packed(_ column: ColumnReference, block: Int) -> PackedVector? { nil }

  public func picked(
    _ column: ColumnReference, block: Int, rows: [UInt32]
  ) throws(StorageError) -> ColumnVector? {
    guard let packed = packed(column, block: block), packed.count == rowCount(ofBlock: block) else { return nil }
    return packed.gather(rows)
  }

  public func isContent(_ column: ColumnReference) -> Bool { false }

  public func content(
    _ column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? {
    let vector = try read(column, block: block)
    return rows.map(vector.gather) ?? vector
  }

  public func contains(
    _ needle: [UInt8], in column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? { nil }

  public var mask: RowMask? { nil }

  /// Rows that are there.
  public var liveRowCount: Int { rowCount - (mask?.removedCount ?? 0) }

  public var contentName: String {
    mask.map { "\(name)-\(String($0.identity, radix: 16))-\($0.removedCount)" } ?? name
  }

  public var blockCount: Int { (rowCount + blockRows - 1) / blockRows }

  public func rowCount(ofBlock block: Int) -> Int { min(blockRows, rowCount - block * blockRows) }
}

/// What a query sees of a table: fixed when taken, whatever is written, merged or dropped afterwards.
public struct TableSnapshot: Sendable {
  public let schema: TableSchema
  public let segments: [any Segment]
  /// Names of parts that were found damaged: their rows are missing here.
  public let omitted: [String]
  /// What couldn't be read of values in the segments so far.
  public let damage: ContentDamage

  public init(
    schema: TableSchema, segments: [any Segment], omitted: [String] = [], damage: ContentDamage = ContentDamage()
  ) {
    self.schema = schema
    self.segments = segments
    self.omitted = omitted
    self.damage = damage
  }

  /// Rows that are in no store.
  package init(of batch: Batch) {
    self.init(schema: batch.schema, segments: [BatchSegment(batch, name: "batch", blockRows: 1 << 20)])
  }

  public var rowCount: Int { segments.reduce(0) { $0 + $1.liveRowCount } }
}
