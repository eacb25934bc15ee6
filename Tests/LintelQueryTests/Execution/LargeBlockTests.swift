import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

/// Large blocks take paths that small ones don't: packed lanes, runs of one group, blocks visited best first. Their answers
/// against those over blocks too small for any of it.
@Suite("Large blocks") struct LargeBlockTests {
  private static let rowCount = 4500

  /// Rows in runs of one model, trace and flag, as the spans of traces are.
  private static func table(seed: UInt64) -> [ColumnReference: ColumnVector] {
    var random = SeededGenerator(seed)
    var models: [String?] = []
    var traces: [UInt128?] = []
    var flags: [Bool?] = []
    let names: [String?] = [nil, "alpha", "beta", "gamma", "delta"] + (0..<80).map { "model \($0)" }
    while models.count < rowCount {
      let model = names.randomElement(using: &random) ?? nil
      let trace: UInt128? =
        Int.random(in: 0..<9, using: &random) == 0 ? nil : UInt128.random(in: 0...500, using: &random)
      let flag = [nil, true, false].randomElement(using: &random) ?? nil
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        models.append(model)
        traces.append(trace)
        flags.append(flag)
      }
    }
    func numbers(_ range: ClosedRange<Int64>, nulls: Int) -> ColumnVector {
      .make(
        (0..<rowCount).map { _ in
          Int.random(in: 0..<100, using: &random) < nulls ? nil : Int64.random(in: range, using: &random)
        } as [Int64?])
    }
    var columns: [ColumnReference: ColumnVector] = [:]
    columns[.column(0)] = numbers(-50...50, nulls: 0)
    columns[.column(1)] = .make((0..<rowCount).map { Int64($0) * 10 } as [Int64?])
    columns[.column(2)] = numbers(0...(1 << 40), nulls: 30)
    columns[.column(3)] = numbers(0...3, nulls: 0)
    columns[.column(4)] = ColumnVector.make(Array(models.prefix(rowCount))).coded
    columns[.column(5)] = ColumnVector.make(Array(traces.prefix(rowCount))).coded
    columns[.column(6)] = numbers(.min ... .max, nulls: 0)
    columns[.column(7)] = .make((0..<rowCount).map { _ in Double.random(in: -5...5, using: &random) } as [Double?])
    columns[.column(8)] = .make(Array(flags.prefix(rowCount)))
    columns[.column(9)] = TestTable.variants(Array(repeating: nil, count: rowCount))
    return columns
  }

  private static func call(
    _ function: AggregateCall.Function, _ operand: Expression?, _ type: ColumnType = .int64
  ) -> AggregateCall {
    AggregateCall(function, operands: operand.map { [$0] } ?? [], filter: nil, type: type)
  }

  private static func plans() -> [QueryPlan] {
    let (number, duration, model, trace, flag) = (
      TestTable.number, TestTable.duration, TestTable.model, TestTable.trace, TestTable.flag
    )
    let filters: [Expression?] = [
      nil, .compare(.equal, model, .text("alpha")), .compare(.less, model, .text("c")),
      .compare(.greaterOrEqual, duration, .int(1 << 39, .duration)), .compare(.equal, number, .int(7)),
      .compare(.less, number, .int(-45)), .compare(.greater, number, .int(.max)), .call(.isNull, [model], .bool),
      .call(.and, [.compare(.equal, model, .text("beta")), .compare(.lessOrEqual, number, .int(0))], .bool),
      .inList(model, [.bytes(Array("alpha".utf8)), .bytes(Array("model 70".utf8))], hasNull: false),
    ]
    let calls = [
      call(.count, nil), call(.sum, number), call(.count, duration), call(.sum, duration, .duration),
      call(.average, TestTable.score, .float64), call(.min, duration, .duration), call(.max, number),
      call(.approximateCountDistinct, trace), call(.approximateCountDistinct, number), call(.countDistinct, trace),
    ]
    let filtered = AggregateCall(
      .count, operands: [], filter: .compare(.equal, TestTable.statusColumn, .int(2)), type: .int64)
    let keys: [[Expression]] = [
      [], [model], [trace], [flag], [model, trace], [model, flag, trace], [number], [model, number],
    ]
    var plans: [QueryPlan] = []
    for filter in filters {
      for key in keys {
        plans.append(.test(filter: filter, keys: key, calls: calls + [filtered]))
        plans.append(.test(filter: filter, keys: key, calls: Array(calls.prefix(2) + calls[5...8])))
      }
      for (expression, descending, nullsFirst) in [
        (duration, true, false), (duration, false, false), (duration, true, true), (number, false, false),
        (TestTable.score, true, false), (model, true, false), (TestTable.span, true, false),
      ] {
        plans.append(
          .test(
            filter: filter, outputs: [trace, number, duration, TestTable.time],
            ordering: [
              QueryPlan.Ordering(expression, isDescending: descending, nullsFirst: nullsFirst),
              QueryPlan.Ordering(TestTable.time, isDescending: false, nullsFirst: false),
            ], limit: 25, offset: 3))
      }
    }
    return plans
  }

  private static func snapshot(_ columns: [ColumnReference: ColumnVector], blockRows: Int) -> TableSnapshot {
    TableSnapshot(
      schema: TestTable.schema,
      segments: [TestSegment(rowCount: rowCount, blockRows: blockRows, columns: columns)])
  }

  @Test(arguments: [1, 2] as [UInt64]) func answersAreThoseOfSmallBlocks(seed: UInt64) throws {
    let columns = Self.table(seed: seed)
    let small = Self.snapshot(columns, blockRows: 128)
    let large = Self.snapshot(columns, blockRows: 2048)
    for (index, plan) in Self.plans().enumerated() {
      let expected = try sortedRows(plan, execute(plan, small, pruning: false))
      #expect(try sortedRows(plan, execute(plan, large)) == expected, "seed \(seed), plan \(index)")
      #expect(
        try sortedRows(plan, execute(plan, large, threads: 1, pruning: false)) == expected,
        "seed \(seed), plan \(index)")
    }
  }

  /// The rows as text; those of groups come in any order.
  private func sortedRows(_ plan: QueryPlan, _ result: QueryResult) -> [String] {
    let rows = result.cells.map { "\($0)" }
    return plan.ordering.isEmpty ? rows.sorted() : rows
  }

  /// Blocks that can't hold any of the first rows aren't read.
  @Test func farBlocksAreLeftOut() throws {
    var columns = Self.table(seed: 4)
    columns[.column(2)] = .make((0..<Self.rowCount).map { Int64($0 / 500) } as [Int64?])
    let segment = TestSegment(rowCount: Self.rowCount, blockRows: 256, columns: columns)
    let plan = QueryPlan.test(
      outputs: [TestTable.time],
      ordering: [QueryPlan.Ordering(TestTable.duration, isDescending: true, nullsFirst: false)], limit: 5)
    let result = try execute(plan, TableSnapshot(schema: TestTable.schema, segments: [segment]), threads: 1)
    #expect(result.rowCount == 5)
    #expect(result.statistics.rowsRead <= 256 * 5)
  }
}
