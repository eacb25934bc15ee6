import Foundation
import Lintel
import LintelColumns
import LintelQuery
import LintelStorage
import Testing

@Suite("Erasure") struct ErasureTests {
  private func span(_ number: Int, user: String?, org: String = "acme") -> TraceSpan {
    var span = TraceSpan(
      name: "span \(number)", start: .init(nanoseconds: 1_800_000_000_000_000_000 + Int64(number)),
      duration: .milliseconds(number), traceID: UInt128(number / 2 + 1), spanID: UInt64(number + 1))
    span.userID = user
    span.orgID = org
    span.inputTokens = 1
    span.attributes["number"] = .int(Int64(number))
    if let user { span.attributes["only.\(user)"] = "said by \(user)" }
    return span
  }

  /// Ten users, two organisations; every tenth span has no user.
  private func spans(_ numbers: Range<Int>) -> [TraceSpan] {
    numbers.map { span($0, user: $0 % 11 == 10 ? nil : "user-\($0 % 11)", org: $0 % 2 == 0 ? "acme" : "initech") }
  }

  private func count(_ store: SpanStore, _ filter: String = "true") async throws -> Int {
    try await store.query("SELECT count(*) AS n FROM spans WHERE \(filter)").decode(Int.self)[0]
  }

  private func user(_ id: Int) -> String { "user_hash = hash_user('user-\(id)')" }

  private func withStore(
    _ change: (inout Configuration) -> Void = { _ in }, _ body: (SpanStore, String, Configuration) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { path in
      var configuration = Configuration()
      configuration.storage.blockRows = 64
      configuration.queryCacheSize = 1 << 20
      change(&configuration)
      let store = try await SpanStore.open(at: path, configuration: configuration)
      try await body(store, path, configuration)
      try? await store.close()
    }
  }

  /// Files, names and contents, that hold one of these byte strings.
  private func files(at path: String, holding patterns: [[UInt8]]) throws -> [String] {
    let names = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
    return try names.filter { name in
      var isDirectory: ObjCBool = false
      let file = path + "/" + name
      guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory), !isDirectory.boolValue else {
        return false
      }
      let data = try Data(contentsOf: URL(fileURLWithPath: file))
      return patterns.contains { data.range(of: Data($0)) != nil }
    }
  }

  @Test func rowsAreGoneAtOnceFromEveryAnswer() async throws {
    try await withStore { store, _, _ in
      try await store.append(spans(0..<600))
      try await store.flush()
      try await store.append(spans(600..<700))
      let all = try await count(store)
      let theirs = try await count(store, user(3))
      #expect(all == 700 && theirs > 60)
      let groups = "SELECT org_id, count(*) AS n, sum(input_tokens) AS s FROM spans GROUP BY org_id ORDER BY org_id"
      _ = try await store.query(groups)
      let answer = try await store.query("ERASE USER 'user-3'")
      #expect(answer.rowCount == 1)
      #expect(try await count(store) == all - theirs)
      #expect(try await count(store, user(3)) == 0)
      let rows = try await store.query("SELECT count(*) FILTER (WHERE user_hash IS NULL) AS n FROM spans")
      #expect(try rows.decode(Int.self)[0] == 63)
      let names = try await store.query("SELECT name FROM spans ORDER BY start_time").decode(String.self)
      #expect(names.count == all - theirs && !names.contains("span 3"))
      let tokens = try await store.query("SELECT sum(input_tokens) AS s, min(start_time) AS a FROM spans")
      #expect(try tokens.decode(Totals.self)[0].s == all - theirs)
      let children = try await store.query(
        "SELECT count(*) AS n FROM spans AS a JOIN SIBLING spans AS b WHERE a.user_hash = hash_user('user-3')")
      #expect(try children.decode(Int.self) == [0])
      #expect(
        try await count(store, "trace_id IN (SELECT trace_id FROM spans WHERE \(user(3)))") == 0)
    }
  }

  private struct Totals: Decodable { let s: Int }

  @Test func lateAndRetriedSpansStayOutAlsoAfterARestart() async throws {
    try await withStore { store, path, configuration in
      try await store.append(spans(0..<110))
      _ = try await store.query("ERASE USER 'user-3'")
      let again = try await store.append(spans(0..<110))
      #expect(again == AppendReceipt(stored: 0, duplicates: 100, erased: 10))
      let late = try await store.append([span(5000, user: "user-3"), span(5001, user: "user-4")])
      #expect(late == AppendReceipt(stored: 1, duplicates: 0, erased: 1))
      try await store.finishErasures()
      try await store.close()
      let reopened = try await SpanStore.open(at: path, configuration: configuration)
      #expect(try await count(reopened, user(3)) == 0)
      let third = try await reopened.append([span(5002, user: "user-3"), span(5003, user: "user-4")])
      #expect(third == AppendReceipt(stored: 1, duplicates: 0, erased: 1))
      #expect(reopened.statistics.erasedRows == 1)
      try await reopened.close()
    }
  }

  @Test func nothingOfTheUserIsLeftInAnyFile() async throws {
    try await withStore { store, path, _ in
      try await store.append(spans(0..<300))
      try await store.flush()
      try await store.append(spans(300..<600))
      try await store.flush()
      try await store.optimize()
      try await store.append(spans(600..<700))
      let hash = store.userHasher.hash("user-3")
      let bytes = (0..<16).map { UInt8(truncatingIfNeeded: hash >> UInt128(120 - 8 * $0)) }
      let digits = Array(String(hash, radix: 16).utf8)
      let patterns = [bytes, bytes.reversed(), digits, Array("user-3".utf8), Array("only.user-3".utf8)]
      #expect(try !files(at: path, holding: patterns).isEmpty)
      let others = "SELECT * FROM spans WHERE user_hash IS NULL OR user_hash <> hash_user('user-3') ORDER BY start_time"
      let before = ResultFormatter(.csv).bytes(try await store.query(others))
      _ = try await store.query("ERASE USER 'user-3'")
      try await store.finishErasures()
      #expect(try files(at: path, holding: patterns) == [])
      #expect(ResultFormatter(.csv).bytes(try await store.query(others)) == before)
      #expect(try await count(store) == 700 - 64)
      let status = try await store.query("SHOW ERASURES")
      #expect(try status.decode(Status.self) == [Status(erasure: 1, status: "erased", rows: 64)])
      let keys = try await store.query("SHOW ATTRIBUTES FROM spans").decode(Key.self).map(\.attribute)
      #expect(keys.contains("only.user-4") && !keys.contains("only.user-3"))
      #expect(store.problems == [])
    }
  }

  private struct Status: Decodable, Equatable {
    let erasure: Int
    let status: String
    let rows: Int
  }

  private struct Key: Decodable { let attribute: String }

  @Test func aReaderBesideTheWriterSeesThemNoMore() async throws {
    try await withStore { store, path, configuration in
      try await store.append(spans(0..<300))
      try await store.flush()
      try await store.append(spans(300..<400))
      var reading = configuration
      reading.isReadOnly = true
      let reader = try await SpanStore.open(at: path, configuration: reading)
      let theirs = try await count(reader, user(3))
      #expect(theirs > 30)
      _ = try await store.query("ERASE USER 'user-3'")
      #expect(try await count(reader, user(3)) == 0)
      #expect(try await count(reader) == 400 - theirs)
      try await store.finishErasures()
      #expect(try await count(reader) == 400 - theirs)
      await #expect(throws: LintelError.self) { try await reader.query("ERASE USER 'user-4'") }
      #expect(try await reader.query("SHOW ERASURES").rowCount == 1)
      try await reader.close()
    }
  }

  @Test func anOrganisationsRowsAloneCanBeErased() async throws {
    try await withStore { store, _, _ in
      try await store.append(spans(0..<300))
      try await store.flush()
      let elsewhere = try await count(store, user(3) + " AND org_id = 'initech'")
      _ = try await store.query("ERASE USER 'user-3' IN ORG 'acme'")
      #expect(try await count(store, user(3)) == elsewhere)
      try await store.finishErasures()
      #expect(try await count(store, user(3)) == elsewhere)
      let late = try await store.append([
        span(9000, user: "user-3", org: "acme"), span(9001, user: "user-3", org: "initech"),
      ])
      #expect(late == AppendReceipt(stored: 1, duplicates: 0, erased: 1))
    }
  }

  /// "é" is one scalar or two: to a tenant's column these are different names, and so they are to every rule.
  @Test func namesThatOnlyLookAlikeAreOthers() async throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    for isFlushed in [false, true] {
      try await withStore { store, _, _ in
        try await store.append([
          span(1, user: "user-1", org: composed), span(2, user: "user-1", org: decomposed),
          span(3, user: "user-2", org: composed), span(4, user: "user-2", org: decomposed),
        ])
        if isFlushed { try await store.flush() }
        let names = "SELECT name FROM spans ORDER BY start_time"
        _ = try await store.query("HOLD ORG '\(decomposed)'")
        let erased = try await store.query("ERASE USER 'user-1' IN ORG '\(composed)'")
        #expect(erased.rowCount == 1)
        #expect(try await store.query(names).decode(String.self) == ["span 2", "span 3", "span 4"])
        await #expect(throws: LintelError.self) {
          try await store.query("ERASE USER 'user-1' IN ORG '\(decomposed)'")
        }
        try await store.finishErasures()
        #expect(try await store.query(names).decode(String.self) == ["span 2", "span 3", "span 4"])
        let late = try await store.append([
          span(5, user: "user-1", org: composed), span(6, user: "user-1", org: decomposed),
        ])
        #expect(late == AppendReceipt(stored: 1, duplicates: 0, erased: 1))
        // The spans are from 2027.
        _ = try await store.query("ALTER TABLE spans SET RETENTION 100000d FOR ORG '\(composed)'")
        _ = try await store.query("ALTER TABLE spans SET RETENTION 90000d FOR ORG '\(decomposed)'")
        #expect(try await store.query("SHOW RETENTION").rowCount == 2)
      }
    }
  }

  /// What was hashed before must not decide what a user that looks alike is hashed to.
  @Test func usersThatOnlyLookAlikeAreOthers() {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    let hasher = UserHasher(secret: [1, 2, 3])
    let hashes = [composed, decomposed, composed].map { hasher.hash($0) }
    #expect(hashes[0] != hashes[1] && hashes[0] == hashes[2])
    #expect(UserHasher(secret: [1, 2, 3]).hash(decomposed) == hashes[1])
  }

  @Test func aDryRunTellsAndChangesNothing() async throws {
    try await withStore { store, _, _ in
      try await store.append(spans(0..<300))
      try await store.flush()
      try await store.append(spans(300..<330))
      let places = try await store.query("ERASE USER 'user-3', 'user-4' DRY RUN").decode(Place.self)
      #expect(places.map(\.tier).sorted() == ["hot", "memory"])
      #expect(places.reduce(0) { $0 + $1.rows } == 60 && places.allSatisfy { $0.users == 2 })
      #expect(try await count(store) == 330)
      #expect(try await store.query("SHOW ERASURES").rowCount == 0)
    }
  }

  private struct Place: Decodable {
    let tier: String
    let users: Int
    let rows: Int
  }

  @Test func aHoldForbidsAndIsAccountedFor() async throws {
    try await withStore { store, path, _ in
      try await store.append(spans(0..<100))
      _ = try await store.query("HOLD USER 'user-3' IN ORG 'acme' FOR 'case 17'")
      for text in ["ERASE USER 'user-3'", "ERASE USER 'user-4', 'user-3'", "ERASE USER 'user-3' IN ORG 'acme'"] {
        await #expect(throws: LintelError.self, "\(text)") { try await store.query(text) }
      }
      #expect(try await store.query("SHOW ERASURES").rowCount == 0)
      _ = try await store.query("ERASE USER 'user-3' IN ORG 'initech'")
      _ = try await store.query("HOLD ORG 'acme'")
      await #expect(throws: LintelError.self) { try await store.query("ERASE USER 'user-5'") }
      _ = try await store.query("RELEASE HOLD 1")
      await #expect(throws: LintelError.self) { try await store.query("RELEASE HOLD 1") }
      #expect(try await store.query("SHOW HOLDS").rowCount == 1)
      try await store.finishErasures()
      let log = try String(contentsOfFile: path + "/erasure/audit.log", encoding: .utf8)
      let kinds = log.split(separator: "\n").map { $0.split(separator: " ")[2] }
      // Files are cleared when it suits the store.
      #expect(
        kinds.filter { $0 != "erased" } == [
          "held", "refused", "refused", "refused", "requested", "held", "refused", "released",
        ])
      #expect(kinds.count { $0 == "erased" } == 1)
      #expect(!log.contains("user-3"))
    }
  }

  @Test func afterLiftingTheUserMayComeBack() async throws {
    try await withStore { store, _, _ in
      try await store.append(spans(0..<100))
      _ = try await store.query("ERASE USER 'user-3'")
      try await store.finishErasures()
      _ = try await store.query("LIFT ERASURE 1")
      await #expect(throws: LintelError.self) { try await store.query("LIFT ERASURE 1") }
      #expect(try await store.append([span(5000, user: "user-3")]).stored == 1)
      #expect(try await count(store, user(3)) == 1)
      _ = try await store.query("ERASE USER 'user-3'")
      #expect(try await count(store, user(3)) == 0)
    }
  }

  @Test func receiptsVerifyAnywhere() async throws {
    try await withStore { store, _, _ in
      try await store.append(spans(0..<100))
      try await store.flush()
      #expect(try await store.receipt(1) == nil)
      _ = try await store.query("ERASE USER 'user-3', 'user-5'")
      try await store.finishErasures()
      let receipt = try #require(try await store.receipt(2))
      let sound = try ReceiptCheck.check(receipt)
      #expect(sound.text.contains("\"result\":\"clean\"") && sound.text.contains("\"rows_erased\":18"))
      #expect(try ReceiptCheck.check(receipt, publicKey: sound.publicKey) == sound)
      #expect(throws: StorageError.self) {
        try ReceiptCheck.check(receipt, publicKey: String(repeating: "0", count: 64))
      }
      for place in stride(from: 0, to: receipt.count, by: 7) {
        var forged = receipt
        forged[place] ^= 1
        #expect(throws: StorageError.self, "byte \(place)") { try ReceiptCheck.check(forged) }
      }
    }
  }

  /// What a backup from before the erasure brings back is hidden at once, and erased again.
  @Test func aRestoredBackupBringsNobodyBack() async throws {
    try await withStore { store, path, configuration in
      try await store.append(spans(0..<200))
      try await store.flush()
      try await store.append(spans(200..<210))
      try await store.close()
      let files = FileManager.default
      let backup = path + "-backup"
      try files.copyItem(atPath: path, toPath: backup)
      defer { try? files.removeItem(atPath: backup) }
      let writer = try await SpanStore.open(at: path, configuration: configuration)
      _ = try await writer.query("ERASE USER 'user-3'")
      try await writer.finishErasures()
      try await writer.close()
      for folder in ["manifest", "hot", "wal"] {
        try files.removeItem(atPath: "\(path)/\(folder)")
        try files.copyItem(atPath: "\(backup)/\(folder)", toPath: "\(path)/\(folder)")
      }
      var reading = configuration
      reading.isReadOnly = true
      let reader = try await SpanStore.open(at: path, configuration: reading)
      #expect(try await count(reader, user(3)) == 0)
      #expect(try await count(reader) == 210 - 19)
      try await reader.close()
      let restored = try await SpanStore.open(at: path, configuration: configuration)
      #expect(try await count(restored, user(3)) == 0)
      #expect(try await count(restored) == 210 - 19)
      try await restored.finishErasures()
      #expect(try await count(restored) == 210 - 19)
      let hash = restored.userHasher.hash("user-3")
      let bytes = (0..<16).map { UInt8(truncatingIfNeeded: hash >> UInt128(120 - 8 * $0)) }
      #expect(try self.files(at: path, holding: [bytes, bytes.reversed()]) == [])
      try await restored.close()
      // The rules of before would let everybody in again: the store doesn't open with them.
      try files.removeItem(atPath: path + "/erasure")
      await #expect(throws: LintelError.self) { try await SpanStore.open(at: path, configuration: configuration) }
    }
  }

  @Test func exportsThatAnErasureOvertakesSaySo() async throws {
    try await withStore { store, _, _ in
      try await store.append(spans(0..<100))
      let export = try await store.export("EXPORT spans TO 'x'")
      _ = try await store.query("ERASE USER 'user-3'")
      #expect(throws: QueryError.self) { _ = try export.forEachBatch { _ in } }
      var rows = 0
      _ = try await store.export("EXPORT spans TO 'x'").forEachBatch { rows += $0.rowCount }
      #expect(rows == 91)
    }
  }
}
