#if Server
  import Glibc
  import Logging
  import Testing

  @testable import LintelServer

  @Suite struct AccessTests {
    static let ingest = "ingest-0123456789abcdef"
    static let query = "query-0123456789abcdef"
    static let admin = "admin-0123456789abcdef"

    static func tokens(_ text: String) throws -> AccessTokens { try AccessTokens(Array(text.utf8), path: "tokens") }

    static func all() throws -> AccessTokens {
      try tokens("# who may what\n\ningest \(ingest)\nquery\t\(query)\r\n  admin  \(admin)  \n")
    }

    func bearer(_ token: String) -> [String] { ["Authorization: Bearer \(token)"] }

    @Test func filesAreRead() throws {
      let tokens = try Self.all()
      #expect(tokens.count == 3)
      #expect(tokens.scopes(of: Self.ingest.utf8) == [.ingest])
      #expect(tokens.scopes(of: Self.admin.utf8) == [.admin])
      for wrong in ["", "x", String(Self.ingest.dropLast()), Self.ingest + "x", Self.ingest.uppercased()] {
        #expect(tokens.scopes(of: wrong.utf8) == nil)
      }
      let twice = try Self.tokens("ingest \(Self.query)\nquery,admin \(Self.query)")
      #expect(twice.scopes(of: Self.query.utf8) == [.ingest, .query, .admin])
    }

    @Test(arguments: [
      "", "# nothing", "ingest", "ingest short", "ingest 0123456789abcdef more", "read 0123456789abcdef",
      "ingest, 0123456789abcdef", "ingest 0123456789äöü0123456", "ingest \(String(repeating: "x", count: 513))",
    ])
    func otherFilesAreRefusedWithoutRepeatingThem(text: String) {
      do {
        _ = try Self.tokens("\n" + text)
        Issue.record("taken")
      } catch let error as ServerError {
        #expect(error.code == .invalidConfiguration)
        #expect(!error.message.contains("0123456789") && !error.message.contains("xxx"))
      } catch {
        Issue.record("\(error)")
      }
    }

    @Test func othersMayNotReadTheFile() throws {
      let path = "/tmp/lintel-tokens-\(getpid())"
      let file = fopen(path, "w")
      fputs("ingest \(Self.ingest)\n", file)
      fclose(file)
      defer { unlink(path) }
      for mode in [0o644, 0o640, 0o604, 0o620] as [mode_t] {
        chmod(path, mode)
        #expect(throws: ServerError.self) { try AccessTokens(path: path) }
      }
      chmod(path, 0o600)
      #expect(try AccessTokens(path: path).count == 1)
      #expect(throws: ServerError.self) { try AccessTokens(path: path + "-missing") }
      #expect(throws: ServerError.self) { try AccessTokens(path: "/tmp") }
    }

    @Test func eachEndpointWantsItsScope() async throws {
      let backend = StandInBackend()
      try await withServer(backend, tokens: Self.all()) { server in
        let otlp = try RawClient(port: server.otlpPort)
        let api = try RawClient(port: server.apiPort)
        for (token, status) in [(Self.ingest, 200), (Self.query, 403), (Self.admin, 403), ("unknown-token-000", 401)] {
          let answer = try await otlp.post("/v1/traces", [1], headers: bearer(token))
          #expect(answer.status == status, "\(token)")
          #expect((answer.headers["www-authenticate"] != nil) == (status != 200))
          #expect(!answer.text.contains(token))
        }
        for (token, status) in [(Self.ingest, 403), (Self.query, 200), (Self.admin, 200), ("unknown-token-000", 401)] {
          #expect(try await api.post("/v1/query", Array("SELECT 1".utf8), headers: bearer(token)).status == status)
          #expect(try await api.post("/v1/export", Array("EXPORT x".utf8), headers: bearer(token)).status == status)
          #expect(try await api.get("/metrics", headers: bearer(token)).status == status)
          #expect(try await api.get("/health", headers: bearer(token)).status == 200)
        }
        for path in ["/v1/query", "/v1/export"] {
          let answer = try await api.post(path, Array("SELECT 1".utf8))
          #expect(answer.status == 401)
          #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
          #expect(answer.text.contains("\"unauthorized\""))
        }
        #expect(try await api.get("/metrics").status == 401)
        #expect(try await api.get("/health").status == 200)
        // A refusal comes before the body does.
        let large = try RawClient(port: server.otlpPort)
        await large.send(LimitTests.head + "Content-Length: 60000000\r\n\r\n")
        #expect(try await large.answer().status == 401)
      }
      #expect(backend.received.count == 1)
    }

    @Test func erasuresWantAnAdministrator() async throws {
      try await withServer(tokens: Self.all()) { server in
        let api = try RawClient(port: server.apiPort)
        let body = Array(#"{"user": "a", "dry_run": true}"#.utf8)
        for (token, status) in [(Self.ingest, 403), (Self.query, 403), (Self.admin, 200), ("unknown-token-000", 401)] {
          #expect(try await api.post("/v1/erasures", body, headers: bearer(token)).status == status, "\(token)")
          for path in ["/v1/erasures", "/v1/erasures/42", "/v1/erasures/1/receipt"] {
            #expect(try await api.get(path, headers: bearer(token)).status == status, "\(token) \(path)")
          }
        }
        #expect(try await api.get("/v1/erasures").status == 401)
      }
    }

    @Test(arguments: [
      "OPTIMIZE TABLE spans", "FLUSH", "CHECK", " check ;", "ERASE USER 'a'", "SHOW ERASURES", "HOLD ORG 'x'",
      "ALTER TABLE spans SET RETENTION 1d",
    ])
    func statementsThatChangeTheStoreWantAnAdministrator(statement: String) async throws {
      try await withServer(tokens: Self.all()) { server in
        let api = try RawClient(port: server.apiPort)
        let refused = try await api.post("/v1/query", Array(statement.utf8), headers: bearer(Self.query))
        #expect(refused.status == 403)
        #expect(refused.text.contains("admin"))
        #expect(try await api.post("/v1/query", Array(statement.utf8), headers: bearer(Self.admin)).status == 200)
      }
    }

    @Test(arguments: [
      [], ["Authorization: Basic \(ingest)"], ["Authorization: \(ingest)"], ["Authorization: Bearer"],
      ["Authorization: Bearer \(ingest) \(ingest)"], ["Authorization: Bearer\u{a0}\(ingest)"],
      ["Authorization: Bearer \(ingest)", "Authorization: Bearer \(ingest)"],
    ])
    func whatIsNoBearerTokenIsRefused(headers: [String]) async throws {
      try await withServer(tokens: Self.all()) { server in
        let client = try RawClient(port: server.otlpPort)
        #expect(try await client.post("/v1/traces", [1], headers: headers).status == 401)
        #expect(
          try await client.post("/v1/traces", [1], headers: ["authorization:  bearer   \(Self.ingest)"]).status == 200)
      }
    }

    @Test func newTokensReplaceTheFormer() async throws {
      try await withServer(tokens: Self.all()) { server in
        let client = try RawClient(port: server.otlpPort)
        #expect(try await client.post("/v1/traces", [1], headers: bearer(Self.ingest)).status == 200)
        server.replaceTokens(try Self.tokens("ingest the-next-token-0001"))
        #expect(try await client.post("/v1/traces", [1], headers: bearer(Self.ingest)).status == 401)
        #expect(try await client.post("/v1/traces", [1], headers: bearer("the-next-token-0001")).status == 200)
      }
    }

    @Test func whatIsWrongIsForThoseWhoMayAsk() async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.problem = "the disk of /somewhere failed"
      try await withServer(StandInBackend(behaviour), tokens: Self.all()) { server in
        let client = try RawClient(port: server.apiPort)
        let stranger = try await client.get("/health")
        #expect(stranger.status == 503 && stranger.text == "{\"status\":\"failing\"}\n")
        #expect(try await client.get("/health", headers: bearer(Self.query)).text.contains("/somewhere"))
      }
    }

    @Test func aKeyThatOthersMayReadIsRefused() async throws {
      var configuration = ServerConfiguration()
      configuration.tls = TLSFiles(certificate: "/etc/hostname", key: "/etc/hostname")
      await #expect(throws: ServerError.self) {
        _ = try await SpanServer.start(
          backend: StandInBackend(), configuration: configuration, logger: .init(label: "t"))
      }
    }
  }
#endif
