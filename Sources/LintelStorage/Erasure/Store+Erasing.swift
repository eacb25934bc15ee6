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
        report(error)
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
    let (before, parts, content, verification) = try mergeTurn.withLock { (_) throws(StorageError) in
      waitingErasures.subtract(1, ordering: .relaxed)
      isWaiting = false
      let before = manifest.withLock { $0 }
      let (generations, parts, content) = try clear(exclusions)
      for part in parts { cache.forget(part: part.number) }
      for observer in erasureObservers.withLock({ $0 }) { observer() }
      try clearLeftovers()
      refreshStoredRows()
      let verification = try verify(
        pending, renewed: Set(parts.compactMap(\.receipt.replacement)), generations: generations)
      return (before, parts, content, verification)
    }
    guard verification.isClean else {
      let names = (verification.found + verification.unreadable).prefix(10).joined(separator: "; ")
      throw StorageError(
        .invalid,
        "an erasure can't be finished: its rows are hidden, but these files hold some, or can't be read: \(names). "
          + "Restore them from a backup, or remove them, but none in content/, which have what others said as well; it is "
          + "tried again every minute and when the store is opened", path: path)
    }
    try publish { $0.erased = max($0.erased, exclusions.rules.sequence) }
    let after = manifest.withLock { $0 }
    let receipt = ErasureReceipt(
      number: exclusions.rules.sequence, finished: clock(),
      requests: pending.map {
        ErasureReceipt.Request(
          number: $0.number, token: $0.token, tenant: $0.tenant, requested: $0.requested, rows: $0.rows)
      },
      parts: parts.map(\.receipt),
      content: content.filter { $0.new?.number != $0.old.number }.map { swept in
        ErasureReceipt.Content(
          name: swept.old.fileName, piecesErased: swept.old.pieceCount - (swept.new?.pieceCount ?? 0),
          bytesRead: swept.old.fileBytes, replacement: swept.new?.fileName, bytesWritten: swept.new?.fileBytes ?? 0)
      },
      rootBefore: MerkleTree.root(before), rootAfter: MerkleTree.root(after),
      verification: verification)
    try finish(pending, receipt)
  }

  /// Takes hidden rows out of memory, log and parts, and then what only they referred to out of content. To be called by whoever
  /// has the turn to merge.
  /// - Returns: Of each shard the generation of content that has begun, and what was done with which files.
  private func clear(
    _ exclusions: Exclusions
  ) throws(StorageError) -> (generations: [UInt64], parts: [ClearedPart], content: [SweptContent]) {
    do throws(StorageError) {
      // The rows in memory go into parts without those that are hidden; the log begins anew.
      var generations: [UInt64] = []
      for shard in shards { generations.append(try freeze(shard, for: .erasure)) }
      try writeFrozen()
      let parts = try clearParts(exclusions)
      var content: [SweptContent] = []
      for shard in shards {
        var marks = ContentMarks()
        // Where a part can't be looked at, the verification says so.
        if try mark(shard.index, &marks) == nil {
          content += try sweepContent(shard, marks, below: generations[shard.index])
        }
        try rememberContent(shard)
      }
      return (generations, parts, content)
    } catch {
      // What is there needn't be stored again.
      for shard in shards { try? rememberContent(shard) }
      throw error
    }
  }

  /// Removes files that no manifest names: what the device refused to remove before. To be called by whoever has the turn to
  /// merge; what stays is found by the verification.
  private func clearLeftovers() throws(StorageError) {
    try flushTurn.withLock { (_) throws(StorageError) in
      // Only when no former manifest is left may go what only that one names.
      guard try publish({ _ in }) else { return }
      let current = manifest.withLock { $0 }
      let named = current.fileNames
      for folder in StoreDirectory.partFolders + [StoreDirectory.contentFolder] {
        let files = try fileSystem.list("\(path)/\(folder)").map { "\(folder)/\($0)" }
        let stray = files.filter { StoreDirectory.isOurs($0) && !named.contains($0) }
        for file in stray { try fileSystem.remove(directory.path(of: file)) }
        if !stray.isEmpty { try fileSystem.syncDirectory("\(path)/\(folder)") }
      }
      for shard in shards {
        try LogRecovery.removeObsolete(
          directory.logDirectory(shard: shard.index), fileSystem: fileSystem, below: current.logFloors[shard.index],
          damaged: shard.damagedSegments)
      }
    }
  }

  private struct ClearedPart {
    var number: UInt64
    var receipt: ErasureReceipt.Part
  }

  /// Writes the parts anew that hold hidden rows. To be called by whoever has the turn to merge.
  private func clearParts(_ exclusions: Exclusions) throws(StorageError) -> [ClearedPart] {
    var cleared: [ClearedPart] = []
    for part in state.withLock({ $0.parts.values.joined().sorted { $0.entry.number < $1.entry.number } }) {
      if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
      guard try holdsHidden(part, exclusions) else { continue }
      let entry = part.entry
      let replacement = try rewrite([part], exclusions)
      cleared.append(
        ClearedPart(
          number: entry.number,
          receipt: ErasureReceipt.Part(
            table: entry.table, name: entry.fileName, rowsErased: entry.rowCount - (replacement?.entry.rowCount ?? 0),
            bytesRead: entry.fileBytes, replacement: replacement?.entry.fileName,
            bytesWritten: replacement?.entry.fileBytes ?? 0)))
    }
    return cleared
  }

  private func holdsHidden(_ part: LivePart, _ exclusions: Exclusions) throws(StorageError) -> Bool {
    let schema = try schema(part.entry.table)
    guard let column = schema.subjectColumn else { return false }
    var isHolding = false
    do throws(StorageError) {
      try exclusions.hidden.forEachRow(of: part.reader, subject: column, tenant: schema.tenantColumn) { _, _, _ in
        isHolding = true
      }
    } catch {
      // It is reported and quarantined; the verification names it.
      guard error.code == .corrupt else { throw error }
    }
    return isHolding
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
