public import LintelStorage

/// Settings of a ``SpanStore``. Every default is meant to be kept until a measurement says otherwise.
public struct Configuration: Sendable, Hashable {
  /// Write path, memory and merging.
  public var storage = StoreConfiguration()
  /// Opens beside a writer, in this or another process: queries see what has been acknowledged, appends are refused.
  public var isReadOnly = false
  /// The HMAC key for user ids. `nil`: the file `secret` in the data directory, made at the first opening.
  public var userSecret: [UInt8]?
  /// Worker threads of one query; 0: one a core.
  public var queryThreads = 0
  /// A query that needs more memory than this puts groups and sorted rows on disk before; what can't go there,
  /// such as the rows of the answer, makes it fail with ``QueryError/Code/limitExceeded``. Bytes.
  public var queryMemoryLimit = 1 << 30
  /// Where queries put groups and sorted rows that memory can't hold. `nil`: the folder `spill` of the store, which is read
  /// and written by the writer alone; of a store that is only read, a folder below `TMPDIR` or `/var/tmp`.
  public var spillDirectory: String?
  /// What all queries together may put there; 0: nothing, they fail at the memory limit. Bytes.
  public var spillLimit = 16 << 30
  /// Memory of a query's intermediate results from which on they go there; `nil`: half of ``queryMemoryLimit``. Bytes.
  public var spillThreshold: Int?
  /// Groups of whole parts that are kept for queries that come again, so that those read only what is new; 0: none. Bytes.
  public var queryCacheSize = 0
  /// A query that runs longer fails with ``QueryError/Code/limitExceeded``. Seconds; `nil`: no limit.
  public var queryTimeLimit: Double?

  public init() {}
}
