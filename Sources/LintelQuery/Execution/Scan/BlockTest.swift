import LintelColumns
import LintelStorage

/// What a condition demands of one column, as far as zone maps and filters can tell.
final class BlockTest: Sendable {
  enum Demand {
    case compare(ScalarFunction, Value, ColumnType)
    case oneOf([Value])
    case isNull
    case isNotNull
  }

  let column: ColumnReference
  let demand: Demand
  /// Hashes of the values of which a row must have one; `nil` where filters can't tell.
  let hashes: [UInt64]?

  /// More values than this pass nearly every block by chance.
  private static let maximumHashes = 256

  /// - Parameter operand: What is held against the demand; `nil` is the answer unless it is a stored column.
  init?(_ operand: Expression, _ demand: Demand) {
    guard let column = Self.reference(operand) else { return nil }
    self.column = column
    self.demand = demand
    switch demand {
    case .compare(.equal, let value, _): hashes = Self.hashes([value])
    case .oneOf(let values): hashes = Self.hashes(values)
    default: hashes = nil
    }
  }

  private static func hashes(_ values: [Value]) -> [UInt64]? {
    guard values.count <= maximumHashes else { return nil }
    var hashes: [UInt64] = []
    for value in values {
      switch value {
      case .bytes(let bytes): hashes.append(bytes.withUnsafeBytes { FilterHash.value($0) })
      case .id128(let id): hashes.append(FilterHash.value(id))
      case .null: break
      default: return nil
      }
    }
    return hashes
  }

  /// The stored column that an expression is.
  static func reference(_ expression: Expression) -> ColumnReference? {
    switch expression {
    case .column(let index, _): return .column(index)
    case .attribute(let read):
      guard read.kinds.count == 1, read.kinds[0].type == read.type else { return nil }
      return .attribute(AttributeKey(read.name, read.kinds[0]))
    default: return nil
    }
  }

  /// The same comparison with its operands exchanged; `nil` for what is no comparison.
  static func flipped(_ function: ScalarFunction) -> ScalarFunction? {
    switch function {
    case .equal, .notEqual: function
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    default: nil
    }
  }

  /// False when no row of a block with these statistics can pass.
  func admits(_ statistics: BlockStatistics) -> Bool {
    let hasValues = statistics.nullCount < statistics.rowCount
    switch demand {
    case .isNull: return statistics.nullCount > 0
    case .isNotNull: return hasValues
    case .oneOf(let values): return hasValues && values.contains { Self.admits(.equal, $0, nil, statistics.bounds) }
    case .compare(let function, let value, let type):
      return hasValues && Self.admits(function, value, type, statistics.bounds)
    }
  }

  /// False when no row of the block can pass.
  func admits(_ filters: BlockFilters, block: Int) -> Bool {
    hashes?.contains { filters.mayContain($0, block: block) } ?? true
  }

  private static func admits(
    _ function: ScalarFunction, _ value: Value, _ type: ColumnType?, _ bounds: BlockStatistics.Bounds
  ) -> Bool {
    switch (bounds, value) {
    case (_, .null): return false
    case (.int64(let low, let high), .int64(let number)):
      // Zone maps are signed; ids compare unsigned, which agrees only while one sign is involved.
      if type == .id8, low < 0 || number < 0, function != .equal { return true }
      return overlaps(function, low, high, number)
    case (.float64(let low, let high, let hasNaN), .float64(let number)):
      // NaN passes `notEqual` alone.
      if function == .notEqual { return hasNaN || overlaps(function, low, high, number) }
      return overlaps(function, low, high, number)
    case (.id128(let low, let high), .id128(let number)): return overlaps(function, low, high, number)
    default: return true
    }
  }

  private static func overlaps<T: Comparable>(_ function: ScalarFunction, _ low: T, _ high: T, _ value: T) -> Bool {
    switch function {
    case .equal: low <= value && value <= high
    case .notEqual: !(low == value && high == value)
    case .less: low < value
    case .lessOrEqual: low <= value
    case .greater: high > value
    default: high >= value
    }
  }
}
