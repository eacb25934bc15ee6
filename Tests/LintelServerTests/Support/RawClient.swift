#if Server
  import Dispatch
  import Glibc
  import NIOCore

  /// A client that says just what it is told to, byte by byte, over a plain socket.
  ///
  /// Its blocking calls run on a thread of Dispatch, never on the cooperative pool that the server needs.
  final class RawClient: @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible {
      var description: String
    }

    struct Answer: Equatable {
      var status: Int
      var headers: [String: String]
      var body: [UInt8]
      /// What came behind the chunks.
      var trailers: [String: String] = [:]

      var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let socket: Int32
    private let queue = DispatchQueue(label: "client")
    private var received: [UInt8] = []

    /// - Parameter receiveBuffer: Bytes that the operating system takes before this client reads; `nil`: its choice.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
      socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      if var size = receiveBuffer {
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
      }
      let status = try SocketAddress(ipAddress: "127.0.0.1", port: port).withSockAddr {
        connect(socket, $0, socklen_t($1))
      }
      guard status == 0 else { throw Failure(description: "connect: errno \(errno)") }
      var patience = timeval(tv_sec: 60, tv_usec: 0)
      setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Glibc.close(socket) }

    /// Sends as much as the peer takes; a peer that has closed is no failure here.
    func send(_ bytes: [UInt8]) async {
      await run { [self] in
        var sent = 0
        while sent < bytes.count {
          let count = bytes.withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
          }
          guard count > 0 else { return }
          sent += count
        }
      }
    }

    func send(_ text: String) async { await send(Array(text.utf8)) }

    /// Says that no more will be sent, as a client does that waits for its answer.
    func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

    /// Goes away at once, answer or not.
    func abandon() { shutdown(socket, Int32(SHUT_RDWR)) }

    /// The next answer: its head, and its body by length or by chunks.
    func answer(hasBody: Bool = true) async throws -> Answer {
      try await run { [self] in
        Result { try readAnswer(hasBody: hasBody) }
      }.get()
    }

    /// Whether the peer closes the connection without sending more.
    func isClosedByPeer() async -> Bool {
      await run { [self] in received.isEmpty && ((try? fill()) ?? false) == false }
    }

    /// A whole exchange.
    func post(
      _ path: String, _ body: [UInt8], type: String? = "application/x-protobuf", headers: [String] = []
    ) async throws -> Answer {
      var head = "POST \(path) HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.count)\r\n"
      if let type { head += "Content-Type: \(type)\r\n" }
      for header in headers { head += header + "\r\n" }
      await send(Array((head + "\r\n").utf8) + body)
      return try await answer()
    }

    func get(_ path: String, headers: [String] = []) async throws -> Answer {
      let lines = headers.map { $0 + "\r\n" }.joined()
      await send("GET \(path) HTTP/1.1\r\nHost: test\r\n\(lines)\r\n")
      return try await answer()
    }

    private func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
      await withCheckedContinuation { continuation in
        queue.async { continuation.resume(returning: body()) }
      }
    }

    // MARK: Reading

    /// Reads some more; `false` at the end of the connection.
    private func fill() throws -> Bool {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count >= 0 else { throw Failure(description: "recv: errno \(errno)") }
      received += buffer[..<count]
      return count > 0
    }

    private func line() throws -> String {
      while true {
        if let end = received.firstIndex(of: 10) {
          let line = String(decoding: received[..<end], as: UTF8.self)
          received.removeSubrange(...end)
          return line.hasSuffix("\r") ? String(line.dropLast()) : line.trimmingCarriageReturn()
        }
        guard try fill() else { throw Failure(description: "the connection ended in the middle of an answer") }
      }
    }

    private func bytes(_ count: Int) throws -> [UInt8] {
      while received.count < count {
        guard try fill() else { throw Failure(description: "the connection ended in the middle of a body") }
      }
      let bytes = Array(received[..<count])
      received.removeSubrange(..<count)
      return bytes
    }

    private func fields() throws -> [String: String] {
      var fields: [String: String] = [:]
      while case let line = try line(), !line.isEmpty {
        guard let colon = line.firstIndex(of: ":") else { throw Failure(description: "not a header: \(line)") }
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        fields[line[..<colon].lowercased()] = String(value)
      }
      return fields
    }

    private func readAnswer(hasBody: Bool) throws -> Answer {
      let words = try line().split(separator: " ", maxSplits: 2)
      guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
        throw Failure(description: "not a status line: \(words)")
      }
      var answer = Answer(status: status, headers: [:], body: [])
      answer.headers = try fields()
      guard hasBody, status != 100 else { return answer }
      if answer.headers["transfer-encoding"] == "chunked" {
        while case let length = Int(try line(), radix: 16) ?? 0, length > 0 {
          answer.body += try bytes(length)
          _ = try line()
        }
        answer.trailers = try fields()
      } else if answer.headers["content-length"] == nil, answer.headers["connection"] == "close" {
        while try fill() {}
        answer.body = received
        received = []
      } else {
        answer.body = try bytes(Int(answer.headers["content-length"] ?? "0") ?? 0)
      }
      return answer
    }
  }

  extension String {
    /// Swift sees CR LF as one character; what `hasSuffix` misses is cut here.
    fileprivate func trimmingCarriageReturn() -> String {
      utf8.last == 13 ? String(decoding: utf8.dropLast(), as: UTF8.self) : self
    }
  }
#endif
