#if Server
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

    @Test func aBodyThatKeepsComingIsGivenMoreTime() async throws {
      let change: (inout ServerLimits) -> Void = {
        $0.bodySeconds = 0.3
        $0.bodyBytesPerSecond = 10
      }
      try await withServer(limits: change) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "Content-Length: 20\r\n\r\n")
        for _ in 0..<5 {
          await client.send("abcd")
          try await Task.sleep(for: .milliseconds(120))
        }
        #expect(try await client.answer().status == 200)
      }
    }

    @Test func anIdleConnectionIsClosed() async throws {
      try await withServer(limits: { $0.idleSeconds = 0.2 }) { server in
        let fresh = try RawClient(port: server.otlpPort)
        #expect(await fresh.isClosedByPeer())
        let used = try RawClient(port: server.otlpPort)
        #expect(try await used.post("/v1/traces", [1]).status == 200)
        #expect(await used.isClosedByPeer())
        // Half a head is no request either.
        let dribbling = try RawClient(port: server.otlpPort)
        await dribbling.send("POST /v1/tra")
        #expect(await dribbling.isClosedByPeer())
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
        let first = try RawClient(port: server.otlpPort)
        #expect(try await first.post("/v1/traces", [1]).status == 200)
        #expect(await (try RawClient(port: server.otlpPort)).isClosedByPeer())
        #expect(try await first.post("/v1/traces", [1]).status == 200)
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
