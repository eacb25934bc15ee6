import Lintel
import LintelColumns
import LintelQuery
import LintelStorage
import Synchronization
import Testing

/// The same questions have the same answers wherever spans lie.
@Suite("Tiers") struct TierTests {
  private static let start: Int64 = 1_800_000_000_000_000_000
  private static let second: Int64 = 1_000_000_000

  private final class Clock: Sendable {
    private let time = Mutex(TierTests.start)
    var now: Int64 { time.withLock { $0 } }
    func set(_ seconds: Int64) { time.withLock { $0 = TierTests.start + seconds * TierTests.second } }
  }

  private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 31
    }
  }

  /// Traces as an agent makes them: a root that lasts as long as the rest, calls whose time goes with their tokens.
  private func traces(_ numbers: Range<Int>, _ dice: inout Dice) -> [TraceSpan] {
    numbers.flatMap { trace -> [TraceSpan] in
      let count = Int.random(in: 1...12, using: &dice)
      var time = Self.start + Int64(trace) * 10_000_000
      let began = time
      var end = time
      var tokens = UInt32.random(in: 100...4000, using: &dice)
      return (0..<count).reversed().map { left -> TraceSpan in
        let number = count - 1 - left
        let isChat = number % 2 == 1
        tokens += UInt32.random(in: 0...200, using: &dice)
        let written = UInt32.random(in: 1...2000, using: &dice)
        let length = isChat ? Int64(written) * Int64.random(in: 9_000_000...11_000_000, using: &dice) : 5_000_000
        var span = TraceSpan(
          name: isChat ? "chat model-\(trace % 5)" : "execute_tool t\(number % 3)", start: .init(nanoseconds: time),
          duration: .nanoseconds(length), traceID: UInt128(trace + 1) &* 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835,
          spanID: UInt64.random(in: 1...UInt64.max, using: &dice))
        end = max(end, time + length)
        time += Int64.random(in: 0...4_000_000_000, using: &dice) / Int64(left + 1)
        span.orgID = "org-\(trace % 7)"
        span.userID = "user-\(trace % 40)"
        span.status = trace % 11 == 0 ? .error : .ok
        if isChat {
          span.inputTokens = tokens
          span.outputTokens = written
          if tokens > 1000 { span.cacheReadTokens = tokens * 4 / 5 / 128 * 128 }
          span.attributes["response"] = .string("chatcmpl-\(UInt32.random(in: 0...UInt32.max, using: &dice))")
        }
        return span
      }.enumerated().map { index, span in
        var span = span
        if index == 0 { span.duration = .nanoseconds(end - began + 1_000_000) }
        return span
      }
    }
  }

  private static let questions = [
    "SELECT count(*), sum(duration), min(start_time), max(end_time), sum(input_tokens), sum(cache_read_tokens) FROM spans",
    "SELECT * FROM spans ORDER BY start_time, span_id",
    "SELECT name, count(*) AS n, sum(output_tokens) AS t, avg(duration) AS d, p95(duration) AS p FROM spans GROUP BY name ORDER BY name",
    "SELECT org_id, time_bucket(1s, start_time) AS t, sum(input_tokens) AS n FROM spans GROUP BY org_id, t ORDER BY org_id, t",
    "SELECT trace_id, max(duration) AS d FROM spans WHERE status = 'error' GROUP BY trace_id ORDER BY d DESC, trace_id LIMIT 20",
    "SELECT count(*) FROM spans WHERE input_tokens > 2000 AND duration < 5s",
    "SELECT count(DISTINCT attributes['response']) AS n FROM spans WHERE org_id = 'org-3'",
    "SELECT count(*) FROM spans AS a JOIN CHILD spans AS b WHERE a.duration > 1s",
    "SELECT span_id, duration FROM spans WHERE user_hash = hash_user('user-17') ORDER BY span_id",
  ]

  private func text(_ question: String, _ store: SpanStore) async throws -> String {
    String(decoding: ResultFormatter(.tsv).bytes(try await store.query(question)), as: UTF8.self)
  }

  @Test func answersAreTheSame() async throws {
    try await withTemporaryDirectory { path in
      let clock = Clock()
      var configuration = Configuration()
      configuration.storage.blockRows = 64
      configuration.storage.tiers.warm = TierSettings(directory: path + "-warm", afterSeconds: 1000)
      configuration.storage.tiers.cold = TierSettings(afterSeconds: 5000)
      let store = try await SpanStore.open(at: path, configuration: configuration, clock: { clock.now })
      var dice = Dice(state: 5)
      for first in stride(from: 0, to: 400, by: 100) {
        try await store.append(traces(first..<first + 100, &dice))
        try await store.flush()
      }
      func answers(_ store: SpanStore) async throws -> [String] {
        var answers: [String] = []
        for question in Self.questions {
          answers.append(try await text(question, store))
        }
        let needle = try await store.query(
          "SELECT attributes['response'] AS r FROM spans WHERE attributes['response'] IS NOT NULL ORDER BY start_time LIMIT 1"
        ).decode(String.self)[0]
        answers.append(try await text("SELECT * FROM spans WHERE attributes['response'] = '\(needle)'", store))
        return answers
      }
      let hot = try await answers(store)
      for (seconds, tier) in [(1100, "warm"), (5100, "cold")] {
        clock.set(Int64(seconds))
        try await store.move()
        let parts = try await text("SHOW PARTS", store)
        #expect(parts.contains("\t\(tier)\t") && !parts.contains("\thot\t"), "\(parts)")
        #expect(try await answers(store) == hot, "\(tier)")
        let storage = try await text("DESCRIBE STORAGE spans", store)
        #expect(storage.contains("enclosing") || storage.contains("classes"), "\(storage)")
      }
      let tiers = try await text("SHOW TIERS", store)
      #expect(tiers.split(separator: "\n").count == 4, "\(tiers)")
      #expect(store.problems == [])
      try await store.close()
      var reading = Configuration()
      reading.isReadOnly = true
      let reader = try await SpanStore.open(at: path, configuration: reading, clock: { clock.now })
      #expect(try await answers(reader) == hot)
      try await reader.close()
    }
  }
}
