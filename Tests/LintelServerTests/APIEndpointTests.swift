#if Server
  import LintelColumns
  import LintelQuery
  import NIOCore
  import Testing

  @testable import LintelServer

  @Suite struct APIEndpointTests {
    @Test func answersQueriesInEveryForm() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.apiPort)
        for (body, type) in [
          (#"{"query": "SELECT 1"}"#, "application/json"), ("SELECT 1", "text/plain"),
          (" {\"query\": \"SELECT 1\", \"timeout_seconds\": 5}", "application/x-www-form-urlencoded"),
        ] {
          let answer = try await client.post("/v1/query", Array(body.utf8), type: type)
          #expect(answer.status == 200)
          #expect(answer.headers["content-type"] == "application/json")
          let text = answer.text.replacing("\n", with: "")
          #expect(text.hasPrefix(#"{"columns":[{"name":"n","type":"int64"}],"rows":[[42]],"statistics":{"#))
        }
      }
    }

    @Test func bodiesThatAreNoQueryAreRefused() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.apiPort)
        for body in [
          #"{"query": 1}"#, "{", #"{"q": "x"}"#, #"{"query": "x", "timeout_seconds": 0}"#, "{}",
          // What is misspelt would run without a limit.
          #"{"query": "x", "timeout": 5}"#, #"{"query": "x", "timeout_seconds": null}"#,
          #"{"query": "x", "format": "csv"}"#,
        ] {
          for path in ["/v1/query", "/v1/export"] {
            let answer = try await client.post(path, Array(body.utf8), type: "application/json")
            #expect(answer.status == 400, "\(body)")
            #expect(answer.text.hasPrefix(#"{"error":{"code":"bad_request","#), "\(body)")
          }
        }
        let misspelt = try await client.post("/v1/query", Array(#"{"query": "x", "timeout": 5}"#.utf8))
        #expect(misspelt.text.contains("no field \\\"timeout\\\"") && misspelt.text.contains("timeout_seconds"))
        #expect(try await client.post("/v1/query", [0xff, 0xfe], type: nil).status == 400)
        #expect(try await client.post("/v1/nothing", [1]).status == 404)
        let method = try await client.get("/v1/query")
        #expect(method.status == 405 && method.headers["allow"] == "POST")
      }
    }

    @Test(
      arguments: [
        (QueryError.Code.syntax, 400, "syntax"), (.binding, 400, "binding"), (.unsupported, 400, "unsupported"),
        (.overflow, 422, "overflow"), (.limitExceeded, 422, "limit_exceeded"), (.storage, 503, "storage"),
      ] as [(QueryError.Code, Int, String)])
    func failuresSayWhatAndWhere(code: QueryError.Code, status: Int, name: String) async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.query = { _ throws(QueryError) in throw QueryError(code, "no \"x\"", offset: 7) }
      try await withServer(StandInBackend(behaviour)) { server in
        let answer = try await RawClient(port: server.apiPort).post("/v1/query", Array("SELECT x".utf8))
        #expect(answer.status == status)
        #expect(answer.text == "{\"error\":{\"code\":\"\(name)\",\"message\":\"no \\\"x\\\"\",\"offset\":7}}\n")
      }
    }

    /// Runs until it is cancelled, as a long query does.
    static let endless: @Sendable (String) async throws(QueryError) -> QueryResult = { _ throws(QueryError) in
      while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
      throw QueryError(.cancelled, "cancelled")
    }

    @Test func aQueryThatTakesTooLongIsStopped() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.query = Self.endless
      try await withServer(StandInBackend(behaviour)) { server in
        let client = try RawClient(port: server.apiPort)
        let body = #"{"query": "SELECT 1", "timeout_seconds": 0.1}"#
        let answer = try await client.post("/v1/query", Array(body.utf8))
        #expect(answer.status == 504)
        #expect(answer.text.contains("\"timeout\""))
        #expect(try await client.get("/health").status == 200)
      }
    }

    @Test func aQueryWhoseClientHasGoneIsStopped() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.query = Self.endless
      let limits = { (limits: inout ServerLimits) in
        limits.concurrentQueries = 1
        limits.queryWaitSeconds = 0
      }
      try await withServer(StandInBackend(behaviour), limits: limits) { server in
        let client = try RawClient(port: server.apiPort)
        await client.send("POST /v1/query HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nSELECT 1")
        let other = try RawClient(port: server.apiPort)
        while try await !other.get("/metrics").text.contains("lintel_queries_in_flight 1") {}
        let refused = try await other.post("/v1/query", Array("SELECT 1".utf8))
        #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
        client.abandon()
        while try await !other.get("/metrics").text.contains("lintel_queries_in_flight 0") {}
      }
    }

    /// A client that has sent its request may close its sending side and wait.
    @Test(arguments: ["HTTP/1.1", "HTTP/1.0"])
    func aClientThatStopsSendingGetsItsAnswer(version: String) async throws {
      let gate = Gate()
      var behaviour = StandInBackend.Behaviour()
      behaviour.query = { _ throws(QueryError) in
        await gate.wait()
        guard !Task.isCancelled else { throw QueryError(.cancelled, "cancelled") }
        return StandInBackend.answer
      }
      try await withServer(StandInBackend(behaviour)) { server in
        let client = try RawClient(port: server.apiPort)
        await client.send("POST /v1/query \(version)\r\nHost: h\r\nContent-Length: 8\r\n\r\nSELECT 1")
        client.finishSending()
        // Long enough to be asked whether it is still there.
        try await Task.sleep(for: .seconds(1.3))
        await gate.open()
        var answer = try await client.answer()
        #expect((answer.status == 100) == (version == "HTTP/1.1"))
        while answer.status == 100 { answer = try await client.answer() }
        #expect(answer.status == 200 && answer.text.contains("42"))
        #expect(await client.isClosedByPeer())
      }
    }

    /// One that closes altogether says the same at first.
    @Test func aClientThatStopsSendingAndThenGoesIsNoticed() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.query = Self.endless
      try await withServer(StandInBackend(behaviour)) { server in
        let other = try RawClient(port: server.apiPort)
        do {
          let client = try RawClient(port: server.apiPort)
          await client.send("POST /v1/query HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nSELECT 1")
          while try await !other.get("/metrics").text.contains("lintel_queries_in_flight 1") {}
          client.finishSending()
          try await Task.sleep(for: .milliseconds(300))
          #expect(try await other.get("/metrics").text.contains("lintel_queries_in_flight 1"))
        }
        while try await !other.get("/metrics").text.contains("lintel_queries_in_flight 0") {}
      }
    }

    @Test func exportsAndQueriesAreToldApart() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.apiPort)
        let query = try await client.post("/v1/query", Array("EXPORT spans".utf8))
        #expect(query.status == 400 && query.text.contains("/v1/export") && query.text.contains("unsupported"))
        let export = try await client.post("/v1/export", Array("SELECT 1".utf8))
        #expect(export.status == 400 && export.text.contains("/v1/query"))
      }
    }

    /// An answer of some megabytes.
    private static let large = QueryResult(
      columns: [
        QueryResult.Column(name: "n", type: .int64, values: ColumnVector(.int64((0..<400_000).map { Int64($0) })))
      ], rowCount: 400_000)

    @Test func largeAnswersAreWrittenInPieces() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.query = { _ in Self.large }
      try await withServer(StandInBackend(behaviour)) { server in
        let client = try RawClient(port: server.apiPort)
        let answer = try await client.post("/v1/query", Array("SELECT 1".utf8))
        #expect(answer.status == 200)
        #expect(answer.body == ResultFormatter(.json).bytes(Self.large))
        // The connection goes on.
        #expect(try await client.get("/health").status == 200)
      }
    }

    @Test func placesAreHandedOnInTurn() async {
      let places = Places(2)
      let held = [places.enter(), places.enter()]
      #expect(held.allSatisfy { $0 != nil } && places.enter() == nil)
      #expect(await places.enter(within: 0.01) == nil)
      let cancelled = Task { await places.enter(within: 3600) }
      cancelled.cancel()
      #expect(await cancelled.value == nil)
      withExtendedLifetime(held) {}
      // Many more than places, each in its turn.
      let waiting = Places(3)
      await withTaskGroup(of: Int?.self) { group in
        for _ in 0..<500 {
          group.addTask {
            guard let place = await waiting.enter(within: 3600) else { return nil }
            await Task.yield()
            return withExtendedLifetime(place) { waiting.used }
          }
        }
        for await used in group { #expect((1...3).contains(used ?? 0)) }
      }
      #expect(waiting.used == 0)
    }

    @Test func exportsAreStreamed() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.export = { (0..<100).map { ByteBuffer(string: "{\"n\":\($0)}\n") } }
      try await withServer(StandInBackend(behaviour)) { server in
        let client = try RawClient(port: server.apiPort)
        let answer = try await client.post("/v1/export", Array(#"{"query": "EXPORT spans"}"#.utf8))
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/x-ndjson")
        #expect(answer.headers["transfer-encoding"] == "chunked")
        #expect(answer.text == (0..<100).map { "{\"n\":\($0)}\n" }.joined())
        #expect(try await client.post("/v1/export", Array("SELECT 1".utf8)).status == 400)
      }
    }

    /// A reader that takes nothing stops the producer after what sockets hold, and is dropped in the end.
    @Test func aReaderThatTakesNothingIsDropped() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.export = { (0..<400).map { _ in ByteBuffer(repeating: 65, count: 1 << 18) } }
      try await withServer(StandInBackend(behaviour), limits: { $0.writeStallSeconds = 0.3 }) { server in
        let client = try RawClient(port: server.apiPort, receiveBuffer: 4096)
        await client.send("POST /v1/export HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\nEXPORT spans")
        let other = try RawClient(port: server.apiPort)
        while try await !other.get("/metrics").text.contains("lintel_queries_in_flight 1") {}
        while try await !other.get("/metrics").text.contains("lintel_queries_in_flight 0") {}
        await #expect(throws: RawClient.Failure.self) { try await client.answer().body.count }
      }
    }

    @Test func healthSaysWhatIsWrong() async throws {
      try await withServer { server in
        let answer = try await RawClient(port: server.apiPort).get("/health")
        #expect(answer.status == 200 && answer.text == "{\"status\":\"ok\"}\n")
      }
      var behaviour = StandInBackend.Behaviour()
      behaviour.problem = "the disk is gone"
      try await withServer(StandInBackend(behaviour)) { server in
        let answer = try await RawClient(port: server.apiPort).get("/health")
        #expect(answer.status == 503)
        #expect(answer.text == "{\"status\":\"failing\",\"reason\":\"the disk is gone\"}\n")
      }
    }

    @Test func metricsCount() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.otlpPort)
        #expect(try await client.post("/v1/traces", Array("PARTIAL".utf8)).status == 200)
        #expect(try await client.post("/v1/traces", Array("BAD".utf8)).status == 400)
        #expect(try await client.post("/made/up", [1]).status == 404)
        let api = try RawClient(port: server.apiPort)
        #expect(try await api.post("/v1/query", Array("SELECT 1".utf8)).status == 200)
        let text = try await api.get("/metrics").text
        for line in [
          "lintel_spans_accepted_total 1", "lintel_spans_rejected_total 2", "lintel_otlp_body_bytes_total 10",
          #"lintel_http_requests_total{path="/v1/traces",status="200"} 1"#,
          #"lintel_http_requests_total{path="/v1/traces",status="400"} 1"#,
          #"lintel_http_requests_total{path="other",status="404"} 1"#, "lintel_append_seconds_count 1",
          #"lintel_append_seconds_bucket{le="+Inf"} 1"#, "lintel_query_seconds_count 1", "lintel_parts 7",
          "# TYPE lintel_append_seconds histogram",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        #expect(text.contains("process_resident_memory_bytes "))
      }
    }

    @Test func histogramBucketsAddUp() {
      let histogram = Histogram()
      for seconds in [0, 0.0005, 0.0006, 59, 61, 1e9] { histogram.record(seconds) }
      let counts = histogram.current.counts
      #expect(counts.first == 2 && counts[1] == 1 && counts.last == 2)
      #expect(counts.reduce(0, +) == 6)
    }
  }
#endif
