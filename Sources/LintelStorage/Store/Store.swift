internal import LintelColumns
internal import Synchronization

/// A directory of tables: append, snapshot, flush, merge.
///
///     let store = try Store.open(path: "/data", schemas: [schema], configuration: StoreConfiguration())
///     let receipt = try await store.append(batch)          // on disk when this returns
///     let rows = try store.snapshot("spans").rowCount
///     try await store.close()
///
/// Safe to use from any task or thread. Only one process at a time writes; others may open the directory read-only
/// meanwhile. Blocking work runs on the store's own threads, except for what says that it blocks.
///
/// Rows take this way: ``append(_:)`` has them encoded on a thread of the store's, small batches that wait at the same time
/// as one; the shard's thread writes the log record, syncs, and puts them into the memtable, where snapshots see them. A full
/// or aged memtable is frozen, sorted and written into parts; parts of a stretch of time are merged into larger ones.
public final class Store: Sendable {
  /// The data directory.
  public let path: String
  public let isReadOnly: Bool
  public let configuration: StoreConfiguration
  /// Names of the tables, in the order of the schemas given at opening.
  public let tableNames: [String]
  let schemas: [String: TableSchema]
  let directory: StoreDirectory
  let cache: BlockCache
  let contentCache: ContentCache
  let contentHasher: ContentHasher
  let contentReach = ContentReach()
  let state: Mutex<StoreState>
  /// As published last. Held while a new one is written.
  let manifest: Mutex<Manifest>
  let partNumbers: PartNumbers
  let shards: [Shard]
  /// Set in a read-only store.
  let follower: Follower?
  let intake: Intake
  let callers: EngineThreads
  let flusher: EngineThreads
  let merger: EngineThreads
  /// Whoever merges has their help.
  let mergeHelpers: EngineThreads
  /// Held by whoever writes frozen memtables into parts.
  let flushTurn = Mutex(())
  /// Held by whoever merges.
  let mergeTurn = Mutex(MergeTurn())
  let merging = PendingJob()
  let scrubber: EngineThreads
  let scrubTurn = Mutex(ScrubTurn())
  let scrubIsScheduled = Mutex(false)
  /// Which rows are hidden, and which are not taken in.
  let exclusions: CurrentExclusions
  /// Held by whoever changes the rules; the end of the audit log, once it has been read.
  let rulesTurn = Mutex<AuditTail?>(nil)
  /// Held by whoever erases rows from files.
  let erasureTurn = Mutex(())
  /// What erasing has taken away that no receipt accounts for yet.
  let erasureJournal: ErasureJournal
  let erasing = PendingJob()
  /// Numbers of the erasures that weren't finished when the store was opened.
  let erasuresAtOpening: Set<UInt64>
  /// Before this moment of the monotonic clock an erasure that failed is not tried again by itself.
  let erasureRetry = Mutex<Int64>(0)
  let expiring = PendingJob()
  let moving = PendingJob()
  let moveTurn = Mutex(MoveTurn())
  let sweeping = PendingJob()
  /// Damage of content that has been reported.
  let reportedDamage = Mutex<Set<StorageError>>([])
  let sweepPlan: Mutex<SweepPlan>
  /// Erasures that wait for their turn: long work that can be begun anew gives way.
  let waitingErasures = Atomic(0)
  /// Told when rows have gone from files, for whoever keeps what was made of them.
  let erasureObservers = Mutex<[@Sendable () -> Void]>([])
  /// Nanoseconds since 1970.
  let clock: @Sendable () -> Int64
  let isClosing = Atomic(false)

  init(
    directory: StoreDirectory, schemas: [TableSchema], configuration: StoreConfiguration, cache: BlockCache,
    state: consuming StoreState, manifest: Manifest, shards: [Shard], follower: Follower?,
    scheduler: (any WorkScheduler)?, exclusions: CurrentExclusions, erasureJournal: ErasureJournal,
    contentCache: ContentCache,
    contentHasher: ContentHasher, clock: @escaping @Sendable () -> Int64
  ) {
    self.contentCache = contentCache
    self.contentHasher = contentHasher
    path = directory.path
    isReadOnly = directory.isReadOnly
    self.configuration = configuration
    tableNames = schemas.map(\.name)
    self.schemas = Dictionary(schemas.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.directory = directory
    self.cache = cache
    self.state = Mutex(state)
    partNumbers = PartNumbers(next: manifest.nextPartNumber)
    self.manifest = Mutex(manifest)
    self.shards = shards
    self.follower = follower
    self.exclusions = exclusions
    self.erasureJournal = erasureJournal
    let unfinished = exclusions.current.rules.erasures.filter { $0.state == .hidden || exclusions.isDoubtful }
    erasuresAtOpening = Set(unfinished.map(\.number))
    // Rows go by rules alone: without any, all content is some row's.
    sweepPlan = Mutex(SweepPlan(isDue: exclusions.current.rules.sequence > 0))
    self.clock = clock
    callers = EngineThreads(count: 2, name: "lintel-encode", scheduler: scheduler)
    intake = Intake(takerLimit: 2)
    flusher = EngineThreads(count: 1, name: "lintel-flush", scheduler: scheduler)
    // Merges can wait; queries and the taking of spans can't.
    let niceness: Int32 = 10
    merger = EngineThreads(count: 1, name: "lintel-merge", niceness: niceness, scheduler: scheduler)
    scrubber = EngineThreads(count: 1, name: "lintel-scrub", scheduler: scheduler)
    // Whoever merges waits for them, which a scheduler that runs one job at a time would wait for in vain.
    mergeHelpers = EngineThreads(
      count: scheduler == nil ? configuration.mergeThreads - 1 : 0, name: "lintel-merge-h", niceness: niceness,
      scheduler: nil)
  }

  var fileSystem: any FileSystem { directory.fileSystem }

  /// What is wrong and may need a person: quarantined parts, damaged log records, background work that failed and hasn't
  /// succeeded since. Oldest first.
  public var problems: [StorageError] { state.withLock { $0.problems } + (follower?.problems ?? []) }

  func schema(_ table: String) throws(StorageError) -> TableSchema {
    guard let schema = schemas[table] else { throw StorageError(.invalid, "there is no table '\(table)'") }
    return schema
  }

  /// What a query that begins now sees of a table: every row acknowledged before the call.
  ///
  /// Cheap, and never waits for a writer. In a read-only store it looks for what the writer has done since, which reads
  /// files: call it on a thread that may block.
  public func snapshot(_ table: String) throws(StorageError) -> TableSnapshot {
    let schema = try schema(table)
    let damage = ContentDamage { [weak self] in self?.reportOnce($0) }
    if let follower {
      let view = try follower.segments(table, noting: damage)
      for file in view.regained { forgetDamage(of: file) }
      return try snapshot(schema, view.exclusions, view.segments, view.content, view.omitted, damage)
    }
    // Before the segments: an erasure stops hiding rows only when no part has them any more.
    let current = exclusions.current
    let (segments, content, omitted) = try state.withLock { (state) throws(StorageError) in
      if state.phase == .closed { throw StorageError(.closed, "the store has been closed: open it again") }
      return (state.segments(table), state.contentViews(noting: damage), state.quarantined)
    }
    return try snapshot(schema, current, segments, content, omitted, damage)
  }

  /// - Parameter omitted: Damaged parts, of whichever table.
  private func snapshot(
    _ schema: TableSchema, _ exclusions: Exclusions, _ segments: [PlacedSegment], _ content: [ContentView],
    _ omitted: [PartEntry], _ damage: ContentDamage
  ) throws(StorageError) -> TableSnapshot {
    let now = clock()
    // Of what has expired nothing is missing.
    let missing = omitted.filter { $0.table == schema.name && !exclusions.isExpired($0, schema, now: now) }
    return TableSnapshot(
      schema: schema, segments: try exclusions.visible(segments, content: content, schema, now: now),
      omitted: missing.map(\.fileName), damage: damage)
  }

  /// Ends the taking of rows for good: what was not acknowledged is lost, what was is in the log.
  func failStop(_ cause: StorageError) -> StorageError {
    state.withLock { state in
      if let failure = state.failure { return failure }
      let failure =
        cause.code == .failedStop
        ? cause
        : StorageError(
          .failedStop,
          "a write failed, so nothing more is taken until the store is opened again; the cause: \(cause.message)",
          path: cause.path, errorNumber: cause.errorNumber)
      state.failure = failure
      state.report(failure)
      return failure
    }
  }

  /// The problems after the first `count`, as far as they are still known, and how many there have been.
  public func problems(after count: Int) -> (new: [StorageError], count: Int) {
    state.withLock { state in (state.problems(after: count), state.reported) }
  }

  func report(_ problem: StorageError, by work: BackgroundWork? = nil) {
    state.withLock { $0.report(problem, by: work) }
  }

  /// Some work has done all that it is there for.
  func succeeded(_ work: BackgroundWork) { state.withLock { $0.forgetProblems(by: work) } }

  /// Reports damage of content, which queries and work in the background meet time and again.
  func reportOnce(_ problem: StorageError) {
    let isNew = reportedDamage.withLock { reported in
      if reported.count >= StoreState.maximumProblems { reported = [] }
      return reported.insert(problem).inserted
    }
    if isNew { report(problem) }
  }
}
