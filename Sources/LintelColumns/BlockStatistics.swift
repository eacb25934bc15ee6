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
  /// The exact sum of the valid values of a column of integers; `nil` where none is kept.
  public var sum: Int128?

  public init(rowCount: Int, nullCount: Int, bounds: Bounds, sum: Int128? = nil) {
    self.rowCount = rowCount
    self.nullCount = nullCount
    self.bounds = bounds
    self.sum = sum
  }

  /// The sum of the valid values of a vector of integers; `nil` for other vectors.
  static func sum(of vector: ColumnVector, _ bounds: Bounds) -> Int128? {
    guard case .int64(let lanes) = vector.storage, case .int64(let low, let high) = bounds else { return nil }
    let widest = max(low.magnitude, high.magnitude)
    return lanes.withUnsafeBufferPointer { lanes in
      if let validity = vector.validity {
        var sum: Int128 = 0
        validity.forEachSet { sum &+= Int128(lanes[$0]) }
        return sum
      }
      let (limit, overflow) = widest.multipliedReportingOverflow(by: UInt64(lanes.count))
      guard !overflow, limit <= UInt64(Int64.max) else { return lanes.reduce(0) { $0 &+ Int128($1) } }
      var sum: Int64 = 0
      for lane in lanes { sum &+= lane }
      return Int128(sum)
    }
  }
}
