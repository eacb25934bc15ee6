import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

/// Which blocks filters rule out. That answers don't depend on it is the oracle's to show.
@Suite("Filter pruning") struct FilterPruningTests {
  private typealias T = TestTable

  private static let table = TestTable(seed: 11, count: 1000)
  private let snapshot = FilterPruningTests.table.snapshot(segmentRows: 1000, blockRows: 8, coded: false)

  /// Blocks of 125 that are kept, and the rows found, which must be those found without pruning.
  private func kept(_ filter: Expression, subqueries: [QueryPlan] = []) throws -> (blocks: Int, rows: Int64) {
    let plan = QueryPlan.test(
      filter: filter, calls: [AggregateCall(.count, operands: [], filter: nil, type: .int64)], subqueries: subqueries)
    let result = try execute(plan, snapshot)
    #expect(result.cells == (try execute(plan, snapshot, pruning: false).cells))
    guard case .int(let rows) = result.cells[0][0] else { return (0, 0) }
    let others = subqueries.count * 125
    return (result.statistics.blocksTotal - result.statistics.blocksPruned - others, rows)
  }

  private var needle: UInt128 { Self.table.rows[500].trace }
  private var isNeedle: Expression { .compare(.equal, T.trace, .constant(.id128(needle), .id16)) }

  @Test func equalityKeepsTheBlocksThatHaveTheValue() throws {
    let found = try kept(isNeedle)
    #expect(found.rows >= 1)
    #expect(found.blocks <= 3)
    #expect(try kept(.compare(.equal, .constant(.id128(needle), .id16), T.trace)).blocks == found.blocks)
    #expect(try kept(.compare(.equal, T.trace, .constant(.id128(12345), .id16))) == (0, 0))
    #expect(try kept(.compare(.equal, T.model, .text("nowhere"))).blocks <= 1)
    #expect(try kept(.compare(.equal, T.model, .text("alpha"))).blocks > 60)
  }

  @Test func listsAndAlternatives() throws {
    let other = Self.table.rows[100].trace
    let list = Expression.inList(T.trace, [.id128(needle), .id128(other), .id128(99)], hasNull: true)
    let found = try kept(list)
    #expect(found.rows >= 2 && found.blocks <= 5)
    let both = Expression.call(.or, [isNeedle, .compare(.equal, T.model, .text("nowhere"))], .bool)
    #expect(try kept(both).blocks <= 4)
    let early = Expression.call(.or, [isNeedle, .compare(.less, T.time, .int(80, .timestamp))], .bool)
    let either = try kept(early)
    #expect(either.rows >= 9 && either.blocks <= 4)
    let open = Expression.call(.or, [isNeedle, .compare(.greater, T.number, T.duration)], .bool)
    #expect(try kept(open).blocks == 125)
    #expect(try kept(.call(.not, [isNeedle], .bool)).blocks == 125)
  }

  @Test func attributes() throws {
    let host = try #require(Self.table.rows.compactMap(\.host).first)
    let all = try kept(.compare(.equal, T.host, .text(host)))
    #expect(all.rows == Self.table.rows.count { $0.host == host } && all.blocks < 60)
    // An attribute that was moved into a column reads as a choice.
    let moved = Expression.caseWhen(
      [.init(condition: .compare(.greater, T.number, .int(0)), result: T.model)], otherwise: T.host, .string)
    let found = try kept(.compare(.equal, moved, .text(host)))
    #expect(found.rows > 0 && found.blocks <= all.blocks + 2)
    #expect(try kept(.inList(moved, [.bytes(Array("nowhere".utf8))], hasNull: false)).blocks <= 2)
    // A choice of constants leaves its conditions.
    let named = Expression.caseWhen(
      [.init(condition: isNeedle, result: .text("A"))], otherwise: .constant(.null, .string), .string)
    #expect(try kept(.compare(.equal, named, .text("A"))).blocks <= 3)
    #expect(try kept(.compare(.equal, named, .text("B"))) == (0, 0))
    #expect(try kept(.compare(.notEqual, named, .text("B"))).rows >= 1)
  }

  @Test func subqueriesAreLookedUp() throws {
    let inner = QueryPlan.test(filter: isNeedle, outputs: [T.trace])
    // The subquery's own blocks are pruned as well.
    let found = try kept(.inSubquery(T.trace, 0), subqueries: [inner])
    #expect(found.rows >= 1 && found.blocks <= 6)
  }

  @Test func whatMayFailFailsAllTheSame() throws {
    let huge = Expression.call(.multiply, [T.span, T.span], .int64)
    let filter = Expression.call(
      .or, [.compare(.equal, T.trace, .constant(.id128(12345), .id16)), .compare(.greater, huge, .int(0))], .bool)
    #expect(throws: QueryError.self) { try kept(filter) }
  }

  @Test func analyzeTellsOfFilters() throws {
    let result = try QueryEngine(catalog: TestCatalog(snapshot)).run(
      "EXPLAIN ANALYZE SELECT count(*) FROM rows WHERE trace = hash_user('someone')")
    let lines = result.cells.map { "\($0[0])" }
    #expect(lines.contains { $0.contains("look up in filters trace = ") })
    #expect(lines.contains { $0.contains("blocks pruned: 125 of 125 (") && $0.contains("by filters)") })
  }
}
