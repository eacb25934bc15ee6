import Glibc

/// A keep-alive HTTP/1.1 connection that posts bodies: just enough to load a server on this machine.
final class HTTPConnection {
  struct Failure: Error, CustomStringConvertible { let description: String }

  struct Answer {
    let status: Int
    /// Seconds.
    let retryAfter: Double?
    let body: [UInt8]
  }

  private let descriptor: Int32
  private let host: String

  init(host: String, port: UInt16) throws {
    self.host = host
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(description: "no socket: \(String(cString: strerror(errno)))") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
      throw Failure(description: "\(host) is not an IPv4 address")
    }
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(description: "\(host):\(port): \(String(cString: strerror(errno)))") }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit { close(descriptor) }

  /// Posts a body and waits for the answer.
  func post(_ path: String, contentType: String, body: [UInt8]) throws -> Answer {
    let head =
      "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n\r\n"
    try send(Array(head.utf8))
    try send(body)
    return try receive()
  }

  private func send(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.send(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        guard count > 0 else { throw Failure(description: "the server closed the connection while a body was sent") }
        rest = rest.dropFirst(count)
      }
    }
  }

  private func receive() throws -> Answer {
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    var head: (end: Int, lines: [Substring])?
    while true {
      if head == nil, let end = headEnd(received) {
        head = (end, String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n"))
      }
      if let head {
        func header(_ name: String) -> String? {
          head.lines.first { $0.lowercased().hasPrefix(name + ":") }?.split(separator: ":", maxSplits: 1).last.map {
            String($0.drop { $0 == " " })
          }
        }
        let start = head.end + 4
        let length = header("content-length").flatMap { Int($0) } ?? 0
        if received.count >= start + length {
          guard let status = head.lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw Failure(description: "the answer has no status line")
          }
          return Answer(
            status: status, retryAfter: header("retry-after").flatMap { Double($0) },
            body: Array(received[start..<(start + length)]))
        }
      }
      let count = recv(descriptor, &chunk, chunk.count, 0)
      guard count > 0 else { throw Failure(description: "the server closed the connection before it answered") }
      received.append(contentsOf: chunk[..<count])
    }
  }

  private func headEnd(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (0...(bytes.count - 4)).first {
      bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
    }
  }
}
