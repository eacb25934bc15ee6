import LintelColumns
import Testing

@testable import LintelQuery

/// What texts mean: precedence, types, and rewriting, as EXPLAIN writes bound expressions.
@Suite("SpanQL binding") struct BindingTests {
  private func bound(_ expression: String) throws -> String {
    let plan = try SpansFixture.engine.plan("SELECT \(expression) FROM spans")
    return ExpressionText(schema: plan.schema, aggregation: plan.aggregation).text(plan.outputs[0].expression)
  }

  @Test(arguments: [
    ("input_tokens + output_tokens * 2", "input_tokens + (output_tokens * 2)"),
    ("input_tokens * 2 - output_tokens - 1", "((input_tokens * 2) - output_tokens) - 1"),
    ("(input_tokens - 1) % 7", "(input_tokens - 1) % 7"),
    ("1 = 1 OR 1 = 2 AND NOT 1 = 3", "(1 = 1) OR ((1 = 2) AND (NOT (1 = 3)))"),
    ("NOT 1 = 1 AND 1 = 2", "(NOT (1 = 1)) AND (1 = 2)"),
    ("1 = 1 AND (1 = 2 AND 1 = 3) AND 1 = 4", "(1 = 1) AND (1 = 2) AND (1 = 3) AND (1 = 4)"),
    ("name || 'a' = 'b'", "(name || 'a') = 'b'"),
    ("- input_tokens + 1", "(-input_tokens) + 1"),
    ("-5", "-5"),
    ("-9223372036854775808", "-9223372036854775808"),
    ("2 - -3", "5"),
    ("duration BETWEEN 1s AND 2s AND true", "(duration >= 1s) AND (duration <= 2s) AND TRUE"),
    ("duration NOT BETWEEN 1s AND 2s", "NOT ((duration >= 1s) AND (duration <= 2s))"),
    ("name IS NOT NULL", "NOT (name IS NULL)"),
    ("name NOT IN ('a', NULL, 'b', 'a')", "NOT name IN ('a', 'b', NULL)"),
    ("status IN ('ok', 2)", "status IN ('ok', 'error')"),
    ("now() - 5m", "'2026-01-01T00:05:00Z'"),
    ("90s", "90s"), ("1.5h", "90m"), ("0.0025usd", "0.0025usd"),
    ("duration > 2.5", "duration > 2ns"), ("2.5 > input_tokens", "input_tokens < 3"),
    ("duration <> 2.0", "duration <> 2ns"),
    ("input_tokens > 0.5 * 3", "input_tokens > 1"),
    ("start_time > '2026-01-02'", "start_time > '2026-01-02T00:00:00Z'"),
    ("trace_id = '4BF92F3577B34DA6A3CE929D0E0E4736'", "trace_id = '4bf92f3577b34da6a3ce929d0e0e4736'"),
    ("'error' = status", "'error' = status"), ("status > 1", "status > 1"),
    ("end_time", "start_time + duration"),
    ("NAME", "name"), ("\"name\"", "name"), ("spans.name", "name"),
    ("CAST(duration AS int64)", "int64(duration)"), ("name::float64", "float64(name)"), ("'250ms'::duration", "250ms"),
    ("attributes['server.address'] = 'x'", "attributes['server.address'] = 'x'"),
    ("attributes['server.address'] = 5", "NULL = 5"),
    ("attributes['http.response.status_code'] > 399.5", "attributes['http.response.status_code'] > 399"),
    ("attributes['gen_ai.request.model']", "attributes['gen_ai.request.model']"),
    ("resource_attributes['cloud.region'] = 'eu'", "string_of(resource_attributes['cloud.region']) = 'eu'"),
    ("resource_attributes['n'] > 5", "number_of(resource_attributes['n']) > 5.0"),
    ("events[0]['name']", "events[0]['name']"),
    ("round(duration / 3, 2)", "round(float64(duration) / 3.0, 2)"),
    ("round(reported_cost, 2)", "round(reported_cost, 2)"),
    ("round(input_tokens, 2)", "input_tokens"), ("round(input_tokens, -2)", "round(input_tokens, -2)"),
    ("round(input_tokens, NULL)", "NULL"), ("'0.25usd'::money", "0.25usd"), ("'-3'::money", "-3usd"),
    (
      "CASE WHEN 1 = 2 THEN 9223372036854775807 + 1 ELSE 0 END",
      "CASE WHEN 1 = 2 THEN 9223372036854775807 + 1 ELSE 0 END"
    ),
    ("resource_attributes['n'] > 9007199254740991", "number_of(resource_attributes['n']) > 9007199254740991.0"),
    ("resource_attributes['n'] > 9007199254740992", "resource_attributes['n'] > any(9007199254740992)"),
    ("resource_attributes['n'] = duration", "resource_attributes['n'] = any(duration)"),
    ("CASE status WHEN 'ok' THEN 1 ELSE 2.5 END", "CASE WHEN status = 'ok' THEN 1.0 ELSE 2.5 END"),
    ("coalesce(NULL, name)", "name"),
    ("nullif(name, 'x')", "CASE WHEN name = 'x' THEN NULL ELSE name END"),
    ("name !~ 'a+'", "NOT (name ~ 'a+')"),
    ("input_tokens == 1", "input_tokens = 1"), ("input_tokens != 1", "input_tokens <> 1"),
    ("1 /* one */ + -- plus\n 1", "2"),
  ])
  func meaning(_ text: String, _ meaning: String) throws {
    #expect(try bound(text) == meaning)
  }

  @Test(arguments: [
    ("start_time - start_time", "duration"), ("start_time + 5m", "timestamp"), ("start_time - 5", "timestamp"),
    ("1767225600000000000 - 5m", "int64"), ("duration + 1", "duration"), ("duration * 2", "duration"),
    ("duration * 0.5", "float64"), ("duration / 2", "float64"), ("duration / duration", "float64"),
    ("reported_cost + 1usd", "money"), ("reported_cost * input_tokens", "money"), ("-reported_cost", "money"),
    ("input_tokens + input_tokens", "int64"), ("input_tokens", "uint32"), ("-input_tokens", "int64"),
    ("start_time % 1m", "duration"), ("time_bucket(5m, start_time)", "timestamp"),
    ("coalesce(input_tokens, 0)", "int64"), ("coalesce(duration, 0)", "duration"), ("coalesce(status, 'x')", "string"),
    ("attributes['nothing']", "string"), ("attributes['http.response.status_code']", "int64"),
    ("attributes['http.response.status_code'] + 1", "int64"), ("resource_attributes['x']", "any"),
    ("coalesce(attributes['http.response.status_code'], 'none')", "any"), ("NULL", "string"),
    ("floor(log2(duration))", "float64"), ("floor(input_tokens)", "uint32"), ("length(name)", "int64"),
    ("CAST(name AS timestamp)", "timestamp"), ("least(duration, 1s)", "duration"),
    ("sum(reported_cost)", "money"), ("avg(reported_cost)", "float64"), ("sum(input_tokens)", "int64"),
    ("sum(duration)", "duration"), ("max(end_time) - min(start_time)", "duration"), ("p95(duration)", "duration"),
    ("quantile(input_tokens, 0.5)", "uint32"), ("quantile_exact(duration, 0.5)", "duration"),
    ("p50(start_time)", "timestamp"), ("count(*) / count(name)", "float64"), ("min(status)", "enum"),
    ("arg_max(trace_id, duration)", "id16"), ("top_k(name)", "any"), ("histogram(duration, 5)", "any"),
    ("stddev(duration)", "float64"), ("any(name)", "string"), ("count(DISTINCT name)", "int64"),
  ])
  func type(_ text: String, _ type: String) throws {
    #expect(try SpansFixture.engine.plan("SELECT \(text) FROM spans").outputs[0].expression.type.name == type)
  }

  @Test func outputNames() throws {
    let plan = try SpansFixture.engine.plan(
      "SELECT name, count( * )  AS n, sum(duration)\n  / 2, 'é' FROM spans GROUP BY 1")
    #expect(plan.outputs.map(\.name) == ["name", "n", "sum(duration) / 2", "'é'"])
    let star = try SpansFixture.engine.plan("SELECT * FROM spans").outputs.map(\.name)
    #expect(star.contains("name") && star.last == "end_time" && !star.contains("attribute_origins"))
  }

  /// Found by tools/crosscheck: the alias of a membership in a subquery is the same expression.
  @Test func subqueriesThatComeAgainAreOne() throws {
    let plan = try SpansFixture.engine.plan(
      "SELECT DISTINCT trace_id IN (SELECT trace_id FROM spans WHERE kind = 'server') AS x FROM spans ORDER BY x")
    #expect(plan.subqueries.count == 1)
    #expect(plan.ordering[0].expression == plan.outputs[0].expression)
  }

  @Test func aliasesAndGrouping() throws {
    let engine = SpansFixture.engine
    let plan = try engine.plan(
      """
      SELECT lower(name) AS name, kind AS k, count(*) AS n, sum(duration) / n AS mean FROM spans
      GROUP BY lower(name), k HAVING n > 1 ORDER BY n DESC, lower(name)
      """.replacing(", sum(duration) / n AS mean", with: ""))
    #expect(plan.aggregation?.keys.count == 2)
    #expect(plan.aggregation?.calls.count == 1)
    #expect(plan.outputs[0].expression == .groupKey(0, .string))
    #expect(plan.ordering[0].expression == .aggregate(0, .int64))
    #expect(plan.ordering[1].expression == .groupKey(0, .string))
    // A column comes before an alias in GROUP BY, an alias before a column in ORDER BY.
    let grouped = try engine.plan("SELECT status AS kind, count(*) FROM spans GROUP BY kind, status ORDER BY kind")
    #expect(grouped.aggregation?.keys.count == 2)
    #expect(grouped.outputs[0].expression == .groupKey(1, SpansFixture.schema.columns[7].type))
    #expect(grouped.outputs[0].expression == grouped.ordering[0].expression)
    // The same aggregate is computed once.
    let twice = try engine.plan(
      "SELECT sum(duration), sum(duration) * 2, max(duration) FROM spans HAVING sum(duration) > 1s")
    #expect(twice.aggregation?.calls.count == 2)
  }

  /// Halves go away from zero, whatever is rounded, and what has no such digits stays as it is.
  @Test(
    arguments: [
      ("CAST(round(0.256usd, 2) AS string)", "0.26"), ("CAST(round(-0.255usd, 2) AS string)", "-0.26"),
      ("CAST(round(1234usd, -2) AS string)", "1200"), ("CAST(round(0.25usd, 12) AS string)", "0.25"),
      ("round(1e308, 1)", "1e+308"), ("round(1e300, 10)", "1e+300"), ("round(2.25, 1)", "2.3"),
      ("round(-25, -1)", "-30"),
      ("round(24, -1)", "20"), ("round(9223372036854775807, -15)", "9223000000000000000"),
      ("round(1250.0, -2)", "1300.0"),
      ("round(5, NULL)", nil), ("round(NULL, 1)", nil), ("round(0.1, 15)", "0.1"),
    ] as [(String, String?)])
  func rounding(_ text: String, _ rounded: String?) throws {
    let result = try SpansFixture.engine.run("SELECT CAST(\(text) AS string) AS x")
    #expect(result.cells == [[rounded.map { .text($0) } ?? .null]])
  }

  @Test(arguments: [
    "round(5, 2.5)", "round(0.5, 16)", "round(1s, 2)", "round(0.5, 'x')", "round(9223372036854775807, -1)",
  ])
  func whatCannotBeRounded(_ text: String) {
    #expect(throws: QueryError.self) { try SpansFixture.engine.run("SELECT \(text) AS x") }
  }

  @Test func withoutFrom() throws {
    let result = try SpansFixture.engine.run("SELECT 1 + 1 AS two, 'x' || 'y' AS xy, NULL IS NULL AS yes")
    #expect(result.cells == [[.int(2), .text("xy"), .bool(true)]])
    #expect(try SpansFixture.engine.run("SELECT count(*) AS n WHERE 1 = 2").cells == [[.int(0)]])
  }

  @Test func keywordsInAnyCase() throws {
    let result = try SpansFixture.engine.run("select Count(*) as N from SPANS where Name is not null limit 1;;")
    #expect(result.columns[0].name == "N")
    #expect(result.cells == [[.int(290)]])
  }
}
