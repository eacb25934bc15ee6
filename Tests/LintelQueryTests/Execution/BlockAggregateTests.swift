import LintelColumns
import Testing

@testable import LintelQuery

/// Aggregates that work a block at a time give what their plain twins give row by row.
@Suite("Aggregates by block") struct BlockAggregateTests {
  private static let rows = 400

  private static func context() -> EvaluationContext {
    let context = EvaluationContext(slotCount: 0)
    context.begin(rowCount: rows, source: nil)
    return context
  }

  private static func rows(_ groups: [UInt32]?) -> GroupedRows {
    GroupedRows(groups: groups, count: rows, context: context())
  }

  /// A block of values of a type, with nulls and many equal ones.
  private static func vector(_ type: ColumnType, _ random: inout SeededGenerator) -> Vector {
    let words = ["", "a", "ab", "a\0", "a\0b", "b", "a longer word", "a longer wort"]
    let variants: [Variant] = [
      .empty, .int(3), .double(3), .double(.nan), .string("x"), .bool(true), .array([.int(1)]),
    ]
    let doubles: [Double] = [0, -0.0, .nan, .infinity, -.infinity, 1.5, -2.25, 1e300]
    let integers: [Int64] = [.min, .max, -1, 0, 1, 2]
    let values = (0..<rows).map { _ -> Value in
      if Int.random(in: 0..<8, using: &random) == 0 { return .null }
      switch type.physical {
      case .int64: return .int64(integers.randomElement(using: &random) ?? 0)
      case .float64: return .float64(doubles.randomElement(using: &random) ?? 0)
      case .bool: return .bool(Bool.random(using: &random))
      case .id128: return .id128(UInt128(UInt8.random(in: 0...20, using: &random)) << 120)
      case .bytes:
        guard type == .variant else { return .bytes(Array((words.randomElement(using: &random) ?? "").utf8)) }
        var encoded: [UInt8] = []
        (variants.randomElement(using: &random) ?? .empty).encode(into: &encoded)
        return .bytes(encoded)
      }
    }
    let plain = Vector.make(values, type.physical)
    return Bool.random(using: &random) ? Vector(plain.columnVector.coded) : plain
  }

  private static let types: [ColumnType] = [.string, .variant, .id16, .bool, .int64, .id8, .float64]

  @Test(arguments: types.indices, 1...12 as ClosedRange<UInt64>)
  func winnersOfBlocks(_ index: Int, _ seed: UInt64) throws {
    let type = Self.types[index]
    var random = SeededGenerator(seed &* 100 &+ UInt64(index))
    let groupCount = seed % 3 == 0 ? nil : Int.random(in: 1...60, using: &random)
    let wantsGreatest = seed % 2 == 0
    let valueType = Self.types[Int(seed) % 4]
    func make(_ usesWinners: Bool) -> [KeptValueAggregator] {
      [
        ValueExtremeAggregator(type, wantsGreatest: wantsGreatest, usesWinners: usesWinners),
        ArgumentAggregator(valueType, keyType: type, wantsGreatest: wantsGreatest, usesWinners: usesWinners),
      ]
    }
    let threads = [(make(true), make(false)), (make(true), make(false))]
    for block in 0..<6 {
      let groups = groupCount.map { count in
        (0..<Self.rows).map { _ in UInt32.random(in: 0..<UInt32(count), using: &random) }
      }
      let (value, key) = (Self.vector(valueType, &random), Self.vector(type, &random))
      let (fast, plain) = threads[block % 2]
      for (aggregator, operands) in zip(fast + plain, [[key], [value, key], [key], [value, key]]) {
        aggregator.grow(groupCount ?? 1)
        try aggregator.update(Self.rows(groups), operands)
      }
    }
    let mapping = (0..<UInt32(groupCount ?? 1)).map { $0 }
    let call = AggregateCall(.max, operands: [], filter: nil, type: type)
    for number in 0..<2 {
      var found: [[String]] = []
      for (first, second) in [(threads[0].0, threads[1].0), (threads[0].1, threads[1].1)] {
        try first[number].merge(second[number], mapping: mapping)
        let finished = try first[number].finish(mapping.count, call)
        found.append((0..<finished.count).map { "\(finished.value($0))" })
      }
      #expect(found[0] == found[1], "seed \(seed), \(type), \(number == 0 ? "extreme" : "argument")")
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>) func sumsOfBlocks(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    let groupCount = Int.random(in: 1...9, using: &random)
    let exponents = seed % 3 == 0 ? -1022...1023 : seed % 3 == 1 ? -12...12 : -90...90
    let specials: [Double] = [
      0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
      -.greatestFiniteMagnitude,
    ]
    let endless: [Double] = [.nan, .infinity, -.infinity]
    var (blocks, single) = (ExactSums(), ExactSums())
    for _ in 0..<4 {
      blocks.resize(groupCount)
      single.resize(groupCount)
      let values = (0..<300).map { _ -> Double in
        let kind = Int.random(in: 0..<100, using: &random)
        if kind == 0, seed % 5 == 0 { return endless.randomElement(using: &random) ?? 0 }
        if kind < 5 { return specials.randomElement(using: &random) ?? 0 }
        return Double.random(in: -1...1, using: &random)
          * Double(sign: .plus, exponent: Int.random(in: exponents, using: &random), significand: 1)
      }
      let validity = Bool.random(using: &random) ? values.map { _ in Int.random(in: 0..<4, using: &random) > 0 } : nil
      let groups =
        Bool.random(using: &random)
        ? values.map { _ in UInt32.random(in: 0..<UInt32(groupCount), using: &random) } : nil
      blocks.add(values, validity, groups)
      for lane in values.indices where validity?[lane] ?? true {
        single.add(values[lane], to: groups.map { Int($0[lane]) } ?? 0)
      }
    }
    for group in 0..<groupCount {
      #expect(blocks.sum(group).bitPattern == single.sum(group).bitPattern, "seed \(seed), group \(group)")
      #expect(blocks.exact(group) == single.exact(group), "seed \(seed), group \(group)")
    }
  }

  /// Counted where the values lie, and put together by group first.
  @Test(arguments: [(20, 7), (10_000, 200), (1, 3), (20, 1)], 1...5 as ClosedRange<UInt64>)
  func histograms(_ shape: (buckets: Int, groups: Int), _ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    var expected: [[Double]] = Array(repeating: [], count: shape.groups)
    let parts = [HistogramAggregator(buckets: shape.buckets), HistogramAggregator(buckets: shape.buckets)]
    for block in 0..<4 {
      let (vector, groups) = (
        Self.vector(seed % 2 == 0 ? .float64 : .int64, &random),
        // The last group stays empty.
        (0..<Self.rows).map { _ in UInt32.random(in: 0..<UInt32(max(1, shape.groups - 1)), using: &random) }
      )
      for lane in 0..<Self.rows where vector.isValid(lane) {
        let number = Arithmetic.doubles(vector)[lane]
        if number.isFinite { expected[Int(groups[lane])].append(number == 0 ? 0 : number) }
      }
      try parts[block % 2].update(Self.rows(shape.groups == 1 && block % 3 == 0 ? nil : groups), [vector])
    }
    try parts[0].merge(parts[1], mapping: (0..<UInt32(shape.groups)).map { $0 })
    let call = AggregateCall(.histogram(buckets: shape.buckets), operands: [], filter: nil, type: .variant)
    let found = try parts[0].finish(shape.groups, call)
    for group in 0..<shape.groups {
      let wanted: Value =
        expected[group].isEmpty ? .null : .bytes(try Histogram.encode(expected[group], buckets: shape.buckets))
      #expect(found.value(group) == wanted, "seed \(seed), group \(group)")
    }
  }

  @Test(arguments: [true, false]) func deviationsOfExtremes(_ isGrouped: Bool) throws {
    let aggregator = IntegerDeviationAggregator()
    aggregator.grow(2)
    let lanes = (0..<Self.rows).map { (row: Int) -> Int64 in
      switch row % 3 {
      case 0: .min
      case 1: .max
      default: Int64(row)
      }
    }
    let validity = (0..<Self.rows).map { $0 % 5 != 0 }
    let groups = (0..<UInt32(Self.rows)).map { isGrouped ? $0 % 2 : 0 }
    for _ in 0..<3 {
      try aggregator.update(
        Self.rows(isGrouped ? groups : nil), [Vector(.int64(lanes), validity: validity)])
    }
    let found = try aggregator.finish(2, AggregateCall(.standardDeviation, operands: [], filter: nil, type: .float64))
    for group in 0..<2 as Range<UInt32> {
      let own = lanes.indices.filter { validity[$0] && groups[$0] == group }
      var (sum, squares) = (BigInteger(0), BigInteger(0))
      for lane in own {
        let value = BigInteger(Int128(lanes[lane]) * 3)
        sum = sum + value
        squares = squares + value * BigInteger(Int128(lanes[lane]))
      }
      let expected = Deviation.value(count: Int64(own.count * 3), sum: sum, squares: squares, exponent: 0)
      let wanted: Value = expected.map { .float64($0) } ?? .null
      #expect(found.value(Int(group)) == wanted)
    }
  }
}
