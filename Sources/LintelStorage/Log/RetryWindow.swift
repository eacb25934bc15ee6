/// Remembers the digests of the rows that came in lately, so that a retried batch isn't stored twice.
///
/// Two generations: new digests go into the younger; when it has grown older than the window, or holds half of what may
/// be remembered, it becomes the older one and the former older one is forgotten. So a row is recognised for at least the
/// window's length, unless more than half the limit of rows came after it; and never more than the limit are kept.
///
/// Belongs to one shard and is used by its commit thread alone. A digest must cover the table too where a shard holds several.
/// The rows in the log are not checked against it at a replay: they passed when they were appended. Nothing of it is written:
/// after an opening, rows that came before are looked for in the parts (``StoredRows``).
public struct RetryWindow: Sendable {
  private var younger: Generation
  private var older: Generation
  private let windowNanoseconds: Int64
  private let generationLimit: Int

  /// - Parameters:
  ///   - seconds: how long a row is recognised.
  ///   - rows: how many digests are kept at most (of 16 bytes; the tables take up to 3 times that).
  ///   - now: nanoseconds since 1970.
  public init(seconds: Double, rows: Int, now: Int64) {
    windowNanoseconds = seconds.isFinite ? Int64(max(0, min(seconds, 1e9)) * 1e9) : 0
    generationLimit = max(1, rows / 2)
    younger = Generation(since: now)
    older = Generation(since: now)
  }

  /// Digests remembered.
  public var count: Int { younger.digests.count + older.digests.count }

  /// Each look-up would wait for memory; so many digests ahead, the memory is asked for.
  private static let prefetchDistance = 12

  /// Remembers the digests of a batch. Returns the rows that were not known, ascending; a digest that comes twice in the
  /// batch is new the first time only.
  public mutating func insertNew(_ digests: [UInt128], now: Int64) -> [UInt32] {
    expire(now: now)
    var rows: [UInt32] = []
    rows.reserveCapacity(digests.count)
    for (row, digest) in digests.enumerated() {
      let ahead = row &+ Self.prefetchDistance
      if ahead < digests.count {
        older.digests.prefetch(digests[ahead])
        younger.digests.prefetch(digests[ahead])
      }
      if older.digests.contains(digest) { continue }
      if younger.digests.insert(digest) { rows.append(UInt32(truncatingIfNeeded: row)) }
    }
    return rows
  }

  /// Forgets digests that ``insertNew(_:now:)`` has just returned as new, because their rows could not be stored: they are
  /// not duplicates when they come again.
  public mutating func forget(_ digests: some Sequence<UInt128>) {
    for digest in digests { younger.digests.remove(digest) }
  }

  /// Takes in digests that were stored earlier, at a replay of the log.
  public mutating func restore(_ digests: [UInt128], at time: Int64) { _ = insertNew(digests, now: time) }

  private mutating func expire(now: Int64) {
    // A clock that was set back must not keep a generation for ever.
    if now < younger.since { younger.since = now }
    guard younger.digests.count >= generationLimit || younger.age(now) >= windowNanoseconds else { return }
    older = younger
    younger = Generation(since: now)
    // Both were idle for longer than the window.
    if older.age(now) >= windowNanoseconds &* 2 { older = Generation(since: now) }
  }

  private struct Generation {
    var digests = DigestSet()
    var since: Int64

    init(since: Int64) { self.since = since }

    func age(_ now: Int64) -> Int64 {
      let (age, overflow) = now.subtractingReportingOverflow(since)
      return overflow ? .max : age
    }
  }
}
