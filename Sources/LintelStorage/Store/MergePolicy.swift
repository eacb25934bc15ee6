/// Which parts to merge: size-tiered, within one shard and one merge window.
///
/// Parts are sorted into tiers by their number of rows, each tier up to ``fanIn`` times as large as the one below. A tier
/// that has gathered ``fanIn`` parts is merged into one of the next tier. A row is so written once a tier: from a
/// flush of a hundred thousand rows to the largest part in two merges.
struct MergePolicy: Sendable {
  let window: MergeWindow
  /// Parts gathered before they are merged.
  var fanIn = 8
  /// Parts merged at once at most.
  var maximumSources = 16
  /// Rows of a merged part at most: bounds the plan that a merge keeps in memory.
  var maximumRows = 4 << 20
  /// File bytes of a merged part at most.
  var maximumBytes = 2 << 30
  /// Upper bound of the lowest tier's rows.
  var smallestTierRows = 1024

  init(window: MergeWindow) { self.window = window }

  /// The parts to merge next, or none.
  func next(_ parts: [PartEntry]) -> [PartEntry]? {
    var best: [PartEntry]?
    for group in groups(parts) {
      for candidates in tiers(group) {
        guard let chosen = choice(candidates), chosen.count < (best?.count ?? .max) || best == nil else { continue }
        // Small merges first: they are over soon and make the most of the number of parts.
        if best == nil || rows(chosen) < rows(best ?? []) { best = chosen }
      }
    }
    return best
  }

  /// Groups of parts to merge so that as few as possible remain.
  func all(_ parts: [PartEntry]) -> [[PartEntry]] {
    var result: [[PartEntry]] = []
    for group in groups(parts) {
      var current: [PartEntry] = []
      for part in group.sorted(by: { ($0.rowCount, $0.number) < ($1.rowCount, $1.number) }) {
        if !current.isEmpty, !fits(current + [part]) {
          if current.count > 1 { result.append(current) }
          current = []
        }
        current.append(part)
      }
      if current.count > 1 { result.append(current) }
    }
    return result
  }

  private func rows(_ parts: [PartEntry]) -> Int { parts.reduce(0) { $0 + $1.rowCount } }

  private func fits(_ parts: [PartEntry]) -> Bool {
    rows(parts) <= maximumRows && parts.reduce(0) { $0 + $1.fileBytes } <= maximumBytes
  }

  private struct GroupKey: Hashable {
    var table: String
    var shard: Int
    /// `nil` for parts that span several windows.
    var window: Int64?
  }

  /// Parts that may be merged with each other.
  private func groups(_ parts: [PartEntry]) -> [[PartEntry]] {
    var groups: [GroupKey: [PartEntry]] = [:]
    for part in parts where !part.isQuarantined && part.minTime <= part.maxTime {
      let key = GroupKey(table: part.table, shard: part.shard, window: window.number(of: part.minTime...part.maxTime))
      groups[key, default: []].append(part)
    }
    return groups.values.filter { $0.count > 1 }.sorted { ($0.first?.number ?? 0) < ($1.first?.number ?? 0) }
  }

  private func tiers(_ parts: [PartEntry]) -> [[PartEntry]] {
    var tiers: [Int: [PartEntry]] = [:]
    for part in parts { tiers[tier(part), default: []].append(part) }
    return tiers.sorted { $0.key < $1.key }.map(\.value)
  }

  private func tier(_ part: PartEntry) -> Int {
    var tier = 0
    var limit = smallestTierRows
    while part.rowCount > limit {
      limit = limit.multipliedReportingOverflow(by: fanIn).partialValue
      tier += 1
    }
    return tier
  }

  /// Of one tier's parts, the oldest that make a merge worth while: enough of them, or nearly as many rows as a part may
  /// have.
  private func choice(_ parts: [PartEntry]) -> [PartEntry]? {
    var chosen: [PartEntry] = []
    for part in parts.sorted(by: { $0.number < $1.number }) where chosen.count < maximumSources {
      if fits(chosen + [part]) { chosen.append(part) }
    }
    guard chosen.count > 1 else { return nil }
    let isLarge = rows(chosen) * 4 >= maximumRows * 3 && rows(chosen) * 4 >= 5 * (chosen.map(\.rowCount).max() ?? 0)
    return chosen.count >= fanIn || isLarge ? chosen : nil
  }
}
