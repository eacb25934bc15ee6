import LintelColumns

/// Keeps every value of every group, as order-preserving bits.
class CollectingAggregator: Aggregator {
  private var groups: [UInt32] = []
  private var values: [UInt64] = []
  fileprivate let isDouble: Bool

  init(isDouble: Bool) { self.isDouble = isDouble }

  override var byteCount: Int { values.count * 12 }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let bits: [UInt64]
    switch operand.lanes {
    case .int64(let lanes): bits = mapLanes(lanes) { SortOrder.bits($0, isUnsigned: false) }
    case .float64(let lanes): bits = mapLanes(lanes) { SortOrder.bits($0) }
    default: return
    }
    if operand.validity == nil, let all = rows.groups {
      groups += all
      values += bits
      return
    }
    for lane in bits.indices where operand.isValid(lane) {
      groups.append(UInt32(truncatingIfNeeded: rows.group(lane)))
      values.append(bits[lane])
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? CollectingAggregator else { return }
    groups += mapLanes(other.groups) { mapping[Int($0)] }
    values += other.values
  }

  /// Values put together by group: those of group `g` lie at `starts[g] ..< starts[g + 1]`.
  final func collected(_ count: Int) -> (values: [UInt64], starts: [Int]) {
    var starts = Array(repeating: 0, count: count + 1)
    for group in groups { starts[Int(group) + 1] += 1 }
    for group in 0..<count { starts[group + 1] += starts[group] }
    var next = starts
    var sorted = values
    for (index, group) in groups.enumerated() {
      sorted[next[Int(group)]] = values[index]
      next[Int(group)] += 1
    }
    return (sorted, starts)
  }

  final func double(_ bits: UInt64) -> Double {
    guard isDouble else { return Double(Int64(bitPattern: bits ^ 1 << 63)) }
    if bits == .max { return .nan }
    return Double(bitPattern: bits >> 63 == 1 ? bits & ~(1 << 63) : ~bits)
  }
}

/// Memory that threads write to, each in its own places.
private struct SharedCells: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<UInt64>
}

/// Which of sorted values a quantile is.
enum NearestRank {
  /// Position of the quantile among `count` sorted values.
  static func index(_ rank: Double, of count: Int) -> Int {
    let position = (rank * Double(count)).rounded(.up)
    return position >= Double(count) ? count - 1 : position >= 1 ? Int(position) - 1 : 0
  }
}

/// quantile_exact: values of nearest rank; all quantiles of one operand share the values.
final class ExactQuantileAggregator: CollectingAggregator {
  private var finished: Collected?

  /// Values by group. Selecting reorders them within their group, and what was selected bounds the next selection.
  private final class Collected: @unchecked Sendable {
    let values: UnsafeMutableBufferPointer<UInt64>
    let starts: [Int]
    /// For each group the positions that hold what they would in sorted order, ascending.
    var settled: [[Int]]

    init(_ values: [UInt64], _ starts: [Int]) {
      self.values = .allocate(capacity: values.count)
      _ = self.values.initialize(fromContentsOf: values)
      self.starts = starts
      settled = Array(repeating: [], count: starts.count - 1)
    }

    deinit { values.deallocate() }

    func select(_ rank: Double, group: Int) -> UInt64 {
      let start = starts[group]
      let wanted = start + NearestRank.index(rank, of: starts[group + 1] - start)
      let low = settled[group].last { $0 <= wanted } ?? start
      let high = settled[group].first { $0 >= wanted } ?? starts[group + 1] - 1
      let range = UnsafeMutableBufferPointer(rebasing: values[low...high])
      return LintelQuery.select(range, wanted - low)
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    guard case .quantileExact(let rank) = call.function else { return .nulls(.int64, count: groups) }
    let all =
      finished
      ?? {
        let (values, starts) = collected(groups); return Collected(values, starts)
      }()
    finished = all
    let validity = makeLanes(groups) { all.starts[$0 + 1] > all.starts[$0] }
    let picked = Self.select(all, groups, rank)
    for group in 0..<groups where validity[group] {
      let wanted = all.starts[group] + NearestRank.index(rank, of: all.starts[group + 1] - all.starts[group])
      let place = all.settled[group].firstIndex { $0 >= wanted } ?? all.settled[group].count
      all.settled[group].insert(wanted, at: place)
    }
    let known = validity.contains(false) ? validity : nil
    if isDouble { return Vector(.float64(picked.map { double($0) }), validity: known) }
    return Vector(.int64(mapLanes(picked) { Int64(bitPattern: $0 ^ 1 << 63) }), validity: known)
  }

  /// Selects in all groups, on all processors where that pays.
  private static func select(_ all: Collected, _ groups: Int, _ rank: Double) -> [UInt64] {
    let picked = StateBuffer<UInt64>(0)
    picked.grow(groups)
    let cells = SharedCells(pointer: picked.pointer)
    let next = SharedCounter()
    let threads = all.values.count > 1 << 16 ? min(WorkerPool.processorCount, groups) : 1
    WorkerPool.shared.run(threads: threads) { _ in
      while let group = next.take(below: groups) {
        if all.starts[group + 1] > all.starts[group] { cells.pointer[group] = all.select(rank, group: group) }
      }
    }
    return makeLanes(groups) { picked[$0] }
  }
}

/// The `wanted`-th least of `values`, reordering them: quickselect with a median-of-three pivot, and sorting what is small
/// or won't shrink.
func select(_ values: UnsafeMutableBufferPointer<UInt64>, _ wanted: Int) -> UInt64 {
  var low = 0
  var high = values.count - 1
  var rounds = 0
  while high - low > 32, rounds < 64 {
    rounds += 1
    let a = values[low]
    let b = values[low + (high - low) / 2]
    let c = values[high]
    let pivot = max(min(a, b), min(max(a, b), c))
    var left = low
    var right = high
    while left <= right {
      while values[left] < pivot { left += 1 }
      while values[right] > pivot { right -= 1 }
      if left <= right {
        values.swapAt(left, right)
        left += 1
        right -= 1
      }
    }
    if wanted <= right {
      high = right
    } else if wanted >= left {
      low = left
    } else {
      return values[wanted]
    }
  }
  var rest = UnsafeMutableBufferPointer(rebasing: values[low...high])
  rest.sort()
  return values[wanted]
}

/// Buckets of equal width.
final class HistogramAggregator: CollectingAggregator {
  private let buckets: Int
  private static let maximumBuckets = 10_000

  init(buckets: Int) {
    self.buckets = min(buckets, Self.maximumBuckets)
    super.init(isDouble: true)
  }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let doubles = Arithmetic.doubles(operand)
    let finite = zipLanes(doubles, operand.validity ?? Array(repeating: true, count: doubles.count)) {
      $0.isFinite && $1
    }
    try super.update(rows, [Vector(.float64(doubles), validity: finite)])
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let (values, starts) = collected(groups)
    var builder = BytesBuilder(capacity: groups)
    for group in 0..<groups {
      let members = values[starts[group]..<starts[group + 1]].map { double($0) }
      if members.isEmpty { builder.appendNull() } else { builder.append(Histogram.encode(members, buckets: buckets)) }
    }
    return builder.finish()
  }
}

enum Histogram {
  /// The variant array of `[lower bound, count]` of finite values.
  static func encode(_ values: [Double], buckets: Int) -> [UInt8] {
    let low = values.min() ?? 0
    let high = values.max() ?? 0
    // Divided before subtracting: the difference of two finite values may be infinite.
    let width = high / Double(buckets) - low / Double(buckets)
    let count = low == high || width <= 0 ? 1 : buckets
    var counts = Array(repeating: Int64(0), count: count)
    for value in values {
      let place = count == 1 ? 0 : (value - low) / width
      counts[place >= Double(count - 1) ? count - 1 : Int(place)] += 1
    }
    var out: [UInt8] = [7]
    EncodedVariant.appendVarint(UInt64(count), to: &out)
    for (bucket, number) in counts.enumerated() {
      out += [7, 2]
      EncodedVariant.appendDouble(bucket == 0 ? low : low + width * Double(bucket), to: &out)
      EncodedVariant.appendInt(number, to: &out)
    }
    return out
  }
}
