internal import LintelColumns
internal import Synchronization

/// What whoever merges keeps from one merge to the next.
struct MergeTurn: Sendable {
  /// Parts that could not be merged, left alone until the store is opened again.
  var excluded: Set<UInt64> = []
  /// Content segments likewise.
  var excludedContent: Set<UInt64> = []
}

extension Store {
  var mergePolicy: MergePolicy {
    var policy = MergePolicy(window: MergeWindow(seconds: configuration.mergeWindowSeconds))
    policy.maximumBytes = configuration.maximumPartBytes
    return policy
  }

  /// Merges parts until as few as possible are left in each merge window. Returns when that is done.
  ///
  /// - Throws: `.diskFull`, `.failedStop`, `.closed`, `.readOnly`.
  public func mergeAll() async throws(StorageError) {
    try await merger.run { [self] () throws(StorageError) in try mergeAllBlocking() }
  }

  /// ``mergeAll()`` for callers that have a thread to block.
  /// - Parameter table: Merges this table's parts only.
  public func mergeAllBlocking(_ table: String? = nil) throws(StorageError) {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    try mergeTurn.withLock { (turn) throws(StorageError) in
      while let group = mergePolicy.all(mergeable(turn, table)).first {
        try mergeOrExclude(group, &turn)
      }
      while try mergeContent(&turn, everything: true) == .merged {}
    }
  }

  /// Merges in the background whatever the policy asks for.
  func startMerging() {
    merging.start(on: merger) { [self] in
      mergeTurn.withLock { turn in
        do throws(StorageError) {
          while let group = mergePolicy.next(mergeable(turn, nil), now: WallClock.now()) {
            try mergeOrExclude(group, &turn)
          }
          // One at a time: what else waits for its turn comes first.
          if try mergeContent(&turn, everything: false) == .merged { startMerging() }
          succeeded(.merging)
        } catch {
          if error.code != .closed { report(error, by: .merging) }
        }
      }
    }
  }

  /// The parts of which the manifest may name others instead.
  func mergeable(_ turn: MergeTurn, _ table: String?) -> [PartEntry] {
    state.withLock { state in
      guard state.failure == nil, state.phase == .open else { return [] }
      return state.parts.filter { table == nil || $0.key == table }.values.joined().map(\.entry)
        .filter { !turn.excluded.contains($0.number) }
    }
  }

  /// A part that turns out to be damaged is quarantined; the others get another chance without it.
  private func mergeOrExclude(_ group: [PartEntry], _ turn: inout MergeTurn) throws(StorageError) {
    try excluding(group, &turn) { () throws(StorageError) in try merge(group) }
  }

  /// Does something with parts; those that it can't be done with are left alone from then on.
  func excluding(
    _ group: [PartEntry], _ turn: inout MergeTurn, _ body: () throws(StorageError) -> Void
  ) throws(StorageError) {
    do throws(StorageError) {
      try body()
    } catch {
      switch error.code {
      case .corrupt, .incompatible, .invalid:
        let isQuarantined = mergeable(turn, nil).filter { group.contains($0) }.count < group.count
        if isQuarantined { return }
        report(error)
        turn.excluded.formUnion(group.map(\.number))
      case .failedStop: throw failStop(error)
      default: throw error
      }
    }
  }

  private func merge(_ group: [PartEntry]) throws(StorageError) {
    guard let sources = live(group) else { return }
    _ = try rewrite(sources, exclusions.current, for: .expiry)
  }

  /// Parts of one table as queries see them; `nil` when some are no longer among them.
  func live(_ group: [PartEntry]) -> [LivePart]? {
    guard let table = group.first?.table else { return nil }
    let numbers = Set(group.map(\.number))
    let sources = state.withLock { state in
      (state.parts[table] ?? []).filter { numbers.contains($0.entry.number) }
    }
    return sources.count == group.count ? sources : nil
  }

  /// Merges parts of one table, shard, tier and window into one, without the rows that are expired, or those that are
  /// erased.
  ///
  /// - Parameters:
  ///   - purpose: Which of them.
  ///   - target: The tier of the new part; `nil`: that of the old ones.
  ///   - isCancelled: Asked again and again; when it is no longer wanted the merge ends with `.closed`.
  /// - Returns: The new part; `nil` when no row is left.
  func rewrite(
    _ sources: [LivePart], _ exclusions: Exclusions, for purpose: Exclusions.Purpose, to target: Tier? = nil,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws(StorageError) -> LivePart? {
    let group = sources.map(\.entry)
    guard let first = group.first else { return nil }
    let (table, shard, tier) = (first.table, first.shard, target ?? first.tier)
    let schema = try schema(table)
    var readers: [PartReader] = []
    var masks: [RowMask?] = []
    let now = clock()
    for source in sources {
      switch try exclusions.remains(of: source.reader, schema, now: now, for: purpose) {
      case .nothing: continue
      case .everything: masks.append(nil)
      case .some(let mask): masks.append(mask)
      }
      readers.append(source.reader)
    }
    guard !readers.isEmpty else {
      let steps = try willErase(group, nil, exclusions, purpose)
      try drop(group)
      for step in steps { erasureJournal.hasErased(step) }
      return nil
    }
    var written = try PartMerger.merge(
      readers, masks: masks, schema: schema, options: partOptions(tier),
      isCancelled: { [self] in isClosing.load(ordering: .relaxed) || isCancelled() })
    let rows = group.reduce(0) { $0 + $1.rowCount }
    if written.summary.rowCount < rows { noteRowsHaveGone() }
    let share = Double(written.summary.rowCount) / Double(max(1, rows))
    let rawBytes = group.reduce(0) { $0 + $1.rawBytes }
    written.rawBytes = written.summary.rowCount == rows ? rawBytes : Int(Double(rawBytes) * share)
    let level = group.map(\.level).max() ?? 0
    let live: LivePart
    let steps: [ErasureProgress.Step]
    do throws(StorageError) {
      try fileSystem.syncDirectory(directory.folder(tier))
      live = try open(
        written, table: table, shard: shard, tier: tier, level: group.count > 1 ? 1 + level : max(1, level),
        arrived: group.map(\.arrived).max() ?? 0)
      steps = try willErase(group, live.entry, exclusions, purpose)
    } catch {
      try? fileSystem.remove(written.path)
      throw error
    }
    try replace(group, with: [live], isMove: tier != first.tier)
    for step in steps { erasureJournal.hasErased(step) }
    FreedMemory.giveBack()
    return live
  }

  /// Notes what goes with parts that an erasure has written anew: one at a time.
  private func willErase(
    _ group: [PartEntry], _ replacement: PartEntry?, _ exclusions: Exclusions, _ purpose: Exclusions.Purpose
  ) throws(StorageError) -> [ErasureProgress.Step] {
    guard purpose == .erasure, let entry = group.first, group.count == 1 else { return [] }
    let step = ErasureProgress.Step.part(
      number: entry.number,
      ErasureReceipt.Part(
        table: entry.table, tier: entry.tier, name: entry.fileName,
        rowsErased: entry.rowCount - (replacement?.rowCount ?? 0), bytesRead: entry.fileBytes,
        replacement: replacement?.fileName, bytesWritten: replacement?.fileBytes ?? 0))
    try willErase(step, exclusions)
    return [step]
  }

  /// Puts parts of a table in the place of others, durably.
  /// - Parameter isMove: They are in another tier.
  func replace(_ group: [PartEntry], with live: [LivePart], isMove: Bool = false) throws(StorageError) {
    let numbers = Set(group.map(\.number))
    let mayRemove: Bool
    do throws(StorageError) {
      mayRemove = try publish { (manifest) throws(StorageError) in
        let found = manifest.parts.filter { numbers.contains($0.number) && !$0.isQuarantined }
        guard found.count == group.count else {
          throw StorageError(
            .invalid, "a part to be merged was quarantined meanwhile", path: live.first?.entry.fileName)
        }
        manifest.parts.removeAll { numbers.contains($0.number) }
        manifest.parts += live.map(\.entry)
      }
    } catch {
      // They are not in the manifest that counts, unless nobody knows which one does.
      if error.code != .failedStop {
        for part in live { try? fileSystem.remove(directory.path(of: part.entry.fileName)) }
      }
      throw error
    }
    state.withLock { state in
      for table in Set(group.map(\.table)) { state.removeParts(numbers, table: table) }
      for part in live { state.add(part) }
      let rows = live.reduce(0) { $0 + $1.entry.rowCount }
      let bytes = live.reduce(0) { $0 + $1.entry.fileBytes }
      if isMove {
        state.counters.moves += 1
        state.counters.movedRows += rows
        state.counters.movedBytes += bytes
      } else {
        state.counters.merges += 1
        state.counters.mergedRows += rows
      }
      state.counters.writtenPartBytes += bytes
    }
    if mayRemove { removeFiles(group) }
  }

  /// Snapshots that still read them hold the files open.
  func removeFiles(_ group: [PartEntry]) {
    for entry in group {
      do throws(StorageError) {
        try fileSystem.remove(directory.path(of: entry.fileName))
      } catch {
        report(error)
      }
    }
  }
}
