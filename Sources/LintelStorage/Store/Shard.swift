internal import LintelColumns
internal import Synchronization

/// Rows for one shard, of one batch or of several small ones, ready to be written.
struct CommitItem: Sendable {
  let batch: Batch
  /// One per row, the table's name included.
  let digests: [UInt128]
  /// The log record, or its end where rows refer to content.
  let payload: [UInt8]
  /// Everything that rows refer to, and maybe more.
  let pieces: [ContentPiece]
  let reservedBytes: Int
  let completion: @Sendable (Result<NewRows, StorageError>) -> Void
}

/// The log of a shard, and who has the turn to write it.
///
/// Appends queue up here. The shard's own thread takes all that are waiting, writes them, syncs once, makes them visible
/// and answers: the longer a sync takes, the more rows share the next one.
final class Shard: Sendable {
  struct Log {
    let writer: LogWriter
    var retryWindow: RetryWindow
    /// What came before the store was opened; `nil` when none of it is to be recognised any more.
    var storedRows: StoredRows?
  }

  private struct Queue {
    var items: [CommitItem] = []
    var isDraining = false
  }

  let index: Int
  let directory: String
  /// Segments that hold damage, which are kept.
  let damagedSegments: Set<UInt64>
  /// Whoever holds the lock has the turn: a group commit, or the freezing of the memtables.
  let log: Mutex<Log>
  let content: ContentPool
  private let queue = Mutex(Queue())
  private let thread: EngineThreads

  init(
    index: Int, directory: String, log: consuming Log, content: ContentPool, damagedSegments: Set<UInt64>,
    scheduler: (any WorkScheduler)?
  ) {
    self.content = content
    self.index = index
    self.directory = directory
    self.damagedSegments = damagedSegments
    self.log = Mutex(log)
    thread = EngineThreads(count: 1, name: "lintel-wal-\(index)", scheduler: scheduler)
  }

  /// Queues an item for the next group commit, which `commit` carries out on the shard's thread.
  func add(_ item: CommitItem, commit: @escaping @Sendable ([CommitItem]) -> Void) {
    let mustStart = queue.withLock { queue in
      queue.items.append(item)
      defer { queue.isDraining = true }
      return !queue.isDraining
    }
    guard mustStart else { return }
    let started = thread.start { [weak self] in
      while let items = self?.take() { commit(items) }
    }
    if !started {
      while let items = take() {
        for item in items {
          item.completion(.failure(StorageError(.closed, "the store has been closed: open it again")))
        }
      }
    }
  }

  /// Everything that waits; `nil`, and the turn is given up, when nothing does.
  private func take() -> [CommitItem]? {
    queue.withLock { queue in
      guard !queue.items.isEmpty else {
        queue.isDraining = false
        return nil
      }
      defer { queue.items = [] }
      return queue.items
    }
  }

  func shutDown() { thread.shutDown() }
}
