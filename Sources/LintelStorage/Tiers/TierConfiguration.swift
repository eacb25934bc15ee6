/// Where a tier's parts lie, and since what age they do.
public struct TierSettings: Sendable, Hashable {
  /// A directory that belongs to this tier of this store alone, on whatever volume; `nil`: the folder of the tier's name in
  /// the data directory.
  public var directory: String?
  /// A part moves here when its newest row is this old, in seconds.
  public var afterSeconds: Double

  public init(directory: String? = nil, afterSeconds: Double) {
    self.directory = directory
    self.afterSeconds = afterSeconds
  }
}

/// Which tiers there are beside the hot one, and when parts move. Without any setting nothing moves.
public struct TierConfiguration: Sendable, Hashable {
  /// What is customary: a week of hot data, ninety days until cold.
  public static let usualWarmSeconds = 7 * 86_400.0
  public static let usualColdSeconds = 90 * 86_400.0

  /// `nil`: parts are hot until they are cold.
  public var warm: TierSettings?
  /// `nil`: parts stay warm.
  public var cold: TierSettings?
  /// The oldest hot parts move on early while the hot tier's volume has fewer bytes free than this; 0: none do.
  public var hotFreeBytes = 0
  /// Bytes that moves read and write a second, on average: a part moves when as much time has gone by as the one before
  /// had cost.
  public var moveBytesPerSecond = 32 << 20

  public init() {}

  /// `nil` for the hot tier, and for one that isn't there.
  public func settings(_ tier: Tier) -> TierSettings? {
    switch tier {
    case .hot: nil
    case .warm: warm
    case .cold: cold
    }
  }

  var isEmpty: Bool { warm == nil && cold == nil }

  /// What can't be meant; `nil` where all makes sense.
  var problem: String? {
    for tier in Tier.allCases {
      guard let settings = settings(tier) else { continue }
      // Whoever reads the manifest may have another working directory.
      if let directory = settings.directory, !directory.hasPrefix("/") {
        return "the \(tier) tier's directory is '\(directory)': give it in full, from / on"
      }
      guard settings.afterSeconds >= 0, settings.afterSeconds.isFinite else {
        return "parts can't become \(tier) after \(settings.afterSeconds) seconds"
      }
    }
    if let warm, let cold {
      if cold.afterSeconds < warm.afterSeconds { return "parts can't become cold before they are warm" }
      if let directory = cold.directory, directory == warm.directory {
        return "the warm and the cold tier can't have one directory: \(directory)"
      }
    }
    if moveBytesPerSecond < 1 { return "moves need at least a byte a second" }
    return nil
  }
}
