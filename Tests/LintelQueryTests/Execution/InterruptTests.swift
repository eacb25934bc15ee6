import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

private typealias T = TestTable

/// Every loop whose length depends on the data looks at the interrupt at least once in so many steps. Counted, not timed.
@Suite("Interrupts") struct InterruptTests {
  /// Steps of the loops tested.
  static let steps = Interrupt.interval * 2

  /// How often `body` looks; then that it stops when it is cancelled half-way.
  private func looks(_ body: (Interrupt) throws -> Void) throws -> Int {
    let token = CancellationToken()
    try body(Interrupt(token))
    let looks = token.pollCount
    let stopping = CancellationToken(cancellingAtPoll: max(1, looks / 2))
    #expect(throws: ExecutionFailure.self) { try body(Interrupt(stopping)) }
    // Whoever is told ends: it may look once more on its way out of each loop around it.
    #expect(stopping.pollCount <= looks / 2 + 16, "went on after \(looks / 2) of \(looks) looks")
    return looks
  }

  private static let numbers = (0..<Int64(steps)).map { $0 &* 7919 % Int64(steps) }

  private func worker(_ interrupt: Interrupt, _ calls: [AggregateCall] = []) throws -> AggregationWorker {
    let shape = AggregationShape(keys: [T.time], calls: calls)
    let worker = try AggregationWorker(shape, blockCount: 1, interrupt)
    worker.consume(keys: [Vector(.int64(Self.numbers))])
    return worker
  }

  @Test func mergingGroups() throws {
    let other = try worker(.never)
    #expect(try looks { try worker($0).merge(other) } >= 2)
    let words = ValueInterner(.bytes)
    var strings = ByteStrings()
    for number in Self.numbers { strings.append("\(number)") }
    _ = words.intern(Vector(.bytes(strings)))
    #expect(try looks { _ = try ValueInterner(.bytes, $0).merge(words) } >= 2)
  }

  @Test func growingTables() throws {
    // At each doubling, and while the entries so far find their new places.
    #expect(
      try looks { interrupt in
        let interner = NumberInterner(interrupt)
        for number in Self.numbers { _ = interner.intern(UInt64(bitPattern: number)) }
        try interrupt.check()
      } >= 8)
    #expect(
      try looks { interrupt in
        let table = IdentifierTable(interrupt)
        for number in Self.numbers { _ = table.intern(UInt128(UInt64(bitPattern: number))) }
        try interrupt.check()
      } >= 5)
  }

  /// Each aggregate's merging and finishing of many groups, and of many values in one.
  @Test(arguments: 0..<13) func aggregates(_ index: Int) throws {
    let functions: [(AggregateCall.Function, Expression)] = [
      (.count, T.number), (.sum, T.number), (.sum, T.score), (.min, T.number), (.max, T.score), (.any, T.number),
      (.countDistinct, T.number), (.quantileExact(0.5), T.number), (.histogram(buckets: 4), T.number),
      (.topK(3), T.number), (.standardDeviation, T.number), (.standardDeviation, T.score),
      (.approximateCountDistinct, T.number),
    ]
    let (function, operand) = functions[index]
    let call = AggregateCall(function, operands: [operand], filter: nil, type: operand.type)
    let isDouble = operand.type.physical == .float64
    let values = isDouble ? Vector(.float64(Self.numbers.map { Double($0) })) : Vector(.int64(Self.numbers))
    let context = EvaluationContext(slotCount: 0)
    context.begin(rowCount: Self.steps, source: nil)
    for groups in [Self.steps, 1] {
      let numbers = (0..<Self.steps).map { UInt32($0 % groups) }
      let mapping = (0..<groups).map { UInt32($0) }
      func filled(_ interrupt: Interrupt) throws -> Aggregator {
        let aggregator = try Aggregator.make(call, interrupt)
        aggregator.grow(groups)
        try aggregator.update(GroupedRows(groups: numbers, count: Self.steps, context: context), [values])
        return aggregator
      }
      // A state of one group that doesn't grow with its values has nothing to look at.
      let isList = (6...9).contains(index)
      guard groups > 1 || isList else { continue }
      let other = try filled(.never)
      #expect(
        try looks { interrupt in
          let aggregator = try Aggregator.make(call, interrupt)
          aggregator.grow(groups)
          try aggregator.merge(other, mapping: mapping)
        } >= 2, "merging \(function)")
      // Without what filling looks.
      let filling = CancellationToken()
      _ = try filled(Interrupt(filling))
      #expect(
        try looks { interrupt in _ = try filled(interrupt).finish(groups, call) } >= filling.pollCount + 2,
        "finishing \(function)")
    }
  }

  @Test(arguments: [nil, 5, 100_000]) func sorting(_ limit: Int?) throws {
    let looks = try looks { interrupt in
      var top = TopRows(limit: limit, interrupt)
      for start in stride(from: 0, to: Self.steps, by: 1 << 14) {
        let lanes = Array(Self.numbers[start..<start + 1 << 14])
        try top.add(
          [SortColumn(Vector(.int64(lanes)), .int64)], positions: (start..<start + 1 << 14).map { UInt64($0) })
        try interrupt.check()
      }
      _ = try top.finish()
    }
    // A look before each run is sorted, and more while they are merged.
    #expect(looks >= (limit == 5 ? 4 : 12))
  }

  @Test func gatheringAndPuttingTogether() throws {
    let vector = Vector(.int64(Self.numbers))
    let rows = Self.numbers.map { UInt32($0) }
    #expect(try looks { _ = try vector.gather(rows, $0) } >= 2)
    let parts = (0..<64).map { _ in vector }
    #expect(try looks { _ = try Vector.concatenate(parts, .int64, $0) } >= 64)
    let segment = TestSegment(name: "s", rowCount: Self.steps, blockRows: 1 << 14, columns: [:], corrupt: nil)
    let positions = Self.numbers.map { RowPosition(segment: 0, row: Int($0)).rawValue }
    #expect(try looks { _ = try RowRun.make(positions, [segment], $0) } >= 6)
  }

  @Test func selecting() throws {
    var values = Self.numbers.map { UInt64(bitPattern: $0) }
    let token = CancellationToken()
    let median = values.withUnsafeMutableBufferPointer { select($0, Self.steps / 2, Interrupt(token)) }
    #expect(median == UInt64(Self.steps / 2))
    #expect(token.pollCount >= 1)
  }

  @Test func orderingPairs() throws {
    var pairs = RowPairs()
    let query = QueryContext(
      snapshot: nil, options: ExecutionOptions(), cancellation: CancellationToken(), start: .now, excluded: [])
    for number in Self.numbers { try pairs.append(UInt32(number), UInt32(number / 3), query) }
    #expect(
      try looks { _ = try RowPairs.sorted([pairs], leftCount: Self.steps, rightCount: Self.steps, $0) } >= 8)
  }

  @Test func dictionariesAndPatterns() throws {
    var strings = ByteStrings()
    for number in Self.numbers { strings.append("value \(number)") }
    let dictionary = ValueDictionary(.bytes(strings))
    #expect(
      try looks { interrupt in
        let slots = try ColumnSlots([T.model])
        var compiler = ExpressionCompiler(slots: slots, interrupt)
        compiler.dictionaries[0] = dictionary
        _ = try compiler.compile(.call(.like, [T.model, .text("%9%1%")], .bool))
      } >= 2)
    #expect(
      try looks { interrupt in
        let context = EvaluationContext(slotCount: 1, interrupt)
        context.begin(rowCount: Self.steps, source: nil)
        context.preset(0, Vector(.bytes(strings)))
        let program = try RegularExpression(Array("[0-9]+7$".utf8))
        _ = try MatchNode(SlotNode(0), program: program).evaluate(context)
      } >= 8)
    #expect(try looks { _ = try MemberSet(rows: Vector(.int64(Self.numbers)), $0) } >= 8)
  }

  /// Whole queries, cancelled at any of their looks, end as cancelled; and on time limits alike.
  @Test(arguments: ExecutorTests.plans.indices) func queriesEndAtEveryLook(_ index: Int) throws {
    let plan = ExecutorTests.plans[index]
    let snapshot = TestTable(seed: 5, count: 400).snapshot(segmentRows: 200, blockRows: 64, coded: true)
    let whole = CancellationToken()
    _ = try execute(plan, snapshot, threads: 1, cancellation: whole, spillSpace: TestSpill.shared) {
      $0.spillThresholdBytes = index % 2 == 0 ? 0 : nil
    }
    for poll in stride(from: 1, through: whole.pollCount, by: max(1, whole.pollCount / 20)) {
      let token = CancellationToken(cancellingAtPoll: poll)
      do {
        _ = try execute(plan, snapshot, threads: 1, cancellation: token, spillSpace: TestSpill.shared) {
          $0.spillThresholdBytes = index % 2 == 0 ? 0 : nil
        }
        Issue.record("plan \(index) went on after look \(poll) of \(whole.pollCount)")
      } catch { #expect(error.code == .cancelled) }
    }
  }
}
