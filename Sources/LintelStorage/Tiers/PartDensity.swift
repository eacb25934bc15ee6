internal import LintelColumns

/// How few bytes a part is to take, at what cost in time.
enum PartDensity: Sendable {
  /// Read fastest.
  case light
  /// Fewer bytes, for what is read less often.
  case dense

  init(_ tier: Tier) { self = tier == .hot ? .light : .dense }

  /// How hard a merge encodes.
  var effort: EncodingEffort { self == .dense ? .dense : .compact }

  /// Bits of the fingerprints in a column's filters. There are four times fewer blocks to be taken for one with a value that
  /// isn't there; of attributes, which are asked for less often than what has a column, some more are put up with.
  func fingerprintBits(_ role: PartColumnRole) -> Int {
    guard self == .dense else { return 8 }
    if case .attribute = role { return 4 }
    return 5
  }

  /// Rows that refer to each other's blocks have to be numbered in two bytes.
  private static let maximumRows = 1 << 16

  /// Blocks of four times the rows: a quarter of the tables that entropy-coded blocks begin with, of index entries and of
  /// sampling errors, for four times the rows to decode where one is wanted.
  func blockRows(configured: Int) -> Int {
    switch self {
    case .light: configured
    case .dense: max(configured, min(configured * 4, Self.maximumRows))
    }
  }
}
