public import LintelColumns
public import LintelQuery
public import LintelStorage

/// A store of spans in one directory: what an embedding service opens, appends to and asks.
///
///     let store = try await SpanStore.open(at: "/var/lib/lintel")
///     let result = try await store.query("SELECT count(*) AS n FROM spans")
///     try await store.close()
///
/// All methods may be called from any task at the same time. None of them blocks a thread of Swift's cooperative pool.
public final class SpanStore: Sendable {
  /// Hashes user ids as this store does.
  public let userHasher: UserHasher

  private init(userHasher: UserHasher) { self.userHasher = userHasher }

  /// Opens the store, making it if the directory is new, and recovers what the last process had acknowledged.
  ///
  /// - Throws: ``LintelError/storage(_:)`` with `.locked` when another process writes there, `.incompatible` when the
  ///   directory isn't a store of this version, `.corrupt` or `.io`.
  public static func open(
    at path: String, configuration: Configuration = Configuration()
  ) async throws(LintelError) -> SpanStore {
    throw .storage(StorageError(.closed, "not wired yet"))
  }

  /// Appends rows of the spans table. Returns when they are durable; they are visible to the next query.
  public func append(_ batch: Batch) async throws(LintelError) -> AppendReceipt {
    throw .storage(StorageError(.closed, "not wired yet"))
  }

  /// Runs one SpanQL statement. Cancelling the task cancels the query.
  public func query(_ text: String) async throws(LintelError) -> QueryResult {
    throw .storage(StorageError(.closed, "not wired yet"))
  }

  /// The rows of the spans table as of now.
  public func snapshot() async throws(LintelError) -> TableSnapshot {
    throw .storage(StorageError(.closed, "not wired yet"))
  }

  /// Writes what is in memory into parts.
  public func flush() async throws(LintelError) {}

  /// Merges parts as far as windows allow.
  public func optimize() async throws(LintelError) {}

  /// Flushes, syncs and closes. Later calls throw `.closed`.
  public func close() async throws(LintelError) {}
}
