import LintelColumns
import LintelStorage

/// What a conjunct of the filter demands of one column, as far as zone maps can tell.
struct BlockTest {
  enum Demand {
    case compare(ScalarFunction, Value, ColumnType)
    case oneOf([Value])
    case isNull
    case isNotNull
  }

  let column: ColumnReference
  let demand: Demand

  /// The test behind a conjunct, where it has one.
  init?(_ conjunct: Expression) {
    switch conjunct {
    case .call(.isNull, let operands, _):
      guard operands.count == 1, let column = Self.reference(operands[0]) else { return nil }
      self.init(column: column, demand: .isNull)
    case .call(.not, let operands, _):
      guard case .call(.isNull, let inner, _)? = operands.first, inner.count == 1,
        let column = Self.reference(inner[0])
      else { return nil }
      self.init(column: column, demand: .isNotNull)
    case .inList(let operand, let values, _):
      guard let column = Self.reference(operand) else { return nil }
      self.init(column: column, demand: .oneOf(values))
    case .call(let function, let operands, _):
      guard operands.count == 2, let flipped = Self.flipped(function) else { return nil }
      if let column = Self.reference(operands[0]), case .constant(let value, _) = operands[1] {
        self.init(column: column, demand: .compare(function, value, operands[0].type))
      } else if let column = Self.reference(operands[1]), case .constant(let value, _) = operands[0] {
        self.init(column: column, demand: .compare(flipped, value, operands[1].type))
      } else {
        return nil
      }
    default: return nil
    }
  }

  private init(column: ColumnReference, demand: Demand) {
    self.column = column
    self.demand = demand
  }

  private static func reference(_ expression: Expression) -> ColumnReference? {
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
