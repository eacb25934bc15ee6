import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

private typealias T = TestTable

private func count(_ filter: Expression? = nil) -> AggregateCall {
  AggregateCall(.count, operands: [], filter: filter, type: .int64)
}

private func call(_ function: AggregateCall.Function, _ operands: Expression..., type: ColumnType) -> AggregateCall {
  AggregateCall(function, operands: operands, filter: nil, type: type)
}

@Suite("Executor") struct ExecutorTests {
  let table = TestTable(seed: 11, count: 1000)

  /// Every plan gives the same bytes however the rows are cut and coded, with and without pruning, on 1 to 4 threads.
  @Test(arguments: ExecutorTests.plans.indices)
  func answersDoNotDependOnLayout(_ index: Int) throws {
    let plan = Self.plans[index]
    let whole = table.snapshot(segmentRows: 1000, blockRows: 1024, coded: false)
    let expected = try execute(plan, whole, threads: 1, pruning: false).cells
    for (segmentRows, blockRows) in [(300, 32), (1000, 16), (90, 128)] {
      for coded in [true, false] {
        let snapshot = table.snapshot(segmentRows: segmentRows, blockRows: blockRows, coded: coded)
        for (threads, pruning) in [(1, true), (3, true), (2, false)] {
          for shares in coded ? [false, true] : [false] {
            let found = try execute(plan, snapshot, threads: threads, pruning: pruning) {
              $0.alwaysSharesDictionaries = shares
            }.cells
            #expect(
              found == expected,
              """
              plan \(index), \(segmentRows)/\(blockRows), coded \(coded), \(threads) threads, dictionaries               \(shares ? "shared" : "apart")
              """)
          }
        }
      }
    }
  }

  static let plans: [QueryPlan] = {
    let byModel: [Expression] = [T.model]
    let numbers = [
      call(.sum, T.number, type: .int64), call(.sum, T.score, type: .float64),
      call(.average, T.duration, type: .float64),
      call(.average, T.score, type: .float64), call(.min, T.score, type: .float64), call(.max, T.score, type: .float64),
      call(.min, T.span, type: .id8), call(.max, T.time, type: .timestamp),
      call(.standardDeviation, T.score, type: .float64),
      call(.standardDeviation, T.duration, type: .float64), call(.quantile(0.9), T.duration, type: .duration),
      call(.quantile(0.5), T.score, type: .float64), call(.quantileExact(0.7), T.duration, type: .duration),
      call(.quantileExact(0.2), T.score, type: .float64), call(.quantile(1), T.number, type: .int64),
      call(.histogram(buckets: 5), T.duration, type: .variant),
    ]
    let values = [
      count(), count(.compare(.equal, T.statusColumn, .int(2))), call(.count, T.duration, type: .int64),
      call(.countDistinct, T.model, type: .int64), call(.countDistinct, T.score, type: .int64),
      call(.countDistinct, T.extra, type: .int64), call(.approximateCountDistinct, T.trace, type: .int64),
      call(.min, T.model, type: .string), call(.max, T.extra, type: .variant), call(.any, T.model, type: .string),
      call(.any, T.host, type: .string), call(.argMin, T.model, T.score, type: .string),
      call(.argMax, T.trace, T.model, type: .id16), call(.topK(3), T.model, type: .variant),
      call(.topK(4), T.extra, type: .variant), call(.max, T.flag, type: .bool), call(.min, T.trace, type: .id16),
    ]
    let bucket = Expression.call(.timeBucket, [.int(1000, .duration), T.time], .timestamp)
    let late = Expression.compare(.greaterOrEqual, T.time, .int(7000, .timestamp))
    let both = Expression.call(
      .and, [late, .inList(T.model, [.bytes(Array("beta".utf8)), .bytes([])], hasNull: false)], .bool)
    let like = Expression.call(.like, [T.model, .text("%a%ta")], .bool)
    let matches = Expression.call(.matches, [T.host, .text("host-[1-3]$")], .bool)
    let element = Expression.call(.element, [T.extra, .text("k")], .variant)
    let descending = { (expression: Expression) in QueryPlan.Ordering(expression, isDescending: true, nullsFirst: false)
    }
    let ascending = { (expression: Expression) in QueryPlan.Ordering(expression, isDescending: false, nullsFirst: true)
    }
    return [
      .test(keys: byModel, calls: numbers), .test(keys: byModel, calls: values), .test(calls: numbers),
      .test(calls: values), .test(filter: late, keys: [bucket, T.statusColumn], calls: [count()]),
      .test(filter: both, keys: [T.model, T.flag, T.score], calls: numbers),
      .test(keys: [T.extra], calls: [count()], ordering: [descending(.aggregate(0, .int64))], limit: 4),
      .test(keys: [T.trace], calls: [count()], having: .compare(.greater, .aggregate(0, .int64), .int(7))),
      .test(outputs: [T.time, T.model], ordering: [descending(T.score), ascending(T.model)], limit: 20, offset: 3),
      .test(filter: like, outputs: [T.time, T.model, T.host, T.ratio], limit: 15, offset: 5),
      .test(filter: matches, outputs: [T.host, T.number], ordering: [ascending(T.host)]),
      .test(outputs: [T.extra, element], ordering: [descending(T.extra)]),
      .test(outputs: [T.model, T.flag], distinct: true, ordering: [descending(T.flag)]),
      .test(outputs: [T.score], distinct: true), .test(outputs: [T.time], limit: 0),
      .test(outputs: [T.time], limit: 37),
      .test(
        filter: .compare(.less, T.ratio, .double(0.3)), outputs: [T.ratio, T.time], ordering: [ascending(T.ratio)]),
      .test(
        filter: .inSubquery(T.trace, 0), calls: [count(), call(.sum, T.number, type: .int64)],
        subqueries: [.test(filter: late, outputs: [T.trace])]),
      .test(filter: .inSubquery(T.model, 0), calls: [count()], subqueries: [.test(outputs: [T.model])]),
      .test(
        filter: .call(.not, [.inSubquery(T.model, 0)], .bool), calls: [count()], subqueries: [.test(outputs: [T.model])]
      ),
      .test(outputs: [T.span], ordering: [ascending(T.span)], limit: 30),
      .test(
        keys: [.call(.upper, [T.model], .string)], calls: [count()],
        outputs: [.groupKey(0, .string), .aggregate(0, .int64)],
        distinct: true, ordering: [descending(.aggregate(0, .int64))]),
    ]
  }()

  @Test func countsAndSumsAgainstPlainSwift() throws {
    let snapshot = table.snapshot(segmentRows: 400, blockRows: 64, coded: true)
    let filter = Expression.compare(.equal, T.model, .text("beta"))
    let result = try execute(
      .test(
        filter: filter, calls: [count(), call(.sum, T.number, type: .int64), call(.max, T.duration, type: .duration)]),
      snapshot)
    let rows = table.rows.filter { $0.model == "beta" }
    let greatest = rows.compactMap(\.duration).max()
    #expect(
      result.cells == [
        [
          .int(Int64(rows.count)), .int(rows.reduce(0) { $0 + $1.number }), greatest.map { .int($0) } ?? .null,
        ]
      ])
  }

  @Test func groupsAgainstPlainSwift() throws {
    let snapshot = table.snapshot(segmentRows: 400, blockRows: 64, coded: true)
    let result = try execute(.test(keys: [T.model, T.statusColumn], calls: [count()]), snapshot)
    struct Key: Hashable { let model: String?, status: Int64 }
    let expected = Dictionary(grouping: table.rows) { Key(model: $0.model, status: $0.status) }
      .sorted { ($0.key.model ?? "~", $0.key.status) < ($1.key.model ?? "~", $1.key.status) }
      .map {
        [$0.key.model.map { .text($0) } ?? .null, .int($0.key.status), QueryResult.Cell.int(Int64($0.value.count))]
      }
    #expect(result.cells == expected)
  }

  @Test func orderedRowsAgainstPlainSwift() throws {
    let snapshot = table.snapshot(segmentRows: 400, blockRows: 64, coded: true)
    let ordering = QueryPlan.Ordering(T.duration, isDescending: true, nullsFirst: false)
    let result = try execute(
      .test(outputs: [T.duration, T.time], ordering: [ordering], limit: 50, offset: 10), snapshot)
    let expected = table.rows.sorted { ($0.duration ?? -1, -$0.time) > ($1.duration ?? -1, -$1.time) }[10..<60]
      .map { [$0.duration.map { .int($0) } ?? .null, QueryResult.Cell.int($0.time)] }
    #expect(result.cells == expected)
  }

  @Test func emptyTables() throws {
    let snapshot = TableSnapshot(schema: T.schema, segments: [])
    let calls = [
      count(), call(.sum, T.number, type: .int64), call(.countDistinct, T.model, type: .int64),
      call(.approximateCountDistinct, T.model, type: .int64), call(.topK(2), T.model, type: .variant),
    ]
    #expect(try execute(.test(calls: calls), snapshot).cells == [[.int(0), .null, .int(0), .int(0), .null]])
    #expect(try execute(.test(keys: [T.model], calls: calls), snapshot).rowCount == 0)
    #expect(try execute(.test(outputs: [T.time]), snapshot).rowCount == 0)
  }

  @Test func selectWithoutTable() throws {
    let sum = Expression.call(.add, [.int(2), .int(3)], .int64)
    let plan = QueryPlan(
      table: "", schema: nil, filter: nil, aggregation: nil, outputs: [.init(name: "five", expression: sum)],
      isDistinct: false, ordering: [], limit: nil, offset: 0, subqueries: [])
    #expect(try execute(plan, nil).cells == [[.int(5)]])
  }

  @Test func overflowIsAnErrorOnlyWhereEvaluated() throws {
    let snapshot = table.snapshot(segmentRows: 400, blockRows: 64, coded: true)
    let huge = Expression.call(.multiply, [T.span, T.span], .int64)
    #expect(throws: QueryError.self) { try execute(.test(outputs: [huge]), snapshot) }
    let never = Expression.call(.and, [.compare(.greater, huge, .int(0)), .compare(.less, T.time, .int(-1))], .bool)
    #expect(try execute(.test(filter: never, outputs: [huge]), snapshot).rowCount == 0)
    let guarded = Expression.caseWhen(
      [.init(condition: .compare(.less, T.time, .int(0)), result: huge)], otherwise: .int(1), .int64)
    #expect(try execute(.test(calls: [call(.sum, guarded, type: .int64)]), snapshot).cells == [[.int(1000)]])
  }

  @Test func sumsPastSixtyFourBitsAreErrors() throws {
    let big = Expression.int(.max)
    let snapshot = table.snapshot(segmentRows: 400, blockRows: 64, coded: true)
    #expect(throws: QueryError.self) { try execute(.test(calls: [call(.sum, big, type: .int64)]), snapshot) }
    // A passing overflow is none.
    let alternating = Expression.caseWhen(
      [.init(condition: .compare(.equal, .call(.modulo, [T.time, .int(20)], .int64), .int(0)), result: big)],
      otherwise: .int(-.max), .int64)
    #expect(try execute(.test(calls: [call(.sum, alternating, type: .int64)]), snapshot).cells == [[.int(0)]])
  }

  @Test func corruptSegmentsAreLeftOutWithAWarning() throws {
    let snapshot = table.snapshot(segmentRows: 400, blockRows: 64, coded: true, corrupt: 1)
    let result = try execute(.test(calls: [count(), call(.sum, T.number, type: .int64)]), snapshot)
    let rest = table.rows[..<400] + table.rows[800...]
    #expect(result.cells == [[.int(600), .int(rest.reduce(0) { $0 + $1.number })]])
    #expect(result.warnings.count == 1)
    #expect(result.warnings.first?.contains("part-1") == true)
    // Nothing of it is read here, so nothing is amiss.
    #expect(try execute(.test(calls: [count()]), snapshot).warnings.isEmpty)
  }

  @Test func pruningSkipsBlocks() throws {
    let snapshot = table.snapshot(segmentRows: 1000, blockRows: 64, coded: true)
    let filter = Expression.compare(.less, T.time, .int(640, .timestamp))
    let result = try execute(.test(filter: filter, calls: [count()]), snapshot)
    #expect(result.cells == [[.int(64)]])
    #expect(result.statistics.blocksPruned == 15)
    #expect(result.statistics.blocksTotal == 16)
    let absent = try execute(
      .test(filter: .compare(.equal, T.model, .text("nothing like it")), calls: [count()]), snapshot)
    #expect(absent.statistics.blocksPruned == 16)
    #expect(absent.statistics.bytesRead == 0)
  }

  @Test func cancellationAndLimits() throws {
    let snapshot = table.snapshot(segmentRows: 1000, blockRows: 16, coded: true)
    let token = CancellationToken()
    token.cancel()
    let plan = QueryPlan.test(keys: [T.trace], calls: [count()])
    #expect(throws: QueryError.self) { try execute(plan, snapshot, cancellation: token) }
    do {
      _ = try execute(plan, snapshot) { $0.memoryLimitBytes = 1000 }
      Issue.record("no error")
    } catch { #expect(error.code == .limitExceeded) }
    do {
      _ = try execute(plan, snapshot) { $0.timeoutSeconds = 0 }
      Issue.record("no error")
    } catch { #expect(error.code == .limitExceeded) }
  }

  @Test func badPatternsAreErrors() throws {
    let snapshot = table.snapshot(segmentRows: 1000, blockRows: 64, coded: true)
    let filter = Expression.call(.matches, [T.model, .text("a(b")], .bool)
    #expect(throws: QueryError.self) { try execute(.test(filter: filter, calls: [count()]), snapshot) }
  }

  @Test func manyQueriesAtOnce() async throws {
    let snapshot = table.snapshot(segmentRows: 300, blockRows: 16, coded: true)
    let plan = QueryPlan.test(keys: [T.model], calls: [count()])
    let expected = try execute(plan, snapshot, threads: 1).cells
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<32 {
        group.addTask { (try? execute(plan, snapshot, threads: 4).cells) == expected }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
