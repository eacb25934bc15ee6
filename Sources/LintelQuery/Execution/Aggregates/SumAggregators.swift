import LintelColumns

/// Exact sums of integers in 128 bits: no order of rows or threads can overflow before the total does.
///
/// Rows are added in 64 bits, beside their count, as long as nothing added so far can have overflowed; then those sums
/// move into the 128-bit ones.
final class IntegerSumAggregator: Aggregator {
  /// Sum and count.
  private let states = StateBuffer<SIMD2<Int64>>(.zero)
  /// What has been moved out of the states; behind them in number until something is.
  private let moved = StateBuffer<Int128>(0)
  /// No state's sum is greater in magnitude.
  private var bound: UInt64 = 0
  private static let boundLimit: UInt64 = 1 << 62

  override func grow(_ groups: Int) { states.grow(groups) }

  override var usesRuns: Bool { true }

  override var byteCount: Int { states.byteCount + moved.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let values: [Int64]
    switch operand.lanes {
    case .int64(let lanes): values = lanes
    case .bool(let lanes): values = mapLanes(lanes) { $0 ? 1 : 0 }
    default: return
    }
    if let runs = rows.runs {
      if makeRoom(for: values) {
        runs.sum(values, operand.validity, into: states.pointer)
      } else {
        addWide(values, runs.lanes, operand.validity)
      }
    } else if let groups = rows.groups {
      if makeRoom(for: values) {
        GroupKernels.sum(values, groups, operand.validity, into: states.pointer, groupCount: states.count)
      } else {
        addWide(values, groups, operand.validity)
      }
    } else {
      moved.grow(1)
      moved[0] &+= ScanKernels.sum(values, operand.validity)
      states[0][1] &+= operand.validity.map(ScanKernels.countTrue) ?? Int64(values.count)
    }
  }

  override func absorb(_ statistics: BlockStatistics) {
    moved.grow(1)
    moved[0] &+= statistics.sum ?? 0
    states[0][1] &+= Int64(statistics.rowCount - statistics.nullCount)
  }

  /// Sees to it that the values can be added to the states; false when they are too great for that.
  private func makeRoom(for values: [Int64]) -> Bool {
    let (most, overflow) = (ScanKernels.magnitude(values) &+ 1).multipliedReportingOverflow(by: UInt64(values.count))
    guard !overflow, most <= Self.boundLimit else { return false }
    if bound &+ most > Self.boundLimit { move() }
    bound &+= most
    return true
  }

  private func move() {
    moved.grow(states.count)
    for group in 0..<states.count {
      moved[group] &+= Int128(states[group][0])
      states[group][0] = 0
    }
    bound = 0
  }

  private func addWide(_ values: [Int64], _ groups: [UInt32], _ validity: [Bool]?) {
    moved.grow(states.count)
    for lane in values.indices where validity?[lane] ?? true {
      moved[Int(groups[lane])] &+= Int128(values[lane])
      states[Int(groups[lane])][1] &+= 1
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? IntegerSumAggregator else { return }
    move()
    for group in 0..<other.states.count {
      let target = Int(mapping[group])
      moved[target] &+= other.sum(group)
      states[target][1] &+= other.states[group][1]
    }
  }

  private func sum(_ group: Int) -> Int128 {
    (group < moved.count ? moved[group] : 0) &+ Int128(states[group][0])
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let valid = makeLanes(groups) { states[$0][1] > 0 }
    let validity = valid.contains(false) ? valid : nil
    if call.function == .average {
      let lanes = makeLanes(groups) { states[$0][1] > 0 ? Double(sum($0)) / Double(states[$0][1]) : 0 }
      return Vector(.float64(lanes), validity: validity)
    }
    var overflows = false
    let lanes = makeLanes(groups) { group in
      let total = sum(group)
      let lane = Int64(truncatingIfNeeded: total)
      overflows = overflows || Int128(lane) != total
      return lane
    }
    if overflows, let group = (0..<groups).first(where: { Int64(exactly: sum($0)) == nil }) {
      throw .overflow("sum, which came to \(sum(group))")
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
