#if Server
  import Foundation
  import Lintel
  import LintelColumns
  import LintelIngest
  import LintelQuery
  import Logging
  import Testing

  @testable import LintelServer

  /// Exports of a real store of which something is damaged.
  @Suite("Exports over HTTP") struct ExportEndpointTests {
    /// Three parts, of which the given file's bytes are changed at one place.
    private func withStore(
      damaging folder: String? = nil, beforeOpening: Bool = false, _ body: (SpanStore) async throws -> Void
    ) async throws {
      let url = FileManager.default.temporaryDirectory.appendingPathComponent("lintel-export-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: url) }
      let path = url.path
      func damage() throws {
        guard let folder else { return }
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
        let file = URL(fileURLWithPath: "\(path)/\(folder)/\(try #require(names.first))")
        let handle = try FileHandle(forUpdating: file)
        let size = try handle.seekToEnd()
        // The trailer, or what is read when it is asked for.
        let place = beforeOpening ? size - 40 : folder == "hot" ? 200 : 20
        try handle.seek(toOffset: place)
        let bytes = try handle.read(upToCount: beforeOpening ? 1 : 20) ?? Data()
        try handle.seek(toOffset: place)
        try handle.write(contentsOf: Data(bytes.map { $0 ^ 0x55 }))
        try handle.close()
      }
      var store = try await SpanStore.open(at: path)
      for part in 0..<3 {
        try await store.append(
          (0..<10).map { number in
            var span = TraceSpan(
              name: "chat \(number)", start: .init(nanoseconds: Int64(part * 100 + number) + 1_800_000_000_000_000_000),
              duration: .seconds(1), traceID: UInt128(part * 100 + number + 1), spanID: 1)
            span.attributes["gen_ai.input.messages"] = .string(
              "[{\"role\":\"user\",\"content\":\"what is \(part) and \(number), if it must be known at once and in full?\"}]"
            )
            return span
          })
        try await store.flush()
      }
      try await store.close()
      if beforeOpening { try damage() }
      store = try await SpanStore.open(at: path)
      if !beforeOpening { try damage() }
      do {
        try await body(store)
      } catch {
        try? await store.close()
        throw error
      }
      try await store.close()
    }

    private func backend(_ store: SpanStore) -> SpanStoreBackend {
      SpanStoreBackend(
        store, invalidText: .rejectRequest, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func spans(_ text: String) -> Int { text.split(separator: "\"startTimeUnixNano\":").count - 1 }

    private static let export = Array("EXPORT spans".utf8)

    @Test func aCompleteExportSaysSo() async throws {
      try await withStore { store in
        try await withServer(backend(store)) { server in
          let client = try RawClient(port: server.apiPort)
          let answer = try await client.post("/v1/export", Self.export, headers: ["TE: gzip, trailers"])
          #expect(spans(answer.text) == 30 && answer.trailers == ["lintel-complete": "yes"])
          #expect(answer.headers["lintel-warning"] == nil)
          let plain = try await client.post("/v1/export", Self.export)
          #expect(spans(plain.text) == 30 && plain.trailers == [:])
          #expect(try await client.get("/health").status == 200)
        }
      }
    }

    /// Whoever reads trailers is told what is missing; the answer ends as answers do.
    @Test(arguments: ["hot", "content"], [false, true])
    func anIncompleteExportSaysSo(folder: String, beforeOpening: Bool) async throws {
      try await withStore(damaging: folder, beforeOpening: beforeOpening) { store in
        try await withServer(backend(store)) { server in
          let client = try RawClient(port: server.apiPort)
          for _ in 0..<2 {
            let answer = try await client.post("/v1/export", Self.export, headers: ["TE: trailers"])
            #expect(answer.status == 200 && spans(answer.text) == (folder == "hot" ? 20 : 30))
            #expect(answer.trailers["lintel-complete"] == "no")
            #expect(answer.trailers["lintel-warning"]?.contains(folder + "/") == true)
          }
          let answer = try await client.post("/v1/export", Self.export, headers: ["TE: trailers"])
          // Once a part is known to be damaged, the head says so.
          #expect((answer.headers["lintel-warning"] != nil) == (folder == "hot"))
        }
      }
    }

    /// For everybody else it ends as if it had been cut, behind all that could be read.
    @Test(arguments: ["HTTP/1.1", "HTTP/1.0"])
    func whoReadsNoTrailersGetsNoEnd(version: String) async throws {
      try await withStore(damaging: "hot") { store in
        try await withServer(backend(store)) { server in
          for _ in 0..<2 {
            let client = try RawClient(port: server.apiPort)
            await client.send("POST /v1/export \(version)\r\nHost: h\r\nContent-Length: 12\r\n\r\nEXPORT spans")
            await #expect(throws: RawClient.Failure.self) { try await client.answer() }
          }
          // Others end.
          let client = try RawClient(port: server.apiPort)
          await client.send("POST /v1/query \(version)\r\nHost: h\r\nContent-Length: 8\r\n\r\nSELECT 1")
          #expect(try await client.answer().status == 200)
        }
      }
    }

    /// Parts that were set aside are missing in queries, too.
    @Test func queriesSayWhatIsLeftOut() async throws {
      try await withStore(damaging: "hot", beforeOpening: true) { store in
        let result = try await store.query("SELECT count(*) AS n FROM spans")
        #expect(try result.decode(Int.self) == [20])
        #expect(result.warnings.count == 1 && result.warnings.first?.contains("hot/") == true)
      }
    }
  }
#endif
