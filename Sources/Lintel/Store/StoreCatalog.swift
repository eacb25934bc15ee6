internal import LintelColumns
internal import LintelQuery
internal import LintelStorage

/// What SpanQL's statements see of a store. Calls block; they are made on query threads.
struct StoreCatalog: Catalog {
  let store: Store
  let userHasher: UserHasher

  var tableNames: [String] { store.tableNames }

  var now: Int64 { TraceSpan.Timestamp.now.nanoseconds }

  func snapshot(_ table: String) throws(StorageError) -> TableSnapshot { try store.snapshot(table) }

  func hashUser(_ user: String) -> UInt128 { userHasher.hash(user) }

  func content(_ digest: UInt128, organization: String?) throws(StorageError) -> [UInt8]? {
    guard let bytes = try store.content(digest, tenant: organization.map { TenantName($0) }) else { return nil }
    return PieceText.shown(bytes)
  }

  func parts(_ table: String) -> [PartDescription] { store.parts(table) }

  func content() -> [ContentDescription] { store.contentSegments() }

  func tiers(_ table: String) -> [TierDescription] { store.tiers(table) }

  func storage(_ table: String) -> [ColumnStorage] { store.describeStorage(table) }

  var problems: [StorageError] { store.problems }

  func optimize(_ table: String) throws(StorageError) {
    try store.flushBlocking()
    try store.mergeAllBlocking(table)
  }

  func flush() throws(StorageError) { try store.flushBlocking() }

  func check() throws(StorageError) -> [CheckedFile] { try store.check() }

  func lifecycle(_ command: LifecycleCommand) throws(StorageError) -> LifecycleAnswer {
    try StoreLifecycle(store: store, userHasher: userHasher).run(command)
  }

  func hidings() throws(StorageError) -> UInt64 { try store.hidings() }
}
