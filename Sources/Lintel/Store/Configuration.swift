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
  /// A query that needs more memory than this fails with ``QueryError/Code/limitExceeded``. Bytes.
  public var queryMemoryLimit = 1 << 30
  /// Groups of whole parts that are kept for queries that come again, so that those read only what is new; 0: none. Bytes.
  public var queryCacheSize = 0
  /// A query that runs longer fails with ``QueryError/Code/limitExceeded``. Seconds; `nil`: no limit.
  public var queryTimeLimit: Double?

  public init() {}
}
