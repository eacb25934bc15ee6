public import LintelStorage

/// What statements need to know of the store: the narrow door between the language and whoever embeds it.
public protocol Catalog: Sendable {
  /// In the order SHOW TABLES lists them.
  var tableNames: [String] { get }
  /// What a query that begins now sees of a table. Called only with names from ``tableNames``.
  func snapshot(_ table: String) throws(StorageError) -> TableSnapshot
  /// `hash_user('..')`: what `user_hash` holds for a user id.
  func hashUser(_ user: String) throws(StorageError) -> UInt128
  /// `content('digest', 'org')`: what `input` shows of a message; `nil` where the organisation has none with this digest.
  /// - Parameter organization: `nil` for rows without one.
  func content(_ digest: UInt128, organization: String?) throws(StorageError) -> [UInt8]?
  /// `now()`, in nanoseconds since 1970 UTC.
  var now: Int64 { get }
  /// Rows of SHOW PARTS.
  func parts(_ table: String) throws(StorageError) -> [PartDescription]
  /// Rows of SHOW PARTS behind those: where content is, of whichever table.
  func content() throws(StorageError) -> [ContentDescription]
  /// Rows of SHOW TIERS.
  func tiers(_ table: String) throws(StorageError) -> [TierDescription]
  /// Rows of DESCRIBE STORAGE.
  func storage(_ table: String) throws(StorageError) -> [ColumnStorage]
  /// Rows of SHOW PROBLEMS: damage and failed background work since the opening, the oldest first.
  var problems: [StorageError] { get }
  /// OPTIMIZE TABLE: merges what can be merged, and returns when that is done.
  func optimize(_ table: String) throws(StorageError)
  /// FLUSH: writes what memory holds into parts, and returns when that is done.
  func flush() throws(StorageError)
  /// CHECK: reads every file and compares it to its checksums.
  func check() throws(StorageError) -> [CheckedFile]
  /// ERASE and what else concerns erasures, holds and retention.
  func lifecycle(_ command: LifecycleCommand) throws(StorageError) -> LifecycleAnswer
  /// Changes when rows have been hidden that a snapshot taken before may show.
  func hidings() throws(StorageError) -> UInt64
}

/// What a catalog that only reads answers: no parts to list, nothing to write.
extension Catalog {
  public func parts(_ table: String) throws(StorageError) -> [PartDescription] { [] }

  public func content() throws(StorageError) -> [ContentDescription] { [] }

  public func content(_ digest: UInt128, organization: String?) throws(StorageError) -> [UInt8]? { nil }

  public func tiers(_ table: String) throws(StorageError) -> [TierDescription] { [] }

  public func storage(_ table: String) throws(StorageError) -> [ColumnStorage] { [] }

  public var problems: [StorageError] { [] }

  public func optimize(_ table: String) throws(StorageError) {
    throw StorageError(.readOnly, "OPTIMIZE TABLE needs a store that is open for writing")
  }

  public func flush() throws(StorageError) {
    throw StorageError(.readOnly, "FLUSH needs a store that is open for writing")
  }

  public func check() throws(StorageError) -> [CheckedFile] {
    throw StorageError(.readOnly, "CHECK needs a store on a disk")
  }

  public func lifecycle(_ command: LifecycleCommand) throws(StorageError) -> LifecycleAnswer {
    throw StorageError(.readOnly, "this needs a store")
  }

  public func hidings() throws(StorageError) -> UInt64 { 0 }
}
