internal import LintelColumns
internal import Synchronization

/// Group commit: what runs on a shard's own thread.
extension Store {
  /// What a group commit has done with one item.
  private struct Accepted {
    var item: CommitItem
    var newRows: NewRows
    /// The rows that were not known; `nil` when all were.
    var batch: Batch?
    /// What they refer to that was not stored before.
    var pieces: [ContentPiece] = []
    /// Rows whose subject was erased, which are in neither.
    var erased = 0
  }

  /// Writes a group of items with one sync, makes their rows visible in order, and answers.
  func commit(_ items: [CommitItem], _ shardIndex: Int) {
    let shard = shards[shardIndex]
    let isFull = shard.log.withLock { log in commit(items, shard, &log) }
    if isFull { startFlush(shard: shardIndex) }
  }

  /// Returns whether the memtable is to be flushed.
  private func commit(_ items: [CommitItem], _ shard: Shard, _ log: inout Shard.Log) -> Bool {
    var waiting = items[...]
    var accepted: [Accepted] = []
    do throws(StorageError) {
      try state.withLock { (state) throws(StorageError) in try state.checkWritable() }
      // Before that, not even rows that are known already may be said to be stored.
      try log.writer.start()
      try endLongSegment(log.writer)
      while let item = waiting.first {
        if let entry = try write(item, shard, &log) { accepted.append(entry) }
        waiting.removeFirst()
      }
      if configuration.durability == .synced, accepted.contains(where: { $0.batch != nil }) { try log.writer.sync() }
    } catch {
      let failure = error.code == .closed || error.code == .diskFull ? error : failStop(error)
      for item in accepted.map(\.item) + waiting { refuse(item, failure) }
      return false
    }
    let isFull = insert(accepted, shard)
    for entry in accepted { entry.item.completion(.success(entry.newRows)) }
    return isFull
  }

  /// A recovery copies the last segment: what a long log has before that one is known to be on the disk.
  private func endLongSegment(_ writer: LogWriter) throws(StorageError) {
    guard writer.bytes >= configuration.logSegmentBytes else { return }
    do throws(StorageError) {
      _ = try writer.rotate()
    } catch {
      // Without room for another segment this one goes on.
      guard error.code == .diskFull else { throw error }
    }
  }

  /// Writes the rows of an item that are new. `nil` when the item was answered because there is no room for it on the
  /// disk; any other error is final.
  private func write(
    _ whole: CommitItem, _ shard: Shard, _ log: inout Shard.Log
  ) throws(StorageError) -> Accepted? {
    // Asked with the turn to write: what an erasure finds in the log is all there will be.
    let (item, left) = exclusions.current.admitted(whole)
    let erased = whole.batch.rowCount - item.batch.rowCount
    let rows = newRows(of: item, &log)
    guard !rows.isEmpty else {
      return Accepted(item: item, newRows: NewRows([], among: left, of: whole), batch: nil, erased: erased)
    }
    let isWhole = rows.count == item.batch.rowCount
    let batch = isWhole ? item.batch : item.batch.select(rows: rows)
    do throws(StorageError) {
      var payload = isWhole ? item.payload : LogPayload.encode(batch)
      var missing: [ContentPiece] = []
      if !item.pieces.isEmpty, batch.hasContent {
        // What only rows refer to that aren't taken in is not taken in either.
        let ids = isWhole && left == nil ? nil : batch.contentIDs
        missing = shard.content.missing(ids.map { ids in item.pieces.filter { ids.contains($0.id) } } ?? item.pieces)
        payload = LogPayload.content(missing, digests: rows.map { item.digests[Int($0)] }) + payload
      }
      let kind = batch.hasContent ? LogPayload.rowsWithContent : LogPayload.rows
      let writer = log.writer
      try payload.span.bytes.withUnsafeBytes { (bytes) throws(StorageError) in
        try writer.append(bytes, kind: kind)
      }
      let newRows = isWhole && left == nil ? .all : NewRows(rows, among: left, of: whole)
      return Accepted(item: item, newRows: newRows, batch: batch, pieces: missing, erased: erased)
    } catch {
      guard error.code == .diskFull || error.code == .invalid else { throw error }
      log.retryWindow.forget(rows.map { item.digests[Int($0)] })
      refuse(item, error)
      return nil
    }
  }

  /// The rows of an item that are not stored yet, ascending; from now on they count as stored.
  private func newRows(of item: CommitItem, _ log: inout Shard.Log) -> [UInt32] {
    let now = WallClock.now()
    if log.storedRows?.isOver(now: now) ?? false { log.storedRows = nil }
    guard let rows = log.storedRows?.newRows(of: item.batch, digests: item.digests) else {
      return log.retryWindow.insertNew(item.digests, now: now)
    }
    let inserted = log.retryWindow.insertNew(rows.map { item.digests[Int($0)] }, now: now)
    return inserted.map { rows[Int($0)] }
  }

  private func refuse(_ item: CommitItem, _ error: StorageError) {
    state.withLock { $0.reservedBytes -= item.reservedBytes }
    item.completion(.failure(error))
  }

  /// Puts the new rows into the memtable. Returns whether it is full.
  private func insert(_ accepted: [Accepted], _ shard: Shard) -> Bool {
    let (names, content) = state.withLock { state in
      (accepted.map { _ in state.segmentName(shard: shard.index) }, state.content[shard.index])
    }
    for entry in accepted where !entry.pieces.isEmpty {
      content.insert(entry.pieces)
      // A power cut may take what is only buffered, and leave what comes after.
      if configuration.durability == .synced {
        shard.content.remember(entry.pieces.map { ($0.id, $0.digest) }, generation: content.generation)
      }
    }
    let segments = zip(accepted, names).map { entry, name in
      entry.batch.map { batch in
        BatchSegment(
          batch, name: name, blockRows: configuration.blockRows,
          byteCount: batch.rowCount == entry.item.batch.rowCount && entry.item.pieces.isEmpty
            ? entry.item.reservedBytes : nil)
      }
    }
    let now = WallClock.monotonic()
    let tables = state.withLock { state in
      var tables: Set<String> = []
      for (entry, segment) in zip(accepted, segments) {
        state.counters.erasedRows += entry.erased
        state.counters.duplicateRows += entry.item.batch.rowCount - (entry.batch?.rowCount ?? 0)
        guard let segment else {
          state.reservedBytes -= entry.item.reservedBytes
          continue
        }
        let contentBytes = entry.pieces.reduce(0) { $0 + $1.bytes.count + ContentMemory.overhead }
        let kept = min(segment.byteCount + contentBytes, entry.item.reservedBytes)
        state.reservedBytes -= entry.item.reservedBytes - kept
        state.counters.appendedRows += segment.rowCount
        state.insert(segment, shard: shard.index, reservedBytes: kept, now: now)
        tables.insert(segment.batch.schema.name)
      }
      return tables
    }
    for table in tables { startSettling(table, shard: shard.index) }
    return state.withLock { $0.memtableBytes(shard: shard.index) } >= flushBytes
  }

  /// Bytes at which a shard's memtables are flushed: small enough that those being flushed and those being filled fit
  /// into the budget together.
  var flushBytes: Int {
    max(1, min(configuration.flushBytes, configuration.memoryBudget / (3 * max(1, shards.count))))
  }

  // MARK: - Putting small batches together

  /// Has the small batches of a memtable joined on another thread, when there are many.
  private func startSettling(_ table: String, shard: Int) {
    let blockRows = configuration.blockRows
    let small = state.withLock { state -> ArraySlice<BatchSegment>? in
      guard !state.settling.contains(SettlingKey(table: table, shard: shard)),
        let small = state.memtables[shard][table]?.smallSegments(targetRows: blockRows), small.count > 1
      else { return nil }
      state.settling.insert(SettlingKey(table: table, shard: shard))
      return small
    }
    guard let small else { return }
    callers.start { [self] in settle(small, table, shard) }
  }

  private func settle(_ small: ArraySlice<BatchSegment>, _ table: String, _ shard: Int) {
    let blockRows = configuration.blockRows
    let joined = BatchJoin.join(small.map(\.batch)).map { batch in
      BatchSegment(batch, name: small.first?.name ?? "memory", blockRows: blockRows)
    }
    state.withLock { state in
      state.settling.remove(SettlingKey(table: table, shard: shard))
      guard let joined else { return }
      let freed = state.memtables[shard][table]?.replace(small, with: joined, targetRows: blockRows)
      state.reservedBytes -= freed ?? 0
    }
    // What has come meanwhile.
    startSettling(table, shard: shard)
  }
}
