internal import LintelColumns

/// Takes up the log of one shard: its rows and their content go into memory, and the digests of the newest ones into the
/// retry window.
///
/// After a crash the rows fit into memory, for they were there before. Where they don't, because there is less memory now,
/// all of them are written into parts while the log is read, and the manifest names those parts and the end of that log at
/// once: a crash before leaves the log as it was and files that nobody names, one after it leaves nothing to recover.
struct ShardRecovery {
  let index: Int
  let directory: StoreDirectory
  let schemas: [TableSchema]
  let configuration: StoreConfiguration
  let exclusions: Exclusions
  /// Told of rows that go with a log that isn't needed any more.
  let journal: ErasureJournal
  /// For parts that are opened to see whether they can be.
  let cache: BlockCache
  let scheduler: (any WorkScheduler)?
  /// Nanoseconds since 1970, as retention goes by.
  let clock: @Sendable () -> Int64

  private var fileSystem: any FileSystem { directory.fileSystem }
  private var logDirectory: String { directory.logDirectory(shard: index) }

  /// Changes the manifest, on the disk and here, when rows went into parts.
  func run(_ state: inout StoreState, _ manifest: inout Manifest) throws(StorageError) -> Shard {
    let limit = max(0, (configuration.recoveryMemory ?? configuration.memoryBudget) - state.reservedBytes)
    do throws(StorageError) {
      return try recover(&state, &manifest, memoryLimit: limit)
    } catch {
      // Without room for parts the rows are held in memory after all: queries are answered on a full disk too.
      guard error.code == .diskFull else { throw error }
      return try recover(&state, &manifest, memoryLimit: nil)
    }
  }

  private func recover(
    _ state: inout StoreState, _ manifest: inout Manifest, memoryLimit: Int?
  ) throws(StorageError) -> Shard {
    let threads = EngineThreads(count: scheduler == nil ? EngineThreads.processorCount : 0, name: "lintel-replay")
    defer { threads.shutDown() }
    let replay = LogReplay(
      shard: index, schemas: schemas, exclusions: exclusions, blockRows: configuration.blockRows, threads: threads)
    let numbers = PartNumbers(next: manifest.nextPartNumber)
    let parts = RecoveredParts(partWriter(numbers), threads: threads)
    let pool = ContentPool(nextID: index < manifest.nextContent.count ? manifest.nextContent[index] : 1)
    var content: [ContentEntry] = []
    do throws(StorageError) {
      var rows = RecoveredRows(memoryLimit: memoryLimit, parts: parts) { (pieces) throws(StorageError) in
        content.append(try write(pieces, numbers.take()))
      }
      func add(_ logged: LogPayload.Logged) throws(StorageError) {
        pool.remember(logged.pieces.map { ($0.id, $0.digest) }, generation: 0)
        // Damage may have taken the record that brought them along; nobody else may have their ids.
        if logged.greatestID > 0 { pool.reserve(CollectionOfOne(logged.greatestID)) }
        try rows.add(logged)
      }
      let recovery = try LogRecovery.read(
        logDirectory, shard: index, fileSystem: fileSystem, floor: manifest.logFloors[index]
      ) { (record) throws(StorageError) in
        for logged in try replay.add(record) { try add(logged) }
      }
      for logged in try replay.finish() { try add(logged) }
      let written = try rows.finish()
      // On a full disk the store opens for queries; rows are taken when there is room.
      let writer = try LogWriter.open(logDirectory, shard: index, fileSystem: fileSystem, after: recovery)
      var erased = replay.erased
      if let written {
        for (shard, ids) in erased.pieces { journal.willErase(ids, shard: shard) }
        let step = ErasureProgress.Step.memory(shard: index, floor: writer.segment, rows: erased.rows)
        if !erased.isEmpty { try journal.willErase(step, rules: exclusions.rules.sequence) }
        try publish(written, content, pool, writer, recovery, &manifest)
        if !erased.isEmpty { journal.hasErased(step) }
        erased = ErasedRows()
      }
      let window = retryWindow(of: rows.batches, replay)
      for damage in recovery.damages { state.report(damage.error) }
      insert(rows.batches, &state)
      state.erasedInLog[index] = erased
      return Shard(
        index: index, directory: logDirectory, log: Shard.Log(writer: writer, retryWindow: window),
        content: pool, damagedSegments: recovery.damagedSegments, scheduler: scheduler)
    } catch {
      // Unless nobody knows which manifest counts.
      if error.code != .failedStop {
        parts.discard(fileSystem)
        for entry in content { try? fileSystem.remove(directory.path(of: entry.fileName)) }
      }
      throw error
    }
  }

  private func insert(_ batches: [LogPayload.Logged], _ state: inout StoreState) {
    for logged in batches { state.content[index].insert(logged.pieces) }
    // Given back with the first batch.
    var contentBytes = state.content[index].byteCount
    for batch in batches.map(\.batch) where batch.rowCount > 0 {
      let segment = BatchSegment(
        batch, name: state.segmentName(shard: index), blockRows: configuration.blockRows)
      let reserved = segment.byteCount + contentBytes
      contentBytes = 0
      state.reservedBytes += reserved
      state.insert(segment, shard: index, reservedBytes: reserved, now: WallClock.monotonic())
    }
  }

  /// Writes what rows brought along into a segment.
  private func write(_ pieces: [ContentPiece], _ number: UInt64) throws(StorageError) -> ContentEntry {
    let memory = ContentMemory(generation: 0)
    memory.insert(pieces)
    return try directory.writeContent(
      number: number, shard: index, level: 0, .flush, cache: ContentCache(capacity: 0)
    ) { (writer) throws(StorageError) in
      for piece in memory.pieces { try writer.append(piece) }
    }.entry
  }

  /// What is remembered of rows in memory; those in parts are looked for there (``StoredRows``). Older rows than the window
  /// takes would be forgotten at once: they aren't digested.
  private func retryWindow(of batches: [LogPayload.Logged], _ replay: LogReplay) -> RetryWindow {
    let now = WallClock.now()
    let limit = configuration.retryWindowRows
    var window = RetryWindow(seconds: configuration.retryWindowSeconds, rows: limit, now: now)
    var first = batches.endIndex
    var rowCount = 0
    while first > 0, rowCount < limit {
      first -= 1
      rowCount += batches[first].batch.rowCount
    }
    for digests in replay.digests(of: batches[first...]) { window.restore(digests, at: now) }
    return window
  }

  // MARK: - Parts

  private func partWriter(_ numbers: PartNumbers) -> RecoveredParts.Writer {
    let options = PartOptions(
      configuration, directory, numbers: numbers, mergeHelpers: EngineThreads(count: 0, name: "none"))
    return { [exclusions, configuration, clock] batches throws(StorageError) -> [WrittenPart] in
      guard let schema = batches.first?.schema else { return [] }
      let segments = batches.map { BatchSegment($0, name: "log", blockRows: configuration.blockRows) }
      let kept = try exclusions.parted(segments, schema, now: clock(), for: .expiry).kept
      return try FlushWriter.write(kept, options: options)
    }
  }

  /// Puts parts into the manifest, in place of the log that was read.
  private func publish(
    _ written: [RecoveredParts.Written], _ content: [ContentEntry], _ pool: ContentPool, _ writer: LogWriter,
    _ recovery: LogRecovery, _ manifest: inout Manifest
  ) throws(StorageError) {
    // The manifest may say that the log begins at a segment only when that one is there.
    try writer.start()
    try fileSystem.syncDirectory("\(directory.path)/hot")
    let arrived = WallClock.now()
    var next = manifest
    for (table, part) in written {
      let entry = PartEntry(
        part, table: table, shard: index, level: 0, fileName: directory.partFileName(part.number), arrived: arrived)
      // What can't be read back isn't published.
      if let schema = schemas.first(where: { $0.name == table }) {
        _ = try PartReader(
          file: try fileSystem.open(part.path), name: entry.fileName, schema: schema,
          expectedChecksum: entry.footerChecksum, cache: cache, cacheID: entry.number, onDamage: { _ in })
      }
      next.parts.append(entry)
      next.nextPartNumber = max(next.nextPartNumber, entry.number + 1)
    }
    next.content += content
    for entry in content { next.nextPartNumber = max(next.nextPartNumber, entry.number + 1) }
    if !next.content.isEmpty || pool.nextID > 1 {
      if next.nextContent.isEmpty { next.nextContent = Array(repeating: 1, count: next.shardCount) }
      next.nextContent[index] = max(next.nextContent[index], pool.nextID)
    }
    next.logFloors[index] = writer.segment
    let publication = try directory.manifests.publish(next)
    manifest = publication.manifest
    guard publication.mayRemoveObsolete else { return }
    // What can't be removed now goes with the next flush.
    try? LogRecovery.removeObsolete(
      logDirectory, fileSystem: fileSystem, below: writer.segment, damaged: recovery.damagedSegments)
  }
}
