#if Server
  import LintelStorage
  import Logging
  import Testing

  @testable import LintelServer

  @Suite struct ConnectionTests {
    static let head = LimitTests.head

    @Test func chunksMakeOneBody() async throws {
      let backend = StandInBackend()
      try await withServer(backend) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "Transfer-Encoding: chunked\r\n\r\n")
        for part in ["3\r\nabc\r\n", "1\r\nd\r", "\n2;x=y\r\ne", "f\r\n0\r\n", "Trailer: x\r\n\r\n"] {
          await client.send(part)
          try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await client.answer().status == 200)
        #expect(try await client.post("/v1/traces", [1]).status == 200)
      }
      #expect(backend.received.first?.body == Array("abcdef".utf8))
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
      let backend = StandInBackend()
      try await withServer(backend) { server in
        let client = try RawClient(port: server.otlpPort)
        var all = ""
        for number in 0..<50 {
          let path = number % 5 == 4 ? "/nothing" : "/v1/traces"
          all += "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-protobuf\r\n"
          all += "Content-Length: 2\r\n\r\n" + String(10 + number)
        }
        await client.send(all)
        for number in 0..<50 { #expect(try await client.answer().status == (number % 5 == 4 ? 404 : 200)) }
      }
      #expect(
        backend.received.map(\.body) == (0..<50).filter { $0 % 5 != 4 }.map { Array(String(10 + $0).utf8) })
    }

    @Test func continueIsSaidBeforeTheBody() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.otlpPort)
        for _ in 0..<2 {
          await client.send(Self.head + "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n")
          #expect(try await client.answer().status == 100)
          await client.send("abc")
          #expect(try await client.answer().status == 200)
        }
        await client.send("POST /nope HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        let refused = try await client.answer()
        #expect(refused.status == 404)
        #expect(refused.headers["connection"] == "close")
      }
    }

    @Test func closesWhenAsked() async throws {
      try await withServer { server in
        let modern = try RawClient(port: server.otlpPort)
        let answer = try await modern.post("/v1/traces", [1], headers: ["Connection: close"])
        #expect(answer.status == 200 && answer.headers["connection"] == "close")
        #expect(await modern.isClosedByPeer())

        let old = try RawClient(port: server.otlpPort)
        await old.send("POST /v1/traces HTTP/1.0\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1\r\n\r\na")
        #expect(try await old.answer().status == 200)
        #expect(await old.isClosedByPeer())

        let kept = try RawClient(port: server.otlpPort)
        let head = "POST /v1/traces HTTP/1.0\r\nConnection: keep-alive\r\nContent-Type: application/x-protobuf\r\n"
        for _ in 0..<2 {
          await kept.send(head + "Content-Length: 1\r\n\r\na")
          let answer = try await kept.answer()
          #expect(answer.status == 200 && answer.headers["connection"] == "keep-alive")
        }
      }
    }

    @Test func aClientThatStopsSendingIsStillAnswered() async throws {
      let gate = Gate()
      var behaviour = StandInBackend.Behaviour()
      behaviour.append = { rows throws(StorageError) in
        await gate.wait()
        return rows
      }
      try await withServer(StandInBackend(behaviour)) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "Content-Length: 1\r\n\r\na")
        client.finishSending()
        try await Task.sleep(for: .milliseconds(50))
        await gate.open()
        #expect(try await client.answer().status == 200)
        #expect(await client.isClosedByPeer())
      }
    }

    @Test func aRequestCutShortLeavesNothingBehind() async throws {
      let backend = StandInBackend()
      try await withServer(backend) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(Self.head + "Content-Length: 100\r\n\r\nabc")
        client.abandon()
        let api = try RawClient(port: server.apiPort)
        while try await !api.get("/metrics").text.contains("lintel_body_bytes_in_flight 0") {}
        #expect(try await RawClient(port: server.otlpPort).post("/v1/traces", [1]).status == 200)
      }
      #expect(backend.received.map(\.body) == [[1]])
    }

    @Test func headHasNoBody() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.apiPort)
        await client.send("HEAD /health HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try await client.answer(hasBody: false).status == 405)
        #expect(try await client.get("/health").status == 200)
      }
    }

    @Test func shuttingDownFinishesWhatIsUnderWay() async throws {
      let gate = Gate()
      var behaviour = StandInBackend.Behaviour()
      behaviour.append = { rows throws(StorageError) in
        await gate.wait()
        return rows
      }
      try await withServer(StandInBackend(behaviour), limits: { $0.shutdownSeconds = 10 }) { server in
        let idle = try RawClient(port: server.otlpPort)
        #expect(try await idle.post("/v1/traces", []).status == 200)
        let busy = try RawClient(port: server.otlpPort)
        await busy.send(Self.head + "Content-Length: 1\r\n\r\na")
        let api = try RawClient(port: server.apiPort)
        while try await !api.get("/metrics").text.contains("lintel_exports_in_flight 1") {}
        async let stopped: Void = server.shutDown()
        #expect(await idle.isClosedByPeer())
        #expect(throws: RawClient.Failure.self) { try RawClient(port: server.otlpPort) }
        await gate.open()
        #expect(try await busy.answer().status == 200)
        #expect(await busy.isClosedByPeer())
        await stopped
      }
    }

    @Test func whatWasSentBehindTheLastRequestIsLeftOut() async throws {
      let backend = StandInBackend()
      try await withServer(backend) { server in
        let client = try RawClient(port: server.otlpPort)
        let request = "Content-Type: application/x-protobuf\r\nContent-Length: 1\r\n\r\n"
        let first = "POST /v1/traces HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + request + "a"
        await client.send(first + "POST /v1/traces HTTP/1.1\r\nHost: h\r\n" + request + "b")
        #expect(try await client.answer().status == 200)
        // The parser may refuse what follows a last request before the connection is closed.
        while let next = try? await client.answer() { #expect(next.status == 400) }
        #expect(await client.isClosedByPeer())
      }
      #expect(backend.received.map(\.body) == [Array("a".utf8)])
    }

    @Test func shuttingDownEndsPipelinesAfterTheRequestUnderWay() async throws {
      let gate = Gate()
      var behaviour = StandInBackend.Behaviour()
      behaviour.append = { rows throws(StorageError) in
        await gate.wait()
        return rows
      }
      let backend = StandInBackend(behaviour)
      try await withServer(backend, limits: { $0.shutdownSeconds = 10 }) { server in
        let client = try RawClient(port: server.otlpPort)
        await client.send(String(repeating: Self.head + "Content-Length: 1\r\n\r\na", count: 50))
        let api = try RawClient(port: server.apiPort)
        while try await !api.get("/metrics").text.contains("lintel_exports_in_flight 1") {}
        async let stopped: Void = server.shutDown()
        #expect(await api.isClosedByPeer())
        await gate.open()
        let answer = try await client.answer()
        #expect(answer.status == 200 && answer.headers["connection"] == "close")
        #expect(await client.isClosedByPeer())
        await stopped
      }
      #expect(backend.received.count == 1)
    }

    @Test func aTakenPortIsNamed() async throws {
      try await withServer { server in
        var configuration = ServerConfiguration()
        configuration.otlpHTTP.port = server.otlpPort
        await #expect(
          performing: {
            _ = try await SpanServer.start(
              backend: StandInBackend(), configuration: configuration, logger: .init(label: "test"))
          },
          throws: { error in
            let error = error as? ServerError
            return error?.code == .cannotListen && error?.message.contains(":\(server.otlpPort)") == true
          })
      }
    }

    @Test(arguments: [
      ("127.0.0.1:4318", "127.0.0.1", 4318), ("[::1]:80", "::1", 80), (":1", "0.0.0.0", 1),
      ("localhost:0", "localhost", 0),
    ])
    func addressesAreRead(text: String, host: String, port: Int) {
      #expect(ListenAddress(text) == ListenAddress(host: host, port: port))
    }

    @Test(arguments: ["", "4318", "a:", "a:x", "a:65536", "a:-1"])
    func otherAddressesAreNot(text: String) { #expect(ListenAddress(text) == nil) }
  }
#endif
