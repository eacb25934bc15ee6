internal import LintelColumns
internal import Synchronization

extension Store {
  /// Writes what is in memory into parts. Returns when that is durable.
  ///
  /// - Throws: `.diskFull` (the rows stay in memory and in the log; retry), `.failedStop`, `.closed`, `.readOnly`.
  public func flush() async throws(StorageError) {
    try await flusher.run { [self] () throws(StorageError) in try flushBlocking() }
  }

  /// ``flush()`` for callers that have a thread to block.
  public func flushBlocking() throws(StorageError) {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    for shard in shards { try freeze(shard) }
    try writeFrozen()
  }

  /// Flushes one shard in the background.
  func startFlush(shard: Int) {
    flusher.start { [self] in
      do throws(StorageError) {
        let isFull = state.withLock { $0.memtableBytes(shard: shard) } >= flushBytes
        if isFull { try freeze(shards[shard]) }
        try writeFrozen()
      } catch {
        // Recorded where it happened; the ticker tries again after a full disk.
      }
    }
  }

  /// What the freezing of a shard is for, beside being written.
  enum Freezing {
    case flush
    /// The store takes no rows any more.
    case closing
    /// From then on rows refer only to content that is stored anew.
    case sweep
    /// The same, the log begins anew also when no row is in memory, for it may hold rows that were not taken up from it, and
    /// what is written lacks the rows that are hidden.
    case erasure(Exclusions)

    /// Whether rows refer from then on only to content that is stored anew.
    var isApart: Bool { erased != nil || isSweep }

    private var isSweep: Bool { if case .sweep = self { true } else { false } }

    var isClosing: Bool { if case .closing = self { true } else { false } }

    var erased: Exclusions? { if case .erasure(let exclusions) = self { exclusions } else { nil } }
  }

  /// Finishes the shard's log segment and sets its memtables aside for being written.
  /// - Returns: The generation of content that rows refer to from then on.
  @discardableResult
  func freeze(_ shard: Shard, for purpose: Freezing = .flush) throws(StorageError) -> UInt64 {
    try shard.log.withLock { (log) throws(StorageError) in
      let (hasRows, hasContent) = try state.withLock { (state) throws(StorageError) in
        if !purpose.isClosing { try state.checkWritable() }
        return (
          state.memtables[shard.index].values.contains { !$0.isEmpty }, !state.content[shard.index].isEmpty
        )
      }
      switch purpose {
      case .flush, .closing:
        if !hasRows { return shard.content.generation }
      case .sweep:
        if !hasRows, !hasContent {
          let generation = shard.content.forget()
          state.withLock { $0.content[shard.index] = ContentMemory(generation: generation) }
          return generation
        }
      case .erasure: break
      }
      let sealed: UInt64
      do throws(StorageError) {
        sealed = try log.writer.rotate()
      } catch {
        if error.code == .diskFull {
          report(error, by: .flushing)
          throw error
        }
        throw failStop(error)
      }
      let generation = purpose.isApart ? shard.content.forget() : shard.content.generation
      state.withLock { state in
        state.frozen.append(
          FrozenMemtables(
            id: state.nextFrozenNumber, shard: shard.index, tables: state.memtables[shard.index],
            content: state.content[shard.index], lastSegment: sealed, frozenAt: WallClock.now(),
            erased: purpose.erased))
        state.content[shard.index] = ContentMemory(generation: generation)
        state.nextFrozenNumber += 1
        state.memtables[shard.index] = [:]
        state.oldestRow[shard.index] = nil
      }
      return generation
    }
  }

  /// Writes all frozen memtables into parts, the oldest first.
  func writeFrozen() throws(StorageError) {
    let wrote = try flushTurn.withLock { (_) throws(StorageError) in
      var wrote = false
      while let frozen = state.withLock({ $0.frozen.first }) {
        do throws(StorageError) {
          try write(frozen)
        } catch {
          if error.code == .diskFull {
            report(error, by: .flushing)
            throw error
          }
          throw failStop(error)
        }
        wrote = true
      }
      return wrote
    }
    guard wrote else { return }
    succeeded(.flushing)
    FreedMemory.giveBack()
    startMerging()
  }

  /// How parts of a tier are written.
  func partOptions(_ tier: Tier) -> PartOptions {
    PartOptions(configuration, directory, tier: tier, numbers: partNumbers, mergeHelpers: mergeHelpers)
  }

  private func write(_ frozen: FrozenMemtables) throws(StorageError) {
    var written: [(table: String, part: WrittenPart)] = []
    var live: [LivePart] = []
    var content: LiveContent?
    var erased = ErasedRows()
    do throws(StorageError) {
      content = try writeContent(frozen.content, shard: frozen.shard)
      for (table, memtable) in frozen.tables.sorted(by: { $0.key < $1.key }) where !memtable.isEmpty {
        let (kept, removed) = try (frozen.erased ?? exclusions.current).parted(
          memtable.segments, try schema(table), now: clock(), for: frozen.erased == nil ? .expiry : .erasure)
        if frozen.erased != nil { for batch in removed { erased.add(batch, shard: frozen.shard) } }
        for part in try FlushWriter.write(kept, options: partOptions(.hot)) { written.append((table, part)) }
      }
      try fileSystem.syncDirectory(directory.folder(.hot))
      for (table, part) in written {
        live.append(try open(part, table: table, shard: frozen.shard, level: 0, arrived: frozen.frozenAt))
      }
    } catch {
      for (_, part) in written { try? fileSystem.remove(part.path) }
      if let content { try? fileSystem.remove(directory.path(of: content.entry.fileName)) }
      throw error
    }
    let step = try willErase(erased, frozen, live, content)
    let rowsLeft = live.reduce(0) { $0 + $1.entry.rowCount }
    if rowsLeft < frozen.rowCount { noteRowsHaveGone() }
    let mayRemove = try publish(live, content, frozen)
    if let step { erasureJournal.hasErased(step) }
    state.withLock { state in
      state.erasedInLog[frozen.shard] = ErasedRows()
      state.frozen.removeAll { $0.id == frozen.id }
      state.replaceContent([], shard: frozen.shard, with: content.map { [$0] } ?? [])
      for part in live { state.add(part) }
      state.reservedBytes -= frozen.reservedBytes
      state.counters.flushes += 1
      state.counters.flushedRows += frozen.rowCount
      state.counters.writtenPartBytes += live.reduce(0) { $0 + $1.entry.fileBytes }
    }
    if content != nil, configuration.durability != .synced {
      shards[frozen.shard].content.remember(
        frozen.content.pieces.map { ($0.id, $0.digest) }, generation: frozen.content.generation)
    }
    if mayRemove { removeObsoleteLog(frozen) }
  }

  private func publish(
    _ live: [LivePart], _ content: LiveContent?, _ frozen: FrozenMemtables
  ) throws(StorageError) -> Bool {
    do throws(StorageError) {
      return try publish { manifest in
        manifest.parts += live.map(\.entry)
        if let content { manifest.content.append(content.entry) }
        manifest.logFloors[frozen.shard] = frozen.lastSegment + 1
      }
    } catch {
      // The next try writes new parts; these are in no manifest, unless nobody knows which one counts.
      if error.code != .failedStop { discard(live, content) }
      throw error
    }
  }

  private func discard(_ live: [LivePart], _ content: LiveContent?) {
    for part in live { try? fileSystem.remove(directory.path(of: part.entry.fileName)) }
    if let content { try? fileSystem.remove(directory.path(of: content.entry.fileName)) }
  }

  /// Notes what goes when the log begins behind what has been frozen: erased rows of the memtables, and those that a
  /// recovery left in the log. `nil` when nothing does.
  private func willErase(
    _ erased: ErasedRows, _ frozen: FrozenMemtables, _ live: [LivePart], _ content: LiveContent?
  ) throws(StorageError) -> ErasureProgress.Step? {
    var erased = erased
    erased.add(state.withLock { $0.erasedInLog[frozen.shard] })
    guard !erased.isEmpty else { return nil }
    for (shard, ids) in erased.pieces { erasureJournal.willErase(ids, shard: shard) }
    let step = ErasureProgress.Step.memory(
      shard: frozen.shard, floor: frozen.lastSegment + 1, rows: erased.rows)
    do throws(StorageError) {
      try willErase(step, frozen.erased ?? exclusions.current)
    } catch {
      discard(live, content)
      throw error
    }
    return step
  }

  /// What can't be removed now goes with the next flush.
  private func removeObsoleteLog(_ frozen: FrozenMemtables) {
    let log = directory.logDirectory(shard: frozen.shard)
    do throws(StorageError) {
      try LogRecovery.removeObsolete(
        log, fileSystem: fileSystem, below: frozen.lastSegment + 1, damaged: shards[frozen.shard].damagedSegments)
    } catch {
      report(error)
    }
  }

  /// Opens a part that has just been written: what can't be read back isn't published.
  /// - Parameter arrived: When its newest row came, in nanoseconds since 1970.
  func open(
    _ part: WrittenPart, table: String, shard: Int, tier: Tier = .hot, level: Int, arrived: Int64
  ) throws(StorageError) -> LivePart {
    let entry = PartEntry(
      part, table: table, shard: shard, level: level, fileName: directory.partFileName(part.number, tier: tier),
      arrived: arrived)
    return LivePart(entry: entry, reader: try open(entry, schema: try schema(table)))
  }

  func open(_ entry: PartEntry, schema: TableSchema) throws(StorageError) -> PartReader {
    try PartReader(
      file: try fileSystem.open(directory.path(of: entry.fileName)), name: entry.fileName, schema: schema,
      expectedChecksum: entry.footerChecksum, cache: cache, cacheID: entry.number,
      onDamage: { [weak self] in self?.quarantine(entry, because: $0) })
  }

  /// Changes the manifest, durably. A failure to say which manifest is on disk ends the writing.
  /// - Returns: Whether files that only the former manifest named may go.
  @discardableResult
  func publish(_ change: (inout Manifest) throws(StorageError) -> Void) throws(StorageError) -> Bool {
    try manifest.withLock { (current) throws(StorageError) in
      var next = current
      try change(&next)
      next.nextPartNumber = max(next.nextPartNumber, partNumbers.following)
      // Whatever parts it names, it says where they are.
      next.volumes = directory.volumes.directories
      // Also where rows refer to content that damage has taken.
      if !next.content.isEmpty || !next.nextContent.isEmpty || shards.contains(where: { $0.content.nextID > 1 }) {
        next.nextContent = shards.map { shard in
          max(shard.content.nextID, shard.index < next.nextContent.count ? next.nextContent[shard.index] : 0)
        }
      }
      let publication = try directory.manifests.publish(next)
      current = publication.manifest
      return publication.mayRemoveObsolete
    }
  }
}

extension PartOptions {
  init(
    _ configuration: StoreConfiguration, _ directory: StoreDirectory, tier: Tier = .hot, numbers: PartNumbers,
    mergeHelpers: EngineThreads
  ) {
    let density = PartDensity(tier)
    self.init(
      fileSystem: directory.fileSystem, blockRows: density.blockRows(configured: configuration.blockRows),
      density: density,
      window: MergeWindow(seconds: configuration.mergeWindowSeconds),
      dictionaryTrialValues: configuration.dictionaryTrialValues,
      parallelMergeRows: configuration.parallelMergeRows, mergeHelpers: mergeHelpers,
      allocate: {
        let number = numbers.take()
        return (number, directory.path(of: directory.partFileName(number, tier: tier)))
      })
  }
}

extension PartEntry {
  init(_ part: WrittenPart, table: String, shard: Int, level: Int, fileName: String, arrived: Int64) {
    self.init(
      number: part.number, table: table, shard: shard, level: level, fileName: fileName,
      rowCount: part.summary.rowCount, fileBytes: part.summary.length, rawBytes: part.rawBytes,
      minTime: part.summary.minTime, maxTime: part.summary.maxTime, arrived: arrived,
      footerChecksum: part.summary.checksum)
  }
}

/// Hands out the numbers of new parts.
final class PartNumbers: Sendable {
  private let next: Mutex<UInt64>

  init(next: UInt64) { self.next = Mutex(next) }

  func take() -> UInt64 {
    next.withLock { next in
      defer { next += 1 }
      return next
    }
  }

  /// The number of the next part.
  var following: UInt64 { next.withLock { $0 } }
}
