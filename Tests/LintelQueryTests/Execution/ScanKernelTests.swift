import Foundation
import Testing

@testable import LintelQuery

/// Every kernel against the loop that it stands for.
@Suite("Scan kernels") struct ScanKernelTests {
  private struct Lanes {
    let values: [Int64]
    let codes: [UInt32]
    let flags: [Bool]
    let validity: [Bool]?

    init(_ seed: UInt64) {
      var random = SeededGenerator(seed)
      let count = [0, 1, 7, 15, 16, 17, 63, 64, 65, 130, 1000][Int(seed % 11)]
      let range: ClosedRange<Int64> = seed % 2 == 0 ? -20...20 : .min...(.max)
      values = (0..<count).map { _ in Int64.random(in: range, using: &random) }
      codes = (0..<count).map { _ in UInt32.random(in: 0...70, using: &random) }
      let share = Int.random(in: 1...20, using: &random)
      flags = (0..<count).map { _ in Int.random(in: 0...share, using: &random) == 0 }
      validity = seed % 3 == 0 ? nil : (0..<count).map { _ in Bool.random(using: &random) }
    }

    func isValid(_ lane: Int) -> Bool { validity?[lane] ?? true }
  }

  @Test(arguments: 0..<44) func select(_ seed: Int) {
    let lanes = Lanes(UInt64(seed))
    let expected = lanes.flags.indices.filter { lanes.flags[$0] && lanes.isValid($0) }.map { UInt32($0) }
    #expect(selectTrue(lanes.flags, validity: lanes.validity, base: nil) == expected, "seed \(seed)")
    let base = lanes.flags.indices.map { UInt32($0 * 3) }
    #expect(selectTrue(lanes.flags, validity: lanes.validity, base: base) == expected.map { $0 * 3 }, "seed \(seed)")
  }

  /// Rows that are neighbours, alone, repeated and backwards.
  @Test(arguments: 0..<44) func gather(_ seed: Int) {
    let lanes = Lanes(UInt64(seed))
    guard !lanes.values.isEmpty else { return }
    var random = SeededGenerator(UInt64(seed))
    var rows: [Int] = []
    while rows.count < 300 {
      let first = Int.random(in: 0..<lanes.values.count, using: &random)
      let run = first..<min(lanes.values.count, first + Int.random(in: 1...60, using: &random))
      rows += Int.random(in: 0..<8, using: &random) == 0 ? run.reversed() : Array(run)
    }
    let places = rows.map { UInt32($0) }
    #expect(Vector.gather(lanes.values, places) == rows.map { lanes.values[$0] }, "seed \(seed)")
    #expect(Vector.gather(lanes.codes, places) == rows.map { lanes.codes[$0] }, "seed \(seed)")
    #expect(Vector.gather(lanes.flags, places) == rows.map { lanes.flags[$0] }, "seed \(seed)")
    let wide = lanes.values.map { UInt128(truncatingIfNeeded: $0) }
    #expect(Vector.gather(wide, places) == rows.map { wide[$0] }, "seed \(seed)")
  }

  @Test(arguments: 0..<44) func compare(_ seed: Int) {
    let lanes = Lanes(UInt64(seed))
    let relations: [(ScalarFunction, (Int64, Int64) -> Bool)] = [
      (.equal, { $0 == $1 }), (.notEqual, { $0 != $1 }), (.less, { $0 < $1 }), (.lessOrEqual, { $0 <= $1 }),
      (.greater, { $0 > $1 }), (.greaterOrEqual, { $0 >= $1 }),
    ]
    for constant in [0, 5, .min, .max, lanes.values.first ?? 1] {
      for (relation, holds) in relations {
        #expect(
          ScanKernels.compare(lanes.values, relation, constant) == lanes.values.map { holds($0, constant) },
          "seed \(seed), \(relation) \(constant)")
      }
    }
    #expect(ScanKernels.equal(lanes.codes, 7) == lanes.codes.map { $0 == 7 })
  }

  @Test(arguments: 0..<44) func codes(_ seed: Int) {
    let lanes = Lanes(UInt64(seed))
    let validity = lanes.validity ?? Array(repeating: true, count: lanes.codes.count)
    let clamped = lanes.codes.indices.map { validity[$0] ? min(lanes.codes[$0], 40) : 40 }
    #expect(ScanKernels.clamp(lanes.codes, validity, last: 40) == clamped)
    let members: UInt64 = 0x8000_0123_4567_89AB
    #expect(
      ScanKernels.isMember(lanes.codes, lanes.validity, members, last: 40)
        == lanes.codes.indices.map { lane in
          members >> UInt64(lanes.isValid(lane) ? min(lanes.codes[lane], 40) : 40) & 1 != 0
        })
    #expect(ScanKernels.greatest(lanes.codes) == lanes.codes.max() ?? 0)
  }

  @Test(arguments: 0..<44) func sumsAndBounds(_ seed: Int) {
    let lanes = Lanes(UInt64(seed))
    let valid = lanes.values.indices.filter(lanes.isValid).map { lanes.values[$0] }
    #expect(ScanKernels.sum(lanes.values, lanes.validity) == valid.reduce(0) { $0 + Int128($1) })
    for flip: UInt64 in [0, 1 << 63, .max, .max >> 1] {
      let least = valid.map { UInt64(bitPattern: $0) ^ flip }.min() ?? .max
      #expect(ScanKernels.least(lanes.values, lanes.validity, flip: flip) == least, "seed \(seed)")
    }
    #expect(ScanKernels.countTrue(lanes.flags) == Int64(lanes.flags.count { $0 }))
    let magnitude = ScanKernels.magnitude(lanes.values)
    #expect(lanes.values.allSatisfy { Int128($0) <= Int128(magnitude) && Int128($0) >= -Int128(magnitude) - 1 })
    #expect(magnitude < 1 << 63)
  }

  @Test(arguments: 0..<44) func timeBuckets(_ seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let width: Int64 = [1, 7, 1_000_000_007, 300_000_000_000, 1 << 50].randomElement(using: &random) ?? 1
    let start = Int64.random(in: -(1 << 60)...(1 << 60), using: &random)
    let span: Int64 = [1, 1000, 1 << 40, 1 << 50].randomElement(using: &random) ?? 1
    let times = (0..<333).map { _ in start + Int64.random(in: 0..<span, using: &random) }
    let base = Arithmetic.bucket(times.min() ?? 0, width).start
    let limit = times.max() ?? 0
    #expect(
      ScanKernels.timeBuckets(times, base: base, limit: limit, width: width)
        == times.map { Arithmetic.bucket($0, width).start }, "seed \(seed)")
  }

  @Test(arguments: 0..<20) func pairs(_ seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let interner = PairInterner()
    var expected: [UInt64: UInt32] = [:]
    for round in 0..<20 {
      // Ranges that grow out of the table at some time, for odd seeds.
      let leftCount = UInt32(seed % 2 == 0 ? 30 : 1 + round * round * round)
      let rightCount = UInt32(1 + round * 10)
      let left = (0..<200).map { _ in UInt32.random(in: 0..<leftCount, using: &random) }
      let right = (0..<200).map { _ in UInt32.random(in: 0..<rightCount, using: &random) }
      let numbers = interner.intern(left, right, rightCount: Int(rightCount))
      for lane in 0..<200 {
        let pair = UInt64(left[lane]) << 32 | UInt64(right[lane])
        if let known = expected[pair] { #expect(numbers[lane] == known) } else { expected[pair] = numbers[lane] }
      }
      let parts = interner.parts(numbers)
      #expect(parts.left == left && parts.right == right, "seed \(seed)")
    }
    #expect(interner.count == expected.count)
    #expect(Set(expected.values) == Set(0..<UInt32(expected.count)))
  }

  @Test func identifiers() {
    var random = SeededGenerator(1)
    let table = IdentifierTable()
    let ids = (0..<5000).map { _ in UInt128(random.next()) << 64 | UInt128(random.next() % 3) }
    for (number, id) in ids.enumerated() { #expect(table.intern(id) == UInt32(number)) }
    for (number, id) in ids.enumerated() {
      #expect(table.intern(id) == UInt32(number))
      #expect(table.find(id) == UInt32(number))
    }
    #expect(table.find(3) == IdentifierTable.none)
    #expect(Set(table.keys) == Set(ids))
  }

  /// A table that may not grow has what was put in, and the query is told.
  @Test func aTableWithoutRoomStaysAsItIs() throws {
    let memory = MemoryBudget(limit: 1 << 20)
    let table = IdentifierTable(.never, memory: memory)
    for number in 0..<8000 { #expect(table.intern(UInt128(number) << 40) == UInt32(number)) }
    try memory.check()
    for number in 8000..<12_000 { #expect(table.intern(UInt128(number) << 40) == UInt32(number)) }
    #expect(table.byteCount == 1 << 19 && memory.current == 0)
    for number in 0..<12_000 { #expect(table.find(UInt128(number) << 40) == UInt32(number)) }
    var isTold = false
    do throws(ExecutionFailure) { try memory.check() } catch { isTold = true }
    #expect(isTold)
  }

  /// Counts, sums and least bits of groups, row by row and by runs, against one loop.
  @Test(arguments: 0..<44, [3, 70, 1500]) func groups(_ seed: Int, _ groupCount: Int) {
    let lanes = Lanes(UInt64(seed))
    // From values so great that a sum and a count have no room in one cell to those of a few bits.
    let values = lanes.values.map { $0 >> (seed % 2 == 0 ? 0 : 12 + seed) }
    var random = SeededGenerator(UInt64(seed))
    var groups: [UInt32] = []
    while groups.count < values.count {
      let length = min(Int.random(in: 1...(seed % 2 == 0 ? 3 : 150), using: &random), values.count - groups.count)
      groups += Array(repeating: UInt32.random(in: 0..<UInt32(groupCount), using: &random), count: length)
    }
    let starts = groups.indices.filter { $0 == 0 || groups[$0] != groups[$0 - 1] }.map { UInt32($0) }
    let runs = GroupRuns(starts: starts, groups: starts.map { groups[Int($0)] }, laneCount: values.count)
    var counts = [Int64](repeating: 0, count: groupCount)
    var states = [SIMD2<Int64>](repeating: .zero, count: groupCount)
    var least = [UInt64](repeating: .max, count: groupCount)
    for (lane, group) in groups.enumerated() where lanes.isValid(lane) {
      counts[Int(group)] += 1
      states[Int(group)] &+= SIMD2(values[lane], 1)
      least[Int(group)] = min(least[Int(group)], UInt64(bitPattern: values[lane]) ^ 1 << 63)
    }
    var found = [Int64](repeating: 0, count: groupCount)
    GroupKernels.count(groups, lanes.validity, into: &found, groupCount: groupCount)
    #expect(found == counts, "seed \(seed)")
    found = Array(repeating: 0, count: groupCount)
    runs.count(lanes.validity, into: &found)
    #expect(found == counts, "seed \(seed)")
    var sums = [SIMD2<Int64>](repeating: .zero, count: groupCount)
    GroupKernels.sum(
      values, bound: ScanKernels.magnitude(values) + 1, groups, lanes.validity, into: &sums, groupCount: groupCount)
    #expect(sums == states, "seed \(seed)")
    sums = Array(repeating: .zero, count: groupCount)
    runs.sum(values, lanes.validity, into: &sums)
    #expect(sums == states, "seed \(seed)")
    var bits = [UInt64](repeating: .max, count: groupCount)
    runs.least(values, lanes.validity, flip: 1 << 63, into: &bits)
    #expect(bits == least, "seed \(seed)")
  }

  @Test(arguments: [51, 52] as [UInt64]) func floorOfLogarithms(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    var values: [Double] = [
      0, -0.0, -1, 1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    ]
    for exponent in -1074...1023 {
      let power = Double(sign: .plus, exponent: exponent, significand: 1)
      values += [power, power.nextUp, power.nextDown, power * (1 + 0x1p-40), power * (1 - 0x1p-41)]
    }
    for _ in 0..<20_000 { values.append(Double(bitPattern: random.next())) }
    for value in values {
      #expect(
        Arithmetic.floorLog2(value).bitPattern == log2(value).rounded(.down).bitPattern || value.isNaN || value < 0,
        "seed \(seed), \(value)")
    }
  }
}
