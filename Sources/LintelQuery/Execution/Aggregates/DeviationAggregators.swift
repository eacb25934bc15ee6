import LintelColumns

/// Sample standard deviation of integers from exact sums.
final class IntegerDeviationAggregator: Aggregator {
  private struct State {
    var count: Int64 = 0
    var sum: Int128 = 0
    /// Sum of squares: 128 bits and what carried out of them.
    var squares: UInt128 = 0
    var carries: UInt64 = 0

    @inline(__always)
    mutating func add(_ value: Int64) {
      let magnitude = UInt128(value.magnitude)
      count &+= 1
      sum &+= Int128(value)
      addSquares(magnitude &* magnitude, 0)
    }

    @inline(__always)
    mutating func addSquares(_ value: UInt128, _ carried: UInt64) {
      let (total, overflow) = squares.addingReportingOverflow(value)
      squares = total
      carries &+= carried &+ (overflow ? 1 : 0)
    }
  }

  private let states = StateBuffer(State())

  override func grow(_ groups: Int) { states.grow(groups) }
  override var byteCount: Int { states.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .int64(let values) = operand.lanes else { return }
    let (states, validity) = (states.pointer, operand.validity)
    values.withUnsafeBufferPointer { values in
      guard let groups = rows.groups else {
        var state = states[0]
        for lane in 0..<values.count where validity?[lane] ?? true { state.add(values[lane]) }
        states[0] = state
        return
      }
      groups.withUnsafeBufferPointer { groups in
        for lane in 0..<values.count where validity?[lane] ?? true { states[Int(groups[lane])].add(values[lane]) }
      }
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? IntegerDeviationAggregator else { return }
    try interrupt.forEachStretch(of: other.states.count) { stretch in
      for group in stretch {
        let (state, target) = (other.states[group], Int(mapping[group]))
        var sum = states[target]
        sum.count &+= state.count
        sum.sum &+= state.sum
        sum.addSquares(state.squares, state.carries)
        states[target] = sum
      }
    }
  }

  override var stateTypes: [PhysicalType] { [.int64, .id128, .id128, .int64] }

  override func states(of groups: [UInt32]) -> StateRows {
    StateRows(
      [
        Vector(.int64(mapLanes(groups) { states[Int($0)].count })),
        Vector(.id128(mapLanes(groups) { UInt128(bitPattern: states[Int($0)].sum) })),
        Vector(.id128(mapLanes(groups) { states[Int($0)].squares })),
        Vector(.int64(mapLanes(groups) { Int64(bitPattern: states[Int($0)].carries) })),
      ], count: groups.count)
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard rows.count == groups, let counts = rows.integers(0), let sums = rows.wide(1), let squares = rows.wide(2),
      let carries = rows.integers(3)
    else { return false }
    grow(groups)
    for group in 0..<groups {
      states[group] = State(
        count: counts[group], sum: Int128(bitPattern: sums[group]), squares: squares[group],
        carries: UInt64(bitPattern: carries[group]))
    }
    return true
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    try Deviation.vector(
      groups, interrupt,
      { group in
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
  /// Bytes of the digits of the squares' sums.
  private var squareBytes = 0

  override func grow(_ groups: Int) {
    sums.resize(groups)
    squares.grow(groups, SquareSum())
    counts.grow(groups, 0)
  }

  override var byteCount: Int { sums.byteCount + squareBytes + squares.count * 40 }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first, case .float64(let values) = operand.lanes else { return }
    sums.add(values, operand.validity, rows.groups)
    for lane in values.indices where operand.isValid(lane) {
      let group = rows.group(lane)
      if values[lane].isFinite { squareBytes &+= squares[group].add(values[lane]) }
      counts[group] &+= 1
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? DoubleDeviationAggregator else { return }
    try sums.merge(other.sums, mapping: mapping, interrupt)
    try interrupt.forEachStretch(of: other.counts.count) { stretch in
      for group in stretch {
        counts[Int(mapping[group])] &+= other.counts[group]
        squareBytes &+= squares[Int(mapping[group])].merge(other.squares[group])
      }
    }
  }

  override var stateTypes: [PhysicalType] { [.int64, .bytes] + ExactSums.stateTypes }

  override func seal(_ groups: Int) throws(ExecutionFailure) {
    try sums.seal(interrupt)
    try interrupt.forEachStretch(of: squares.count) { stretch in for group in stretch { squares[group].carry() } }
  }

  override func states(of groups: [UInt32]) -> StateRows {
    var digits = ByteStrings()
    for group in groups { digits.append(squares[Int(group)].memory) }
    return StateRows(
      [Vector(.int64(mapLanes(groups) { counts[Int($0)] })), Vector(.bytes(digits))] + sums.states(of: groups),
      count: groups.count)
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard rows.count == groups, let counts = rows.integers(0), let digits = rows.bytes(1), sums.restore(rows, from: 2)
    else { return false }
    self.counts = counts
    for bytes in digits {
      guard let sum = SquareSum(memory: bytes) else { return false }
      squareBytes &+= sum.byteCount
      squares.append(sum)
    }
    return true
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    try Deviation.vector(
      groups, interrupt,
      { group in
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
  private static let digits = 4096 / 32 + 8

  init() {}

  /// - Parameter memory: what ``memory`` gave after ``carry()``.
  init?(memory: [UInt8]) {
    guard let lanes = [Int64](memory: memory), lanes.isEmpty || lanes.count == Self.digits,
      // What carrying leaves, but in the last.
      lanes.dropLast().allSatisfy({ $0 >> 32 == 0 }), (lanes.last ?? 0).magnitude < 1 << 61
    else { return nil }
    self.lanes = lanes
  }

  var memory: [UInt8] { lanes.memory }

  var byteCount: Int { lanes.count * 8 }

  /// - Returns: bytes that it takes more.
  mutating func add(_ value: Double) -> Int {
    let before = byteCount
    let biased = Int(value.bitPattern >> 52 & 0x7FF)
    let mantissa = value.bitPattern & (1 << 52 - 1) | (biased == 0 ? 0 : 1 << 52)
    let place = (max(biased, 1) - 1) * 2
    let (high, low) = mantissa.multipliedFullWidth(by: mantissa)
    let square = UInt128(high) << 64 | UInt128(low)
    let shift = UInt128(place & 31)
    if lanes.isEmpty { lanes = Array(repeating: 0, count: Self.digits) }
    // The square has at most 106 bits: shifted by up to 31 it may pass 128.
    let bottom = square << shift
    let top = shift == 0 ? 0 : square >> (128 - shift)
    for index in 0..<4 {
      lanes[(place >> 5) + index] &+= Int64(UInt32(truncatingIfNeeded: bottom >> UInt128(index * 32)))
    }
    lanes[(place >> 5) + 4] &+= Int64(UInt32(truncatingIfNeeded: top))
    pending += 1
    if pending >= 1 << 28 { carry() }
    return byteCount - before
  }

  /// Brings every digit but the last below 2^32.
  mutating func carry() {
    pending = 0
    for index in lanes.indices.dropLast() {
      lanes[index + 1] &+= lanes[index] >> 32
      lanes[index] &= 0xFFFF_FFFF
    }
  }

  /// - Returns: bytes that it takes more.
  mutating func merge(_ other: SquareSum) -> Int {
    guard !other.lanes.isEmpty else { return 0 }
    guard !lanes.isEmpty else {
      self = other
      return byteCount
    }
    carry()
    var other = other
    other.carry()
    for index in lanes.indices { lanes[index] &+= other.lanes[index] }
    return 0
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

  /// `value` of every group.
  static func vector(
    _ groups: Int, _ interrupt: Interrupt, _ value: (Int) -> Double?
  ) throws(ExecutionFailure) -> Vector {
    var lanes: [Double] = []
    var validity: [Bool] = []
    try interrupt.forEachStretch(of: groups) { stretch in
      for group in stretch {
        let value = value(group)
        lanes.append(value ?? 0)
        validity.append(value != nil)
      }
    }
    return Vector(.float64(lanes), validity: validity.contains(false) ? validity : nil)
  }
}
