/// Parts of one tier, table, shard and window, and the tier that they move to as one.
struct TierMove: Sendable, Hashable {
  var target: Tier
  var parts: [PartEntry]
  /// They move for the space that they take, not for their age.
  var isForRoom = false
}

/// Which parts move next: those past a tier's age, the oldest first; then, while the hot volume is short of space, the
/// oldest hot ones.
///
/// A part is as old as its newest row. Parts of one window that are due together become one part, within the limits of a
/// merge: they are written anew in any case.
struct TierPolicy: Sendable {
  let tiers: TierConfiguration
  let merging: MergePolicy

  /// - Parameters:
  ///   - parts: Those that may move.
  ///   - now: Nanoseconds since 1970.
  ///   - freeBytes: Of the hot tier's volume; `nil` where that doesn't matter.
  func next(_ parts: [PartEntry], now: Int64, freeBytes: Int? = nil) -> TierMove? {
    let live = parts.filter { !$0.isQuarantined }
    return oldest(live.compactMap { part in target(of: part, now: now).map { (part, $0) } })
      ?? making(room: live, freeBytes: freeBytes)
  }

  /// The last tier that a part is old enough for, where it isn't there or beyond.
  private func target(of part: PartEntry, now: Int64) -> Tier? {
    let (age, overflow) = now.subtractingReportingOverflow(part.maxTime)
    // Further apart than can be told: long ago, or in the far future.
    let seconds = overflow ? (part.maxTime < now ? Double.infinity : -.infinity) : Double(age) / 1e9
    return Tier.allCases.last { tier in
      tier > part.tier && tiers.settings(tier).map { seconds >= $0.afterSeconds } ?? false
    }
  }

  private struct GroupKey: Hashable {
    var table: String
    var shard: Int
    var from: Tier
    var to: Tier
    var window: Int64?
  }

  /// Of the parts that are due, those of the window with the oldest one.
  private func oldest(_ due: [(part: PartEntry, target: Tier)]) -> TierMove? {
    var groups: [GroupKey: [PartEntry]] = [:]
    for (part, target) in due {
      let window = part.minTime <= part.maxTime ? merging.window.number(of: part.minTime...part.maxTime) : nil
      let key = GroupKey(table: part.table, shard: part.shard, from: part.tier, to: target, window: window)
      groups[key, default: []].append(part)
    }
    let sorted = groups.map { key, parts in (target: key.to, parts: parts.sorted(by: Self.isOlder)) }
    let first = sorted.min { left, right in
      guard let left = left.parts.first, let right = right.parts.first else { return false }
      return Self.isOlder(left, right)
    }
    guard let first else { return nil }
    return TierMove(target: first.target, parts: merging.fitting(first.parts))
  }

  private func making(room parts: [PartEntry], freeBytes: Int?) -> TierMove? {
    guard let freeBytes, freeBytes < tiers.hotFreeBytes,
      let target = Tier.allCases.first(where: { tiers.settings($0) != nil }),
      let oldest = parts.filter({ $0.tier == .hot }).min(by: Self.isOlder)
    else { return nil }
    return TierMove(target: target, parts: [oldest], isForRoom: true)
  }

  private static func isOlder(_ left: PartEntry, _ right: PartEntry) -> Bool {
    (left.maxTime, left.number) < (right.maxTime, right.number)
  }
}
