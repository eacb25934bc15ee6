#if Server
  import LintelColumns
  import LintelQuery
  import LintelStorage
  import Testing

  @testable import LintelServer

  @Suite struct LimitTests {
    static let head = "POST /v1/traces HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-protobuf\r\n"

    func smallBodies(_ limits: inout ServerLimits) {
      limits.bodyBytes = 1000
      limits.expandedBodyBytes = 2000
    }

    @Test func aBodyTooLargeIsRefusedBeforeItIsSent() async throws {
      try await withServer(limits: smallBodies) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "Content-Length: 50000000000\r\n\r\n")
        let answer = try await client.answer()
        #expect(answer.status == 413)
        #expect(answer.headers["connection"] == "close")
      }
    }

    @Test func aLargerBodyThatIsOnItsWayIsReadToItsEnd() async throws {
      try await withServer(limits: smallBodies) { server in
        let client = try RawClient(port: server.otlpPort)
        // Small enough to be worth keeping the connection for.
        #expect(try await client.post("/v1/traces", [UInt8](repeating: 1, count: 1001)).status == 413)
        #expect(try await client.post("/v1/traces", [UInt8](repeating: 1, count: 1000)).status == 200)
        // Too large for that: the answer still arrives although 20 MB were sent before it was read.
        let answer = try await client.post("/v1/traces", [UInt8](repeating: 1, count: 20_000_000))
        #expect(answer.status == 413)
        #expect(answer.headers["connection"] == "close")
        #expect(await client.isClosedByPeer())
      }
    }

    @Test func aChunkedBodyIsCounted() async throws {
      try await withServer(limits: smallBodies) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "Transfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<11 { await client.send("64\r\n" + String(repeating: "a", count: 100) + "\r\n") }
        let answer = try await client.answer()
        #expect(answer.status == 413)
        await client.send("0\r\n\r\n")
        #expect(await client.isClosedByPeer())
      }
    }

    @Test(arguments: ["gzip", "deflate", "zstd"])
    func aBodyThatExpandsTooFarIsRefused(coding: String) async throws {
      let bomb = [UInt8](repeating: 0, count: 2001)
      let body = coding == "gzip" ? Compress.gzip(bomb) : coding == "zstd" ? Compress.zstd(bomb) : Compress.zlib(bomb)
      try await withServer(limits: smallBodies) { server in
        let client = try RawClient(port: server.otlpPort)
        #expect(try await client.post("/v1/traces", body, headers: ["Content-Encoding: \(coding)"]).status == 413)
        #expect(try await client.post("/v1/traces", [1]).status == 200)
      }
    }

    @Test func aLengthIsRequired() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "\r\n")
        #expect(try await client.answer().status == 411)
        #expect(try await client.post("/v1/traces", [1]).status == 200)
      }
    }

    @Test func oddFramingIsRefused() async throws {
      try await withServer { server in
        for (header, status) in [
          ("Transfer-Encoding: gzip, chunked", 501), ("Content-Length: -1", 400), ("Content-Length: abc", 400),
          ("Content-Length: 99999999999999999999", 400), ("Content-Length: 1\r\nContent-Length: 2", 400),
          ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400), ("Content-Length: 0\r\nExpect: tea", 417),
          ("Bad header", 400), ("X: " + String(repeating: "x", count: 20_000), 400),
        ] {
          let client = try RawClient(port: server.otlpPort)
          await client.send(Self.head + header + "\r\n\r\n")
          #expect(try await client.answer().status == status, "\(header.prefix(40))")
        }
        let client = try RawClient(port: server.otlpPort)
        await client.send("\u{16}\u{3}\u{1} this is not HTTP\r\n\r\n")
        #expect(try await client.answer().status == 400)
        #expect(await client.isClosedByPeer())
      }
    }

    @Test func aSlowBodyIsGivenUp() async throws {
      try await withServer(limits: { $0.bodySeconds = 0.3 }) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "Content-Length: 100\r\n\r\nabc")
        let answer = try await client.answer()
        #expect(answer.status == 408)
        #expect(answer.headers["connection"] == "close")
      }
    }

    /// Bodies that are only half there hold what they have sent, no more.
    @Test func bodiesShareOneBudget() async throws {
      let change: (inout ServerLimits) -> Void = {
        $0.bodyBytes = 1000
        $0.expandedBodyBytes = 500
        $0.inFlightBytes = 1500
      }
      try await withServer(limits: change) { server in
        let first = try RawClient(port: server.otlpPort)
        await first.send(Self.head + "Content-Length: 1000\r\n\r\n" + String(repeating: "a", count: 900))
        let second = try RawClient(port: server.otlpPort)
        var status = 200
        for _ in 0..<100 where status == 200 {
          status = try await second.post("/v1/traces", [UInt8](repeating: 1, count: 700)).status
          try await Task.sleep(for: .milliseconds(10))
        }
        #expect(status == 429)
        let refused = try await second.post("/v1/traces", [UInt8](repeating: 1, count: 700))
        #expect(refused.headers["retry-after"] == "1")
        #expect(try await second.post("/v1/traces", [UInt8](repeating: 1, count: 600)).status == 200)
        await first.send(String(repeating: "a", count: 100))
        #expect(try await first.answer().status == 200)
        #expect(try await second.post("/v1/traces", [UInt8](repeating: 1, count: 700)).status == 200)
        // What a body expands to is charged too.
        await first.send(Self.head + "Content-Length: 1000\r\n\r\n" + String(repeating: "a", count: 999))
        let packed = Compress.gzip([UInt8](repeating: 0, count: 499))
        for _ in 0..<100 {
          let answer = try await second.post("/v1/traces", packed, headers: ["Content-Encoding: gzip"])
          guard answer.status == 200 else {
            #expect(answer.status == 429)
            return
          }
          try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("the expanded body was never charged")
      }
    }

    @Test func exportsAreCounted() async throws {
      let gate = Gate()
      var behaviour = StandInBackend.Behaviour()
      behaviour.append = { rows throws(StorageError) in
        await gate.wait()
        return rows
      }
      try await withServer(StandInBackend(behaviour), limits: { $0.concurrentExports = 1 }) { server in
        let first = try RawClient(port: server.otlpPort)
        await first.send(Self.head + "Content-Length: 1\r\n\r\na")
        let api = try RawClient(port: server.apiPort)
        while try await !api.get("/metrics").text.contains("lintel_exports_in_flight 1") {}
        let second = try RawClient(port: server.otlpPort)
        let refused = try await second.post("/v1/traces", [1])
        #expect(refused.status == 429)
        #expect(refused.headers["retry-after"] == "1")
        await gate.open()
        #expect(try await first.answer().status == 200)
        #expect(try await second.post("/v1/traces", [1]).status == 200)
      }
    }

    @Test func connectionsAreCounted() async throws {
      try await withServer(limits: { $0.connections = 1 }) { server in
        let busy = try RawClient(port: server.otlpPort)
        await busy.send(Self.head + "Content-Length: 2\r\n\r\na")
        let api = try RawClient(port: server.apiPort)
        while try await !api.get("/metrics").text.contains("lintel_body_bytes_in_flight 1") {}
        #expect(await (try RawClient(port: server.otlpPort)).isClosedByPeer())
        await busy.send("b")
        #expect(try await busy.answer().status == 200)
      }
    }

    @Test func idleConnectionsKeepNobodyOut() async throws {
      try await withServer(limits: { $0.connections = 2 }) { server in
        let first = try RawClient(port: server.otlpPort)
        #expect(try await first.post("/v1/traces", [1]).status == 200)
        let second = try RawClient(port: server.otlpPort)
        #expect(try await second.post("/v1/traces", [1]).status == 200)
        #expect(try await first.post("/v1/traces", [1]).status == 200)
        // The second one has been idle for longest.
        let third = try RawClient(port: server.otlpPort)
        #expect(try await third.post("/v1/traces", [1]).status == 200)
        #expect(await second.isClosedByPeer())
        #expect(try await first.post("/v1/traces", [1]).status == 200)
      }
    }

    @Test func answersThatNobodyReadsTakeAPlace() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.query = { _ throws(QueryError) in
        QueryResult(
          columns: [
            .init(name: "n", type: .int64, values: ColumnVector(.int64([Int64](repeating: 1, count: 6_000_000))))
          ],
          rowCount: 6_000_000)
      }
      let change: (inout ServerLimits) -> Void = {
        $0.concurrentQueries = 1
        $0.queryWaitSeconds = 0
        $0.bodyBytesPerSecond = 1 << 29
        $0.writeStallSeconds = 1
      }
      try await withServer(StandInBackend(behaviour), limits: change) { server in
        let silent = try RawClient(port: server.apiPort, receiveBuffer: 4096)
        await silent.send("POST /v1/query HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nSELECT 1")
        let other = try RawClient(port: server.apiPort)
        while try await !other.get("/metrics").text.contains("lintel_queries_in_flight 1") {}
        // Until it is given up, it holds the only place.
        var statuses: [Int] = []
        while statuses.last != 200, statuses.count < 1000 {
          statuses.append(try await other.post("/v1/query", Array("SELECT 1".utf8)).status)
          try await Task.sleep(for: .milliseconds(20))
        }
        #expect(statuses.first == 503 && statuses.last == 200)
      }
    }

    @Test func answersHaveALimit() async throws {
      try await withServer(limits: { $0.answerBytes = 20 }) { server in
        let answer = try await RawClient(port: server.apiPort).post("/v1/query", Array("SELECT 1".utf8))
        #expect(answer.status == 422 && answer.text.contains("limit_exceeded") && answer.text.contains("EXPORT"))
      }
    }

    @Test func limitsThatContradictEachOtherAreNamed() {
      var limits = ServerLimits()
      #expect(limits.problem == nil)
      limits.inFlightBytes = 100
      #expect(limits.problem?.contains("inFlightBytes") == true)
      limits = ServerLimits()
      limits.bodySeconds = .nan
      #expect(limits.problem?.contains("bodySeconds") == true)
      limits = ServerLimits()
      limits.connections = 0
      #expect(limits.problem?.contains("connections") == true)
    }
  }

  /// Holds tasks back until it is opened.
  actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func wait() async {
      guard !isOpen else { return }
      await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
      isOpen = true
      for continuation in waiting { continuation.resume() }
      waiting = []
    }
  }
#endif
