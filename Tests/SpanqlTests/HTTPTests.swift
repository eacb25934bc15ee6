import Testing

#if canImport(Glibc)
  import Glibc
#endif

@testable import spanql

@Suite struct HTTPTests {
  /// An answer that comes in pieces of `size` bytes.
  private func exchange(_ text: String, size: Int) throws(ShellError) -> HTTPExchange {
    var rest = Array(text.utf8)[...]
    return try HTTPExchange(
      reading: HTTPBytes { () throws(ShellError) in
        let piece = Array(rest.prefix(size))
        rest = rest.dropFirst(size)
        return piece
      })
  }

  private func body(_ text: String, size: Int, limit: Int = 1000) throws -> String {
    var exchange = try exchange(text, size: size)
    return String(decoding: try exchange.body(limit: limit), as: UTF8.self)
  }

  @Test(arguments: [1, 2, 3, 7, 64, 10_000])
  func bodiesOfEveryFraming(_ size: Int) throws {
    let head = "HTTP/1.1 200 OK\r\nX: y\r\n"
    #expect(try body(head + "Content-Length: 5\r\n\r\nhello", size: size) == "hello")
    #expect(try body(head + "content-length:0\r\n\r\n", size: size) == "")
    #expect(try body(head + "\r\nuntil the end", size: size) == "until the end")
    #expect(
      try body(
        head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: z\r\n\r\n", size: size)
        == "hello world")
    #expect(try body("HTTP/1.1 100 Continue\r\n\r\n" + head + "Content-Length: 2\r\n\r\nok", size: size) == "ok")
    #expect(try body("HTTP/1.0 200 OK\nContent-Length: 2\n\nok", size: size) == "ok")
  }

  @Test(arguments: [1, 5, 1000])
  func trailersAreRead(_ size: Int) throws {
    var exchange = try exchange(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Lintel-Complete, X\r\n\r\n2\r\nok\r\n0\r\n"
        + "Lintel-Complete: no\r\nLintel-Warning: a: b\r\nLintel-Warning:c\r\n\r\n", size: size)
    #expect(exchange.head.announcedTrailers == ["lintel-complete", "x"])
    #expect(try exchange.body(limit: 10) == Array("ok".utf8))
    #expect(exchange.trailers.map(\.name) == ["lintel-complete", "lintel-warning", "lintel-warning"])
    #expect(exchange.trailers.map(\.value) == ["no", "a: b", "c"])
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx",
  ])
  func brokenAnswersAreErrors(_ text: String) {
    #expect(throws: ShellError.self) { try body(text, size: 5) }
  }

  @Test func longHeadsAndBodiesAreRefused() {
    #expect(throws: ShellError.self) {
      try body("HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 100_000) + "\r\n\r\n", size: 4096)
    }
    #expect(throws: ShellError.self) {
      try body("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "a", count: 2000), size: 100)
    }
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:4320", "127.0.0.1", 4320, ""), ("http://localhost", "localhost", 4320, ""),
      ("localhost:80/", "localhost", 80, ""), ("HTTP://h/a/b/", "h", 4320, "/a/b"), ("http://[::1]:99", "::1", 99, ""),
      ("[::1]", "::1", 4320, ""), ("https://h:1/p", "h", 1, "/p"),
    ] as [(String, String, UInt16, String)])
  func addresses(_ text: String, _ host: String, _ port: UInt16, _ prefix: String) throws {
    let address = try ServerAddress(text)
    #expect((address.host, address.port, address.prefix) == (host, port, prefix))
    #expect(address.isSecure == text.hasPrefix("https"))
  }

  @Test(arguments: [
    "", "ftp://h", "http://", "http://h:", "http://h:0", "http://h:65536", "http://h:x", "http://[::1",
    "http://[::1]x", "http://a b", "http://h/\r\nX: y",
  ])
  func wrongAddresses(_ text: String) {
    // An empty port means the default one.
    if text == "http://h:" { return }
    #expect(throws: ShellError.self) { try ServerAddress(text) }
  }

  @Test func tokensComeFromAFileOrTheEnvironment() throws {
    #expect(try ServerAccess().token == nil)
    #expect(try ServerAccess(environment: " abc\n").token == "abc")
    #expect(throws: ShellError.self) { try ServerAccess(environment: "a\u{7}b") }
    #expect(throws: ShellError.self) { try ServerAccess(environment: "naïve") }
    let folder = TemporaryDirectory()
    folder.write("from-the-file\n", to: "token")
    let path = folder.path + "/token"
    chmod(path, 0o644)
    #expect(throws: ShellError.self) { try ServerAccess(tokenFile: path) }
    chmod(path, 0o600)
    #expect(try ServerAccess(tokenFile: path, environment: "other").token == "from-the-file")
    folder.write("", to: "token")
    #expect(throws: ShellError.self) { try ServerAccess(tokenFile: path) }
    #expect(throws: ShellError.self) { try ServerAccess(tokenFile: folder.path) }
    #expect(throws: ShellError.self) { try ServerAccess(tokenFile: folder.path + "/missing") }
  }

  @Test(arguments: [1, 3, 1000])
  func spansAreCountedInWhateverPieces(_ size: Int) {
    let line = #"{"spans":[{"startTimeUnixNano":"1","name":"\"startTimeUnixNano\":"},{"startTimeUnixNano":"2"}]}"#
    let bytes = Array((line + "\n" + line + "\n").utf8)
    var counter = SpanCounter()
    for start in stride(from: 0, to: bytes.count, by: size) {
      counter.feed(Array(bytes[start..<min(bytes.count, start + size)]))
    }
    #expect(counter.count == 4)
  }
}
