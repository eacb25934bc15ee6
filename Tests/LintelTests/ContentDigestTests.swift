import LintelColumns
import LintelQuery
import LintelStorage
import Synchronization
import Testing

@testable import Lintel

/// A message by its digest, and whose it may be.
@Suite("Messages by digest") struct ContentDigestTests {
  private static let epoch: Int64 = 1_800_000_000_000_000_000

  private static func span(_ number: Int, user: String, org: String?, _ messages: Variant, key: String) -> TraceSpan {
    var span = TraceSpan(
      name: "chat \(number)", start: .init(nanoseconds: epoch + Int64(number) * 1_000_000_000), duration: .seconds(1),
      traceID: UInt128(number + 1), spanID: 1)
    span.orgID = org
    span.userID = user
    span.attributes[key] = messages
    return span
  }

  private static func message(_ words: String) -> String {
    "{\"role\": \"user\", \"content\": \"\(words), and enough of it to be a piece of content by itself\"}"
  }

  private static func said(_ words: String...) -> Variant { .string("[\(words.map(message).joined(separator: ", "))]") }

  private func digests(_ store: SpanStore, _ number: Int, _ column: String = "input_digests") async throws -> [String] {
    let text = try await store.query("SELECT CAST(\(column) AS string) AS d FROM spans WHERE name = 'chat \(number)'")
      .decode(String?.self)
    guard let text = text.first.flatMap(\.self) else { return [] }
    return text.split(whereSeparator: { !$0.isHexDigit }).map(String.init)
  }

  private func content(_ store: SpanStore, _ digest: String, _ org: String? = nil) async throws -> String? {
    let organisation = org.map { ", '\($0)'" } ?? ""
    return try await store.query("SELECT content('\(digest)'\(organisation)) AS c").decode(String?.self).first
      .flatMap(\.self)
  }

  @Test func aMessageIsFoundInItsOrganisationAlone() async throws {
    try await withTemporaryDirectory { path in
      var store = try await SpanStore.open(at: path)
      let structured = Variant.array([
        .map([.init("role", .string("user")), .init("content", .string(String(repeating: "structured ", count: 10)))])
      ])
      try await store.append([
        Self.span(0, user: "u", org: "acme", Self.said("first", "second"), key: "gen_ai.input.messages"),
        Self.span(1, user: "u", org: "initech", Self.said("first"), key: "input.value"),
        Self.span(2, user: "u", org: nil, Self.said("first"), key: "gen_ai.output.messages"),
        Self.span(3, user: "u", org: "acme", structured, key: "gen_ai.input.messages"),
        Self.span(4, user: "u", org: "acme", .string("short"), key: "gen_ai.input.messages"),
      ])
      for state in ["memory", "parts", "merged", "reopened", "beside"] {
        let writer = store
        if state == "parts" { try await store.flush() }
        if state == "merged" { try await store.optimize() }
        if state == "reopened" {
          try await store.close()
          store = try await SpanStore.open(at: path)
        }
        if state == "beside" {
          var configuration = Configuration()
          configuration.isReadOnly = true
          store = try await SpanStore.open(at: path, configuration: configuration)
        }
        let acme = try await digests(store, 0)
        let initech = try await digests(store, 1)
        let nobody = try await digests(store, 2, "output_digests")
        #expect(acme.count == 2 && initech.count == 1 && nobody.count == 1 && Set(acme + initech + nobody).count == 4)
        #expect(try await digests(store, 0, "digests(attributes['gen_ai.input.messages'])") == acme)
        #expect(try await digests(store, 4) == [])
        #expect(try await content(store, acme[0], "acme") == Self.message("first"), "\(state)")
        #expect(try await content(store, acme[1].uppercased(), "acme") == Self.message("second"), "\(state)")
        #expect(try await content(store, initech[0], "initech") == Self.message("first"), "\(state)")
        #expect(try await content(store, nobody[0]) == Self.message("first"), "\(state)")
        for (digest, org) in [
          (acme[0], "initech"), (acme[0], nil), (initech[0], "acme"), (nobody[0], "acme"), (nobody[0], ""),
          (String(repeating: "0", count: 32), "acme"),
        ] as [(String, String?)] {
          #expect(try await content(store, digest, org) == nil, "\(state)")
        }
        let third = try #require(try await digests(store, 3).first)
        let shown = try #require(try await content(store, third, "acme"))
        #expect(
          try await store.query("SELECT input FROM spans WHERE name = 'chat 3'").decode(String.self) == ["[\(shown)]"])
        if state == "beside" {
          try await store.close()
          store = writer
        }
      }
      for wrong in [
        "content('12', 'a')", "content('+0000000000000000000000000000000')", "content(name)", "digests(name)",
      ] {
        await #expect(throws: LintelError.self, "\(wrong)") { try await store.query("SELECT \(wrong) AS c FROM spans") }
      }
      try await store.close()
    }
  }

  /// What no row that can be seen says is not to be had by its digest either, long before it is swept.
  @Test(arguments: [false, true])
  func whatIsHiddenIsNotFound(isFlushed: Bool) async throws {
    try await withTemporaryDirectory { path in
      let now = Mutex(Self.epoch + 10_000_000_000)
      let store = try await SpanStore.open(at: path, clock: { now.withLock { $0 } })
      try await store.append([
        Self.span(0, user: "a", org: "acme", Self.said("of a", "shared"), key: "gen_ai.input.messages"),
        Self.span(1, user: "b", org: "acme", Self.said("shared", "of b"), key: "gen_ai.input.messages"),
      ])
      if isFlushed { try await store.flush() }
      let (first, second) = (try await digests(store, 0), try await digests(store, 1))
      #expect(first.count == 2 && second.count == 2 && first[1] == second[0])
      #expect(try await content(store, first[0], "acme") == Self.message("of a"))
      _ = try await store.query("ERASE USER 'a' IN ORG 'acme'")
      #expect(try await content(store, first[0], "acme") == nil)
      #expect(try await content(store, first[1], "acme") == Self.message("shared"))
      #expect(try await content(store, second[1], "acme") == Self.message("of b"))
      try await store.finishErasures()
      #expect(try await content(store, second[1], "acme") == Self.message("of b"))
      _ = try await store.query("ALTER TABLE spans SET RETENTION 1h")
      #expect(try await content(store, second[1], "acme") == Self.message("of b"))
      now.withLock { $0 = Self.epoch + 3_602_000_000_000 }
      #expect(try await content(store, second[1], "acme") == nil)
      try await store.close()
    }
  }
}
