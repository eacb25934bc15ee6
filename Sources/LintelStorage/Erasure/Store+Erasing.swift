internal import LintelColumns
internal import Synchronization

/// Clearing files of what is hidden.
extension Store {
  private static var erasureRetryNanoseconds: Int64 { 60_000_000_000 }

  /// Has erasures that aren't finished carried out in the background.
  func startErasing() {
    guard !isReadOnly, isErasureDue, erasureRetry.withLock({ WallClock.monotonic() >= $0 }) else { return }
    erasing.start(on: merger) { [self] in
      do throws(StorageError) { try eraseFilesBlocking() } catch {
        if error.code == .closed { return }
        report(error, by: .erasing)
        erasureRetry.withLock { $0 = WallClock.monotonic() &+ Self.erasureRetryNanoseconds }
      }
    }
  }

  private var isErasureDue: Bool {
    exclusions.isDoubtful || exclusions.current.rules.erasures.contains { $0.state == .hidden }
  }

  /// Clears the files of all erased subjects, verifies that, and signs a receipt. Returns when no file holds anything of
  /// them. Does nothing where nothing is hidden. Blocks.
  ///
  /// A crash at any time leaves the rows hidden, and the next opening begins anew.
  ///
  /// - Throws: `.invalid` when a file can't be cleared, which says what to do; `.diskFull`, `.failedStop`, `.closed`,
  ///   `.readOnly`.
  public func eraseFilesBlocking() throws(StorageError) {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    try erasureTurn.withLock { (_) throws(StorageError) in
      while isErasureDue {
        try state.withLock { (state) throws(StorageError) in try state.checkWritable() }
        try erasePass()
      }
    }
    succeeded(.erasing)
  }

  private func erasePass() throws(StorageError) {
    let exclusions = exclusions.current
    let pending = exclusions.rules.erasures.filter {
      $0.state == .hidden || self.exclusions.isDoubtful && $0.state == .erased
    }
    waitingErasures.add(1, ordering: .relaxed)
    var isWaiting = true
    defer { if isWaiting { waitingErasures.subtract(1, ordering: .relaxed) } }
    // Nothing is merged or swept meanwhile: the files that are verified are those that count.
    let verification = try mergeTurn.withLock { (_) throws(StorageError) in
      waitingErasures.subtract(1, ordering: .relaxed)
      isWaiting = false
      erasureJournal.begin(manifest.withLock { $0 })
      let generations = try clear(exclusions)
      for observer in erasureObservers.withLock({ $0 }) { observer() }
      try clearLeftovers()
      refreshStoredRows()
      let renewed = Set(erasureJournal.progress.parts.compactMap(\.replacement))
      return try verify(pending, renewed: renewed, generations: generations)
    }
    guard verification.isClean else {
      let names = (verification.found + verification.unreadable).prefix(10).joined(separator: "; ")
      throw StorageError(
        .invalid,
        "an erasure can't be finished: its rows are hidden, but these files hold some, or can't be read: \(names). "
          + "Restore them from a backup. Parts that can't be had back are given up by DROP PART 'file', and what was kept of "
          + "damage beside the log may be removed; files in content/ have what others said as well. It is tried again every "
          + "minute and when the store is opened", path: path)
    }
    try publish { $0.erased = max($0.erased, exclusions.rules.sequence) }
    let after = manifest.withLock { $0 }
    let progress = erasureJournal.progress
    let receipt = ErasureReceipt(
      number: exclusions.rules.sequence, finished: clock(),
      requests: pending.map {
        ErasureReceipt.Request(
          number: $0.number, token: $0.token, tenant: $0.tenant, requested: $0.requested, rows: $0.rows)
      },
      isAfterRestart: pending.contains { erasuresAtOpening.contains($0.number) },
      rowsFromMemory: progress.rowsFromMemory, parts: progress.parts, content: progress.content,
      rootBefore: progress.rootBefore ?? MerkleTree.root(after), rootAfter: MerkleTree.root(after),
      verification: verification)
    try finish(pending, receipt)
    erasureJournal.clear()
  }

  /// Removes files that no manifest names: what the device refused to remove before. To be called by whoever has the turn to
  /// merge; what stays is found by the verification.
  private func clearLeftovers() throws(StorageError) {
    try flushTurn.withLock { (_) throws(StorageError) in
      // Only when no former manifest is left may go what only that one names.
      guard try publish({ _ in }) else { return }
      let current = manifest.withLock { $0 }
      let named = current.fileNames
      for (folder, path) in directory.fileFolders {
        let files = try fileSystem.list(path).map { "\(folder)/\($0)" }
        let stray = files.filter { StoreDirectory.isOurs($0) && !named.contains($0) }
        for file in stray { try fileSystem.remove(directory.path(of: file)) }
        if !stray.isEmpty { try fileSystem.syncDirectory(path) }
      }
      for shard in shards {
        try LogRecovery.removeObsolete(
          directory.logDirectory(shard: shard.index), fileSystem: fileSystem, below: current.logFloors[shard.index],
          damaged: shard.damagedSegments)
      }
    }
  }

  /// Reads every file and looks for subjects. Blocks.
  private func verify(
    _ erasures: [Erasure], renewed: Set<String>, generations: [UInt64]
  ) throws(StorageError) -> ErasureVerification {
    var verifier = ErasureVerifier(self, erasures, keys: exclusions.keys, renewed: renewed, generations: generations)
    return try verifier.run()
  }

  private func finish(_ pending: [Erasure], _ receipt: ErasureReceipt) throws(StorageError) {
    let text = try ReceiptSigner(directory).sign(receipt)
    let folder = "\(directory.erasurePath)/receipts"
    try fileSystem.createFolderDurably(folder)
    let name = "\(LogFormat.padded(receipt.number)).json"
    do throws(StorageError) {
      let file = "\(folder)/\(name)"
      try fileSystem.writeDurably(Array(text.utf8), to: file, temporary: file + ".tmp", in: folder)
    } catch {
      if error.code == .failedStop { throw failStop(error) }
      throw error
    }
    let now = receipt.finished
    try changeRules { rules in
      var events: [AuditEvent] = []
      for erasure in pending {
        guard let place = rules.erasures.firstIndex(where: { $0.number == erasure.number }) else { continue }
        if rules.erasures[place].state == .hidden {
          rules.erasures[place].state = .erased
          rules.erasures[place].finished = now
        }
        events.append(
          AuditEvent(
            .erased, number: erasure.number, token: erasure.token, tenant: erasure.tenant,
            detail: "rows=\(erasure.rows) receipt=\(receipt.number)"))
      }
      rules.finished = max(rules.finished, receipt.number)
      return ((), events)
    }
    exclusions.set(exclusions.current.rules, isDoubtful: false)
  }

  /// The receipt of an erasure that is finished; `nil` when it isn't, or the file is gone.
  public func receipt(_ number: UInt64) throws(StorageError) -> [UInt8]? {
    let folder = "\(directory.erasurePath)/receipts"
    for name in try fileSystem.list(folder).sorted() where name.hasSuffix(".json") {
      let bytes = try fileSystem.readAll("\(folder)/\(name)", limit: 256 << 20)
      if String(decoding: bytes, as: UTF8.self).contains("{\"erasure\":\(number),") { return bytes }
    }
    return nil
  }

  /// ``eraseFilesBlocking()`` on a thread of the store's.
  public func eraseFiles() async throws(StorageError) {
    try await merger.run { [self] () throws(StorageError) in try eraseFilesBlocking() }
  }

  /// Calls `observer` whenever rows have gone from files: what is kept of them elsewhere must go too.
  public func onErasure(_ observer: @escaping @Sendable () -> Void) {
    erasureObservers.withLock { $0.append(observer) }
  }
}
