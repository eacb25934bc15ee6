import LintelColumns

/// Selected rows and the groups they belong to.
struct GroupedRows {
  /// The group of every lane; `nil` when all belong to group 0.
  let groups: [UInt32]?
  let count: Int
  /// Scan positions of the lanes, made where an aggregate asks for them.
  let context: EvaluationContext

  @inline(__always)
  func group(_ lane: Int) -> Int {
    if let groups { return Int(groups[lane]) }
    return 0
  }
}

/// One aggregate's states for all groups of one thread.
class Aggregator {
  /// Makes room for `groups` groups.
  func grow(_ groups: Int) {}
  func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {}
  /// Takes in another thread's states; group `g` of it is group `mapping[g]` here.
  func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {}
  /// One lane per group.
  func finish(_ groups: Int) throws(ExecutionFailure) -> Vector { .nulls(.int64, count: groups) }
  var byteCount: Int { 0 }

  static func make(_ call: AggregateCall) throws(ExecutionFailure) -> Aggregator {
    let type = call.operands.first?.type ?? .int64
    switch call.function {
    case .count: return CountAggregator()
    case .countDistinct: return DistinctAggregator(type.physical)
    case .approximateCountDistinct: return SketchAggregator()
    case .sum, .average:
      let isAverage = call.function == .average
      return type.physical == .float64
        ? DoubleSumAggregator(isAverage: isAverage)
        : IntegerSumAggregator(isAverage: isAverage)
    case .min, .max: return extreme(type, wantsGreatest: call.function == .max)
    case .any: return AnyAggregator(type)
    case .argMin, .argMax:
      guard call.operands.count == 2 else { throw .unsupported("arg_min and arg_max take two operands") }
      return ArgumentAggregator(type, keyType: call.operands[1].type, wantsGreatest: call.function == .argMax)
    case .quantile(let rank): return QuantileAggregator(type, rank: rank)
    case .standardDeviation:
      return type.physical == .float64 ? DoubleDeviationAggregator() : IntegerDeviationAggregator()
    case .histogram(let buckets): return HistogramAggregator(buckets: max(1, buckets))
    case .topK(let count): return TopValuesAggregator(type, limit: max(0, count))
    }
  }

  private static func extreme(_ type: ColumnType, wantsGreatest: Bool) -> Aggregator {
    switch type.physical {
    case .int64: IntegerExtremeAggregator(isUnsigned: type == .id8, wantsGreatest: wantsGreatest)
    case .float64: DoubleExtremeAggregator(wantsGreatest: wantsGreatest)
    case .bool, .id128, .bytes: ValueExtremeAggregator(type, wantsGreatest: wantsGreatest)
    }
  }
}

/// `count(*)` and `count(x)`.
final class CountAggregator: Aggregator {
  private var counts: [Int64] = []

  override func grow(_ groups: Int) { counts.grow(groups, 0) }
  override var byteCount: Int { counts.count * 8 }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    let validity = operands.first?.validity
    guard let groups = rows.groups else {
      if let validity {
        for valid in validity where valid { counts[0] &+= 1 }
      } else {
        counts[0] &+= Int64(rows.count)
      }
      return
    }
    counts.withUnsafeMutableBufferPointer { counts in
      groups.withUnsafeBufferPointer { groups in
        if let validity {
          for lane in 0..<groups.count where validity[lane] { counts[Int(groups[lane])] &+= 1 }
        } else {
          for lane in 0..<groups.count { counts[Int(groups[lane])] &+= 1 }
        }
      }
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? CountAggregator else { return }
    for (group, count) in other.counts.enumerated() { counts[Int(mapping[group])] &+= count }
  }

  override func finish(_ groups: Int) throws(ExecutionFailure) -> Vector {
    Vector(.int64(Array(counts.prefix(groups))))
  }
}

extension Array {
  mutating func grow(_ count: Int, _ value: Element) {
    if count > self.count { append(contentsOf: repeatElement(value, count: count - self.count)) }
  }
}
