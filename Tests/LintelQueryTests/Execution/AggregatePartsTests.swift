import LintelColumns
import Testing

@testable import LintelQuery

@Suite("Exact sums") struct ExactSumTests {
  /// Any order and any grouping of partial sums gives the same bits.
  @Test(arguments: 1...20) func orderDoesNotMatter(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let exponents = seed % 2 == 0 ? -20...20 : -1000...1000
    var values = (0..<200).map { _ in
      Double.random(in: -1...1, using: &random)
        * Double(sign: .plus, exponent: Int.random(in: exponents, using: &random), significand: 1)
    }
    let expected = sum(values)
    for _ in 0..<5 {
      values.shuffle(using: &random)
      #expect(sum(values).bitPattern == expected.bitPattern, "seed \(seed)")
      var left = ExactSums()
      var right = ExactSums()
      left.resize(1)
      right.resize(1)
      for value in values.prefix(77) { left.add(value, to: 0) }
      for value in values.dropFirst(77) { right.add(value, to: 0) }
      // On the way through another one nothing gets lost, be it empty before or not.
      var between = ExactSums()
      between.resize(2)
      try between.merge(right, mapping: [1])
      try between.merge(ExactSums(), mapping: [])
      try left.merge(between, mapping: [0, 0])
      #expect(left.sum(0).bitPattern == expected.bitPattern, "seed \(seed)")
    }
  }

  private func sum(_ values: [Double]) -> Double {
    var sums = ExactSums()
    sums.resize(1)
    for value in values { sums.add(value, to: 0) }
    return sums.sum(0)
  }

  @Test func knownSums() {
    #expect(sum([0.1, 0.2, 0.3]) == 0.6)
    #expect(sum([1e308, 1e308, -1e308]) == 1e308)
    #expect(sum([1e308, 1e308]) == .infinity)
    #expect(sum([1, 1e100, 1, -1e100]) == 2)
    let tiny = Double.leastNonzeroMagnitude
    #expect(sum([tiny, tiny]) == 2 * tiny)
    #expect(sum([-tiny]) == -tiny)
    #expect(sum([1, 0x1p-53]) == 1)
    #expect(sum([1, 0x1p-53, 0x1p-200]) == 1 + 0x1p-52)
    #expect(sum([.infinity, 1]) == .infinity)
    #expect(sum([.infinity, -.infinity]).isNaN)
    #expect(sum([]) == 0)
  }

  @Test func wholeNumbersSumExactly() {
    var random = SeededGenerator(3)
    let values = (0..<1000).map { _ in Int64.random(in: -1 << 52...1 << 52, using: &random) }
    #expect(sum(values.map(Double.init)) == Double(values.reduce(Int128(0)) { $0 + Int128($1) }))
  }

  @Test func bigIntegers() {
    var random = SeededGenerator(4)
    for _ in 0..<200 {
      let a = Int64.random(in: .min ... .max, using: &random)
      let b = Int64.random(in: .min ... .max, using: &random)
      let (x, y) = (BigInteger(Int128(a)), BigInteger(Int128(b)))
      #expect(x * y == BigInteger(Int128(a) * Int128(b)))
      #expect(x + y == BigInteger(Int128(a) + Int128(b)))
      #expect((x * y).rounded(exponent: 0) == Double(Int128(a) * Int128(b)))
    }
  }
}

@Suite("Aggregate parts") struct AggregatePartsTests {
  @Test(arguments: [0, 1, 10, 500, 5_000, 100_000])
  func sketchesEstimateWithinTheirError(_ count: Int) {
    var registers = [UInt8](repeating: 0, count: HyperLogLog.registerCount)
    for value in 0..<Int64(count) {
      let entry = HyperLogLog.entry(ValueHash.hash(value &* 7919))
      registers[Int(entry >> 8)] = max(registers[Int(entry >> 8)], UInt8(truncatingIfNeeded: entry))
    }
    var histogram = HyperLogLog.emptyHistogram
    for rank in registers { histogram[Int(rank)] += 1 }
    let estimate = HyperLogLog.estimate(histogram: histogram)
    #expect(abs(Double(estimate) - Double(count)) <= max(1, 0.0081 * 3 * Double(count)), "estimated \(estimate)")
  }

  @Test(arguments: 1...30) func selectionAgreesWithSorting(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    let count = Int.random(in: 1...3000, using: &random)
    let range: ClosedRange<UInt64> = seed % 3 == 0 ? 0...5 : 0...UInt64.max
    let values = (0..<count).map { _ in UInt64.random(in: range, using: &random) }
    let wanted = Int.random(in: 0..<count, using: &random)
    var copy = values
    let found = copy.withUnsafeMutableBufferPointer { select($0, wanted) }
    #expect(found == values.sorted()[wanted], "seed \(seed)")
  }

  @Test func quantileRanks() {
    #expect(NearestRank.index(0, of: 10) == 0)
    #expect(NearestRank.index(0.5, of: 10) == 4)
    #expect(NearestRank.index(0.51, of: 10) == 5)
    #expect(NearestRank.index(1, of: 10) == 9)
    #expect(NearestRank.index(0.99, of: 1) == 0)
  }

  @Test func histogramsOfExtremes() throws {
    let wide = try Variant(decoding: Histogram.encode([-1.7e308, 1.7e308], buckets: 2))
    #expect(wide == .array([.array([.double(-1.7e308), .int(1)]), .array([.double(0), .int(1)])]))
    let single = try Variant(decoding: Histogram.encode([4, 4, 4], buckets: 8))
    #expect(single == .array([.array([.double(4), .int(3)])]))
  }

  @Test(arguments: 1...20) func topRowsAgreeWithSorting(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let values = (0..<2000).map { _ in Int64.random(in: 0...300, using: &random) }
    let limit = Int.random(in: 0...50, using: &random)
    var parts = [TopRows(limit: limit), TopRows(limit: limit)]
    for start in stride(from: 0, to: 2000, by: 100) {
      let lanes = Array(values[start..<start + 100])
      try parts[Int.random(in: 0...1, using: &random)].add(
        [SortColumn(Vector(.int64(lanes)), .int64, isDescending: true)],
        positions: (start..<start + 100).map { UInt64($0) })
    }
    try parts[0].merge(parts[1])
    let expected = values.indices.sorted { (values[$0], -$0) > (values[$1], -$1) }.prefix(limit).map { UInt64($0) }
    #expect(try parts[0].finish() == Array(expected), "seed \(seed)")
  }

  @Test func sortKeysOrderVariants() {
    let rising: [Variant] = [
      .empty, .bool(false), .bool(true), .int(.min), .double(-2.5), .int(-2), .int(0), .double(0.5), .int(3),
      .double(3),
      .int(1 << 60), .double(.infinity), .double(.nan), .string(""), .string("a"), .string("a\0"), .string("ab"),
      .bytes([]), .bytes([0]), .bytes([0, 1]), .array([]), .map([]),
    ]
    let keys = rising.map { variant -> [UInt8] in
      var encoded: [UInt8] = []
      variant.encode(into: &encoded)
      var key: [UInt8] = []
      encoded.withUnsafeBufferPointer { SortOrder.appendVariantKey($0, to: &key) }
      return key
    }
    for (low, high) in zip(keys, keys.dropFirst()) { #expect(low.lexicographicallyPrecedes(high)) }
  }
}
