import LintelColumns
import Testing

@testable import LintelQuery

/// Fast loops beside their plain twins.
@Suite("Kernels") struct KernelTests {
  private func flags(_ count: Int, _ share: Double, _ random: inout SeededGenerator) -> [Bool] {
    (0..<count).map { _ in Double.random(in: 0..<1, using: &random) < share }
  }

  @Test(arguments: 1...20) func selection(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    let count = Int.random(in: 0...300, using: &random)
    let share = ([0, 0.01, 0.5, 0.97, 1] as [Double]).randomElement(using: &random) ?? 0
    let flags = flags(count, share, &random)
    let validity = Bool.random(using: &random) ? self.flags(count, 0.7, &random) : nil
    let base = (0..<count).map { UInt32($0 * 3) }
    let expected = flags.indices.filter { flags[$0] && validity?[$0] ?? true }
    #expect(selectTrue(flags, validity: validity, base: nil) == expected.map { UInt32($0) }, "seed \(seed)")
    #expect(selectTrue(flags, validity: validity, base: base) == expected.map { base[$0] }, "seed \(seed)")
  }

  @Test(arguments: 1...20) func bitmapsExpand(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    let flags = flags(Int.random(in: 0...200, using: &random), 0.5, &random)
    var bits = Bitmap(repeating: false, count: flags.count)
    for (index, flag) in flags.enumerated() { bits[index] = flag }
    #expect(Vector.expand(bits) == flags, "seed \(seed)")
  }

  @Test(arguments: 1...20) func sums(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let count = 2000
    let range: ClosedRange<Int64> = seed % 2 == 0 ? -1000...1000 : .min ... .max
    let values = (0..<count).map { _ in Int64.random(in: range, using: &random) }
    let validity = seed % 3 == 0 ? nil : flags(count, 0.6, &random)
    let groupCount = seed % 5 == 0 ? 1500 : 7
    let groups = (0..<count).map { _ in UInt32.random(in: 0..<UInt32(groupCount), using: &random) }
    let states = StateBuffer(SumState())
    states.grow(groupCount)
    GroupKernels.add(values, groups, validity, into: states.pointer, groupCount: groupCount)
    let counts = StateBuffer<Int64>(0)
    counts.grow(groupCount)
    GroupKernels.count(groups, validity, into: counts.pointer, groupCount: groupCount)
    var total: Int128 = 0
    for group in 0..<groupCount {
      let rows = (0..<count).filter { groups[$0] == group && validity?[$0] ?? true }
      let sum = rows.reduce(Int128(0)) { $0 + Int128(values[$1]) }
      total += sum
      #expect(states[group].sum == sum && states[group].count == rows.count, "seed \(seed)")
      #expect(counts[group] == rows.count, "seed \(seed)")
    }
    #expect(GroupKernels.sum(values, validity) == total, "seed \(seed)")
  }

  @Test(arguments: [false, true]) func extremesOfExtremes(_ wantsGreatest: Bool) throws {
    let aggregator = IntegerExtremeAggregator(isUnsigned: false, wantsGreatest: wantsGreatest)
    aggregator.grow(3)
    let context = EvaluationContext(slotCount: 0)
    let worst: Int64 = wantsGreatest ? .min : .max
    // Group 0: the worst value there is; group 1: only a null that looks like it; group 2: the worst and a better one.
    let vector = Vector(.int64([worst, worst, worst, 5]), validity: [true, false, true, true])
    try aggregator.update(GroupedRows(groups: [0, 1, 2, 2], count: 4, context: context), [vector])
    let call = AggregateCall(wantsGreatest ? .max : .min, operands: [], filter: nil, type: .int64)
    let result = try aggregator.finish(3, call)
    #expect(result.value(0) == .int64(worst))
    #expect(result.value(1) == .null)
    #expect(result.value(2) == .int64(5))
  }

  @Test(arguments: 1...20) func searching(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    for _ in 0..<200 {
      let text = (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: 97...98, using: &random) }
      let needle = (0..<Int.random(in: 0...6, using: &random)).map { _ in UInt8.random(in: 97...98, using: &random) }
      let expected = (0...max(0, text.count - needle.count)).first {
        $0 + needle.count <= text.count && Array(text[$0..<$0 + needle.count]) == needle
      }
      #expect(text.withUnsafeBufferPointer { findBytes(needle, $0) } == expected, "seed \(seed)")
    }
  }

  @Test(arguments: 1...20) func radixOrder(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    let range: ClosedRange<UInt64> = seed % 2 == 0 ? 0...900 : 0...UInt64.max
    let keys = (0..<Int.random(in: 0...3000, using: &random)).map { _ in UInt64.random(in: range, using: &random) }
    let expected = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { UInt32($0) }
    #expect(RadixOrder.order(keys) == expected, "seed \(seed)")
  }

  @Test(arguments: 1...20) func timeBuckets(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let width = Int64.random(in: 1...5000, using: &random)
    let times = (0..<500).map { _ in Int64.random(in: -20_000...20_000, using: &random) }
    let context = EvaluationContext(slotCount: 1)
    context.begin(rowCount: times.count, source: nil)
    context.preset(0, Vector(.int64(times)))
    let node = try #require(TimeBucketNode(SlotNode(0), width: .int64(width)))
    guard case .int64(let starts) = try node.evaluate(context).lanes else {
      Issue.record("no integers")
      return
    }
    for (start, time) in zip(starts, times) {
      #expect(start <= time && time < start + width && start % width == 0, "seed \(seed), \(time) by \(width)")
    }
    context.begin(rowCount: 1, source: nil)
    context.preset(0, Vector(.int64([.min])))
    #expect(throws: ExecutionFailure.self) {
      try TimeBucketNode(SlotNode(0), width: .int64(1000))?.evaluate(context)
    }
  }

  @Test(arguments: ["x", "abcdefgh", "longer than eight", ""])
  func equalityOfText(_ constant: String) throws {
    var random = SeededGenerator(9)
    let texts = (0..<500).map { _ -> String? in
      ["x", "abcdefgh", "Xbcdefgh", "longer than eight", "Longer than eight", "", "abcdefghi", nil].randomElement(
        using: &random) ?? nil
    }
    let column = ColumnVector.make(texts)
    for vector in [Vector(column), Vector(column.coded)] {
      let context = EvaluationContext(slotCount: 1)
      context.begin(rowCount: texts.count, source: nil)
      context.preset(0, vector)
      let node = try #require(CompareConstantNode(SlotNode(0), .string, .equal, .bytes(Array(constant.utf8))))
      #expect(try node.filter(context) == texts.indices.filter { texts[$0] == constant }.map { UInt32($0) })
    }
  }

  @Test func threeValuedLogic() throws {
    let values: [Bool?] = [true, false, nil]
    let left = values.flatMap { value in Array(repeating: value, count: 3) }
    let right = values + values + values
    let context = EvaluationContext(slotCount: 2)
    context.begin(rowCount: 9, source: nil)
    context.preset(0, Vector(.make(left)))
    context.preset(1, Vector(.make(right)))
    for isAnd in [true, false] {
      let result = try LogicNode([SlotNode(0), SlotNode(1)], isAnd: isAnd).evaluate(context)
      for lane in 0..<9 {
        let (a, b) = (left[lane], right[lane])
        let deciding = !isAnd
        let expected: Bool? = a == deciding || b == deciding ? deciding : a == nil || b == nil ? nil : !deciding
        #expect(
          result.value(lane) == expected.map { .bool($0) } ?? .null, "\(String(describing: a)) \(String(describing: b))"
        )
      }
    }
  }

  @Test(arguments: 1...10) func interningJoinsCodings(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    let words: [String?] = [nil, "", "a", "b", "c", "dd", "eee"]
    var all: [String?] = []
    let interner = ValueInterner(.bytes)
    var numbers: [UInt32] = []
    for _ in 0..<6 {
      let texts = (0..<40).map { _ in words.randomElement(using: &random) ?? nil }
      let column = ColumnVector.make(texts)
      numbers += interner.intern(Vector(Bool.random(using: &random) ? column.coded : column))
      all += texts
    }
    for (number, text) in zip(numbers, all) {
      #expect(interner.vector([number]).value(0) == text.map { .bytes(Array($0.utf8)) } ?? .null, "seed \(seed)")
    }
    #expect(Set(numbers).count == Set(all).count, "seed \(seed)")
    let other = ValueInterner(.bytes)
    let more = ColumnVector.make(["zz", "a", nil] as [String?])
    let theirs = other.intern(Vector(seed % 2 == 0 ? more.coded : more))
    let mapping = interner.merge(other)
    #expect(interner.vector(theirs.map { mapping[Int($0)] }).value(0) == .bytes(Array("zz".utf8)))
    #expect(interner.vector(theirs.map { mapping[Int($0)] }).value(2) == .null)
  }
}
