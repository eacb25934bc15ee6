import LintelColumns

/// Exact sums of integers in 128 bits: no order of rows or threads can overflow before the total does.
final class IntegerSumAggregator: Aggregator {
  private let sums = StateBuffer<Int128>(0)
  private let counts = StateBuffer<Int64>(0)

  override func grow(_ groups: Int) {
    sums.grow(groups)
    counts.grow(groups)
  }

  override var byteCount: Int { sums.byteCount + counts.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let values: [Int64]
    switch operand.lanes {
    case .int64(let lanes): values = lanes
    case .bool(let lanes): values = mapLanes(lanes) { $0 ? 1 : 0 }
    default: return
    }
    if let groups = rows.groups {
      GroupKernels.sum(values, groups, operand.validity, into: sums.pointer, groupCount: sums.count)
      GroupKernels.count(groups, operand.validity, into: counts.pointer, groupCount: counts.count)
    } else {
      sums[0] &+= GroupKernels.sum(values, operand.validity)
      counts[0] &+= operand.validity.map(GroupKernels.countValid) ?? Int64(values.count)
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? IntegerSumAggregator else { return }
    for group in 0..<other.sums.count {
      let target = Int(mapping[group])
      sums[target] &+= other.sums[group]
      counts[target] &+= other.counts[group]
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let valid = makeLanes(groups) { counts[$0] > 0 }
    let validity = valid.contains(false) ? valid : nil
    if call.function == .average {
      let lanes = makeLanes(groups) { counts[$0] > 0 ? Double(sums[$0]) / Double(counts[$0]) : 0 }
      return Vector(.float64(lanes), validity: validity)
    }
    var overflows = false
    let lanes = makeLanes(groups) { group in
      let sum = sums[group]
      let lane = Int64(truncatingIfNeeded: sum)
      overflows = overflows || Int128(lane) != sum
      return lane
    }
    if overflows, let group = (0..<groups).first(where: { Int64(exactly: sums[$0]) == nil }) {
      throw .overflow("sum, which came to \(sums[group])")
    }
    return Vector(.int64(lanes), validity: validity)
  }
}

/// Sums and averages of doubles: exact, rounded once.
final class DoubleSumAggregator: Aggregator {
  private var sums = ExactSums()
  private var counts: [Int64] = []

  override func grow(_ groups: Int) {
    sums.resize(groups)
    counts.grow(groups, 0)
  }

  override var byteCount: Int { sums.byteCount + counts.count * 8 }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .float64(let values) = operand.lanes else { return }
    for lane in values.indices where operand.isValid(lane) {
      let group = rows.group(lane)
      sums.add(values[lane], to: group)
      counts[group] &+= 1
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? DoubleSumAggregator else { return }
    sums.merge(other.sums, mapping: mapping)
    for (group, count) in other.counts.enumerated() { counts[Int(mapping[group])] &+= count }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let validity = (0..<groups).map { counts[$0] > 0 }
    let lanes = (0..<groups).map { group -> Double in
      guard counts[group] > 0 else { return 0 }
      return call.function == .average ? sums.sum(group) / Double(counts[group]) : sums.sum(group)
    }
    return Vector(.float64(lanes), validity: validity.contains(false) ? validity : nil)
  }
}

/// Sample standard deviation of integers from exact sums.
final class IntegerDeviationAggregator: Aggregator {
  private struct State {
    var count: Int64 = 0
    var sum: Int128 = 0
    /// Sum of squares: 128 bits and what carried out of them.
    var squares: UInt128 = 0
    var carries: UInt64 = 0

    mutating func addSquares(_ value: UInt128, _ carried: UInt64) {
      let (total, overflow) = squares.addingReportingOverflow(value)
      squares = total
      carries &+= carried &+ (overflow ? 1 : 0)
    }
  }

  private var states: [State] = []

  override func grow(_ groups: Int) { states.grow(groups, State()) }
  override var byteCount: Int { states.count * 64 }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .int64(let values) = operand.lanes else { return }
    for lane in values.indices where operand.isValid(lane) {
      let group = rows.group(lane)
      let magnitude = UInt128(values[lane].magnitude)
      states[group].count &+= 1
      states[group].sum &+= Int128(values[lane])
      states[group].addSquares(magnitude &* magnitude, 0)
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? IntegerDeviationAggregator else { return }
    for (group, state) in other.states.enumerated() {
      let target = Int(mapping[group])
      states[target].count &+= state.count
      states[target].sum &+= state.sum
      states[target].addSquares(state.squares, state.carries)
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    Deviation.vector(
      (0..<groups).map { group in
        let state = states[group]
        let low = (0..<4).map { UInt32(truncatingIfNeeded: state.squares >> UInt128($0 * 32)) }
        let high = (0..<2).map { UInt32(truncatingIfNeeded: state.carries >> UInt64($0 * 32)) }
        return Deviation.value(
          count: state.count, sum: BigInteger(state.sum), squares: BigInteger(digits: low + high, isNegative: false),
          exponent: 0)
      })
  }
}

/// Sample standard deviation of doubles from exact sums of the values and of their squares.
final class DoubleDeviationAggregator: Aggregator {
  private var sums = ExactSums()
  private var squares: [SquareSum] = []
  private var counts: [Int64] = []

  override func grow(_ groups: Int) {
    sums.resize(groups)
    squares.grow(groups, SquareSum())
    counts.grow(groups, 0)
  }

  override var byteCount: Int { sums.byteCount + squares.reduce(0) { $0 + $1.byteCount } }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .float64(let values) = operand.lanes else { return }
    for lane in values.indices where operand.isValid(lane) {
      let group = rows.group(lane)
      sums.add(values[lane], to: group)
      if values[lane].isFinite { squares[group].add(values[lane]) }
      counts[group] &+= 1
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? DoubleDeviationAggregator else { return }
    sums.merge(other.sums, mapping: mapping)
    for (group, count) in other.counts.enumerated() {
      counts[Int(mapping[group])] &+= count
      squares[Int(mapping[group])].merge(other.squares[group])
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    Deviation.vector(
      (0..<groups).map { group in
        if counts[group] > 1, sums.special(group) != nil { return .nan }
        // Sums count units of 2^-1074, squares of 2^-2148.
        return Deviation.value(
          count: counts[group], sum: sums.exact(group), squares: squares[group].exact, exponent: -2148)
      })
  }
}

/// Exact sum of squares of doubles in units of 2^-2148, in 32-bit digits.
struct SquareSum {
  private var lanes: [Int64] = []
  private var pending = 0

  var byteCount: Int { lanes.count * 8 + 16 }

  mutating func add(_ value: Double) {
    let biased = Int(value.bitPattern >> 52 & 0x7FF)
    let mantissa = value.bitPattern & (1 << 52 - 1) | (biased == 0 ? 0 : 1 << 52)
    let place = (max(biased, 1) - 1) * 2
    let (high, low) = mantissa.multipliedFullWidth(by: mantissa)
    let square = UInt128(high) << 64 | UInt128(low)
    let shift = UInt128(place & 31)
    if lanes.isEmpty { lanes = Array(repeating: 0, count: 4096 / 32 + 8) }
    // The square has at most 106 bits: shifted by up to 31 it may pass 128.
    let bottom = square << shift
    let top = shift == 0 ? 0 : square >> (128 - shift)
    for index in 0..<4 {
      lanes[(place >> 5) + index] &+= Int64(UInt32(truncatingIfNeeded: bottom >> UInt128(index * 32)))
    }
    lanes[(place >> 5) + 4] &+= Int64(UInt32(truncatingIfNeeded: top))
    pending += 1
    if pending >= 1 << 28 { carry() }
  }

  private mutating func carry() {
    pending = 0
    for index in lanes.indices.dropLast() {
      lanes[index + 1] &+= lanes[index] >> 32
      lanes[index] &= 0xFFFF_FFFF
    }
  }

  mutating func merge(_ other: SquareSum) {
    guard !other.lanes.isEmpty else { return }
    guard !lanes.isEmpty else { return self = other }
    carry()
    var other = other
    other.carry()
    for index in lanes.indices { lanes[index] &+= other.lanes[index] }
  }

  var exact: BigInteger { BigInteger(carrying: lanes) }
}

enum Deviation {
  /// `sqrt(D / (n (n - 1)))`; NaN stands for itself, `nil` for fewer than two values.
  static func value(count: Int64, sum: BigInteger, squares: BigInteger, exponent: Int) -> Double? {
    guard count > 1 else { return nil }
    let difference = BigInteger(Int128(count)) * squares + -(sum * sum)
    let number = Double(count)
    return (difference.rounded(exponent: exponent) / (number * (number - 1))).squareRoot()
  }

  static func vector(_ values: [Double?]) -> Vector {
    let validity = values.map { $0 != nil }
    return Vector(.float64(values.map { $0 ?? 0 }), validity: validity.contains(false) ? validity : nil)
  }
}
