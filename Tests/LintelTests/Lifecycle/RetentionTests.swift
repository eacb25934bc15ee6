import Lintel
import LintelColumns
import LintelQuery
import LintelStorage
import Synchronization
import Testing

@Suite("Retention") struct RetentionTests {
  private static let start: Int64 = 1_800_000_000_000_000_000
  private static let second: Int64 = 1_000_000_000

  private final class Clock: Sendable {
    private let time = Mutex(RetentionTests.start)
    var now: Int64 { time.withLock { $0 } }
    func set(_ seconds: Int64) { time.withLock { $0 = RetentionTests.start + seconds * RetentionTests.second } }
  }

  /// One span a second.
  private func spans(_ numbers: Range<Int>, user: String? = nil) -> [TraceSpan] {
    numbers.map { number in
      var span = TraceSpan(
        name: "span \(number)", start: .init(nanoseconds: Self.start + Int64(number) * Self.second),
        duration: .milliseconds(1), traceID: UInt128(number + 1), spanID: UInt64(number + 1))
      span.orgID = number % 4 == 0 ? "acme" : number % 4 == 1 ? "initech" : nil
      span.userID = user
      return span
    }
  }

  private func withStore(_ body: (SpanStore, Clock, String, Configuration) async throws -> Void) async throws {
    try await withTemporaryDirectory { path in
      let clock = Clock()
      var configuration = Configuration()
      configuration.storage.blockRows = 16
      configuration.storage.mergeWindowSeconds = 100
      configuration.queryCacheSize = 1 << 20
      let store = try await SpanStore.open(at: path, configuration: configuration, clock: { clock.now })
      try await body(store, clock, path, configuration)
      try? await store.close()
    }
  }

  private func count(_ store: SpanStore, _ filter: String = "true") async throws -> Int {
    try await store.query("SELECT count(*) AS n FROM spans WHERE \(filter)").decode(Int.self)[0]
  }

  @Test func rowsAreGoneFromTheVerySecondOn() async throws {
    try await withStore { store, clock, path, configuration in
      try await store.append(spans(0..<300))
      try await store.flush()
      try await store.append(spans(300..<400))
      func expectRows(at moments: [Int64]) async throws {
        _ = try await store.query("ALTER TABLE spans SET RETENTION 1000s")
        for now in moments {
          clock.set(now)
          // The span of second n is gone when second n + 1000 has come.
          let expected = 400 - max(0, Int(now) - 1000)
          #expect(try await count(store) == expected, "at \(now)")
          #expect(try await count(store, "start_time >= '1970-01-01'") == expected, "at \(now)")
        }
      }
      // The clock never goes back: files may be cleared in the background of what has expired by it.
      try await expectRows(at: [0, 999, 1000, 1001, 1050, 1250])
      var reading = configuration
      reading.isReadOnly = true
      let reader = try await SpanStore.open(at: path, configuration: reading, clock: { clock.now })
      #expect(try await count(reader) == 150)
      try await reader.close()
      _ = try await store.query("ALTER TABLE spans SET RETENTION NONE")
      #expect(try await count(store) >= 150)
      try await expectRows(at: [1399, 1400])
    }
  }

  @Test func wholePartsAreDroppedUnread() async throws {
    try await withStore { store, clock, _, _ in
      try await store.append(spans(0..<400))
      try await store.flush()
      #expect(store.statistics.parts >= 4)
      clock.set(1310)
      _ = try await store.query("ALTER TABLE spans SET RETENTION 1000s")
      let before = store.statistics
      try await store.expire()
      let after = store.statistics
      #expect(after.writtenPartBytes == before.writtenPartBytes)
      #expect(after.rows < 200 && after.rows >= 90)
      #expect(try await count(store) == 90)
      clock.set(5000)
      try await store.expire()
      #expect(store.statistics.parts == 0)
      #expect(try await count(store) == 0)
    }
  }

  @Test func organisationsHaveTheirOwn() async throws {
    try await withStore { store, clock, _, _ in
      try await store.append(spans(0..<400))
      try await store.flush()
      _ = try await store.query("ALTER TABLE spans SET RETENTION 1000s")
      _ = try await store.query("ALTER TABLE spans SET RETENTION 100s FOR ORG 'acme'")
      _ = try await store.query("ALTER TABLE spans SET RETENTION 7d FOR ORG 'initech'")
      clock.set(600)
      #expect(try await count(store) == 300)
      #expect(try await count(store, "org_id = 'acme'") == 0)
      try await store.expire()
      // Written anew without them, since nothing more of theirs is to come.
      #expect(store.statistics.rows == 300)
      #expect(try await count(store) == 300)
      clock.set(1200)
      #expect(try await count(store, "org_id IS NULL") == 100)
      clock.set(100_000)
      #expect(try await count(store) == 100)
      try await store.expire()
      #expect(store.statistics.rows == 100)
      let rules = try await store.query("SHOW RETENTION")
      #expect(rules.rowCount == 3)
    }
  }

  @Test func expiredRowsUnderAHoldAreHiddenAndKept() async throws {
    try await withStore { store, clock, _, _ in
      try await store.append(spans(0..<100, user: "kept") + spans(100..<200, user: "other"))
      try await store.flush()
      _ = try await store.query("HOLD USER 'kept' FOR 'case'")
      _ = try await store.query("ALTER TABLE spans SET RETENTION 1000s")
      clock.set(500_000)
      #expect(try await count(store) == 0)
      try await store.expire()
      #expect(store.statistics.rows == 100)
      #expect(try await count(store) == 0)
      _ = try await store.query("RELEASE HOLD 1")
      try await store.expire()
      #expect(store.statistics.rows == 0)
    }
  }

  @Test func theRuleOutlivesTheProcess() async throws {
    try await withStore { store, clock, path, configuration in
      _ = try await store.query("ALTER TABLE spans SET RETENTION 1000s")
      try await store.append(spans(0..<100))
      clock.set(1050)
      try await store.close()
      let reopened = try await SpanStore.open(at: path, configuration: configuration, clock: { clock.now })
      #expect(try await count(reopened) == 50)
      try await reopened.close()
    }
  }
}
