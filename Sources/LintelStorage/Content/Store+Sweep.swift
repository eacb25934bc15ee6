internal import LintelColumns
internal import Synchronization

/// When content is swept next.
struct SweepPlan: Sendable {
  /// Whether rows may have gone since the last time.
  var isDue: Bool
  /// Whether pieces were left that no row refers to, since they were few.
  var hasLeft = false
  /// When the last sweep began that left none, in nanoseconds since 1970. After an opening nobody knows.
  var lastWhole: Int64?
  var failures = 0
  /// Before this moment of the monotonic clock nothing is tried again by itself.
  var retry: Int64 = 0

  private static let day: Int64 = 86_400_000_000_000
  private static let shortestPause: Int64 = 60_000_000_000
  private static let longestPause: Int64 = 3_600_000_000_000

  init(isDue: Bool) { self.isDue = isDue }

  /// Whether what no row refers to goes also where it is little: it stays for a day at most.
  func isWhole(now: Int64) -> Bool {
    guard let lastWhole else { return true }
    return now < lastWhole || now &- lastWhole >= Self.day
  }

  func isWanted(now: Int64) -> Bool { isDue || hasLeft && isWhole(now: now) }

  mutating func succeeded(isWhole: Bool, hasLeft: Bool, began: Int64) {
    self.hasLeft = hasLeft
    if isWhole { lastWhole = began }
    failures = 0
    retry = 0
  }

  mutating func failed(monotonic now: Int64) {
    isDue = true
    retry = now &+ min(Self.shortestPause << min(Int64(failures), 10), Self.longestPause)
    failures += 1
  }
}

/// Taking from the disk what no row refers to any more.
///
/// Mark and sweep, by whoever has the turn to merge. The ids in the rows of all parts tell which segments hold what nobody refers
/// to. Only where there are such, the memory is written out, and nothing counts as stored any more
/// (``ContentPool/forget()``): rows that come from then on bring everything they refer to along, into segments that aren't
/// looked at. Then the ids in the rows of the parts that have come are marked as well, and what isn't marked is taken out of the
/// segments from before.
extension Store {
  /// A segment of which less than this share has died may wait for a sweep that leaves none.
  private static let sweptShare = 0.25

  /// To be called when rows have gone from files.
  func noteRowsHaveGone() { sweepPlan.withLock { $0.isDue = true } }

  /// Sweeps in the background when it is time.
  func startSweeping() {
    let now = clock()
    let isWanted = sweepPlan.withLock { $0.isWanted(now: now) && WallClock.monotonic() >= $0.retry }
    guard !isReadOnly, isWanted else { return }
    sweeping.start(on: merger) { [self] in
      do throws(StorageError) { try sweepIfDue() } catch {
        if error.code != .closed { report(error, by: .sweeping) }
      }
    }
  }

  /// Sweeps when rows have gone, here or before the store was opened.
  func sweepIfDue() throws(StorageError) {
    let now = clock()
    guard sweepPlan.withLock({ $0.isWanted(now: now) }) else { return }
    try sweepContentBlocking()
  }

  /// Sweeps where rows have gone, as far as it is worth it. Blocks.
  func sweepContentBlocking() throws(StorageError) {
    let began = clock()
    try mergeTurn.withLock { (_) throws(StorageError) in
      let isWhole = sweepPlan.withLock { plan in
        plan.isDue = false
        return plan.isWhole(now: began)
      }
      do throws(StorageError) {
        let hasLeft = try sweepContent(everything: isWhole)
        sweepPlan.withLock { $0.succeeded(isWhole: isWhole, hasLeft: hasLeft, began: began) }
        succeeded(.sweeping)
      } catch {
        sweepPlan.withLock { $0.failed(monotonic: WallClock.monotonic()) }
        throw error
      }
    }
  }

  /// - Returns: Whether there are pieces left that no row refers to.
  private func sweepContent(everything: Bool) throws(StorageError) -> Bool {
    guard state.withLock({ $0.contentSegments.contains { !$0.isEmpty } }) else { return false }
    // There is room on the disk, before anything is forgotten.
    try writeFrozen()
    var hasLeft = false
    for shard in shards {
      var marks = ContentMarks()
      guard try mark(shard.index, &marks) == nil else {
        hasLeft = true
        continue
      }
      var worthIt: Set<UInt64> = []
      for segment in state.withLock({ $0.contentSegments[shard.index] }) {
        if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
        guard let list = try listed(segment) else { continue }
        let dead = list.count { !marks.ids.contains($0.id) }
        guard dead > 0 else { continue }
        if everything || Double(dead) >= Double(list.count) * Self.sweptShare {
          worthIt.insert(segment.entry.number)
        } else {
          hasLeft = true
        }
      }
      guard !worthIt.isEmpty else { continue }
      if try !sweepContent(shard, &marks, where: worthIt) { hasLeft = true }
    }
    refreshStoredRows()
    return hasLeft
  }

  /// Sets a shard's memory aside and sweeps some of its segments.
  /// - Returns: Whether it could be told what rows refer to.
  private func sweepContent(
    _ shard: Shard, _ marks: inout ContentMarks, where chosen: Set<UInt64>
  ) throws(StorageError) -> Bool {
    let generation = try freeze(shard, for: .sweep)
    let isMarked: Bool
    do throws(StorageError) {
      try writeFrozen()
      isMarked = try mark(shard.index, &marks) == nil
      if isMarked { try sweepContent(shard, marks, below: generation, where: chosen) }
    } catch {
      // What is there needn't be stored again.
      try? rememberContent(shard)
      throw error
    }
    try rememberContent(shard)
    return isMarked
  }

  /// Takes from a shard's segments that have something from before a generation what isn't marked. To be called by whoever
  /// has the turn to merge. Damaged segments are left as they are.
  /// - Parameters:
  ///   - chosen: Numbers of segments; `nil` for all.
  ///   - erasing: The rules of the erasure that this is a part of, and is accounted for as.
  func sweepContent(
    _ shard: Shard, _ marks: ContentMarks, below generation: UInt64, where chosen: Set<UInt64>? = nil,
    for erasing: Exclusions? = nil
  ) throws(StorageError) {
    for segment in state.withLock({ $0.contentSegments[shard.index].filter { $0.since < generation } }) {
      if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
      guard chosen?.contains(segment.entry.number) ?? true, let list = try listed(segment) else { continue }
      do throws(StorageError) {
        try sweep(segment, list, marks, shard, for: erasing)
      } catch {
        guard error.code == .corrupt else { throw error }
        reportOnce(error)
      }
    }
  }

  private func sweep(
    _ segment: LiveContent, _ list: [(id: UInt64, digest: UInt128)], _ marks: ContentMarks, _ shard: Shard,
    for erasing: Exclusions?
  ) throws(StorageError) {
    let left = list.count { marks.ids.contains($0.id) }
    if left == list.count { return }
    let new =
      left == 0
      ? nil
      : try writeContent(shard: shard.index, level: segment.entry.level, since: segment.since, .sweep) {
        (writer) throws(StorageError) in
        try Self.copy(segment.reader, list, where: { marks.ids.contains($0) }, to: &writer)
      }
    var step: ErasureProgress.Step?
    if let erasing {
      // Others had no rows before.
      let erased = erasureJournal.progress.pieces[shard.index] ?? ContentIDs()
      let gone = list.count { !marks.ids.contains($0.id) && erased.contains($0.id) }
      let entry = segment.entry
      let swept = ErasureProgress.Step.content(
        number: entry.number,
        ErasureReceipt.Content(
          name: entry.fileName, piecesErased: gone, bytesRead: entry.fileBytes, replacement: new?.entry.fileName,
          bytesWritten: new?.entry.fileBytes ?? 0))
      do throws(StorageError) {
        try willErase(swept, erasing)
      } catch {
        if let new { try? fileSystem.remove(directory.path(of: new.entry.fileName)) }
        throw error
      }
      step = swept
    }
    try replaceContent([segment], shard: shard.index, with: new.map { [$0] } ?? [])
    if let step { erasureJournal.hasErased(step) }
  }

  /// What a segment holds; `nil` when it is damaged, which is reported.
  private func listed(_ segment: LiveContent) throws(StorageError) -> [(id: UInt64, digest: UInt128)]? {
    do throws(StorageError) {
      return try segment.reader.list()
    } catch {
      guard error.code == .corrupt else { throw error }
      reportOnce(error)
      return nil
    }
  }

  /// Copies what is left of a segment: groups that stay whole as they are, the others piece by piece.
  private static func copy(
    _ reader: ContentReader, _ list: [(id: UInt64, digest: UInt128)], where isLeft: (UInt64) -> Bool,
    to writer: inout ContentWriter
  ) throws(StorageError) {
    var rest = list[...]
    for (index, group) in reader.groups.enumerated() {
      let own = rest.prefix { $0.id <= group.last }
      rest = rest.dropFirst(own.count)
      if own.allSatisfy({ isLeft($0.id) }) {
        try writer.append(group, stored: try reader.stored(index), of: own)
        continue
      }
      let pieces = try reader.read(index)
      for (id, digest) in own where isLeft(id) {
        guard let bytes = pieces.find(id) else { throw reader.mismatch() }
        try writer.append(ContentPiece(id: id, digest: digest, bytes: bytes))
      }
    }
    guard rest.isEmpty else { throw reader.mismatch() }
  }
}
