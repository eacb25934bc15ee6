internal import Synchronization

extension Store {
  /// Writes what is in memory into parts, so that the next opening finds an empty log, and gives the directory free.
  ///
  /// Later calls throw `.closed`; snapshots taken before stay readable. When the rows can't be written (the error is
  /// thrown) they are still in the log, and the next opening finds them there.
  public func close() async throws(StorageError) {
    let isFirst = state.withLock { state in
      defer { state.phase = .closed }
      return state.phase == .open
    }
    guard isFirst else { return }
    isClosing.store(true, ordering: .relaxed)
    var failure: StorageError?
    if !isReadOnly {
      do throws(StorageError) {
        try await flusher.run { [self] () throws(StorageError) in try finishWriting() }
        // Queued behind what still merges.
        try await merger.run {}
      } catch {
        failure = error
      }
    }
    for threads in [callers, flusher, merger, mergeHelpers, scrubber] { threads.shutDown() }
    for shard in shards { shard.shutDown() }
    directory.release()
    if let failure { throw failure }
  }

  private func finishWriting() throws(StorageError) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
    for shard in shards { try freeze(shard, for: .closing) }
    try writeFrozen()
    for shard in shards {
      try shard.log.withLock { (log) throws(StorageError) in try log.writer.close() }
    }
  }

  /// Looks now and then for memtables that have waited long enough, for flushes that a full disk has stopped, and for parts
  /// that were not merged because rows poured in.
  func startTicker() {
    let seconds = max(0.05, min(configuration.flushSeconds / 4, 5))
    Task.detached { [weak self] in
      while true {
        try? await Task.sleep(nanoseconds: UInt64(seconds * 1e9))
        guard let self, !self.isClosing.load(ordering: .relaxed) else { return }
        self.tick()
        self.scrub(now: WallClock.monotonic())
      }
    }
  }

  package func tick() {
    let now = WallClock.monotonic()
    let age = Int64(min(max(configuration.flushSeconds, 0), 1e9) * 1e9)
    let (due, isStuck) = state.withLock { state in
      guard state.failure == nil else { return ([Int](), false) }
      let due = state.oldestRow.indices.filter { index in state.oldestRow[index].map { now &- $0 >= age } ?? false }
      return (due, !state.frozen.isEmpty)
    }
    startMerging()
    startRetention()
    startMoving(now: now)
    startSweeping()
    startErasing()
    guard !due.isEmpty || isStuck else { return }
    flusher.start { [self] in
      do throws(StorageError) {
        for index in due { try freeze(shards[index]) }
        try writeFrozen()
      } catch {
        // Recorded where it happened; the next tick tries again.
      }
    }
  }
}
