public import LintelColumns
public import LintelQuery
public import LintelStorage

/// A store of spans in one directory: what an embedding service opens, appends to and asks.
///
///     let store = try await SpanStore.open(at: "/var/lib/lintel")
///     try await store.append([TraceSpan(name: "chat", start: .now, duration: .seconds(1))])
///     let result = try await store.query("SELECT count(*) AS n FROM spans")
///     try await store.close()
///
/// All methods may be called from any task at the same time. None of them blocks a thread of Swift's cooperative pool.
public final class SpanStore: Sendable {
  /// Hashes user ids as this store does.
  public let userHasher: UserHasher
  let store: Store
  let engine: QueryEngine
  /// Queries run here: one thread each, which the executor's workers help.
  let threads: EngineThreads

  private init(store: Store, userHasher: UserHasher, configuration: Configuration) {
    self.store = store
    self.userHasher = userHasher
    var options = ExecutionOptions()
    if configuration.queryThreads > 0 { options.threads = configuration.queryThreads }
    options.memoryLimitBytes = configuration.queryMemoryLimit
    options.spillThresholdBytes = configuration.spillThreshold
    options.cacheBytes = configuration.queryCacheSize
    options.timeoutSeconds = configuration.queryTimeLimit
    let spillSpace =
      configuration.spillLimit > 0
      ? store.spillSpace(configuration.spillDirectory, limit: configuration.spillLimit) : nil
    engine = QueryEngine(
      catalog: StoreCatalog(store: store, userHasher: userHasher), options: options, spillSpace: spillSpace)
    threads = EngineThreads(count: max(4, 2 * options.threads), name: "lintel-query")
    store.onErasure { [weak self] in
      self?.engine.forgetAnswers()
      self?.userHasher.forget()
    }
  }

  /// Opens the store, making it if the directory is new, and recovers what the last process had acknowledged.
  ///
  /// - Throws: ``LintelError/storage(_:)`` with `.locked` when another process writes there, `.incompatible` when the
  ///   directory isn't a store of this version, `.corrupt` or `.io`.
  public static func open(
    at path: String, configuration: Configuration = Configuration()
  ) async throws(LintelError) -> SpanStore {
    try await open(at: path, configuration: configuration, clock: { TraceSpan.Timestamp.now.nanoseconds })
  }

  /// - Parameter clock: What retention goes by, in nanoseconds since 1970.
  package static func open(
    at path: String, configuration: Configuration = Configuration(), clock: @escaping @Sendable () -> Int64
  ) async throws(LintelError) -> SpanStore {
    try await storage { () async throws(StorageError) -> SpanStore in
      let store = try await Store.open(
        at: path, schemas: [SpanSchema.table], configuration: configuration.storage, readOnly: configuration.isReadOnly,
        clock: clock)
      let secret: [UInt8]
      if let given = configuration.userSecret { secret = given } else { secret = try store.secret() }
      return SpanStore(store: store, userHasher: UserHasher(secret: secret), configuration: configuration)
    }
  }

  /// Appends spans. Returns when they are durable; they are visible to the next query.
  ///
  /// - Throws: ``LintelError/storage(_:)``; `.overloaded` and `.diskFull` may be retried.
  @discardableResult
  public func append(_ spans: [TraceSpan]) async throws(LintelError) -> AppendReceipt {
    try await append(Batch(spans, hasher: userHasher))
  }

  /// Appends rows of the spans table. Returns when they are durable; they are visible to the next query.
  @discardableResult
  public func append(_ batch: Batch) async throws(LintelError) -> AppendReceipt {
    try await Self.storage { () async throws(StorageError) -> AppendReceipt in try await store.append(batch) }
  }

  /// Runs one SpanQL statement. Cancelling the task cancels the query.
  ///
  /// - Parameter cancellation: Another way to cancel, and to see how far the query is.
  /// - Throws: ``LintelError/query(_:)`` with the place in the text, or ``LintelError/storage(_:)``.
  public func query(
    _ text: String, cancellation: CancellationToken = CancellationToken()
  ) async throws(LintelError) -> QueryResult {
    let result = try await onQueryThread(cancelling: cancellation) { [engine] () throws(QueryError) -> QueryResult in
      try engine.run(text, cancellation: cancellation)
    }
    if result.statistics.peakBytes > FreedMemory.queryBytes { threads.start { FreedMemory.giveBack() } }
    return result
  }

  /// Binds an `EXPORT` statement: which rows, fixed as of now. What is wrong with it is thrown here.
  public func export(_ text: String) async throws(LintelError) -> ExportRequest {
    try await onQueryThread(cancelling: CancellationToken()) { [engine] () throws(QueryError) -> ExportRequest in
      guard case .export(let syntax) = try SpanQL.parse(text) else {
        throw QueryError(.unsupported, "not an EXPORT statement")
      }
      return try engine.export(syntax, text: text)
    }
  }

  /// The rows of the spans table as of now.
  public func snapshot() async throws(LintelError) -> TableSnapshot {
    try await Self.storage { () async throws(StorageError) -> TableSnapshot in
      try await threads.run { [store] () throws(StorageError) -> TableSnapshot in
        try store.snapshot(SpanSchema.table.name)
      }
    }
  }

  /// Writes what is in memory into parts.
  public func flush() async throws(LintelError) {
    try await Self.storage { () async throws(StorageError) in try await store.flush() }
  }

  /// Merges parts as far as windows allow.
  public func optimize() async throws(LintelError) {
    try await Self.storage { () async throws(StorageError) in try await store.mergeAll() }
  }

  /// Moves parts to the tiers where their age belongs, and returns when that is done. The store does so by itself, at the
  /// rate that its configuration says; see ``LintelStorage/TierConfiguration``.
  public func move() async throws(LintelError) {
    try await Self.storage { () async throws(StorageError) in try await store.move() }
  }

  /// Flushes, syncs and closes. Later calls throw `.closed`.
  public func close() async throws(LintelError) {
    try await Self.storage { () async throws(StorageError) in try await store.close() }
    threads.shutDown()
  }

  /// What the store has done and holds.
  public var statistics: StoreStatistics { store.statistics }

  /// Damage that was found, and background work that failed, since the opening.
  public var problems: [StorageError] { store.problems }

  /// Those after the first `count`, as far as they are still known, and how many there have been.
  public func problems(after count: Int) -> (new: [StorageError], count: Int) { store.problems(after: count) }

  private static func storage<T: Sendable>(
    _ body: () async throws(StorageError) -> T
  ) async throws(LintelError) -> T {
    do throws(StorageError) {
      return try await body()
    } catch {
      throw .storage(error)
    }
  }

  private func onQueryThread<T: Sendable>(
    cancelling token: CancellationToken, _ body: @escaping @Sendable () throws(QueryError) -> T
  ) async throws(LintelError) -> T {
    let result: Result<T, LintelError> = await withTaskCancellationHandler {
      do throws(StorageError) {
        return try await threads.run { () throws(StorageError) -> Result<T, LintelError> in
          do throws(QueryError) {
            return .success(try body())
          } catch {
            return .failure(.query(error))
          }
        }
      } catch {
        return .failure(.storage(error))
      }
    } onCancel: {
      token.cancel()
    }
    return try result.get()
  }
}
