/// Which parts to merge, within one table, shard, tier and merge window.
///
/// A merge takes the smallest parts, as many as it can, and only when the part it makes is at least ``growth`` times as
/// full as the largest of them. So every merge that a row goes through multiplies the size of its part, which bounds how
/// often a row is written; and parts that are left waiting grow in size one after the other, which bounds their number.
/// Fullness is measured in rows and in bytes, whichever is nearer to the limit, so that wide rows count for more.
///
/// While rows pour in, processors are short and every merge that is left out counts: then more flushes are waited for.
///
///     flushes of 340,000 rows    1 + 1 merge to 11 million while they pour in: written twice
///     flushes of 170,000 rows    1 + 1 merge to 2 million + 1 merge to a full part: written at most 3 times
///     1,440 flushes a day        1 + 2 merges to 144 flushes + 1 when the day is over: written less than 4 times
struct MergePolicy: Sendable {
  let window: MergeWindow
  /// How many times as full as its largest source a merged part must be.
  var growth = 12.0
  /// The same while rows pour in.
  var busyGrowth = 32.0
  /// Rows pour in while so many flushes ..
  var busyFlushes = 4
  /// .. came within so many nanoseconds.
  var busyNanoseconds: Int64 = 10_000_000_000
  /// The same for what fills at least half a part, and in quiet windows: each doubling is worth a merge.
  var lateGrowth = 2.0
  /// Parts merged at once at most: bounds the blocks that a merge keeps in memory.
  var maximumSources = 64
  /// Parts of a group that are no longer waited with, however little their merge gains.
  var maximumWaiting = 40
  /// Rows of a merged part at most: bounds the plan that a merge keeps in memory.
  var maximumRows = 16 << 20
  /// File bytes of a merged part at most, as far as its sources' bytes tell.
  var maximumBytes = 2 << 30
  /// A window is quiet, and its remains are merged, when none of its parts is among the last so many ever numbered.
  var quietNumbers: UInt64 = 128

  init(window: MergeWindow) { self.window = window }

  /// The parts to merge next, or none.
  /// - Parameter now: Nanoseconds since 1970.
  func next(_ parts: [PartEntry], now: Int64 = .max) -> [PartEntry]? {
    let newest = parts.reduce(0) { max($0, $1.number) }
    var best: [PartEntry]?
    for group in groups(parts) {
      let isQuiet = group.allSatisfy { $0.number &+ quietNumbers < newest }
      guard let chosen = choice(group, isQuiet: isQuiet, isBusy: isBusy(group, now)) else { continue }
      // Small merges first: they are over soon and make the most of the number of parts.
      if best.map({ rows(chosen) < rows($0) }) ?? true { best = chosen }
    }
    return best
  }

  private func isBusy(_ parts: [PartEntry], _ now: Int64) -> Bool {
    parts.count { $0.level == 0 && $0.arrived > now - busyNanoseconds } >= busyFlushes
  }

  /// Groups of parts to merge so that as few as possible remain, and none as a flush wrote it: a merge takes the time to
  /// write rows small.
  func all(_ parts: [PartEntry]) -> [[PartEntry]] {
    var result: [[PartEntry]] = []
    for group in groups(parts) {
      var current: [PartEntry] = []
      for part in group {
        if !current.isEmpty, current.count == maximumSources || fullness(current + [part]) > 1 {
          if isWorthMerging(current) { result.append(current) }
          current = []
        }
        current.append(part)
      }
      if isWorthMerging(current) { result.append(current) }
    }
    return result
  }

  /// As many of the first parts as one can take the place of; at least one.
  func fitting(_ parts: [PartEntry]) -> [PartEntry] {
    var fitting: [PartEntry] = []
    for part in parts.prefix(maximumSources) {
      if !fitting.isEmpty, fullness(fitting + [part]) > 1 { break }
      fitting.append(part)
    }
    return fitting
  }

  private func isWorthMerging(_ parts: [PartEntry]) -> Bool {
    parts.count > 1 || parts.contains { $0.level == 0 }
  }

  private func rows(_ parts: [PartEntry]) -> Int { parts.reduce(0) { $0 + $1.rowCount } }

  /// What share of a part's limits these would take together.
  private func fullness(_ parts: [PartEntry]) -> Double { Fullness(parts, self).share }

  /// Sums of rows and bytes against the limits.
  private struct Fullness {
    private var rows = 0
    private var bytes = 0
    private let maximumRows: Double
    private let maximumBytes: Double

    init(_ parts: [PartEntry], _ policy: MergePolicy) {
      maximumRows = Double(max(1, policy.maximumRows))
      maximumBytes = Double(max(1, policy.maximumBytes))
      for part in parts { add(part) }
    }

    mutating func add(_ part: PartEntry) {
      rows += part.rowCount
      bytes += part.fileBytes
    }

    var share: Double { max(Double(rows) / maximumRows, Double(bytes) / maximumBytes) }
  }

  private struct GroupKey: Hashable {
    var table: String
    var shard: Int
    var tier: Tier
    /// `nil` for parts that span several windows.
    var window: Int64?
  }

  /// Parts that may be merged with each other, the smallest first.
  private func groups(_ parts: [PartEntry]) -> [[PartEntry]] {
    var groups: [GroupKey: [PartEntry]] = [:]
    for part in parts where !part.isQuarantined && part.minTime <= part.maxTime {
      let key = GroupKey(
        table: part.table, shard: part.shard, tier: part.tier, window: window.number(of: part.minTime...part.maxTime))
      groups[key, default: []].append(part)
    }
    return groups.values
      .map { $0.sorted { ($0.rowCount, $0.fileBytes, $0.number) < ($1.rowCount, $1.fileBytes, $1.number) } }
      .sorted { ($0.first?.number ?? 0) < ($1.first?.number ?? 0) }
  }

  /// Of a group, the longest run of the smallest parts that is worth a merge.
  private func choice(_ parts: [PartEntry], isQuiet: Bool, isBusy: Bool) -> [PartEntry]? {
    var total = Fullness([], self)
    var share = 0.0
    var largest = 0.0
    var chosen = 0
    var fitting = 0
    for (index, part) in parts.prefix(maximumSources).enumerated() {
      total.add(part)
      guard total.share <= 1 else {
        // As full as these can make a part: nothing is gained by waiting on.
        if share >= max(0.5, lateGrowth * largest) { chosen = max(chosen, fitting) }
        break
      }
      share = total.share
      largest = max(largest, fullness([part]))
      fitting = index + 1
      let needed = isBusy ? busyGrowth : isQuiet || share >= 0.5 ? lateGrowth : growth
      if fitting > 1, share >= needed * largest { chosen = fitting }
    }
    // Sizes that each nearly make up for all the smaller ones could wait for ever.
    if chosen == 0, fitting >= maximumWaiting { chosen = fitting / 2 }
    return chosen > 1 ? Array(parts.prefix(chosen)) : nil
  }
}
