import LintelColumns
import LintelQuery
import Testing

@testable import Lintel
@testable import LintelStorage

/// A store whose files still hold an erased user answers like its twin, which never had that user: whatever is known of
/// parts and blocks, is kept from earlier queries, or lies packed in memory.
@Suite("Answers over masked rows") struct MaskedAnswerTests {
  /// The user to erase has the first and the last span, the longest and the shortest, and a name and traces of their own.
  private static func spans(_ seed: UInt64, includingTheirs: Bool) -> [TraceSpan] {
    var random = seed
    func below(_ limit: Int) -> Int {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(random >> 33) % limit
    }
    return (0..<1500).compactMap { number in
      let isTheirs = below(25) == 0 || number == 0 || number == 1499
      let duration = below(900) + 50
      let tokens = below(300)
      let fork = below(3)
      guard includingTheirs || !isTheirs else { return nil }
      var span = TraceSpan(
        name: isTheirs ? "theirs" : "span \(number % 7)",
        start: .init(nanoseconds: 1_800_000_000_000_000_000 + Int64(number) * 1_000_000),
        duration: .milliseconds(isTheirs ? (number % 2 == 0 ? 5000 + number : 1) : duration),
        traceID: UInt128(number / 5 + 1) + (isTheirs ? 1 << 90 : 0), spanID: UInt64(number + 1))
      if number % 5 > 0, fork > 0 { span.parentSpanID = UInt64(number - number % 5 + 1) }
      span.userID = isTheirs ? "them" : "user-\(number % 9)"
      span.orgID = number < 700 ? "acme" : "initech"
      span.inputTokens = isTheirs ? 4_000_000 : UInt32(tokens)
      span.attributes["number"] = .int(isTheirs ? -5 : Int64(number))
      span.attributes["kind"] = .string(isTheirs ? "theirs" : "kind \(number % 3)")
      return span
    }
  }

  private static let queries = [
    "SELECT count(*) AS n, min(start_time) AS a, max(start_time) AS b, min(duration) AS c, max(duration) AS d FROM spans",
    "SELECT sum(input_tokens) AS s, avg(input_tokens) AS a, min(input_tokens) AS b, count(input_tokens) AS n FROM spans",
    "SELECT count(*) AS n, sum(duration) AS s FROM spans WHERE start_time >= '2000-01-01'",
    "SELECT count(*) AS n FROM spans WHERE duration > 1s",
    "SELECT count(*) AS n, max(duration) AS d FROM spans WHERE input_tokens > 1000000",
    "SELECT count(*) AS n FROM spans WHERE name = 'theirs'",
    "SELECT count(*) AS n FROM spans WHERE name <> 'span 3' AND duration >= 1ms",
    "SELECT count(*) AS n FROM spans WHERE attributes['kind'] = 'theirs' OR attributes['number'] = -5",
    "SELECT name, duration, span_id FROM spans ORDER BY duration DESC, span_id LIMIT 9",
    "SELECT name, duration, span_id FROM spans ORDER BY duration, span_id LIMIT 9",
    "SELECT name, start_time FROM spans ORDER BY start_time LIMIT 5",
    "SELECT name, start_time FROM spans ORDER BY start_time DESC LIMIT 5 OFFSET 2",
    "SELECT span_id FROM spans WHERE org_id = 'acme' ORDER BY input_tokens, span_id LIMIT 6",
    "SELECT span_id FROM spans WHERE duration < 2s ORDER BY start_time DESC LIMIT 6",
    "SELECT name FROM spans LIMIT 3",
    "SELECT org_id, count(*) AS n, sum(input_tokens) AS s, max(duration) AS d FROM spans GROUP BY org_id ORDER BY org_id",
    "SELECT trace_id, count(*) AS n, min(duration) AS d FROM spans GROUP BY trace_id ORDER BY n DESC, trace_id LIMIT 9",
    "SELECT org_id, name, count(*) AS n FROM spans GROUP BY org_id, name ORDER BY org_id, name",
    "SELECT name, max(start_time) AS b FROM spans GROUP BY name HAVING count(*) > 1 ORDER BY name",
    "SELECT DISTINCT name FROM spans ORDER BY name",
    "SELECT DISTINCT user_hash FROM spans ORDER BY user_hash",
    "SELECT count(DISTINCT user_hash) AS u, approx_count_distinct(trace_id) AS t FROM spans",
    "SELECT a.name AS a, b.name AS b, count(*) AS n FROM spans AS a JOIN CHILD spans AS b GROUP BY a.name, b.name "
      + "ORDER BY a, b",
    "SELECT count(*) AS n FROM spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE name = 'theirs')",
  ]

  private static func answers(_ store: SpanStore) async throws -> [[UInt8]] {
    var answers: [[UInt8]] = []
    for text in queries { answers.append(ResultFormatter(.csv).bytes(try await store.query(text))) }
    return answers
  }

  @Test(arguments: [0, 1 << 22]) func areThoseOfAStoreWithoutThem(cacheBytes: Int) async throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    var configuration = Configuration()
    configuration.storage.blockRows = 64
    configuration.queryCacheSize = cacheBytes
    configuration.userSecret = Array(0..<32)
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path + "/all", configuration: configuration)
      let twin = try await SpanStore.open(at: path + "/twin", configuration: configuration)
      for (store, includingTheirs) in [(store, true), (twin, false)] {
        let spans = Self.spans(seed, includingTheirs: includingTheirs)
        let cut = spans.firstIndex { $0.start.nanoseconds >= 1_800_000_001_300_000_000 } ?? 0
        try await store.append(Array(spans[..<cut]))
        try await store.flush()
        try await store.append(Array(spans[cut...]))
      }
      let expected = try await Self.answers(twin)
      // Twice, so that the columns are in memory and the answers kept.
      let before = try await Self.answers(store)
      _ = try await Self.answers(store)
      // Most show the user as long as they may.
      #expect(Self.queries.indices.count { before[$0] != expected[$0] } > Self.queries.count * 2 / 3)
      let isFree = Monitor(false)
      store.store.merger.start { isFree.wait(until: { $0 }) }
      _ = try await store.query("ERASE USER 'them'")
      for round in 1...2 {
        let masked = try await Self.answers(store)
        for (number, text) in Self.queries.enumerated() {
          #expect(masked[number] == expected[number], "seed \(seed), round \(round): \(text)")
        }
      }
      #expect(try store.store.rules().erasures.map(\.state) == [.hidden])
      isFree.change { $0 = true }
      try await store.finishErasures()
      let cleared = try await Self.answers(store)
      // Without an order, new parts may come in another one.
      for (number, text) in Self.queries.enumerated() where text != "SELECT name FROM spans LIMIT 3" {
        #expect(cleared[number] == expected[number], "seed \(seed), files cleared: \(text)")
      }
      try await store.close()
      try await twin.close()
    }
  }
}
