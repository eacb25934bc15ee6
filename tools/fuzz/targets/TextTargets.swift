@testable import Lintel
@testable import LintelColumns
@testable import LintelIngest
@testable import LintelQuery
@testable import LintelStorage

let textTargets: [String: FuzzTarget] = [
  "spanql": { _, bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    guard let statement = try? SpanQL.parse(text), case .select(let select) = statement else { return }
    guard let query = try? Binder.bind(select, text: text, catalog: FuzzCatalog.shared) else { return }
    _ = PlanDescription(query.plan).lines
  },
  "query": { _, bytes in
    let engine = QueryEngine(catalog: FuzzCatalog.shared)
    guard let result = try? engine.run(String(decoding: bytes, as: UTF8.self)) else { return }
    precondition(result.columns.allSatisfy { $0.values.count == result.rowCount })
  },
  "otlp": { _, bytes in decodeRequest { () throws(OTLPError) in try decoder.decode(bytes) } },
  "otlp-json": { _, bytes in decodeRequest { () throws(OTLPError) in try decoder.decode(json: bytes) } },
]

let decoder = OTLPDecoder(hasher: UserHasher(secret: [1, 2, 3]))

/// What is taken must be a sound batch, which its codec gives back.
func decodeRequest(_ decode: () throws(OTLPError) -> DecodedRequest) {
  guard let request = try? decode() else { return }
  do { try request.batch.validate() } catch { preconditionFailure("an unsound batch: \(error)") }
  var bytes: [UInt8] = []
  BatchCodec.encode(request.batch, into: &bytes)
  let back = bytes.withUnsafeBytes { try? BatchCodec.decode($0, schema: SpanSchema.table) }
  precondition(back?.rowCount == request.batch.rowCount)
}

/// The spans table with the spans of ``sampleRequest``.
struct FuzzCatalog: Catalog {
  static let shared = FuzzCatalog()
  let tableNames = ["spans"]
  let now: Int64 = 1_790_000_000_000_000_000
  private let spans: TableSnapshot

  init() {
    let batch = Array(sampleRequest.utf8).withUnsafeBytes { try? decoder.decode(json: $0).batch }
    let segments = batch.map { [BatchSegment($0, name: "sample", blockRows: 16)] } ?? []
    spans = TableSnapshot(schema: SpanSchema.table, segments: segments)
  }

  func snapshot(_ table: String) throws(StorageError) -> TableSnapshot { spans }

  func hashUser(_ user: String) throws(StorageError) -> UInt128 { 7 }
}

/// A trace of a few spans, with attributes of every kind.
let sampleRequest = """
  {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}},
  {"key":"org.id","value":{"stringValue":"org-1"}}]},"scopeSpans":[{"scope":{"name":"agent","version":"1.2"},"spans":[
  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat gpt-4o","kind":3,
  "startTimeUnixNano":"1789999999000000000","endTimeUnixNano":"1789999999900000000","attributes":[
  {"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"812"}},
  {"key":"gen_ai.request.temperature","value":{"doubleValue":0.7}},{"key":"stream","value":{"boolValue":true}},
  {"key":"user.id","value":{"stringValue":"u-17"}},{"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"2"}]}}},
  {"key":"more","value":{"kvlistValue":{"values":[{"key":"k","value":{"bytesValue":"AAEC"}}]}}}],
  "events":[{"timeUnixNano":"1789999999100000000","name":"first token","attributes":[{"key":"n","value":{"intValue":"1"}}]}],
  "status":{"code":2,"message":"context length exceeded"}},
  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"tool",
  "startTimeUnixNano":"1789999999200000000","endTimeUnixNano":"1789999999300000000","links":[
  {"traceId":"5b8efff798038103d269b633813fc60d","spanId":"eee19b7ec3c1b179"}]}]}]}]}
  """

/// A conversation, whose messages are content.
let talkingRequest = """
  {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
  "name":"chat","startTimeUnixNano":"1789999999000000000","endTimeUnixNano":"1789999999900000000","attributes":[
  {"key":"gen_ai.input.messages","value":{"stringValue":"[{\\"role\\":\\"user\\",\\"content\\":\\"a question that is long enough to be a piece by itself, and more\\"}, {\\"role\\":\\"assistant\\",\\"content\\":\\"an answer that is long enough to be one, at least when all is counted\\"}]"}},
  {"key":"gen_ai.output.messages","value":{"arrayValue":{"values":[{"kvlistValue":{"values":[{"key":"role","value":{"stringValue":"assistant"}},
  {"key":"content","value":{"stringValue":"a structured message of which there is enough to be worth a piece of content"}}]}}]}}}]}]}]}]}
  """

/// Statements that use most of the language.
let sampleStatements = [
  "SELECT count(*) AS n, sum(input_tokens) FROM spans WHERE name LIKE 'chat%' AND duration > 250ms GROUP BY name HAVING n > 1 ORDER BY n DESC LIMIT 3 OFFSET 1",
  "SELECT time_bucket(5m, start_time) AS t, p95(duration), approx_count_distinct(user_hash) FROM spans WHERE start_time >= now() - 7d GROUP BY t",
  "SELECT attributes['tags'], CAST(attributes['gen_ai.request.temperature'] AS float64), CASE WHEN status = 'error' THEN 1 ELSE NULL END FROM spans AS s WHERE trace_id = '5b8efff798038103d269b633813fc60c'",
  "SELECT p.name, c.name FROM spans AS p JOIN CHILD spans AS c WHERE p.duration BETWEEN 1ms AND 30s OR NOT c.name ~ '^t(o|x)+l$'",
  "SELECT a.span_id FROM spans AS a JOIN DESCENDANT spans AS b WHERE a.name IN ('chat', 'tool') AND b.trace_id IN (SELECT trace_id FROM spans WHERE name ILIKE '%TOOL')",
  "SELECT quantile(duration, 0.5), histogram(duration), top_k(name, 3), any(name), arg_max(name, duration), stddev(duration), avg(reported_cost), count(DISTINCT name) FILTER (WHERE kind = 'client') FROM spans",
  "EXPLAIN SELECT -1 + 2 * (3 % 4) / 5.5e3, 'it''s', TRUE, hash_user('x') = user_hash FROM spans WHERE parent_span_id IS NULL",
  "SHOW PARTS", "DESCRIBE STORAGE spans", "SHOW TABLES", "SELECT * FROM spans", "SHOW TIERS", "SHOW ERASURES",
  "ERASE USER 'u-17', 'u-18' IN ORG 'org-1' DRY RUN", "HOLD ORG 'org-1' FOR 'a lawsuit'", "RELEASE HOLD 7",
  "ALTER TABLE spans SET RETENTION 90d FOR ORG 'org-1'", "ALTER TABLE spans SET RETENTION NONE",
  "EXPORT spans WHERE name = 'chat' TO 'x.jsonl'",
]
