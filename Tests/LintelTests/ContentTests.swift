import Lintel
import LintelColumns
import LintelQuery
import LintelStorage
import Testing

/// Prompts and answers, asked for by queries: against the texts themselves.
@Suite("Content") struct ContentTests {
  private struct Talk {
    var input: Variant?
    var output: String?
    /// As queries show it.
    var inputText: String? { input.map { value in if case .string(let text) = value { text } else { value.json() } } }
  }

  private static func message(_ role: String, _ words: String) -> String {
    "{\"role\": \"\(role)\", \"parts\": [{\"type\": \"text\", \"content\": \"\(words)\"}]}"
  }

  /// Conversations whose turns send the history so far; among them short, odd, structured and missing inputs.
  private static func talks(_ random: inout SystemRandomNumberGenerator) -> [Talk] {
    let words = ["refund", "ticket", "blue", "grün", "zzz", "a\\\"b", "%", "order 17"]
    func text() -> String {
      (0..<Int.random(in: 1...30, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }
        .joined(separator: " ")
    }
    var talks: [Talk] = []
    for conversation in 0..<8 {
      var history = [message("system", "you are helpful, number \(conversation % 3), and long enough to be a piece")]
      for _ in 0..<6 {
        history.append(message("user", text()))
        let answer = message("assistant", text())
        var talk = Talk(input: .string("[" + history.joined(separator: ", ") + "]"), output: "[\(answer)]")
        switch Int.random(in: 0..<10, using: &random) {
        case 0: talk.input = .string("short")
        case 1: talk.input = nil
        case 2: talk.input = .string(text())
        case 3: talk.input = .array([.map([.init("role", .string("user")), .init("content", .string(text()))])])
        case 4: talk.output = nil
        default: break
        }
        talks.append(talk)
        history.append(answer)
      }
    }
    return talks
  }

  private static func span(_ talk: Talk, _ number: Int) -> TraceSpan {
    var span = TraceSpan(
      name: "chat", start: .init(nanoseconds: 1_800_000_000_000_000_000 + Int64(number)), duration: .seconds(1),
      traceID: UInt128(number + 1), spanID: UInt64(number + 1))
    span.orgID = "org \(number % 2)"
    span.attributes["number"] = .int(Int64(number))
    span.attributes["gen_ai.input.messages"] = talk.input
    span.attributes["gen_ai.output.messages"] = talk.output.map { .string($0) }
    return span
  }

  @Test func inputsAndOutputsAreFoundAndShown() async throws {
    var random = SystemRandomNumberGenerator()
    let talks = Self.talks(&random)
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      func check(_ what: String) async throws {
        for (column, texts) in [("input", talks.map(\.inputText)), ("output", talks.map(\.output))] {
          struct Row: Decodable {
            let number: Int
            let text: String?
          }
          let rows = try await store.query(
            "SELECT attributes['number'] AS number, \(column) AS text FROM spans ORDER BY start_time"
          ).decode(Row.self)
          #expect(rows.map(\.number) == Array(talks.indices) && rows.map(\.text) == texts, "\(column), \(what)")
          for needle in [
            "refund", "\"}, {\"", "\"}]}, {\"role\": \"us", "t", "helpful, number 2", "nowhere", "ünz", "[{", "}]",
          ] {
            let found = try await store.query(
              "SELECT attributes['number'] AS n FROM spans WHERE \(column) LIKE '%\(needle)%' ORDER BY start_time"
            ).decode(Int.self)
            let expected = talks.indices.filter { texts[$0]?.contains(needle) ?? false }
            #expect(found == expected, "\(column) LIKE '%\(needle)%', \(what)")
            let others = try await store.query(
              "SELECT count(*) AS n FROM spans WHERE \(column) NOT LIKE '%\(needle)%' AND attributes['number'] >= 10"
            ).decode(Int.self)
            #expect(
              others == [talks.indices.count { $0 >= 10 && !(texts[$0]?.contains(needle) ?? true) }],
              "\(column) NOT LIKE '%\(needle)%', \(what)")
          }
        }
        let upper = try await store.query("SELECT count(*) AS n FROM spans WHERE output ILIKE '%REFUND%'").decode(
          Int.self)
        #expect(upper == [talks.count { $0.output?.contains("refund") ?? false }])
      }
      for (number, talk) in talks.enumerated() where number < 20 { try await store.append([Self.span(talk, number)]) }
      try await store.flush()
      try await store.append(talks.enumerated().dropFirst(20).map { Self.span($0.element, $0.offset) })
      try await check("in memory and in a part")
      try await store.flush()
      try await store.optimize()
      #expect(store.statistics.memtableRows == 0 && store.statistics.contentSegments == 1)
      try await check("merged")
      try await store.close()
      let reader = try await SpanStore.open(at: path)
      let star = try await reader.query("SELECT * FROM spans LIMIT 1")
      #expect(star.columns.contains { $0.name == "end_time" } && !star.columns.contains { $0.name == "input" })
      try await reader.close()
    }
  }

  @Test func contentIsStoredOnce() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      let long = String(repeating: "what was said before ", count: 50)
      for number in 0..<50 {
        let talk = Talk(input: .string("[\(Self.message("user", long)), \(Self.message("user", "\(number) \(long)"))]"))
        try await store.append([Self.span(talk, number)])
      }
      try await store.flush()
      try await store.optimize()
      // Of each of two organisations: what all have, and what each has.
      #expect(store.statistics.contentPieces == 52)
      #expect(store.statistics.contentBytes < 50 * 200)
      try await store.close()
    }
  }
}
