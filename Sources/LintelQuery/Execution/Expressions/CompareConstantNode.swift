import LintelColumns

/// A column compared with a constant, the commonest conjunct: no vector of constants is made.
final class CompareConstantNode: EvaluationNode, @unchecked Sendable {
  enum Constant {
    /// Signed lanes only.
    case int64(Int64)
    case id128(UInt128)
    case bytes([UInt8])
  }

  private let operand: EvaluationNode
  private let function: ScalarFunction
  private let constant: Constant

  /// `nil` for pairs of types that need more than this.
  init?(_ operand: EvaluationNode, _ type: ColumnType, _ function: ScalarFunction, _ value: Value) {
    switch value {
    case .int64(let number) where type.physical == .int64 && type != .id8: constant = .int64(number)
    case .id128(let id) where type.physical == .id128: constant = .id128(id)
    case .bytes(let bytes) where type == .string || type == .bytes: constant = .bytes(bytes)
    default: return nil
    }
    self.operand = operand
    self.function = function
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    switch (constant, vector.lanes) {
    case (.int64(let number), .int64(let values)):
      return Vector(.bool(ScanKernels.compare(values, function, number)), validity: vector.validity)
    case (.id128(let id), _):
      guard case .id128(let values) = vector.plain.lanes else { break }
      return Vector(.bool(Self.flags(function, values, id)), validity: vector.validity)
    case (.bytes(let bytes), _):
      return Vector(.bool(Self.flags(function, vector, bytes)), validity: vector.validity)
    default: break
    }
    return .nulls(.bool, count: context.count)
  }

  override func filter(_ context: EvaluationContext) throws(ExecutionFailure) -> [UInt32] {
    if let column = operand as? SlotNode, let range = passing, let packed = context.packed(column.slot),
      packed.dictionary == nil
    {
      return packed.rows(from: range.low, through: range.high)
    }
    return try super.filter(context)
  }

  /// The integers that pass; `nil` where they aren't one range. An empty range goes from a number to a lesser one.
  private var passing: (low: Int64, high: Int64)? {
    guard case .int64(let number) = constant else { return nil }
    let none: (low: Int64, high: Int64) = (0, -1)
    switch function {
    case .equal: return (number, number)
    case .less: return number == .min ? none : (.min, number - 1)
    case .lessOrEqual: return (.min, number)
    case .greater: return number == .max ? none : (number + 1, .max)
    case .greaterOrEqual: return (number, .max)
    default: return nil
    }
  }

  @inline(__always)
  private static func flags<T: Comparable>(_ function: ScalarFunction, _ values: [T], _ constant: T) -> [Bool] {
    switch function {
    case .equal: mapLanes(values) { $0 == constant }
    case .notEqual: mapLanes(values) { $0 != constant }
    case .less: mapLanes(values) { $0 < constant }
    case .lessOrEqual: mapLanes(values) { $0 <= constant }
    case .greater: mapLanes(values) { $0 > constant }
    default: mapLanes(values) { $0 >= constant }
    }
  }

  private static func flags(_ function: ScalarFunction, _ vector: Vector, _ constant: [UInt8]) -> [Bool] {
    let count = vector.count
    return constant.withUnsafeBufferPointer { constant in
      vector.withBytes { view in
        switch function {
        case .equal: equal(view, count, constant)
        case .notEqual: makeLanes(count) { !equalBytes(view[$0], constant) }
        case .less: makeLanes(count) { compareBytes(view[$0], constant) < 0 }
        case .lessOrEqual: makeLanes(count) { compareBytes(view[$0], constant) <= 0 }
        case .greater: makeLanes(count) { compareBytes(view[$0], constant) > 0 }
        default: makeLanes(count) { compareBytes(view[$0], constant) >= 0 }
        }
      }
    }
  }

  /// Looks at the last eight bytes before it compares the rest: values of one column often begin alike.
  private static func equal(_ view: BytesView, _ count: Int, _ constant: UnsafeBufferPointer<UInt8>) -> [Bool] {
    guard constant.count >= 8 else { return makeLanes(count) { equalBytes(view[$0], constant) } }
    let length = constant.count
    let tail = UnsafeRawBufferPointer(constant).loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
    return makeLanes(count) { lane in
      let value = view[lane]
      guard value.count == length else { return false }
      let end = UnsafeRawBufferPointer(value).loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
      return end == tail && equalBytes(value, constant)
    }
  }
}
