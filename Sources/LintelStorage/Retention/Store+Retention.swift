internal import LintelColumns
internal import Synchronization

extension Exclusions {
  /// Whether all of a part is past its retention, by its times alone.
  func isExpired(_ entry: PartEntry, _ schema: TableSchema, now: Int64) -> Bool {
    let cutoffs = RetentionCutoffs(rules.retention, schema, now: now)
    return !cutoffs.isEmpty && cutoffs.areAfter(entry.maxTime)
  }
}

/// Taking expired rows from the disk.
extension Store {
  /// A part that will expire as a whole within this time is waited for.
  static var patience: Int64 { 86_400_000_000_000 }

  /// Drops expired parts, and writes those anew that stay partly, in the background.
  func startRetention() {
    guard !isReadOnly, !exclusions.current.rules.retention.isEmpty else { return succeeded(.expiring) }
    expiring.start(on: merger) { [self] in
      // Content has its own times, and pauses after a failure.
      do throws(StorageError) { try expireParts() } catch {
        if error.code != .closed { report(error, by: .expiring) }
      }
    }
  }

  /// Drops the parts of which every row is past its retention, without reading them, clears the others of rows that
  /// have been for a while, and then the content of what no row is left to refer to. Blocks.
  ///
  /// - Throws: `.diskFull` when a part can't be written anew, `.failedStop`, `.closed`, `.readOnly`.
  public func expireBlocking() throws(StorageError) {
    try expireParts()
    try sweepIfDue()
  }

  private func expireParts() throws(StorageError) {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    try mergeTurn.withLock { (_) throws(StorageError) in
      let exclusions = exclusions.current
      guard !exclusions.rules.retention.isEmpty else { return }
      try state.withLock { (state) throws(StorageError) in try state.checkWritable() }
      let now = clock()
      let parts = state.withLock { $0.parts.values.joined().sorted { $0.entry.number < $1.entry.number } }
      var dropped: [PartEntry] = []
      var others: [LivePart] = []
      for part in parts {
        let isExpired = exclusions.isExpired(part.entry, try schema(part.entry.table), now: now)
        if isExpired, exclusions.rules.holds.isEmpty { dropped.append(part.entry) } else { others.append(part) }
      }
      try drop(dropped)
      for part in others where try isWorthClearing(part, exclusions, now: now) {
        if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
        _ = try rewrite([part], exclusions, for: .expiry)
        cache.forget(part: part.entry.number)
      }
      try expireContent(exclusions, now: now)
    }
    succeeded(.expiring)
  }

  /// ``expireBlocking()`` on a thread of the store's.
  public func expire() async throws(StorageError) {
    try await merger.run { [self] () throws(StorageError) in try expireBlocking() }
  }

  /// Whether rows have expired, and waiting for more would gain little: those of a rule that covers all of the part, or
  /// those of a part that will go on expiring for long.
  private func isWorthClearing(_ part: LivePart, _ exclusions: Exclusions, now: Int64) throws(StorageError) -> Bool {
    let schema = try schema(part.entry.table)
    let cutoffs = RetentionCutoffs(exclusions.rules.retention, schema, now: now)
    guard cutoffs.cover(part.entry.minTime, part.entry.maxTime, patience: Self.patience) else { return false }
    do throws(StorageError) {
      switch try exclusions.remains(of: part.reader, schema, now: now, for: .expiry) {
      case .everything: return false
      case .some, .nothing: return true
      }
    } catch {
      guard error.code == .corrupt else { throw error }
      return false
    }
  }

  /// Takes parts away as they are. On a full disk their files go before the manifest that doesn't name them is written:
  /// nothing of them was to be seen any more, and an opening in between knows that they were expired.
  func drop(_ parts: [PartEntry]) throws(StorageError) {
    guard !parts.isEmpty else { return }
    let numbers = Set(parts.map(\.number))
    let change: (inout Manifest) -> Void = { $0.parts.removeAll { numbers.contains($0.number) } }
    func forget() {
      noteRowsHaveGone()
      state.withLock { state in
        for table in Set(parts.map(\.table)) { state.removeParts(numbers, table: table) }
        state.counters.droppedParts += parts.count
        state.counters.droppedRows += parts.reduce(0) { $0 + $1.rowCount }
      }
      for number in numbers { cache.forget(part: number) }
    }
    let mayRemove: Bool
    do throws(StorageError) {
      mayRemove = try publish(change)
      forget()
    } catch {
      guard error.code == .diskFull else {
        if error.code == .failedStop { throw failStop(error) }
        throw error
      }
      let now = clock()
      let exclusions = exclusions.current
      for part in parts where !exclusions.isExpired(part, try schema(part.table), now: now) { throw error }
      forget()
      removeFiles(parts)
      try publish(change)
      return
    }
    if mayRemove { removeFiles(parts) }
  }
}
