internal import Synchronization

/// What a tier holds of a table, or of all.
public struct TierDescription: Sendable, Hashable {
  public var tier: Tier
  /// Where its parts lie.
  public var directory: String
  /// Age in seconds from which on parts move there; `nil` where none do.
  public var afterSeconds: Double?
  public var parts = 0
  public var rows = 0
  /// Bytes of the parts' files.
  public var bytes = 0
  /// Bounds of the parts' times, in nanoseconds; `nil` where there are no parts.
  public var oldest: Int64?
  public var newest: Int64?

  fileprivate mutating func add(_ part: PartEntry) {
    parts += 1
    rows += part.rowCount
    bytes += part.fileBytes
    oldest = min(oldest ?? .max, part.minTime)
    newest = max(newest ?? .min, part.maxTime)
  }
}

extension Store {
  /// The tiers of a table, or of all tables: the hot one, and those that are set up or have parts. What is damaged and left out
  /// doesn't count.
  public func tiers(_ table: String? = nil) -> [TierDescription] {
    let names = table.map { [$0] } ?? tableNames
    let entries: [PartEntry]
    if let follower {
      entries = names.flatMap { follower.parts($0).map(\.entry) }
    } else {
      entries = state.withLock { state in names.flatMap { (state.parts[$0] ?? []).map(\.entry) } }
    }
    let volumes = directory.volumes.directories
    return Tier.allCases.compactMap { tier in
      let settings = isReadOnly ? nil : configuration.tiers.settings(tier)
      var description = TierDescription(
        tier: tier, directory: directory.folder(tier), afterSeconds: settings?.afterSeconds)
      for entry in entries where entry.tier == tier { description.add(entry) }
      let isThere = tier == .hot || settings != nil || volumes[tier] != nil || description.parts > 0
      return isThere ? description : nil
    }
  }
}
