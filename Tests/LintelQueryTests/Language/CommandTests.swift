import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

/// EXPLAIN, SHOW, DESCRIBE and EXPORT.
@Suite("SpanQL commands") struct CommandTests {
  private func lines(_ text: String) throws -> [String] {
    try SpansFixture.engine.run(text).cells.map { row in
      row.map { cell in
        if case .bytes(let bytes) = cell { String(decoding: bytes, as: UTF8.self) } else { cell.description }
      }.joined(separator: " | ")
    }
  }

  @Test func explain() throws {
    let plan = try lines(
      """
      EXPLAIN SELECT request_model, count(*) AS n FROM spans
      WHERE status = 'error' AND start_time >= now() - 5m AND name || 'x' <> 'y'
        AND trace_id IN (SELECT trace_id FROM spans WHERE duration > 2s)
      GROUP BY request_model HAVING n > 1 ORDER BY n DESC LIMIT 10 OFFSET 2
      """)
    #expect(
      plan.joined(separator: "\n") == """
        limit 10 offset 2
        └ order by count(*) DESC NULLS LAST
          └ project request_model, n = count(*)
            └ having count(*) > 1
              └ aggregate count(*) by request_model
                └ filter (status = 'error') AND (start_time >= '2026-01-01T00:05:00Z') AND ((name || 'x') <> 'y') AND trace_id IN (subquery 1)
                  └ scan spans: trace_id, name, start_time, status, request_model
                    prune by status = 'error' AND start_time >= '2026-01-01T00:05:00Z'
                    look up in filters trace_id IN (subquery 1)
        subquery 1
          project trace_id
          └ filter duration > 2s
            └ scan spans: trace_id, duration
              prune by duration > 2s
        """)
  }

  @Test func explainJoin() throws {
    let plan = try lines(
      """
      EXPLAIN SELECT child.name, count(*) AS n FROM spans AS parent JOIN CHILD spans AS child
      WHERE parent.operation = 'invoke_agent' AND child.duration > parent.duration AND child.status = 'error' GROUP BY 1
      """)
    #expect(
      plan.joined(separator: "\n") == """
        project name = child.name, n = count(*)
        └ aggregate count(*) by child.name
          └ filter child.duration > parent.duration
            └ join parent CHILD child: child.parent_span_id = parent.span_id within trace_id
              └ filter operation = 'invoke_agent'
                └ scan spans AS parent: duration, operation
                  prune by operation = 'invoke_agent'
                  look up in filters operation = 'invoke_agent'
              └ filter status = 'error'
                └ scan spans AS child: name, duration, status
                  prune by status = 'error'
        """)
  }

  @Test func explainAnalyze() throws {
    let answer = try lines("EXPLAIN ANALYZE SELECT count(*) FROM spans WHERE start_time < '2026-01-01T00:00:30Z'")
    #expect(answer.contains("rows returned: 1"))
    #expect(
      answer.contains { $0.hasPrefix("blocks pruned: ") && $0.hasSuffix(" of 6") && $0 != "blocks pruned: 0 of 6" })
    #expect(answer.contains { $0.hasPrefix("time: ") })
    #expect(
      answer.contains {
        $0.hasPrefix("scan and filter: ") && $0.contains(" rows in, 20 out, ") && $0.hasSuffix(" bytes read")
      })
    #expect(answer.contains { $0.hasPrefix("aggregate: ") && $0.hasSuffix("20 rows in, 1 out") })
    #expect(
      answer.contains { $0.hasPrefix("  blocks not read: ") && $0.contains(" of 6 (") && $0.contains(" by zone maps") })
    let join = try lines("EXPLAIN ANALYZE SELECT count(*) FROM spans AS a JOIN CHILD spans AS b WHERE a.status = 'ok'")
    #expect(join.contains { $0.hasPrefix("scan and filter a: ") } && join.contains { $0.hasPrefix("join child: ") })
  }

  @Test func show() throws {
    #expect(try lines("SHOW TABLES") == ["spans | 290 | 27"])
    #expect(
      try lines("SHOW ATTRIBUTES FROM spans") == [
        "gen_ai.response.id | string | 2", "http.response.status_code | int64 | 2", "server.address | string | 2",
      ])
    #expect(try lines("SHOW PARTS FROM spans").isEmpty)
    #expect(try lines("SHOW PROBLEMS").isEmpty)
    let columns = try lines("DESCRIBE spans")
    #expect(columns == (try lines("SHOW COLUMNS FROM spans")))
    #expect(columns.contains("start_time | timestamp | false | When it began."))
    #expect(columns.contains("status | enum | false | one of unset, ok, error"))
    #expect(columns.contains("end_time | timestamp | true | When it ended. (computed: start_time + duration)"))
    #expect(!columns.contains { $0.hasPrefix("attribute_origins") })
    #expect(try lines("DESCRIBE STORAGE spans").isEmpty)
    #expect(
      try SpansFixture.engine.run("show tiers;").columns.map(\.name)
        == ["table", "tier", "parts", "rows", "bytes", "oldest", "newest", "after", "directory"])
    #expect(try SpansFixture.engine.run("SHOW PARTS").columns.map(\.name).first == "table")
  }

  @Test func commandsOfReadOnlyCatalogs() {
    for text in ["OPTIMIZE TABLE spans", "FLUSH", "CHECK"] {
      #expect(throws: QueryError.self) { try SpansFixture.engine.run(text) }
    }
  }

  /// Exported batches hold every column and attribute of the rows that the condition takes.
  @Test(arguments: [
    "EXPORT spans TO 'x'", "EXPORT spans WHERE duration > 2s TO 'x'",
    "EXPORT spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE status = 'error') TO 'x'",
  ])
  func export(_ text: String) throws {
    guard case .export(let syntax) = try SpanQL.parse(text) else {
      Issue.record("not an export")
      return
    }
    let request = try SpansFixture.engine.export(syntax, text: text)
    #expect(request.path == "x" && request.table == "spans")
    var batches: [Batch] = []
    #expect(try request.forEachBatch { batches.append($0) } == [])
    let filter = text.dropFirst("EXPORT spans".count).dropLast(" TO 'x'".count)
    let names = SpansFixture.schema.columns.map(\.name)
    let attributes = ["gen_ai.response.id", "http.response.status_code", "server.address"]
    let all = names + attributes.map { "attributes['\($0)']" }
    let expected = try SpansFixture.engine.run("SELECT \(all.joined(separator: ", ")) FROM spans\(filter)")
    #expect(batches.reduce(0) { $0 + $1.rowCount } == expected.rowCount && expected.rowCount > 0)
    var rows: [[QueryResult.Cell]] = []
    for batch in batches {
      for row in 0..<batch.rowCount {
        let cells = batch.columns.map { QueryResult.Cell($0, row) }
        let extra = attributes.map { name -> QueryResult.Cell in
          guard let column = batch.attributes.first(where: { $0.key.name == name }),
            let place = column.rows.firstIndex(of: UInt32(row))
          else { return .null }
          return QueryResult.Cell(column.values, place)
        }
        rows.append(cells + extra)
      }
    }
    #expect(rows == expected.cells)
  }
}
