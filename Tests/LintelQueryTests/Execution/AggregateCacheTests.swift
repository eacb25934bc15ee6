import Testing

@testable import LintelQuery

/// What is kept of whole parts, and what that changes: nothing but the rows read.
@Suite("Aggregate cache") struct AggregateCacheTests {
  private static let snapshot = TestTable(seed: 5, count: 300).snapshot(segmentRows: 100, blockRows: 16, coded: true)

  private static func engine(_ bytes: Int) -> QueryEngine {
    var options = ExecutionOptions()
    options.aggregateCacheBytes = bytes
    return QueryEngine(catalog: TestCatalog(snapshot), options: options)
  }

  private static let queries = [
    "SELECT model, count(*) AS n, sum(number) AS s, max(duration) AS d, p50(score) AS p FROM rows GROUP BY model",
    "SELECT count(*) AS n, count(DISTINCT model) AS m, approx_count_distinct(trace) AS t FROM rows WHERE status = 'error'",
    "SELECT DISTINCT model, flag FROM rows ORDER BY 1, 2",
    "SELECT time_bucket(500ns, time) AS t, top_k(model, 2) AS k FROM rows GROUP BY t ORDER BY t",
  ]

  @Test(arguments: queries) func repeatsReadNothing(_ text: String) throws {
    let engine = Self.engine(1 << 24)
    let plain = try Self.engine(0).run(text)
    let first = try engine.run(text)
    let second = try engine.run(text)
    #expect(first.cells == plain.cells && second.cells == plain.cells)
    #expect(first.statistics.rowsRead == plain.statistics.rowsRead && first.statistics.partsFromCache == 0)
    #expect(second.statistics.rowsRead == 0 && second.statistics.partsFromCache == 3)
    // Another limit and order ask for the same groups.
    #expect(try engine.run(text + " LIMIT 1").statistics.partsFromCache == 3)
  }

  /// Rows are 10 ns apart: each part covers 1,000 ns.
  @Test func windowsMoveOn() throws {
    let engine = Self.engine(1 << 24)
    let query = { (from: Int) in "SELECT sum(number) AS s FROM rows WHERE time >= \(from)" }
    _ = try engine.run(query(500))
    let moved = try engine.run(query(620))
    #expect(moved.statistics.partsFromCache == 2)
    #expect(moved.cells == (try Self.engine(0).run(query(620)).cells))
    #expect(try engine.run(query(620)).statistics.partsFromCache == 3)
  }

  @Test func whatDependsOnMoreIsNotKept() throws {
    let engine = Self.engine(1 << 24)
    for text in [
      "SELECT any(model) FROM rows", "SELECT arg_max(model, time) FROM rows", "SELECT model FROM rows LIMIT 3",
      "SELECT count(*) FROM rows WHERE trace IN (SELECT trace FROM rows WHERE status = 'error')",
    ] {
      _ = try engine.run(text)
      #expect(try engine.run(text).statistics.partsFromCache == 0, "\(text)")
    }
  }

  @Test func memoryIsBounded() throws {
    let engine = Self.engine(64 << 10)
    for bound in 0..<50 { _ = try engine.run("SELECT count(*) FROM rows WHERE number > \(bound)") }
    #expect(try engine.run("SELECT count(*) FROM rows WHERE number > 49").statistics.partsFromCache == 3)
    #expect(try engine.run("SELECT count(*) FROM rows WHERE number > 0").statistics.partsFromCache == 0)
  }
}
