import Lintel
import LintelColumns
import LintelQuery
import LintelStorage
import Testing

@Suite struct SpanStoreTests {
  struct Row: Decodable, Equatable {
    let name: String
    let app: String?
    let duration: Int64
    let status: String
    let tier: String?
  }

  private func span(_ number: Int) -> TraceSpan {
    var span = TraceSpan(
      name: "span \(number)", start: .init(nanoseconds: 1_800_000_000_000_000_000 + Int64(number)),
      duration: .milliseconds(number), traceID: UInt128(number / 4 + 1), spanID: UInt64(number + 1))
    span.appID = number.isMultiple(of: 2) ? "app" : nil
    span.status = number.isMultiple(of: 5) ? .error : .ok
    span.userID = "user-\(number % 3)"
    span.inputTokens = UInt32(number)
    span.attributes["tier"] = number.isMultiple(of: 3) ? "gold" : nil
    span.attributes["number"] = .int(Int64(number))
    return span
  }

  @Test func whatIsAppendedIsVisibleAndSurvivesReopening() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      let receipt = try await store.append((0..<100).map(span))
      #expect(receipt == AppendReceipt(stored: 100, duplicates: 0))
      #expect(try await store.query("SELECT count(*) AS n FROM spans").decode(Int.self) == [100])
      try await store.close()

      let reopened = try await SpanStore.open(at: path)
      #expect(try await reopened.query("SELECT count(*) AS n FROM spans").decode(Int.self) == [100])
      let rows = try await reopened.query(
        """
        SELECT name, app_id AS app, duration, status, attributes['tier'] AS tier FROM spans
        WHERE attributes['number'] IN (0, 1, 3) ORDER BY start_time
        """
      ).decode(Row.self)
      #expect(
        rows == [
          Row(name: "span 0", app: "app", duration: 0, status: "error", tier: "gold"),
          Row(name: "span 1", app: nil, duration: 1_000_000, status: "ok", tier: nil),
          Row(name: "span 3", app: nil, duration: 3_000_000, status: "ok", tier: "gold"),
        ])
      try await reopened.close()
    }
  }

  @Test func aRetriedBatchIsStoredOnceAlsoAcrossARestart() async throws {
    try await withTemporaryDirectory { path in
      let spans = (0..<10).map(span)
      let store = try await SpanStore.open(at: path)
      try await store.append(spans)
      #expect(try await store.append(spans) == AppendReceipt(stored: 0, duplicates: 10))
      try await store.close()
      let reopened = try await SpanStore.open(at: path)
      #expect(try await reopened.append(spans + [span(10)]) == AppendReceipt(stored: 1, duplicates: 10))
      try await reopened.close()
    }
  }

  @Test func usersAreFoundByTheirHashAlone() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      try await store.append((0..<9).map(span))
      let text = "SELECT count(*) AS n FROM spans WHERE user_hash = hash_user('user-1')"
      #expect(try await store.query(text).decode(Int.self) == [3])
      try await store.close()
      let reopened = try await SpanStore.open(at: path)
      #expect(try await reopened.query(text).decode(Int.self) == [3], "the secret must survive")
      try await reopened.close()
    }
  }

  @Test func aReaderBesideTheWriterSeesWhatIsAcknowledged() async throws {
    try await withTemporaryDirectory { path in
      let writer = try await SpanStore.open(at: path)
      try await writer.append([span(1)])
      var configuration = Configuration()
      configuration.isReadOnly = true
      let reader = try await SpanStore.open(at: path, configuration: configuration)
      let count = "SELECT count(*) AS n FROM spans"
      #expect(try await reader.query(count).decode(Int.self) == [1])
      try await writer.append([span(2)])
      #expect(try await reader.query(count).decode(Int.self) == [2])
      try await writer.flush()
      try await writer.append([span(3)])
      #expect(try await reader.query(count).decode(Int.self) == [3])
      await #expect(throws: LintelError.self) { try await reader.append([span(4)]) }
      try await reader.close()
      try await writer.close()
    }
  }

  @Test func errorsCanBeSwitchedOver() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      do throws(LintelError) {
        _ = try await store.query("SELECT nam FROM spans")
        Issue.record("an unknown column must be an error")
      } catch {
        guard case .query(let error) = error else { throw error }
        #expect(error.code == .binding && error.offset == 7)
      }
      do throws(LintelError) {
        _ = try await SpanStore.open(at: path)
        Issue.record("a second writer must be refused")
      } catch {
        guard case .storage(let error) = error else { throw error }
        #expect(error.code == .locked)
      }
      var zero = span(1)
      zero.traceID = 0
      await #expect(throws: LintelError.self) { try await store.append([zero]) }
      try await store.close()
      do throws(LintelError) {
        try await store.append([span(1)])
        Issue.record("a closed store must refuse")
      } catch {
        guard case .storage(let error) = error else { throw error }
        #expect(error.code == .closed)
      }
    }
  }

  @Test func rowsDecodeIntoSwiftTypes() async throws {
    struct Typed: Decodable {
      let number: UInt16
      let ratio: Double
      let yes: Bool
      let id: String
      let nothing: Int?
    }
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      try await store.append([span(7)])
      let result = try await store.query(
        "SELECT input_tokens AS number, 0.5 AS ratio, duration > 1ms AS yes, span_id AS id, reported_cost AS nothing FROM spans"
      )
      let row = try #require(try result.decode(Typed.self).first)
      #expect(row.number == 7 && row.ratio == 0.5 && row.yes && row.id == "0000000000000008" && row.nothing == nil)
      #expect(throws: LintelError.self) { try result.decode([String: Int].self) }
      try await store.close()
    }
  }
}
