/// Settings of a store. The defaults suit a service of a few gigabytes of memory.
public struct StoreConfiguration: Sendable, Hashable {
  /// When an append is acknowledged.
  public enum Durability: Sendable, Hashable {
    /// After the write-ahead log has been synced (group commit).
    case synced
    /// After the record was handed to the operating system; a power cut may lose the last moments.
    case buffered
  }

  public var durability: Durability = .synced
  /// Number of shards of a new store; an existing one keeps its own.
  public var shardCount = 1
  /// Bytes of rows held in memory, those being flushed included. Appends beyond it fail with `.overloaded`.
  public var memoryBudget = 256 << 20
  /// A memtable is flushed into a part when it holds this many bytes.
  public var flushBytes = 64 << 20
  /// ... or when its oldest row has waited this long, in seconds.
  public var flushSeconds = 60.0
  /// Rows in a block: a power of two.
  public var blockRows = 16384
  /// Spans seen within this window, in seconds, are recognised when sent again.
  public var retryWindowSeconds = 600.0
  /// At most this many rows are remembered for that.
  public var retryWindowRows = 2_000_000
  /// Parts are merged only within windows of this many seconds of the time column.
  public var mergeWindowSeconds = 86_400.0
  /// Bytes of the largest part that merges and moves make. What has to be written anew to take one row away is a part: smaller ones
  /// make erasures cheaper, and take more bytes for the same rows.
  public var maximumPartBytes = 2 << 30
  /// Bytes of dictionaries and blocks kept in memory: the numbers, codes and dictionaries that questions about ten million
  /// spans go over. Columns that would take over a third of it pass through a fourth at most.
  public var cacheBytes = 384 << 20
  /// Bytes of content, uncompressed, kept in memory for queries that come back to it.
  public var contentCacheBytes = 64 << 20
  /// Bytes of parts that are read again in the background each second, to find damage before a query does; 0: none.
  public var scrubBytesPerSecond = 4 << 20
  /// All parts are gone through once in this time at most, in seconds.
  public var scrubSeconds = 86_400.0
  /// Where parts go as they age; by default they stay.
  public var tiers = TierConfiguration()
  /// Threads that a merge may use; at least one.
  public var mergeThreads = EngineThreads.processorCount

  /// A merge looks for repeats among values that have no dictionary yet when there are this many of them.
  var dictionaryTrialValues = 1 << 18
  /// Merges of fewer rows are done by one thread.
  var parallelMergeRows = 1 << 17
  /// A log is kept in files of about so many bytes. After a crash the last of them is copied (``LogRecovery``).
  package var logSegmentBytes = 64 << 20
  /// Bytes of rows that a recovery takes into memory; `nil`: ``memoryBudget``.
  package var recoveryMemory: Int?

  public init() {}
}
