import Testing

@testable import LintelQuery

/// The queries that people look at all day: each binds, runs, and answers what the oracle answers.
@Suite("Dashboard queries") struct DashboardQueryTests {
  static let queries: [String] = [
    "SELECT request_model, count(*) AS n FROM spans GROUP BY request_model ORDER BY n DESC",
    """
    SELECT org_id, app_id, sum(reported_cost) AS cost, sum(input_tokens) AS tin, sum(output_tokens) AS tout FROM spans
    GROUP BY org_id, app_id ORDER BY cost DESC LIMIT 20
    """,
    """
    SELECT request_model, sum(reported_cost) AS cost, sum(input_tokens) AS tin FROM spans WHERE org_id = 'org-2'
    GROUP BY request_model ORDER BY cost DESC
    """,
    """
    SELECT time_bucket(5m, start_time) AS t, request_model, p50(duration) AS p50, p95(duration) AS p95,
    p99(duration) AS p99 FROM spans WHERE operation = 'chat' GROUP BY t, request_model ORDER BY t, request_model
    """,
    """
    SELECT time_bucket(1m, start_time) AS t, service_name, count(*) FILTER (WHERE status = 'error') / count(*) AS rate
    FROM spans GROUP BY t, service_name ORDER BY t, service_name LIMIT 100
    """,
    """
    SELECT user_hash, sum(reported_cost) AS cost, count(*) AS n FROM spans GROUP BY user_hash ORDER BY cost DESC LIMIT 10
    """,
    "SELECT count(*) AS n, sum(duration) AS d FROM spans WHERE trace_id = '00000000000000000000000000000007'",
    "SELECT count(*) AS n, sum(reported_cost) AS cost FROM spans WHERE user_hash = hash_user('seven77')",
    "SELECT count(*) AS n, avg(duration) AS d FROM spans WHERE attributes['server.address'] = 'host-17.internal'",
    """
    SELECT attributes['http.response.status_code'] AS code, count(*) AS n FROM spans
    WHERE attributes['http.response.status_code'] >= 400 GROUP BY code
    """,
    "SELECT trace_id, duration FROM spans WHERE attributes['gen_ai.response.id'] = 'response-2-17'",
    """
    SELECT app_id, approx_count_distinct(user_hash) AS n FROM spans GROUP BY app_id ORDER BY n DESC LIMIT 10
    """,
    """
    SELECT trace_id, span_id, duration, service_name, input_tokens FROM spans WHERE request_model = 'gpt-4o'
    ORDER BY duration DESC LIMIT 20
    """,
    """
    SELECT request_model, count(*) AS n, sum(reported_cost) AS cost, avg(duration) AS d FROM spans
    WHERE start_time >= 1767226100000000000 - 5m GROUP BY request_model ORDER BY n DESC
    """,
    """
    SELECT session_id, count(*) AS n, sum(reported_cost) AS cost, max(end_time) - min(start_time) AS span FROM spans
    GROUP BY session_id ORDER BY n DESC, cost DESC LIMIT 10
    """,
    "SELECT trace_id, sum(reported_cost) AS cost, count(*) AS n FROM spans GROUP BY trace_id ORDER BY cost DESC LIMIT 10",
    "SELECT count(*) AS n FROM spans WHERE status_message LIKE '%context length%' AND request_model = 'gpt-4o'",
    """
    SELECT sum(duration) AS d, sum(input_tokens) AS tin, sum(output_tokens) AS tout, sum(reported_cost) AS cost,
    max(duration) AS m FROM spans
    """,
    """
    SELECT service_name, count(*) AS n, max(duration) AS m FROM spans
    WHERE request_model IN ('gpt-4o', 'claude-sonnet-4-5') AND status = 'error' AND duration > 2s
    AND start_time BETWEEN 1767225600000000000 AND 1767226000000000000
    GROUP BY service_name ORDER BY n DESC, service_name LIMIT 20
    """,
    """
    SELECT count(*) AS n, sum(reported_cost) AS cost FROM spans
    WHERE trace_id IN (SELECT trace_id FROM spans WHERE status = 'error' AND org_id = 'org-2')
    """,
    """
    SELECT child.tool_name AS tool, count(*) AS n FROM spans AS parent JOIN CHILD spans AS child
    WHERE parent.operation = 'invoke_agent' AND child.operation = 'execute_tool' AND child.status = 'error'
    GROUP BY tool ORDER BY n DESC, tool LIMIT 10
    """,
    """
    SELECT floor(log2(duration)) AS bucket, count(*) AS n FROM spans WHERE operation = 'execute_tool' GROUP BY bucket
    ORDER BY bucket
    """,
  ]

  @Test(arguments: queries) func answers(_ text: String) throws {
    let result = try SpansFixture.engine.run(text)
    #expect(result.rowCount > 0)
    let plan = try SpansFixture.engine.plan(text)
    let expected = try Oracle(SpansFixture.snapshot()).run(plan)
    #expect(result.cells.map { $0.map(\.description) } == Self.cells(expected), "\(text)")
  }

  /// The oracle's rows as the executor's are described.
  static func cells(_ rows: [[Value]]) -> [[String]] {
    rows.map { row in
      row.map { value in
        switch value {
        case .null: "null"
        case .int64(let number): "\(number)"
        case .float64(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .bytes(let bytes): "'\(String(decoding: bytes, as: UTF8.self))'"
        case .id128(let id): "#\(id)"
        }
      }
    }
  }
}
