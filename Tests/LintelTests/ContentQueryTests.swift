import Foundation
import LintelColumns
import LintelQuery
import LintelStorage
import Testing

@testable import Lintel

/// What queries over content cost, and what they answer where some of it can't be read.
@Suite("Queries over content") struct ContentQueryTests {
  private static func span(_ number: Int, _ attributes: [String: Variant]) -> TraceSpan {
    var span = TraceSpan(
      name: "chat", start: .init(nanoseconds: 1_800_000_000_000_000_000 + Int64(number)), duration: .seconds(1),
      traceID: UInt128(number + 1), spanID: UInt64(number + 1))
    span.orgID = "org"
    span.attributes["number"] = .int(Int64(number))
    for (key, value) in attributes { span.attributes[key] = value }
    return span
  }

  private static func message(_ words: String) -> String {
    "{\"role\": \"user\", \"content\": \"\(words), and enough of it to be a piece of content by itself\"}"
  }

  private struct Checked: Decodable {
    let problem: String?
  }

  // MARK: Damage

  /// One group that can't be read costs the values in it, never a row, and the answer says which file to mend.
  @Test func whatCannotBeReadIsNull() async throws {
    try await withTemporaryDirectory { path in
      var store = try await SpanStore.open(at: path)
      for part in 0..<2 {
        let spans = (0..<10).map { number in
          Self.span(
            10 * part + number,
            number == 9
              ? ["gen_ai.input.messages": .string("short")]
              : ["gen_ai.input.messages": .string("[\(Self.message("part \(part), number \(number)"))]")])
        }
        try await store.append(spans)
        try await store.flush()
      }
      try await store.close()
      let folder = URL(filePath: path).appending(path: "content")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
      try #require(names.count == 2)
      let file = folder.appending(path: names[0])
      let whole = try Data(contentsOf: file)
      var damaged = whole
      damaged[30] ^= 0x10
      try damaged.write(to: file)
      store = try await SpanStore.open(at: path)
      struct Row: Decodable, Equatable {
        let number: Int
        let input: String?
      }
      func ask(_ text: String) async throws -> QueryResult { try await store.query(text) }
      func isToldIn(_ result: QueryResult) -> Bool {
        result.warnings.count == 1 && result.warnings[0].contains("content/\(names[0])")
          && result.warnings[0].contains("is NULL")
      }
      let all = try await ask("SELECT attributes['number'] AS number, input FROM spans ORDER BY start_time")
      let rows = try all.decode(Row.self)
      #expect(rows.map(\.number) == Array(0..<20) && isToldIn(all))
      for row in rows {
        #expect((row.input == nil) == (row.number < 9))
        if row.number % 10 == 9 { #expect(row.input == "short") }
      }
      for (condition, expected) in [
        ("input LIKE '%number 3%'", [13]), ("input LIKE '%part%'", Array(10..<19)),
        ("NOT input LIKE '%number 3%'", [9, 10, 11, 12] + Array(14..<20)), ("input IS NULL", Array(0..<9)),
        ("length(input) > 20", Array(10..<19)), ("input LIKE 'short'", [9, 19]),
      ] {
        let found = try await ask(
          "SELECT attributes['number'] AS n FROM spans WHERE \(condition) ORDER BY start_time")
        #expect(try found.decode(Int.self) == expected && isToldIn(found), "\(condition)")
      }
      // What doesn't ask for content has nothing to say of it.
      let count = try await ask("SELECT count(*) AS n FROM spans")
      #expect(try count.decode(Int.self) == [20] && count.warnings.isEmpty)
      // Nothing of what couldn't be read is kept: once the file is back, so are the values.
      let lengths = "SELECT sum(length(input)) AS n FROM spans"
      let less = try await ask(lengths)
      #expect(isToldIn(less))
      try whole.write(to: file)
      try await store.close()
      store = try await SpanStore.open(at: path)
      let more = try await ask(lengths)
      #expect(more.warnings.isEmpty)
      #expect(try #require(more.decode(Int.self).first) > #require(less.decode(Int.self).first))
      // A file that is gone is named as well.
      try await store.close()
      try FileManager.default.removeItem(at: file)
      store = try await SpanStore.open(at: path)
      let without = try await ask("SELECT attributes['number'] AS number, input FROM spans ORDER BY start_time")
      #expect(try without.decode(Row.self) == rows)
      #expect(without.warnings.count == 1 && without.warnings[0].contains("content/\(names[0])"))
      #expect(without.warnings[0].contains("9 of them"))
      #expect(
        store.problems.count == 2 && store.problems.allSatisfy { $0.path?.contains("content/\(names[0])") == true })
      // Once it is back, and has been looked at, all is well.
      try whole.write(to: file)
      #expect(try await store.query("CHECK").decode(Checked.self).allSatisfy { $0.problem == nil })
      #expect(store.problems.isEmpty)
      let mended = try await ask(lengths)
      #expect(mended.warnings.isEmpty && ResultFormatter(.csv).bytes(mended) == ResultFormatter(.csv).bytes(more))
      // The same where the file that is open is the damaged one.
      try damaged.write(to: file)
      #expect(try await store.query("CHECK").decode(Checked.self).count { $0.problem != nil } == 1)
      #expect(store.problems.count == 1)
      try whole.write(to: file)
      #expect(try await store.query("CHECK").decode(Checked.self).allSatisfy { $0.problem == nil })
      #expect(store.problems.isEmpty)
      try await store.close()
    }
  }

  /// Who reads beside the writer opens without files that are gone, says so, and sees them when they are back.
  @Test func readersGoOnWithoutMissingFiles() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      for part in 0..<2 {
        try await store.append([
          Self.span(part, ["gen_ai.input.messages": .string("[\(Self.message("part \(part)"))]")])
        ])
        try await store.flush()
      }
      try await store.close()
      var configuration = Configuration()
      configuration.isReadOnly = true
      for folder in ["content", "hot"] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
        let name = "\(folder)/\(try #require(names.first))"
        try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: path + "-aside")
        let reader = try await SpanStore.open(at: path, configuration: configuration)
        func inputs() async throws -> ([String?], [String]) {
          let result = try await reader.query("SELECT input FROM spans ORDER BY start_time")
          return (try result.decode(String?.self), result.warnings)
        }
        let (shown, warnings) = try await inputs()
        let rest = "[\(Self.message("part 1"))]"
        #expect(shown == (folder == "content" ? [nil, rest] : [rest]))
        #expect(warnings.count == 1 && warnings.first?.contains(name) == true)
        #expect(reader.problems.contains { $0.path?.hasSuffix(name) == true })
        try FileManager.default.moveItem(atPath: path + "-aside", toPath: "\(path)/\(name)")
        let (all, none) = try await inputs()
        #expect(all == ["[\(Self.message("part 0"))]", rest] && none == [] && reader.problems == [])
        try await reader.close()
      }
    }
  }

  // MARK: What was sent

  /// An empty value says nothing, so that the next attribute counts; bytes are what they are.
  @Test func whatSaysNothingIsNotShown() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      let long = Self.message("as bytes")
      try await store.append([
        Self.span(0, ["gen_ai.input.messages": .empty, "gen_ai.output.messages": .empty]),
        Self.span(1, ["gen_ai.input.messages": .empty, "input.value": .string("asked")]),
        Self.span(2, ["gen_ai.input.messages": .bytes(Array("short".utf8)), "input.value": .string("not this")]),
        Self.span(3, ["gen_ai.input.messages": .bytes(Array(long.utf8))]),
        Self.span(4, ["gen_ai.input.messages": .bytes([0xFF, 0x00])]),
        Self.span(5, ["gen_ai.input.messages": .array([.empty, .string("x")])]),
        Self.span(6, ["gen_ai.input.messages": .string("null")]),
      ])
      for _ in 0..<2 {
        let shown = try await store.query("SELECT input FROM spans ORDER BY start_time").decode(String?.self)
        #expect(shown == [nil, "asked", "short", long, "/wA=", #"[null,"x"]"#, "null"])
        #expect(try await store.query("SELECT count(output) AS n FROM spans").decode(Int.self) == [0])
        func numbers(_ condition: String) async throws -> [Int] {
          try await store.query("SELECT attributes['number'] AS n FROM spans WHERE \(condition) ORDER BY start_time")
            .decode(Int.self)
        }
        #expect(try await numbers("input LIKE '%ull%'") == [5, 6])
        #expect(try await numbers("input LIKE '%as bytes%'") == [3])
        #expect(try await numbers("input LIKE '\"%'") == [])
        #expect(try await numbers("input IS NULL") == [0])
        // The attribute itself is there, and is empty.
        #expect(try await numbers("attributes['gen_ai.input.messages'] IS NULL") == [])
        try await store.flush()
      }
      try await store.close()
    }
  }

  /// Clients that send each field of each message as an attribute: long ones are in the content store, short ones aren't, and
  /// the whole is one list again, in the order of its numbers.
  @Test func numberedMessagesAreInput() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      let long = String(repeating: "what was asked at length ", count: 9)
      func messages(_ count: Int) -> [String: Variant] {
        var attributes: [String: Variant] = ["llm.output_messages.0.message.content": .string(long + "answered")]
        for number in 0..<count {
          let name = "llm.input_messages.\(number).message"
          attributes["\(name).role"] = .string(number % 2 == 0 ? "user" : "assistant")
          attributes["\(name).content"] = .string("\(long)\(number)")
        }
        return attributes
      }
      func shown(_ count: Int) -> String {
        let all = (0..<count).map { number in
          #"{"message":{"content":"\#(long)\#(number)","role":"\#(number % 2 == 0 ? "user" : "assistant")"}}"#
        }
        return "[\(all.joined(separator: ","))]"
      }
      try await store.append([
        Self.span(0, messages(1)), Self.span(1, messages(12)),
        Self.span(2, ["gen_ai.prompt.0.content": .string("hello"), "gen_ai.prompt.name": .string("greeting")]),
        Self.span(3, ["gen_ai.prompt.name": .string("greeting"), "llm.input_messages.version": .int(2)]),
        Self.span(4, messages(2).merging(["gen_ai.input.messages": .string("first")]) { first, _ in first }),
      ])
      for _ in 0..<2 {
        let inputs = try await store.query("SELECT input FROM spans ORDER BY start_time").decode(String?.self)
        #expect(inputs == [shown(1), shown(12), #"[{"content":"hello"}]"#, nil, "first"])
        func numbers(_ condition: String) async throws -> [Int] {
          try await store.query("SELECT attributes['number'] AS n FROM spans WHERE \(condition) ORDER BY start_time")
            .decode(Int.self)
        }
        #expect(try await numbers("input LIKE '%length 11\"%'") == [1])
        #expect(try await numbers("output LIKE '%answered%'") == [0, 1, 4])
        #expect(
          try await numbers("unflatten(attributes, 'llm.input_messages')[1]['message']['role'] = 'assistant'") == [
            1, 4,
          ])
        #expect(try await numbers("unflatten(attributes, 'llm.input_messages')['version'] = 2") == [3])
        try await store.flush()
      }
      try await store.close()
    }
  }

  // MARK: Looking around

  /// What content takes is shown where all else is, and counted where it is read.
  @Test func contentIsShownAndCounted() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      let structured = Variant.array([.map([.init("content", .string(Self.message("structured")))])])
      try await store.append([
        Self.span(0, ["gen_ai.input.messages": .string("[\(Self.message("as text"))]")]),
        Self.span(1, ["gen_ai.input.messages": structured]), Self.span(2, ["gen_ai.input.messages": .string("short")]),
      ])
      try await store.flush()
      struct Part: Decodable {
        let table: String
        let part: String
        let bytes: Int
        let pieces: Int?
      }
      let parts = try await store.query("SHOW PARTS").decode(Part.self)
      #expect(parts.map(\.table) == ["spans", "content"] && parts.map(\.pieces) == [nil, 2])
      #expect(parts.last?.part.hasPrefix("content/") == true && parts.last?.bytes == store.statistics.contentBytes)
      #expect(try await store.query("SHOW PARTS FROM spans").rowCount == 2)
      struct Column: Decodable {
        let column: String
        let type: String
        let bytes: Int
        let values: Int
      }
      let columns = try await store.query("DESCRIBE STORAGE spans").decode(Column.self)
      #expect(Set(columns.map { "\($0.column) \($0.type)" }).count == columns.count)
      #expect(columns.first { $0.column == "(content)" }?.values == 2)
      let messages = columns.filter { $0.column.contains("gen_ai.input.messages") }
      #expect(
        Set(messages.map { "\($0.column) \($0.type)" }) == [
          "attributes['gen_ai.input.messages'] string", "attributes['gen_ai.input.messages'] (recipes) string",
          "attributes['gen_ai.input.messages'] (recipes) any",
        ])
      #expect(columns.reduce(0) { $0 + $1.bytes } == parts.reduce(0) { $0 + $1.bytes })
      func bytes(_ query: String) async throws -> Int { try await store.query(query).statistics.bytesRead }
      let less = try await bytes(
        "SELECT attributes['gen_ai.input.messages'] IS NULL AS n FROM spans WHERE name = 'none'")
      let more = try await bytes("SELECT input FROM spans")
      let searched = try await bytes("SELECT count(*) AS n FROM spans WHERE input LIKE '%structured%'")
      let stored = store.statistics.contentBytes
      #expect(less < stored && more > less + stored / 2 && searched > less + stored / 2)
      try await store.close()
    }
  }

  // MARK: Memory

  /// Many large values that are one on the disk: putting them together takes a share of the query's memory at a time.
  @Test func largeValuesArePutTogetherAFewAtATime() async throws {
    try await withTemporaryDirectory { path in
      var configuration = Configuration()
      configuration.queryMemoryLimit = 4 << 20
      configuration.queryThreads = 2
      let store = try await SpanStore.open(at: path, configuration: configuration)
      let text = Self.message(String(repeating: "long ", count: 12_000))
      let count = 400
      for start in stride(from: 0, to: count, by: 40) {
        try await store.append(
          (start..<start + 40).map { number in
            Self.span(
              number,
              [
                "gen_ai.input.messages": .string(
                  number % 8 == 0 ? "[\(text), \(Self.message("\(number)"))]" : "[\(text)]")
              ])
          })
      }
      try await store.flush()
      for (query, expected) in [
        ("SELECT count(*) AS n FROM spans WHERE length(input) > 60000", count),
        ("SELECT count(*) AS n FROM spans WHERE input ILIKE '%LONG%'", count),
        ("SELECT count(*) AS n FROM spans WHERE input ~ '\"8, and'", 1),
        ("SELECT count(*) AS n FROM spans WHERE input LIKE '%content\": \"8, and%'", 1),
        ("SELECT count(*) AS n FROM spans WHERE input LIKE '[{%'", count),
        ("SELECT count(DISTINCT length(input)) AS n FROM spans", 4),
        ("SELECT max(length(input)) - min(length(input)) AS n FROM spans", Self.message("392").utf8.count + 2),
      ] {
        let result = try await store.query(query)
        #expect(try result.decode(Int.self) == [expected], "\(query)")
        #expect(result.statistics.peakBytes <= 4 << 20, "\(query)")
      }
      // Twenty million bytes of answer are refused before they are there.
      var error: LintelError?
      do throws(LintelError) { _ = try await store.query("SELECT input FROM spans") } catch let caught {
        error = caught
      }
      guard case .query(let refused) = error else { throw try #require(error) }
      #expect(refused.code == .limitExceeded)
      let few = try await store.query("SELECT input FROM spans ORDER BY start_time LIMIT 3")
      #expect(try few.decode(String.self) == ["[\(text), \(Self.message("0"))]", "[\(text)]", "[\(text)]"])
      try await store.close()
    }
  }

  // MARK: Search

  /// Clients that keep inputs under different keys, as text and structured, in one store.
  @Test func messagesAreSearchedWithoutBeingPutTogether() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      let texts = (0..<60).map { number in
        "[" + (0...number % 5).map { Self.message("turn \($0) of \(number / 5)") }.joined(separator: ", ") + "]"
      }
      try await store.append(
        texts.enumerated().map { number, text in
          switch number % 3 {
          case 0: Self.span(number, ["gen_ai.input.messages": .string(text)])
          case 1: Self.span(number, ["input.value": .string(text), "gen_ai.completion": .string(text)])
          default: Self.span(number, ["ai.prompt": .string(text), "input.value": .string("short \(number)")])
          }
        })
      // Few are structured: those alone are put together.
      let structured = Variant.array([.map([.init("content", .string(Self.message("turn 4 of structured")))])])
      try await store.append([Self.span(60, ["gen_ai.input.messages": structured])])
      try await store.flush()
      let shown = try await store.query("SELECT input FROM spans ORDER BY start_time").decode(String?.self)
      for needle in ["turn 4", "of 3,", "\"}, {\"", "short 5", "nowhere"] {
        for (condition, isMeant) in [("LIKE", true), ("NOT LIKE", false)] {
          let plan = try store.engine.plan(
            "SELECT attributes['number'] AS n FROM spans WHERE input \(condition) '%\(needle)%' ORDER BY start_time")
          let snapshot = try await store.snapshot()
          let result = try Executor.run(
            plan, on: snapshot, options: ExecutionOptions(), cancellation: CancellationToken())
          let expected = shown.indices.filter { shown[$0].map { $0.contains(needle) == isMeant } ?? false }
          #expect(try result.decode(Int.self) == expected, "\(condition) \(needle)")
          #expect(snapshot.damage.rebuiltBytes < 1000, "\(condition) \(needle)")
        }
      }
      let snapshot = try await store.snapshot()
      _ = try Executor.run(
        try store.engine.plan("SELECT count(*) AS n FROM spans WHERE input ILIKE '%turn 4%'"), on: snapshot,
        options: ExecutionOptions(), cancellation: CancellationToken())
      #expect(snapshot.damage.rebuiltBytes > 5000)
      try await store.close()
    }
  }
}
