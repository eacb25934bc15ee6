import LintelColumns
import Testing

@testable import LintelQuery

/// Sketches against sorting; that any order of rows and merges gives the same answers; that memory stays bounded.
@Suite struct QuantileSketchTests {
  static let ranks = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]

  @Test func bucketsNeverChange() {
    let doubles: [(Double, UInt32, Double)] = [
      (0, 1 << 17, 0), (-0.0, 1 << 17, 0), (1, 0x2FFC0, 1.0078125), (-1, 0x1003F, -1.0078125), (100, 0x30164, 100.5),
      (.infinity, 0x3FFC0, .infinity), (-.infinity, 0x0003F, -.infinity), (.leastNonzeroMagnitude, 1 << 17, 0),
      (.greatestFiniteMagnitude, 0x3FFBF, 0x1.FCp1023 + 0x1p1016),
    ]
    for (number, bucket, middle) in doubles {
      #expect(QuantileBuckets.bucket(number) == bucket, "\(number)")
      #expect(QuantileBuckets.middle(bucket) == middle, "\(number)")
    }
    #expect(QuantileBuckets.bucket(Double.nan) == QuantileBuckets.bucket(-Double.signalingNaN))
    #expect(QuantileBuckets.bucket(Double.nan) > QuantileBuckets.bucket(Double.infinity))
    #expect(QuantileBuckets.middle(QuantileBuckets.bucket(Double.nan)).isNaN)
  }

  @Test func integersShareTheBucketsOfDoubles() {
    for number in [Int64.min, .min + 1, -1_000_003, -1, 0, 1, 127, 1 << 40, .max] {
      #expect(QuantileBuckets.bucket(number) == QuantileBuckets.bucket(Double(number)))
    }
    for number in Int64(-127)...127 { #expect(QuantileBuckets.integer(QuantileBuckets.bucket(number)) == number) }
    #expect(QuantileBuckets.integer(QuantileBuckets.bucket(Int64.max)) == .max)
    #expect(QuantileBuckets.integer(QuantileBuckets.bucket(Int64.min)) == .min)
  }

  @Test(arguments: 1...40) func answersAreWithinTheStatedError(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let groups = seed % 4 == 0 ? 300 : 3
    let count = Int.random(in: 1...6000, using: &random)
    let octaves = seed % 3 == 0 ? 60 : Int.random(in: 1...12, using: &random)
    let values = (0..<count).map { _ -> Int64 in
      let size = Int64.random(in: 0...(1 << Int64.random(in: 1...Int64(octaves), using: &random)), using: &random)
      return seed % 2 == 0 && Bool.random(using: &random) ? -size : size
    }
    let numbers = (0..<count).map { _ in UInt32.random(in: 0..<UInt32(groups), using: &random) }
    let validity = seed % 5 == 0 ? (0..<count).map { _ in Bool.random(using: &random) } : nil
    let all = try filled(values, numbers, validity, groups: groups, windowRows: .max)
    // The same rows by way of several sketches whose windows run full, put together in another order of groups.
    let parts = try stride(from: 0, to: count, by: 700).map { start in
      let range = start..<min(start + 700, count)
      return try filled(
        Array(values[range]), numbers[range].map { UInt32(groups) - 1 - $0 }, validity.map { Array($0[range]) },
        groups: groups, windowRows: 150)
    }
    let merged = QuantileSketchAggregator(isDouble: false, windowRows: 900)
    merged.grow(groups)
    let mapping = (0..<UInt32(groups)).reversed().map { $0 }
    for part in parts { try merged.merge(part, mapping: mapping) }

    for rank in Self.ranks {
      let call = AggregateCall(.quantile(rank), operands: [], filter: nil, type: .int64)
      let found = try all.finish(groups, call)
      let again = try merged.finish(groups, call)
      for group in 0..<groups {
        let own = values.indices.filter { numbers[$0] == UInt32(group) && validity?[$0] ?? true }.map { values[$0] }
        #expect(found.value(group) == again.value(group), "seed \(seed), group \(group), rank \(rank)")
        guard !own.isEmpty else {
          #expect(found.value(group) == .null)
          continue
        }
        guard case .int64(let answer) = found.value(group) else {
          Issue.record("no answer; seed \(seed), group \(group)")
          continue
        }
        let exact = Double(own.sorted()[NearestRank.index(rank, of: own.count)])
        #expect(abs(Double(answer) - exact) <= exact.magnitude / 128, "seed \(seed), group \(group), rank \(rank)")
      }
    }
  }

  @Test func scatteredValuesTakeNoWindows() throws {
    var random = SeededGenerator(7)
    let values = (0..<100_000).map { _ in Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random)) }
    let numbers = values.indices.map { UInt32($0 % 1000) }
    let sketch = QuantileSketchAggregator(isDouble: true)
    sketch.grow(1000)
    try sketch.update(
      GroupedRows(groups: numbers, count: values.count, context: EvaluationContext(slotCount: 0)),
      [Vector(.float64(values))])
    #expect(sketch.byteCount < 100 * values.count, "\(sketch.byteCount)")
  }

  private func filled(
    _ values: [Int64], _ numbers: [UInt32], _ validity: [Bool]?, groups: Int, windowRows: UInt64
  ) throws -> QuantileSketchAggregator {
    let sketch = QuantileSketchAggregator(isDouble: false, windowRows: windowRows)
    sketch.grow(groups)
    for start in stride(from: 0, to: values.count, by: 100) {
      let range = start..<min(start + 100, values.count)
      let rows = GroupedRows(
        groups: Array(numbers[range]), count: range.count, context: EvaluationContext(slotCount: 0))
      try sketch.update(rows, [Vector(.int64(Array(values[range])), validity: validity.map { Array($0[range]) })])
    }
    return sketch
  }
}
