/// Where a part lies, and how hard it has been encoded. Parts move down this list as they age, never up.
public enum Tier: String, Sendable, Hashable, CaseIterable, Comparable {
  /// Where flushes and merges write: encoded so that it is read fastest.
  case hot
  /// Encoded for fewer bytes, on a volume that costs less.
  case warm
  /// The same, for what is hardly asked for any more.
  case cold

  /// The folder in the names of its parts: `warm/000000000017.part`.
  var folder: String { rawValue }

  /// The tier of a part's file, by the folder in its name.
  public init(fileName: String) {
    self = Tier.allCases.first { fileName.hasPrefix($0.folder + "/") } ?? .hot
  }

  private var place: Int {
    switch self {
    case .hot: 0
    case .warm: 1
    case .cold: 2
    }
  }

  public static func < (left: Tier, right: Tier) -> Bool { left.place < right.place }
}

extension PartEntry {
  public var tier: Tier { Tier(fileName: fileName) }
}
