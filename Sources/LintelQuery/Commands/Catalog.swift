public import LintelStorage

/// What statements need to know of the store: the narrow door between the language and whoever embeds it.
public protocol Catalog: Sendable {
  /// In the order SHOW TABLES lists them.
  var tableNames: [String] { get }
  /// What a query that begins now sees of a table. Called only with names from ``tableNames``.
  func snapshot(_ table: String) throws(StorageError) -> TableSnapshot
  /// `hash_user('..')`: what `user_hash` holds for a user id.
  func hashUser(_ user: String) throws(StorageError) -> UInt128
  /// `now()`, in nanoseconds since 1970 UTC.
  var now: Int64 { get }
  /// Rows of SHOW PARTS.
  func parts(_ table: String) throws(StorageError) -> [PartListing]
  /// Rows of DESCRIBE STORAGE.
  func storage(_ table: String) throws(StorageError) -> [ColumnStorageListing]
  /// OPTIMIZE TABLE: merges what can be merged, and returns when that is done.
  func optimize(_ table: String) throws(StorageError)
  /// FLUSH: writes what memory holds into parts, and returns when that is done.
  func flush() throws(StorageError)
}

/// What a catalog that only reads answers: no parts to list, nothing to write.
extension Catalog {
  public func parts(_ table: String) throws(StorageError) -> [PartListing] { [] }

  public func storage(_ table: String) throws(StorageError) -> [ColumnStorageListing] { [] }

  public func optimize(_ table: String) throws(StorageError) {
    throw StorageError(.readOnly, "OPTIMIZE TABLE needs a store that is open for writing")
  }

  public func flush() throws(StorageError) {
    throw StorageError(.readOnly, "FLUSH needs a store that is open for writing")
  }
}

/// One row of SHOW PARTS.
public struct PartListing: Sendable, Hashable {
  public let table: String
  public let name: String
  /// Where it lies: `memory`, `hot`, ...
  public let tier: String
  public let rows: Int
  public let bytes: Int
  /// The least and greatest value of the table's time column, in ns; `nil` when the part is empty.
  public let times: ClosedRange<Int64>?

  public init(table: String, name: String, tier: String, rows: Int, bytes: Int, times: ClosedRange<Int64>?) {
    self.table = table
    self.name = name
    self.tier = tier
    self.rows = rows
    self.bytes = bytes
    self.times = times
  }
}

/// One row of DESCRIBE STORAGE.
public struct ColumnStorageListing: Sendable, Hashable {
  public let column: String
  public let type: String
  /// Names of the encodings in use, the most frequent first.
  public let encodings: [String]
  public let blocks: Int
  public let storedBytes: Int
  /// What the values take in memory, decoded.
  public let plainBytes: Int

  public init(column: String, type: String, encodings: [String], blocks: Int, storedBytes: Int, plainBytes: Int) {
    self.column = column
    self.type = type
    self.encodings = encodings
    self.blocks = blocks
    self.storedBytes = storedBytes
    self.plainBytes = plainBytes
  }
}
