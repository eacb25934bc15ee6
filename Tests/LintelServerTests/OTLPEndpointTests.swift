#if Server
  import LintelStorage
  import NIOCore
  import Synchronization
  import Testing

  @testable import LintelServer

  @Suite struct OTLPEndpointTests {
    static let path = "/v1/traces"

    @Test func takesBothEncodingsAndAnswersInKind() async throws {
      let backend = StandInBackend()
      try await withServer(backend) { server in
        let client = try RawClient(port: server.otlpPort)
        let binary = try await client.post(Self.path, [1, 2, 3], type: "Application/X-Protobuf; charset=utf-8")
        #expect(binary.status == 200 && binary.body.isEmpty)
        #expect(binary.headers["content-type"] == "application/x-protobuf")
        let json = try await client.post(
          Self.path + "?x=1", Array("{}".utf8), type: "application/json", headers: ["X-Scope-OrgID: acme"])
        #expect(json.status == 200 && json.text == "{}")
        #expect(json.headers["content-type"] == "application/json")
        #expect(try await client.post(Self.path, []).status == 200)
        let absolute = try await client.post("http://somewhere:4318" + Self.path, [9])
        #expect(absolute.status == 200)
      }
      #expect(
        backend.received == [
          .init(body: [1, 2, 3], format: .protobuf, organization: nil),
          .init(body: Array("{}".utf8), format: .json, organization: "acme"),
          .init(body: [], format: .protobuf, organization: nil),
          .init(body: [9], format: .protobuf, organization: nil),
        ])
    }

    @Test func takesEveryContentCoding() async throws {
      let backend = StandInBackend()
      let bytes = Array("some spans".utf8)
      let codings: [(String, [UInt8])] = [
        ("identity", bytes), ("gzip", Compress.gzip(bytes)), ("x-gzip", Compress.gzip(bytes)),
        ("GZIP", Compress.gzip(bytes)), ("deflate", Compress.zlib(bytes)), ("deflate", Compress.rawDeflate(bytes)),
        ("zstd", Compress.zstd(bytes)), ("", bytes),
      ]
      try await withServer(backend) { server in
        let client = try RawClient(port: server.otlpPort)
        for (name, body) in codings {
          let answer = try await client.post(Self.path, body, headers: ["Content-Encoding: \(name)"])
          #expect(answer.status == 200, "\(name)")
        }
        for name in ["br", "gzip, gzip", "gzip\r\nContent-Encoding: gzip"] {
          let answer = try await client.post(Self.path, bytes, headers: ["Content-Encoding: \(name)"])
          #expect(answer.status == 415, "\(name)")
          #expect(answer.headers["accept-encoding"] == "gzip, deflate, zstd")
        }
        #expect(try await client.post(Self.path, bytes, headers: ["Content-Encoding: gzip"]).status == 400)
        #expect(try await client.post(Self.path, bytes, headers: ["Content-Encoding: zstd"]).status == 400)
        #expect(try await client.post(Self.path, [], headers: ["Content-Encoding: gzip"]).status == 400)
      }
      #expect(backend.received.map(\.body) == codings.map { _ in bytes })
    }

    @Test func rejectedSpansAreNamed() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.otlpPort)
        let json = try await client.post(Self.path, Array("PARTIAL".utf8), type: "application/json")
        #expect(json.status == 200)
        #expect(json.text == #"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no trace id"}}"#)
        let binary = try await client.post(Self.path, Array("PARTIAL".utf8))
        #expect(binary.body == [0x0a, 15, 0x08, 2, 0x12, 11] + Array("no trace id".utf8))
      }
    }

    @Test func refusalsAreStatusMessagesInTheRequestsEncoding() async throws {
      try await withServer { server in
        let client = try RawClient(port: server.otlpPort)
        let json = try await client.post(Self.path, Array("BAD".utf8), type: "application/json")
        #expect(json.status == 400 && json.headers["content-type"] == "application/json")
        #expect(json.text == #"{"code":3,"message":"field 3 is \"bad\""}"#)
        let binary = try await client.post(Self.path, Array("BAD".utf8))
        #expect(binary.status == 400 && binary.headers["content-type"] == "application/x-protobuf")
        #expect(binary.body == [0x08, 3, 0x12, 16] + Array("field 3 is \"bad\"".utf8))
        // The connection goes on after each of these.
        #expect(try await client.post("/v1/trace", [1]).status == 404)
        #expect(try await client.post("/v1/metrics", [1], type: "application/json").text.contains("none"))
        #expect(try await client.post(Self.path, [1], type: nil).status == 415)
        #expect(try await client.post(Self.path, [1], type: "application/grpc").status == 415)
        let organization = "X-Scope-OrgID: " + String(repeating: "x", count: 257)
        #expect(try await client.post(Self.path, [1], headers: [organization]).status == 400)
        await client.send("PUT \(Self.path) HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        let method = try await client.answer()
        #expect(method.status == 405 && method.headers["allow"] == "POST")
        #expect(try await client.get(Self.path).status == 405)
        #expect(try await client.post(Self.path, [1]).status == 200)
      }
    }

    @Test(
      arguments: [
        (StorageError.Code.invalid, 400, nil), (.overloaded, 503, "1"), (.diskFull, 503, "30"),
        (.failedStop, 503, "30"),
        (.io, 503, "30"), (.closed, 503, "30"),
      ] as [(StorageError.Code, Int, String?)])
    func storeFailuresSayWhetherToRetry(code: StorageError.Code, status: Int, retryAfter: String?) async throws {
      var behaviour = StandInBackend.Behaviour()
      behaviour.append = { _ throws(StorageError) in throw StorageError(code, "no") }
      try await withServer(StandInBackend(behaviour), limits: { $0.overloadWaitSeconds = 0.05 }) { server in
        let answer = try await RawClient(port: server.otlpPort).post(Self.path, [1])
        #expect(answer.status == status)
        #expect(answer.headers["retry-after"] == retryAfter)
      }
    }

    @Test func aStoreThatCatchesUpSoonIsWaitedFor() async throws {
      let refusals = Counter()
      var behaviour = StandInBackend.Behaviour()
      behaviour.append = { rows throws(StorageError) in
        guard refusals.next() > 3 else { throw StorageError(.overloaded, "full") }
        return rows
      }
      try await withServer(StandInBackend(behaviour), limits: { $0.overloadWaitSeconds = 3600 }) { server in
        let answer = try await RawClient(port: server.otlpPort).post(Self.path, [1])
        #expect(answer.status == 200)
      }
    }

    @Test func messagesAreCutToWhatClientsRead() {
      let message = String(repeating: "ü", count: 10_000)
      let response = OTLPMessages.exportResponse(rejected: 1, message: message, .json)
      #expect(response.readableBytes < OTLPMessages.messageBytes + 200)
    }
  }

  final class Counter: Sendable {
    private let count = Atomic(0)

    /// 1, then 2, ...
    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
  }
#endif
