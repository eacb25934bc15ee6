/// The zone map of one block of one column.
public struct BlockStatistics: Sendable, Hashable {
  /// Bounds of the valid values. For dictionary-coded columns and byte strings there are none.
  public enum Bounds: Sendable, Hashable {
    case none
    case int64(min: Int64, max: Int64)
    /// NaN is left out of the bounds; `hasNaN` tells.
    case float64(min: Double, max: Double, hasNaN: Bool)
    /// Big-endian order.
    case id128(min: UInt128, max: UInt128)
  }

  public var rowCount: Int
  public var nullCount: Int
  public var bounds: Bounds

  public init(rowCount: Int, nullCount: Int, bounds: Bounds) {
    self.rowCount = rowCount
    self.nullCount = nullCount
    self.bounds = bounds
  }
}
