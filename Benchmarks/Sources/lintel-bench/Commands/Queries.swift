/// A question that people ask of their spans.
struct BenchmarkQuery: Sendable {
  let name: String
  /// SpanQL, with `$trace`, `$user`, `$session`, `$response`, `$app`, `$from` and `$to` for what the store holds.
  let text: String

  init(_ name: String, _ text: String) {
    self.name = name
    self.text = text
  }

  static let all = [
    BenchmarkQuery("count", "SELECT count(*) AS n FROM spans"),
    BenchmarkQuery(
      "tokens by model",
      """
      SELECT request_model, count(*) AS calls, sum(input_tokens) AS tokens_in, sum(output_tokens) AS tokens_out \
      FROM spans WHERE operation = 'chat' GROUP BY request_model ORDER BY calls DESC
      """),
    BenchmarkQuery(
      "cost by app",
      "SELECT app_id, sum(reported_cost) AS cost FROM spans GROUP BY app_id ORDER BY cost DESC LIMIT 20"),
    BenchmarkQuery(
      "cost by org and model",
      """
      SELECT org_id, request_model, sum(reported_cost) AS cost, count(*) AS calls FROM spans \
      WHERE reported_cost IS NOT NULL GROUP BY org_id, request_model ORDER BY cost DESC LIMIT 50
      """),
    BenchmarkQuery(
      "top users",
      """
      SELECT user_hash, count(*) AS calls, sum(reported_cost) AS cost FROM spans WHERE operation = 'chat' \
      GROUP BY user_hash ORDER BY cost DESC LIMIT 20
      """),
    BenchmarkQuery(
      "distinct users and sessions by app",
      """
      SELECT app_id, approx_count_distinct(user_hash) AS users, count(DISTINCT session_id) AS sessions FROM spans \
      GROUP BY app_id ORDER BY users DESC LIMIT 20
      """),
    BenchmarkQuery(
      "latency by model",
      """
      SELECT request_model, p50(duration) AS p50, p95(duration) AS p95, p99(duration) AS p99 FROM spans \
      WHERE operation = 'chat' GROUP BY request_model ORDER BY request_model
      """),
    BenchmarkQuery(
      "time to first token",
      "SELECT provider, p50(time_to_first_token) AS p50, p99(time_to_first_token) AS p99 FROM spans "
        + "WHERE time_to_first_token IS NOT NULL GROUP BY provider ORDER BY provider"),
    BenchmarkQuery(
      "error rate by operation",
      """
      SELECT operation, count(*) FILTER (WHERE status = 'error') AS errors, count(*) AS n FROM spans \
      GROUP BY operation ORDER BY n DESC
      """),
    BenchmarkQuery(
      "error messages",
      """
      SELECT attributes['error.type'] AS type, count(*) AS n FROM spans WHERE status = 'error' \
      GROUP BY type ORDER BY n DESC
      """),
    BenchmarkQuery(
      "text of messages",
      "SELECT count(*) AS n FROM spans WHERE status_message LIKE '%context length%'"),
    BenchmarkQuery(
      "requests a minute",
      "SELECT time_bucket(1m, start_time) AS t, count(*) AS n, avg(duration) AS mean FROM spans GROUP BY t ORDER BY t"),
    BenchmarkQuery(
      "window of one app",
      """
      SELECT time_bucket(10s, start_time) AS t, count(*) AS n, sum(output_tokens) AS tokens FROM spans \
      WHERE app_id = '$app' AND start_time BETWEEN $from AND $to GROUP BY t ORDER BY t
      """),
    BenchmarkQuery(
      "slowest tools",
      """
      SELECT tool_name, count(*) AS n, max(duration) AS slowest, p99(duration) AS p99 FROM spans \
      WHERE operation = 'execute_tool' GROUP BY tool_name ORDER BY p99 DESC LIMIT 10
      """),
    BenchmarkQuery(
      "cache hit share",
      """
      SELECT request_model, sum(cache_read_tokens) AS cached, sum(input_tokens) AS tokens FROM spans \
      WHERE input_tokens > 0 GROUP BY request_model ORDER BY request_model
      """),
    BenchmarkQuery(
      "reasoning share", "SELECT sum(reasoning_tokens) AS thought, sum(output_tokens) AS said FROM spans"),
    BenchmarkQuery(
      "cut off by temperature",
      """
      SELECT attributes['gen_ai.request.temperature'] AS temperature, count(*) AS n FROM spans \
      WHERE finish_reason = 'length' GROUP BY temperature ORDER BY n DESC
      """),
    BenchmarkQuery(
      "routes",
      """
      SELECT attributes['http.route'] AS route, attributes['http.response.status_code'] AS code, count(*) AS n \
      FROM spans WHERE kind = 'client' AND operation IS NULL GROUP BY route, code ORDER BY n DESC LIMIT 20
      """),
    BenchmarkQuery("one trace", "SELECT * FROM spans WHERE trace_id = '$trace' ORDER BY start_time"),
    BenchmarkQuery(
      "one user's latest",
      """
      SELECT start_time, name, duration FROM spans WHERE user_hash = '$user' ORDER BY start_time DESC LIMIT 50
      """),
    BenchmarkQuery(
      "one session", "SELECT count(*) AS n, sum(reported_cost) AS cost FROM spans WHERE session_id = '$session'"),
    BenchmarkQuery(
      "one response", "SELECT trace_id, span_id FROM spans WHERE attributes['gen_ai.response.id'] = '$response'"),
    BenchmarkQuery(
      "latest slow chats",
      """
      SELECT start_time, trace_id, request_model, duration FROM spans WHERE operation = 'chat' AND duration > 20s \
      ORDER BY start_time DESC LIMIT 100
      """),
    BenchmarkQuery(
      "longest spans", "SELECT trace_id, name, duration FROM spans ORDER BY duration DESC LIMIT 20"),
  ]
}
