internal import LintelColumns
internal import Synchronization

/// What moves may cost, and when the next may begin.
struct MoveTurn: Sendable {
  /// Bytes that may be read and written by now; below 0 after a part that was larger than what was left.
  private(set) var allowance = 0.0
  private var grantedAt: Int64?
  /// After a failure nothing is tried before this moment of the monotonic clock.
  private var retryAt = Int64.min

  /// What isn't used is kept for so many seconds at most.
  private static let longestGap = 10.0
  private static let retryNanoseconds: Int64 = 60_000_000_000

  /// Whether something may be moved now.
  mutating func grant(now: Int64, bytesPerSecond: Int) -> Bool {
    let rate = Double(bytesPerSecond)
    if let grantedAt, now > grantedAt {
      allowance = min(allowance + Double(now - grantedAt) / 1e9 * rate, Self.longestGap * rate)
    }
    grantedAt = max(now, grantedAt ?? now)
    return allowance > 0 && now >= retryAt
  }

  mutating func spend(_ bytes: Int) { allowance -= Double(bytes) }

  mutating func pause(now: Int64) { retryAt = now &+ Self.retryNanoseconds }
}

/// Moving parts to where their age belongs.
extension Store {
  /// Moves in the background what is due, as far as the time since the last call allows. Doesn't wait.
  ///
  /// - Parameter now: Monotonic nanoseconds.
  package func startMoving(now: Int64) {
    guard !isReadOnly, !configuration.tiers.isEmpty else { return }
    let rate = configuration.tiers.moveBytesPerSecond
    guard moveTurn.withLock({ $0.grant(now: now, bytesPerSecond: rate) }) else { return }
    moving.start(on: merger) { [self] in
      do throws(StorageError) {
        while moveTurn.withLock({ $0.allowance > 0 }), let moved = try moveNext() {
          moveTurn.withLock { $0.spend(moved.bytes) }
          // What that has freed shows when nobody reads the old part any more.
          if moved.isForRoom { break }
        }
        succeeded(.moving)
      } catch {
        if error.code == .closed { return }
        report(error, by: .moving)
        moveTurn.withLock { $0.pause(now: now) }
      }
    }
  }

  /// Moves all that is old enough, however long it takes, and one part to make room where that is short. Blocks.
  ///
  /// - Throws: `.diskFull` when a part has no room where it belongs, and stays where it is; `.overloaded` when an erasure
  ///   came first; `.failedStop`, `.closed`, `.readOnly`.
  public func moveBlocking() throws(StorageError) {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    try state.withLock { (state) throws(StorageError) in try state.checkWritable() }
    do throws(StorageError) {
      while let moved = try moveNext(), !moved.isForRoom {}
    } catch {
      guard error.code == .closed, !isClosing.load(ordering: .relaxed) else { throw error }
      throw StorageError(.overloaded, "parts wait with moving until an erasure is done: try again then", path: path)
    }
  }

  /// ``moveBlocking()`` on a thread of the store's.
  public func move() async throws(StorageError) {
    try await merger.run { [self] () throws(StorageError) in try moveBlocking() }
  }

  /// Tells other processes where the tiers are, if the manifest says otherwise.
  func publishVolumes(_ manifest: Manifest) throws(StorageError) {
    guard manifest.volumes != directory.volumes.directories else { return }
    do throws(StorageError) {
      try publish { _ in }
    } catch {
      // The next manifest tells, and no part is named there before: more volumes are what a full disk needs.
      guard error.code == .diskFull else { throw error }
      report(error)
    }
  }

  /// Writes the parts that come next into another tier as one, has the manifest name that instead, and removes them.
  /// Whatever is interrupted leaves either the old parts or the new one, and a file that nobody names.
  /// - Returns: Bytes read and written, and whether it was for their room that parts moved; `nil` when nothing is due.
  private func moveNext() throws(StorageError) -> (bytes: Int, isForRoom: Bool)? {
    try mergeTurn.withLock { (turn) throws(StorageError) in
      let tiers = configuration.tiers
      let policy = TierPolicy(tiers: tiers, merging: mergePolicy)
      let freeBytes = tiers.hotFreeBytes > 0 ? try fileSystem.freeSpace(directory.folder(.hot)) : nil
      guard let move = policy.next(mergeable(turn, nil), now: clock(), freeBytes: freeBytes),
        let sources = live(move.parts)
      else { return nil }
      var written = 0
      try excluding(move.parts, &turn) { () throws(StorageError) in
        let live = try rewrite(sources, exclusions.current, for: .expiry, to: move.target) { [self] in
          // It can be begun anew; who waits for it can't.
          waitingErasures.load(ordering: .relaxed) > 0
        }
        written = live?.entry.fileBytes ?? 0
      }
      for part in move.parts { cache.forget(part: part.number) }
      return (written + move.parts.reduce(0) { $0 + $1.fileBytes }, move.isForRoom)
    }
  }
}
