import LintelColumns

/// Strict scalar functions over whole vectors: one switch a vector.
enum ScalarKernels {
  static func apply(
    _ function: ScalarFunction, _ operands: [Vector], types: [ColumnType], result: ColumnType, count: Int,
    _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> Vector {
    guard let first = operands.first, let firstType = types.first else {
      throw .unsupported("\(function.rawValue) without operands")
    }
    if operands.count >= 2 {
      switch function {
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
        return Compare.apply(function, first, operands[1], firstType)
      case .add, .subtract, .multiply, .divide, .modulo, .power:
        return try Arithmetic.binary(function, first, operands[1])
      case .roundTo: return try Arithmetic.round(first, places: operands[1])
      case .timeBucket: return try Arithmetic.timeBucket(width: first, operands[1])
      case .least, .greatest: return extreme(operands, firstType, greatest: function == .greatest)
      case .startsWith, .endsWith, .contains: return Text.test(function, first, operands[1])
      case .substring: return Text.substring(operands, isText: firstType != .bytes)
      default: break
      }
    }
    switch function {
    case .least, .greatest: return first
    case .negate, .abs, .floor, .ceil, .round, .sqrt, .ln, .log2, .log10, .exp:
      return try Arithmetic.unary(function, first)
    case .concat: return try Text.concat(operands, interrupt)
    case .digestArray: return Convert.toDigests(first)
    case .textArray: return try Text.array(operands, interrupt)
    case .lower, .upper: return Text.changeCase(first, upper: function == .upper)
    case .length: return Text.length(first, isText: firstType != .bytes)
    case .toInt64, .toTimestamp, .toDuration, .toMoney: return Convert.toInteger(function, first, firstType)
    case .toFloat64: return Convert.toFloat64(first, firstType)
    case .toText: return Convert.toText(first, firstType)
    case .toBool: return Convert.toBool(first, firstType)
    case .toVariant: return Convert.toVariant(first, firstType)
    case .variantText, .variantBool, .variantNumber: return Convert.read(function, first)
    default: throw .unsupported("\(function.rawValue) with \(operands.count) operands")
    }
  }

  private static func extreme(_ operands: [Vector], _ type: ColumnType, greatest: Bool) -> Vector {
    var best = operands[0]
    for next in operands.dropFirst() {
      let validity = bothValid(best.validity, next.validity)
      let both = Vector.concatenate([best.plain, next.plain], type.physical)
      let comparator = LaneComparator(best, next, type)
      let count = best.count
      let picked = makeLanes(count) { lane in
        let order = comparator.compare(lane, lane)
        return UInt32(truncatingIfNeeded: (greatest ? order >= 0 : order <= 0) ? lane : lane &+ count)
      }
      best = both.gather(picked)
      best.validity = validity
    }
    return best
  }
}

/// Sort order between lanes of two vectors, for places that are not hot.
struct LaneComparator {
  private let left: Vector
  private let right: Vector
  private let type: ColumnType

  init(_ left: Vector, _ right: Vector, _ type: ColumnType) {
    self.left = left.plain
    self.right = right.plain
    self.type = type
  }

  func compare(_ a: Int, _ b: Int) -> Int {
    switch (left.lanes, right.lanes) {
    case (.int64(let x), .int64(let y)):
      let flip: UInt64 = type == .id8 ? 0 : 1 << 63
      return order(UInt64(bitPattern: x[a]) ^ flip, UInt64(bitPattern: y[b]) ^ flip)
    case (.float64(let x), .float64(let y)): return SortOrder.compare(x[a], y[b])
    case (.bool(let x), .bool(let y)): return (x[a] ? 1 : 0) - (y[b] ? 1 : 0)
    case (.id128(let x), .id128(let y)): return order(x[a], y[b])
    case (.bytes, .bytes):
      return left.withBytes { x in
        right.withBytes { y in
          type == .variant ? SortOrder.compareVariants(x[a], y[b]) : compareBytes(x[a], y[b])
        }
      }
    default: return 0
    }
  }

  private func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
}
