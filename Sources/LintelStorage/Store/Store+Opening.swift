public import LintelColumns
internal import Synchronization

extension Store {
  /// Opens the store in a directory, creating it if there is none. Blocks while it reads the manifest, the parts'
  /// directories and the log.
  ///
  /// - Parameters:
  ///   - schemas: Every table, those the log may hold rows of included.
  ///   - readOnly: Takes no lock and changes nothing; another process may be writing.
  /// - Throws: `.locked` when another process writes here; `.incompatible` when the directory was written by a newer
  ///   Lintel or holds something else; `.corrupt` when the manifest can't be read; `.readOnly` when there is no store.
  public static func open(
    path: String, schemas: [TableSchema], configuration: StoreConfiguration,
    fileSystem: any FileSystem = PosixFileSystem(), readOnly: Bool = false
  ) throws(StorageError) -> Store {
    try open(
      path: path, schemas: schemas, configuration: configuration, fileSystem: fileSystem, readOnly: readOnly,
      scheduler: nil)
  }

  /// - Parameters:
  ///   - scheduler: Runs the store's work instead of threads and clocks; ``tick()`` has to be called.
  ///   - clock: What retention goes by, in nanoseconds since 1970.
  package static func open(
    path: String, schemas: [TableSchema], configuration: StoreConfiguration, fileSystem: any FileSystem,
    readOnly: Bool = false, scheduler: (any WorkScheduler)?,
    clock: @escaping @Sendable () -> Int64 = { WallClock.now() }
  ) throws(StorageError) -> Store {
    try check(schemas, configuration)
    let layout = StoreLayout(
      shardCount: configuration.shardCount, shardKey: schemas.first.map { $0.columns[$0.shardKey].name } ?? "none")
    let directory = try StoreDirectory.open(path, layout: layout, fileSystem: fileSystem, readOnly: readOnly)
    do throws(StorageError) {
      return try readOnly
        ? openReadOnly(directory, schemas, configuration, scheduler, clock)
        : openWritable(directory, schemas, configuration, scheduler, clock)
    } catch {
      directory.release()
      throw error
    }
  }

  /// ``open(path:schemas:configuration:fileSystem:readOnly:)`` on a thread of its own.
  public static func open(
    at path: String, schemas: [TableSchema], configuration: StoreConfiguration,
    fileSystem: any FileSystem = PosixFileSystem(), readOnly: Bool = false
  ) async throws(StorageError) -> Store {
    try await open(
      at: path, schemas: schemas, configuration: configuration, fileSystem: fileSystem, readOnly: readOnly,
      clock: { WallClock.now() })
  }

  package static func open(
    at path: String, schemas: [TableSchema], configuration: StoreConfiguration,
    fileSystem: any FileSystem = PosixFileSystem(), readOnly: Bool = false,
    clock: @escaping @Sendable () -> Int64
  ) async throws(StorageError) -> Store {
    let threads = EngineThreads(count: 1, name: "lintel-open")
    defer { threads.shutDown() }
    return try await threads.run { () throws(StorageError) in
      try open(
        path: path, schemas: schemas, configuration: configuration, fileSystem: fileSystem, readOnly: readOnly,
        scheduler: nil, clock: clock)
    }
  }

  /// The store's key for hashing user ids: 32 bytes, made when the directory was.
  ///
  /// - Throws: `.corrupt` when it is gone or cut, `.invalid` when others than its owner may read the file.
  public func secret() throws(StorageError) -> [UInt8] { try directory.secret() }

  private static func check(_ schemas: [TableSchema], _ configuration: StoreConfiguration) throws(StorageError) {
    func refuse(_ what: String) -> StorageError { StorageError(.invalid, what) }
    guard Set(schemas.map(\.name)).count == schemas.count else { throw refuse("two tables have the same name") }
    for schema in schemas where schema.columns[schema.timeColumn].type.physical != .int64 {
      throw refuse("the time column of table '\(schema.name)' is not an integer type")
    }
    if let problem = configuration.tiers.problem { throw refuse(problem) }
    let rows = configuration.blockRows
    guard rows > 0, rows & (rows - 1) == 0, rows <= PartFormat.maximumBlockRows else {
      throw refuse("\(rows) rows a block is not a power of two up to \(PartFormat.maximumBlockRows)")
    }
  }

  private static func openWritable(
    _ directory: StoreDirectory, _ schemas: [TableSchema], _ configuration: StoreConfiguration,
    _ scheduler: (any WorkScheduler)?, _ clock: @escaping @Sendable () -> Int64
  ) throws(StorageError) -> Store {
    let loaded = try directory.loadManifest()
    try directory.openTiers(configuration.tiers, loaded.manifest)
    _ = try directory.removeUnreferenced(loaded.manifest)
    let exclusions = try directory.loadExclusions(loaded.manifest)
    let cache = BlockCache(capacity: configuration.cacheBytes)
    var state = StoreState(shardCount: directory.layout.shardCount)
    if let problem = loaded.problem { state.report(problem) }
    let (journal, unknown) = try ErasureJournal.load(directory, loaded.manifest, exclusions.current.rules)
    if let unknown { state.report(unknown) }
    var manifest = loaded.manifest
    var shards: [Shard] = []
    for index in 0..<directory.layout.shardCount {
      let recovery = ShardRecovery(
        index: index, directory: directory, schemas: schemas, configuration: configuration,
        exclusions: exclusions.current, journal: journal, cache: cache, scheduler: scheduler, clock: clock)
      shards.append(try recovery.run(&state, &manifest))
    }
    let store = Store(
      directory: directory, schemas: schemas, configuration: configuration, cache: cache, state: state,
      manifest: manifest, shards: shards, follower: nil, scheduler: scheduler, exclusions: exclusions,
      erasureJournal: journal,
      contentCache: ContentCache(capacity: configuration.contentCacheBytes),
      contentHasher: ContentHasher(secret: try directory.secret()), clock: clock)
    try store.publishVolumes(manifest)
    try store.openParts(manifest)
    try store.openContent(manifest)
    store.findStoredRows()
    for index in shards.indices { store.startFlush(shard: index) }
    if scheduler == nil { store.startTicker() }
    store.startMerging()
    store.startErasing()
    return store
  }

  /// A part that can't be opened is quarantined; the store opens without it.
  private func openParts(_ manifest: Manifest) throws(StorageError) {
    var damaged: Set<UInt64> = []
    var expired: Set<UInt64> = []
    for entry in manifest.parts {
      guard let schema = schemas[entry.table] else { continue }
      if entry.isQuarantined {
        state.withLock { $0.quarantined.append(entry) }
        report(Self.leftOut(entry))
        continue
      }
      do throws(StorageError) {
        let part = LivePart(entry: entry, reader: try open(entry, schema: schema))
        state.withLock { $0.add(part) }
      } catch {
        guard error.code == .corrupt || error.isMissingFile else { throw error }
        // On a full disk an expired part's file goes first, to make room for the manifest that doesn't name it.
        let isExpired = error.isMissingFile && exclusions.current.isExpired(entry, schema, now: clock())
        if isExpired {
          expired.insert(entry.number)
        } else {
          damaged.insert(entry.number)
          state.withLock { $0.quarantined.append(entry) }
          report(error)
        }
      }
    }
    guard !damaged.isEmpty || !expired.isEmpty else { return }
    try publish { manifest in
      manifest.parts.removeAll { expired.contains($0.number) }
      for index in manifest.parts.indices where damaged.contains(manifest.parts[index].number) {
        manifest.parts[index].isQuarantined = true
      }
    }
  }

  /// Lets rows that are sent again be found in the parts that got rows within the retry window.
  private func findStoredRows() {
    for shard in shards {
      let parts = recentParts(shard)
      guard let last = parts.map(\.entry.arrived).max() else { continue }
      let rows = storedRows(shard, parts, until: last &+ retryWindow)
      shard.log.withLock { $0.storedRows = rows }
    }
  }

  /// Has them looked for in the parts that are there now: files that were written anew are let go of.
  func refreshStoredRows() {
    for shard in shards {
      let parts = recentParts(shard)
      shard.log.withLock { log in
        guard let end = log.storedRows?.end else { return }
        log.storedRows = parts.isEmpty ? nil : storedRows(shard, parts, until: end)
      }
    }
  }

  private var retryWindow: Int64 { Int64(min(max(configuration.retryWindowSeconds, 0), 1e9) * 1e9) }

  private func recentParts(_ shard: Shard) -> [LivePart] {
    let start = WallClock.now() &- retryWindow
    return state.withLock { $0.parts.values.joined().filter { $0.entry.shard == shard.index } }
      .filter { $0.entry.arrived >= start }
  }

  private func storedRows(_ shard: Shard, _ parts: [LivePart], until end: Int64) -> StoredRows {
    let own = parts.compactMap { part in schemas[part.entry.table].map { (schema: $0, reader: part.reader) } }
    // The shard keeps what is returned: it mustn't be kept in turn.
    let index = shard.index
    return StoredRows(
      own, content: { [weak self] in self?.state.withLock { $0.contentViews()[index] } ?? ContentView() },
      until: end, rowLimit: configuration.retryWindowRows)
  }

  private static func openReadOnly(
    _ directory: StoreDirectory, _ schemas: [TableSchema], _ configuration: StoreConfiguration,
    _ scheduler: (any WorkScheduler)?, _ clock: @escaping @Sendable () -> Int64
  ) throws(StorageError) -> Store {
    let cache = BlockCache(capacity: configuration.cacheBytes)
    let exclusions = CurrentExclusions(
      StoreRules(), tokens: SubjectTokens(secret: try directory.secret()), isDoubtful: false)
    let contentCache = ContentCache(capacity: configuration.contentCacheBytes)
    let follower = Follower(
      directory: directory, schemas: schemas, blockRows: configuration.blockRows, cache: cache,
      contentCache: contentCache, exclusions: exclusions, clock: clock)
    try follower.refresh()
    return Store(
      directory: directory, schemas: schemas, configuration: configuration, cache: cache,
      state: StoreState(shardCount: directory.layout.shardCount),
      manifest: .empty(shardCount: directory.layout.shardCount), shards: [], follower: follower,
      scheduler: scheduler, exclusions: exclusions, erasureJournal: ErasureJournal(directory),
      contentCache: contentCache,
      contentHasher: ContentHasher(secret: try directory.secret()), clock: clock)
  }
}
