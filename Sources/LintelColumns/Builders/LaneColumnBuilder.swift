/// A fixed-width value that a column holds in a plain lane.
public protocol ColumnLane: BitwiseCopyable, Sendable {
  /// What stands in the lane of a null.
  static var zeroLane: Self { get }
  static func storage(_ lanes: [Self]) -> ColumnVector.Storage
}

extension Int64: ColumnLane {
  @inlinable public static var zeroLane: Int64 { 0 }
  public static func storage(_ lanes: [Int64]) -> ColumnVector.Storage { .int64(lanes) }
}

extension Double: ColumnLane {
  @inlinable public static var zeroLane: Double { 0 }
  public static func storage(_ lanes: [Double]) -> ColumnVector.Storage { .float64(lanes) }
}

extension Bool: ColumnLane {
  @inlinable public static var zeroLane: Bool { false }
  public static func storage(_ lanes: [Bool]) -> ColumnVector.Storage { .bool(lanes) }
}

extension UInt128: ColumnLane {
  @inlinable public static var zeroLane: UInt128 { 0 }
  public static func storage(_ lanes: [UInt128]) -> ColumnVector.Storage { .id128(lanes) }
}

public typealias Int64ColumnBuilder = LaneColumnBuilder<Int64>
public typealias Float64ColumnBuilder = LaneColumnBuilder<Double>
public typealias BoolColumnBuilder = LaneColumnBuilder<Bool>
public typealias Id128ColumnBuilder = LaneColumnBuilder<UInt128>

/// Builds a column of fixed-width values, row by row.
public struct LaneColumnBuilder<Lane: ColumnLane>: Sendable {
  @usableFromInline var lanes: [Lane] = []
  @usableFromInline var validity = ValidityBuilder()

  @inlinable
  public init() {}

  /// Rows so far.
  @inlinable public var count: Int { lanes.count }

  /// Rows so far that are null.
  @inlinable public var nullCount: Int { validity.nullCount }

  public mutating func reserveCapacity(_ rows: Int) { lanes.reserveCapacity(rows) }

  @inlinable
  public mutating func append(_ value: Lane) { lanes.append(value) }

  /// The same value for `count` rows.
  @inlinable
  public mutating func append(_ value: Lane, count: Int) {
    lanes.append(contentsOf: repeatElement(value, count: max(0, count)))
  }

  @inlinable
  public mutating func appendNull() {
    validity.appendNulls(at: lanes.count, count: 1)
    lanes.append(Lane.zeroLane)
  }

  /// Nulls for `count` rows.
  @inlinable
  public mutating func appendNulls(count: Int) {
    validity.appendNulls(at: lanes.count, count: count)
    lanes.append(contentsOf: repeatElement(Lane.zeroLane, count: max(0, count)))
  }

  /// Nulls up to, and without, row `row`.
  @inlinable
  public mutating func pad(to row: Int) {
    if row > lanes.count { appendNulls(count: row &- lanes.count) }
  }

  /// The column built. The builder is empty afterwards.
  @inlinable
  public mutating func finish() -> ColumnVector {
    let validity = validity.finish(rowCount: lanes.count)
    let vector = ColumnVector(Lane.storage(lanes), validity: validity)
    lanes = []
    return vector
  }
}
