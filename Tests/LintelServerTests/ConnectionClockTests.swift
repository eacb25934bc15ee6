#if Server
  import NIOCore
  import NIOEmbedded
  import NIOHTTP1
  import Testing

  @testable import LintelServer

  /// What a connection does as time goes by: the test says how it goes.
  @Suite struct ConnectionClockTests {
    private struct Echo: HTTPService {
      func admit(_ head: HTTPRequestHead) throws(HTTPProblem) -> Admission {
        Admission(bodyBytes: 1 << 20, endsWithClient: false)
      }

      func answer(_ request: HTTPRequest) async -> HTTPResponse {
        HTTPResponse(.ok, contentType: "text/plain", body: .bytes(request.body))
      }

      func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
        HTTPResponse(problem, contentType: "text/plain", body: ByteBuffer(string: problem.message))
      }

      func didAnswer(_ head: HTTPRequestHead, status: HTTPResponseStatus) {}
    }

    private func connect() async throws -> NIOAsyncTestingChannel {
      var limits = ServerLimits()
      limits.idleSeconds = 75
      limits.bodySeconds = 10
      limits.bodyBytesPerSecond = 10
      let channel = NIOAsyncTestingChannel()
      try await channel.testingEventLoop.executeInContext { [limits] in
        try HTTPListener.configure(channel.pipeline.syncOperations)
        try channel.pipeline.syncOperations.addHandler(
          HTTPConnection(
            service: Echo(), limits: limits, budget: BodyBudget(limit: 1 << 20), answers: Places(.max),
            reportBusy: { _ in }, isStopping: { false }))
      }
      try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
      return channel
    }

    private func send(_ text: String, _ channel: NIOAsyncTestingChannel) async throws {
      try await channel.writeInbound(ByteBuffer(string: text))
    }

    /// What the connection has said so far, and says no more.
    private func said(_ channel: NIOAsyncTestingChannel) async throws -> String {
      var text = ""
      while let bytes = try await channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
      return text
    }

    private static let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"

    @Test func aBodyThatKeepsComingIsGivenMoreTime() async throws {
      let channel = try await connect()
      try await send(Self.head, channel)
      // 40 bytes are worth 4 seconds: it is never late.
      for _ in 0..<20 {
        await channel.testingEventLoop.advanceTime(by: .milliseconds(4000))
        try await send(String(repeating: "a", count: 40), channel)
      }
      #expect(try await said(channel).isEmpty)
      // 80 seconds are over and 800 bytes are there: ten more seconds are left.
      await channel.testingEventLoop.advanceTime(by: .milliseconds(9900))
      #expect(try await said(channel).isEmpty)
      await channel.testingEventLoop.advanceTime(by: .milliseconds(200))
      #expect(try await said(channel).hasPrefix("HTTP/1.1 408 "))
    }

    @Test func aWholeBodyIsNotLate() async throws {
      let channel = try await connect()
      try await send(Self.head, channel)
      await channel.testingEventLoop.advanceTime(by: .milliseconds(9900))
      try await send(String(repeating: "a", count: 1000), channel)
      var answer = ""
      while answer.isEmpty { answer = try await said(channel) }
      #expect(answer.hasPrefix("HTTP/1.1 200 "))
    }

    @Test(arguments: ["", "POST /v1/tra", "GET / HTTP/1.1\r\nHost: h\r\nX: y"])
    func aConnectionWithoutARequestIsClosed(text: String) async throws {
      let channel = try await connect()
      await channel.testingEventLoop.advanceTime(by: .milliseconds(40_000))
      // Half a head is no request, however slowly it goes on.
      try await send(text, channel)
      await channel.testingEventLoop.advanceTime(by: .milliseconds(34_000))
      #expect(channel.isActive)
      await channel.testingEventLoop.advanceTime(by: .milliseconds(2000))
      #expect(!channel.isActive)
    }
  }
#endif
