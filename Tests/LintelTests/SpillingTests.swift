import Lintel
import LintelQuery
import LintelStorage
import Testing

/// Queries of a store that are larger than the memory they may have.
@Suite struct SpillingTests {
  private static let text = """
    SELECT span_id, name, count(*) AS n, max(duration) AS d, any(trace_id) AS t FROM spans
    GROUP BY span_id, name ORDER BY d DESC LIMIT 5 OFFSET 2
    """

  private func spans() -> [TraceSpan] {
    var spans: [TraceSpan] = []
    for number in 0..<6000 {
      let start = TraceSpan.Timestamp(nanoseconds: 1_800_000_000_000_000_000 + Int64(number))
      spans.append(
        TraceSpan(
          name: "span \(number % 7)", start: start, duration: .milliseconds(number), traceID: UInt128(number / 4 + 1),
          spanID: UInt64(number + 1)))
    }
    return spans
  }

  private func tight() -> Configuration {
    var configuration = Configuration()
    configuration.queryMemoryLimit = 200_000
    return configuration
  }

  private func text(_ result: QueryResult) -> String {
    String(decoding: ResultFormatter(.csv).bytes(result), as: UTF8.self)
  }

  @Test func groupsGoIntoTheStoresFolderAndLeaveNothing() async throws {
    try await withTemporaryDirectory { path in
      let files = PosixFileSystem()
      let roomy = try await SpanStore.open(at: path)
      try await roomy.append(spans())
      let expected = text(try await roomy.query(Self.text))
      #expect(try !files.exists("\(path)/spill"))
      try await roomy.close()

      let store = try await SpanStore.open(at: path, configuration: tight())
      let found = try await store.query(Self.text)
      #expect(text(found) == expected)
      #expect(found.statistics.bytesSpilled > 0)
      #expect(try files.isPrivate("\(path)/spill"))
      #expect(try files.list("\(path)/spill").isEmpty)
      try await store.close()

      // What a file system kept of a process that was killed goes when the store is opened.
      _ = try files.create("\(path)/spill/1-1-1.spill", isPrivate: true)
      let again = try await SpanStore.open(at: path, configuration: tight())
      #expect(try files.list("\(path)/spill").isEmpty)
      try await again.close()
    }
  }

  @Test func aStoreThatIsOnlyReadIsLeftAsItIs() async throws {
    try await withTemporaryDirectory { path in
      let writer = try await SpanStore.open(at: path)
      try await writer.append(spans())
      let expected = text(try await writer.query(Self.text))
      var configuration = tight()
      configuration.isReadOnly = true
      let reader = try await SpanStore.open(at: path, configuration: configuration)
      let found = try await reader.query(Self.text)
      #expect(text(found) == expected && found.statistics.bytesSpilled > 0)
      #expect(try !PosixFileSystem().exists("\(path)/spill"))
      try await reader.close()
      try await writer.close()
    }
  }

  @Test func withoutRoomOnDiskTheLimitEndsTheQuery() async throws {
    try await withTemporaryDirectory { path in
      var configuration = tight()
      configuration.spillLimit = 0
      let store = try await SpanStore.open(at: path, configuration: configuration)
      try await store.append(spans())
      do throws(LintelError) {
        _ = try await store.query(Self.text)
        Issue.record("no error")
      } catch {
        guard case .query(let problem) = error else { throw error }
        #expect(problem.code == .limitExceeded)
      }
      try await store.close()
    }
  }
}
