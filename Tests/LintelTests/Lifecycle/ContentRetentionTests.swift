import Foundation
import LintelColumns
import LintelQuery
import LintelStorage
import Synchronization
import Testing

@testable import Lintel

/// What was said goes before the spans that said it.
@Suite("Retention of content") struct ContentRetentionTests {
  private static let epoch: Int64 = 1_800_000_000_000_000_000
  private static let hour: Int64 = 3_600_000_000_000

  private static func message(_ words: String) -> String {
    "{\"role\": \"user\", \"content\": \"\(words), and enough of it to be a piece of content by itself\"}"
  }

  /// One span an hour; in each second one what is said is short.
  private static func span(_ number: Int) -> TraceSpan {
    var span = TraceSpan(
      name: "chat \(number)", start: .init(nanoseconds: epoch + Int64(number) * hour), duration: .seconds(1),
      traceID: UInt128(number + 1), spanID: 1)
    span.orgID = number % 4 < 2 ? "acme" : "initech"
    span.attributes["number"] = .int(Int64(number))
    span.attributes["gen_ai.input.messages"] = .string(
      number % 2 == 0 ? "[\(message("asked \(number)."))]" : "asked \(number).")
    span.attributes["gen_ai.output.messages"] = .array([
      .map([.init("content", .string(number % 2 == 0 ? String(repeating: "answer \(number). ", count: 9) : "answer"))])
    ])
    return span
  }

  private struct Row: Decodable, Equatable {
    let number: Int
    let input: String?
    let output: String?
  }

  private func rows(_ store: SpanStore) async throws -> [Row] {
    try await store.query("SELECT attributes['number'] AS number, input, output FROM spans ORDER BY start_time")
      .decode(Row.self)
  }

  private func numbers(_ store: SpanStore, _ condition: String) async throws -> [Int] {
    try await store.query("SELECT attributes['number'] AS n FROM spans WHERE \(condition) ORDER BY start_time")
      .decode(Int.self)
  }

  private func files(at path: String) throws -> String {
    let names = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
    return names.filter { $0.hasSuffix(".part") || $0.hasSuffix(".log") }
      .compactMap { FileManager.default.contents(atPath: "\(path)/\($0)") }
      .map { String(decoding: $0, as: UTF8.self) }.joined()
  }

  private func withStore(_ body: (SpanStore, String, Clock) async throws -> Void) async throws {
    try await withTemporaryDirectory { path in
      let now = Clock(Self.epoch + Self.hour)
      var configuration = Configuration()
      configuration.queryCacheSize = 1 << 20
      configuration.storage.blockRows = 4
      let store = try await SpanStore.open(at: path, configuration: configuration, clock: { now.time })
      do {
        try await body(store, path, now)
      } catch {
        try? await store.close()
        throw error
      }
      try await store.close()
    }
  }

  private final class Clock: Sendable {
    private let nanoseconds: Mutex<Int64>

    init(_ time: Int64) { nanoseconds = Mutex(time) }

    var time: Int64 {
      get { nanoseconds.withLock { $0 } }
      set { nanoseconds.withLock { $0 = newValue } }
    }
  }

  @Test(arguments: [false, true])
  func contentIsGoneToTheSecondAndSpansStay(isFlushed: Bool) async throws {
    try await withStore { store, path, now in
      try await store.append((0..<12).map(Self.span))
      if isFlushed {
        try await store.flush()
        try await store.optimize()
      }
      let all = try await rows(store)
      #expect(all.count == 12 && all.allSatisfy { $0.input != nil && $0.output != nil })
      struct Digests: Decodable { let d: String? }
      let digest = try await store.query("SELECT input_digests[0]::string AS d FROM spans WHERE name = 'chat 0'")
        .decode(Digests.self).first?.d
      let first = try #require(digest)
      func byDigest() async throws -> String? {
        try await store.query("SELECT content('\(first)', 'acme') AS c").decode(String?.self).first.flatMap(\.self)
      }
      #expect(try await byDigest() == Self.message("asked 0."))
      _ = try await store.query("ALTER TABLE spans SET CONTENT RETENTION 10h")
      let longer = try await store.query("ALTER TABLE spans SET CONTENT RETENTION 12h FOR ORG 'initech'")
      #expect(
        longer.columns.map(\.name) == ["table", "org_id", "retention", "content_retention"] && longer.rowCount == 2)
      for (time, gone) in [
        (10 * Self.hour - 1_000_000_000, []), (10 * Self.hour, [0]), (11 * Self.hour, [0, 1]),
        (14 * Self.hour - 1_000_000_000, [0, 1]), (14 * Self.hour, [0, 1, 2, 4]),
      ] as [(Int64, [Int])] {
        // A span is past its time when that is over.
        now.time = Self.epoch + time + 1
        let expected = all.map { gone.contains($0.number) ? Row(number: $0.number, input: nil, output: nil) : $0 }
        #expect(try await rows(store) == expected, "\(time / Self.hour) h")
        let left = expected.filter { $0.input != nil }.map(\.number)
        #expect(try await numbers(store, "input IS NULL") == gone)
        #expect(try await numbers(store, "input LIKE '%asked%'") == left)
        #expect(try await numbers(store, "output LIKE '%answer%'") == left)
        #expect(
          try await numbers(store, "length(input) > 0 AND attributes['gen_ai.input.messages'] ILIKE '%ASKED%'") == left)
        #expect(try await numbers(store, "input = 'asked 1.'") == (gone.contains(1) ? [] : [1]))
        #expect(try await byDigest() == (gone.contains(0) ? nil : Self.message("asked 0.")))
        var exported: [String: Int] = [:]
        let warnings = try await store.export("EXPORT spans TO 'x'").forEachBatch { batch in
          exported["rows", default: 0] += batch.rowCount
          for column in batch.attributes { exported[column.key.name, default: 0] += column.rows.count }
        }
        #expect(
          warnings == [] && exported["rows"] == 12 && exported["number"] == 12
            && exported["gen_ai.input.messages"] == left.count)
        #expect(try await store.query("SELECT count(*) AS n FROM spans").decode(Int.self) == [12])
      }
    }
  }

  /// From the disk it goes soon after: short texts in the rows, long ones in the content store, and nothing else.
  @Test func filesFollow() async throws {
    try await withStore { store, path, now in
      try await store.append((0..<12).map(Self.span))
      try await store.flush()
      try await store.optimize()
      let all = try await rows(store)
      #expect(try files(at: path).contains("asked 1.") && store.statistics.contentPieces == 12)
      _ = try await store.query("HOLD ORG 'acme'")
      _ = try await store.query("ALTER TABLE spans SET CONTENT RETENTION 10h")
      // Of all of them, and long ago.
      now.time = Self.epoch + 60 * Self.hour
      try await store.expire()
      #expect(try await rows(store).allSatisfy { $0.input == nil && $0.output == nil })
      // What is under a legal hold is hidden, and stays.
      let held = try files(at: path)
      #expect(
        held.contains("asked 1.") && held.contains("asked 5.") && !held.contains("asked 3.")
          && !held.contains("asked 7."))
      #expect(store.statistics.contentPieces == 6)
      _ = try await store.query("RELEASE HOLD 1")
      try await store.expire()
      #expect(try !files(at: path).contains("asked") && store.statistics.contentPieces == 0)
      #expect(try await numbers(store, "true") == Array(0..<12))
      #expect(try await rows(store).map(\.number) == all.map(\.number))
      // Nothing is left to do, and nothing is damaged.
      let written = store.statistics.writtenPartBytes
      try await store.expire()
      #expect(store.statistics.writtenPartBytes == written && store.problems == [])
      try await store.optimize()
      #expect(try await numbers(store, "input IS NULL") == Array(0..<12))
      // What comes now is kept again when nobody says otherwise.
      _ = try await store.query("ALTER TABLE spans SET CONTENT RETENTION NONE")
      #expect(try await numbers(store, "input IS NOT NULL") == [])
      try await store.append([Self.span(12)])
      #expect(try await numbers(store, "input IS NOT NULL") == [12])
      #expect(try await store.query("SHOW RETENTION").rowCount == 0)
    }
  }

  /// A part of which only some rows have lost their content becomes two, and one again.
  @Test func aPartIsDividedWhereItMustBe() async throws {
    try await withStore { store, path, now in
      try await store.append((0..<12).map(Self.span))
      try await store.flush()
      let all = try await rows(store)
      _ = try await store.query("ALTER TABLE spans SET CONTENT RETENTION 10h FOR ORG 'acme'")
      now.time = Self.epoch + 60 * Self.hour
      let expected = all.map { $0.number % 4 < 2 ? Row(number: $0.number, input: nil, output: nil) : $0 }
      #expect(try await rows(store) == expected)
      try await store.expire()
      #expect(try await rows(store) == expected)
      #expect(try !files(at: path).contains("asked 1.") && files(at: path).contains("asked 3."))
      #expect(store.statistics.contentPieces == 6)
      try await store.optimize()
      #expect(try await rows(store) == expected)
      var configuration = Configuration()
      configuration.isReadOnly = true
      let reader = try await SpanStore.open(at: path, configuration: configuration, clock: { now.time })
      #expect(try await rows(reader) == expected)
      try await reader.close()
      #expect(store.problems == [])
    }
  }
}
