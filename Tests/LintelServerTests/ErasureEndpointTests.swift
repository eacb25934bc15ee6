#if Server
  import ArgumentParser
  import LintelQuery
  import LintelStorage
  import NIOCore
  import Synchronization
  import Testing

  @testable import LintelServer
  @testable import linteld

  @Suite("Erasures over HTTP") struct ErasureEndpointTests {
    private final class Asked: Sendable {
      let commands = Mutex<[LifecycleCommand]>([])
    }

    private func backend(_ asked: Asked, refusing code: StorageError.Code? = nil) -> StandInBackend {
      var behaviour = StandInBackend.Behaviour()
      behaviour.lifecycle = { command throws(StorageError) in
        asked.commands.withLock { $0.append(command) }
        if let code { throw StorageError(code, "legal hold 3 forbids it") }
        return StandInBackend.answer
      }
      return StandInBackend(behaviour)
    }

    @Test func requestsBecomeCommands() async throws {
      let asked = Asked()
      try await withServer(backend(asked)) { server in
        let client = try RawClient(port: server.apiPort)
        for (body, status) in [
          (#"{"user": "a"}"#, 202), (#"{"users": ["a", "b"], "org": "x"}"#, 202),
          (#"{"user": "it's \"me\"", "dry_run": true}"#, 200),
        ] {
          #expect(try await client.post("/v1/erasures", Array(body.utf8)).status == status)
        }
        #expect(try await client.get("/v1/erasures").status == 200)
        #expect(try await client.get("/v1/erasures/42").status == 200)
        #expect(try await client.get("/v1/erasures/43").status == 404)
        #expect(try await client.get("/v1/erasures/1/receipt").text == "{}\n{}\n")
        #expect(try await client.get("/v1/erasures/2/receipt").status == 404)
        for path in ["/v1/erasures/x", "/v1/erasures/1/x", "/v1/erasures/1/receipt/2"] {
          #expect(try await client.get(path).status == 404, "\(path)")
        }
      }
      #expect(
        asked.commands.withLock { $0.filter { $0 != .showErasures } } == [
          .erase(users: ["a"], organization: nil, isDryRun: false),
          .erase(users: ["a", "b"], organization: "x", isDryRun: false),
          .erase(users: ["it's \"me\""], organization: nil, isDryRun: true),
        ])
    }

    @Test func whatIsNoRequestIsRefused() async throws {
      let asked = Asked()
      try await withServer(backend(asked)) { server in
        let client = try RawClient(port: server.apiPort)
        for body in [
          "", "{}", "[]", #"{"user": ""}"#, #"{"users": []}"#, #"{"user": "a", "org": ""}"#, #"{"user": 7}"#,
          // What is misspelt must not erase for good, or everywhere.
          #"{"user": "a", "dryrun": true}"#, #"{"user": "a", "organisation": "x"}"#, #"{"user": "a", "org": null}"#,
          #"{"user": "a", "dry_run": null}"#,
        ] {
          #expect(try await client.post("/v1/erasures", Array(body.utf8)).status == 400, "\(body)")
        }
        #expect(try await client.post("/v1/erasures/1", Array(#"{"user": "a"}"#.utf8)).status == 404)
      }
      #expect(asked.commands.withLock { $0.isEmpty })
    }

    @Test func refusalsAreConflicts() async throws {
      for (code, status) in [(StorageError.Code.invalid, 409), (.failedStop, 503), (.diskFull, 503)] {
        try await withServer(backend(Asked(), refusing: code)) { server in
          let answer = try await RawClient(port: server.apiPort).post("/v1/erasures", Array(#"{"user": "a"}"#.utf8))
          #expect(answer.status == status && answer.text.contains("legal hold 3"))
        }
      }
    }

    @Test func retentionIsReadFromTheCommandLine() throws {
      func read(_ text: String) throws -> [RetentionSetting] {
        try ServeSettings(ServeOptions.parse(["--data", "d", "--retention=\(text)"]), environment: [:]).retention
      }
      let day: Int64 = 86_400_000_000_000
      #expect(
        try read("90d,acme=12h,x y=2w") == [
          RetentionSetting(organization: nil, nanoseconds: 90 * day),
          RetentionSetting(organization: "acme", nanoseconds: day / 2),
          RetentionSetting(organization: "x y", nanoseconds: 14 * day),
        ])
      for text in ["90", "d", "-1d", "0d", "=3d", "a=b=3d", "90d,", "9999999999999d", "90y"] {
        #expect(throws: UsageError.self, "\(text)") { try read(text) }
      }
    }
  }
#endif
