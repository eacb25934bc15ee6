import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

/// What is kept of answers and of whole parts, and what that changes: nothing but the rows read.
@Suite("Query cache") struct QueryCacheTests {
  private static let snapshot = TestTable(seed: 5, count: 300).snapshot(segmentRows: 100, blockRows: 16, coded: true)

  private static func engine(_ bytes: Int) -> QueryEngine {
    var options = ExecutionOptions()
    options.cacheBytes = bytes
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
    #expect(second.statistics.rowsRead == 0 && second.statistics.isFromCache)
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
    #expect(try engine.run(query(620)).statistics.isFromCache)
  }

  @Test func whatDependsOnMoreIsNotKept() throws {
    let engine = Self.engine(1 << 24)
    for text in [
      "SELECT any(model) FROM rows", "SELECT arg_max(model, time) FROM rows", "SELECT model FROM rows LIMIT 3",
      "SELECT count(*) FROM rows WHERE trace IN (SELECT trace FROM rows WHERE status = 'error')",
    ] {
      let first = try engine.run(text)
      #expect(try engine.run(text + " OFFSET 0").statistics.partsFromCache == 0, "\(text)")
      // The answer as a whole stands as long as no row has come.
      let second = try engine.run(text)
      #expect(second.statistics.isFromCache && second.cells == first.cells, "\(text)")
    }
  }

  @Test func rowsThatComeAreSeen() throws {
    var options = ExecutionOptions()
    options.cacheBytes = 1 << 20
    let cache = QueryCache(capacity: options.cacheBytes)
    let table = TestTable(seed: 6, count: 200)
    let plan = try Self.engine(0).plan(
      "SELECT count(*), sum(number) FROM rows WHERE number IN (SELECT number FROM rows)")
    for count in [100, 150, 200] {
      let snapshot = table.snapshot(segmentRows: count, blockRows: 16, coded: true)
      let seen = TableSnapshot(schema: snapshot.schema, segments: Array(snapshot.segments.prefix(1)))
      for isRepeat in [false, true] {
        let result = try Executor.run(
          plan, on: seen, options: options, cancellation: CancellationToken(), cache: cache)
        #expect(result.cells.first?.first == .int(Int64(count)))
        #expect(result.statistics.isFromCache == isRepeat)
      }
    }
  }

  /// Else a handful of rows would be too much to keep where their part has many values.
  @Test(arguments: ["SELECT model, trace FROM rows ORDER BY time LIMIT 2", "SELECT DISTINCT model FROM rows LIMIT 1"])
  func answersHoldNoLargeDictionary(_ text: String) throws {
    let answer = try Self.engine(1 << 24).run(text)
    #expect(answer.rowCount > 0)
    for column in answer.columns {
      if case .codes(let codes, let dictionary) = column.values.storage {
        #expect(dictionary.count <= codes.count, "\(column.name)")
      }
    }
  }

  @Test func memoryIsBounded() throws {
    let engine = Self.engine(64 << 10)
    for bound in 0..<50 { _ = try engine.run("SELECT count(*) FROM rows WHERE number > \(bound)") }
    let kept = try engine.run("SELECT count(*) FROM rows WHERE number > 49 LIMIT 1").statistics
    let dropped = try engine.run("SELECT count(*) FROM rows WHERE number > 0").statistics
    #expect(kept.partsFromCache == 3 && dropped.partsFromCache == 0 && !dropped.isFromCache)
  }
}
