/// One request and its answer over HTTP/1.1; the connection closes afterwards.
///
/// Knows what a query needs: bodies with a length, in chunks, or up to the end of the connection.
struct HTTPExchange {
  struct Head: Equatable {
    var status = 0
    var reason = ""
    var contentLength: Int?
    var isChunked = false
    /// Fields that are said to come behind the chunks, in lower case.
    var announcedTrailers: Set<String> = []
  }

  struct Field: Equatable {
    /// In lower case.
    var name: String
    var value: String
  }

  static let maximumHeadBytes = 64 << 10

  private var source: HTTPBytes
  let head: Head
  /// What came behind the chunks of a body that has been read.
  private(set) var trailers: [Field] = []

  /// Sends a POST and reads the answer's head.
  init(
    post path: String, to address: ServerAddress, contentType: String, body: [UInt8], token: String?,
    over transport: any Transport
  ) throws(ShellError) {
    let request = """
      POST \(address.prefix)\(path) HTTP/1.1\r
      Host: \(address.authority)\r
      User-Agent: spanql\r
      Accept: */*\r
      Content-Type: \(contentType)\r
      Content-Length: \(body.count)\r
      \(token.map { "Authorization: Bearer \($0)\r\n" } ?? "")TE: trailers\r
      Connection: close, TE\r
      \r

      """
    try transport.write(Array(request.utf8) + body)
    try self.init(reading: HTTPBytes { () throws(ShellError) in try transport.read(upTo: 64 << 10) })
  }

  /// Reads the head of an answer.
  init(reading source: HTTPBytes) throws(ShellError) {
    var source = source
    var head = Head()
    repeat { head = try Self.readHead(&source) } while (100..<200).contains(head.status)
    self.head = head
    self.source = source
  }

  private static func readHead(_ source: inout HTTPBytes) throws(ShellError) -> Head {
    var room = maximumHeadBytes
    func line() throws(ShellError) -> String {
      let line = try source.line(limit: room)
      room -= line.count + 2
      return String(decoding: line, as: UTF8.self)
    }
    let pieces = try line().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard pieces.count >= 2, pieces[0].hasPrefix("HTTP/1."), let status = Int(pieces[1]), (100...999).contains(status)
    else { throw .failed("the server doesn't answer in HTTP/1.1: is the port right?") }
    var head = Head(status: status, reason: pieces.count > 2 ? String(pieces[2]) : "")
    while true {
      let header = try line()
      if header.isEmpty { return head }
      let field = Self.field(header)
      let value = field.value
      switch field.name {
      case "content-length":
        guard let length = Int(value), length >= 0 else { throw .failed("the server sent a wrong Content-Length") }
        head.contentLength = length
      case "transfer-encoding": head.isChunked = value.lowercased().hasSuffix("chunked")
      case "trailer":
        head.announcedTrailers.formUnion(
          value.lowercased().split(separator: ",").map { String($0.drop { $0 == " " }) })
      default: break
      }
    }
  }

  private static func field(_ line: String) -> Field {
    let name = line.prefix { $0 != ":" }
    return Field(
      name: name.lowercased(), value: String(line.dropFirst(name.count + 1).drop { $0 == " " || $0 == "\t" }))
  }

  /// Hands the body over, piece by piece.
  mutating func readBody(_ sink: ([UInt8]) throws(ShellError) -> Void) throws(ShellError) {
    if head.isChunked {
      try readChunks(sink)
    } else if let length = head.contentLength {
      try source.take(length, sink)
    } else {
      try source.takeRest(sink)
    }
  }

  private mutating func readChunks(_ sink: ([UInt8]) throws(ShellError) -> Void) throws(ShellError) {
    while true {
      let line = String(decoding: try source.line(limit: 1024), as: UTF8.self)
      guard let length = Int(line.prefix { $0.isHexDigit }, radix: 16), length >= 0 else {
        throw .failed("the server sent a chunk without a length")
      }
      if length == 0 { break }
      try source.take(length, sink)
      guard try source.line(limit: 2).isEmpty else { throw .failed("the server sent a chunk longer than it said") }
    }
    var room = Self.maximumHeadBytes
    while true {
      let line = try source.line(limit: room)
      if line.isEmpty { return }
      room -= line.count + 2
      trailers.append(Self.field(String(decoding: line, as: UTF8.self)))
    }
  }

  /// The whole body; fails when it is longer than `limit` bytes.
  mutating func body(limit: Int) throws(ShellError) -> [UInt8] {
    var body: [UInt8] = []
    try readBody { piece throws(ShellError) in
      guard body.count + piece.count <= limit else { throw .failed("the answer is longer than \(limit >> 20) MiB") }
      body.append(contentsOf: piece)
    }
    return body
  }
}

/// Bytes from a connection, by lines and by lengths.
struct HTTPBytes {
  private let read: () throws(ShellError) -> [UInt8]
  private var buffer: ArraySlice<UInt8> = []

  /// - Parameter read: Some more bytes; none at the end.
  init(_ read: @escaping () throws(ShellError) -> [UInt8]) { self.read = read }

  private static let cutShort = ShellError.failed("the server closed the connection in the middle of its answer")

  /// A line without its line end.
  mutating func line(limit: Int) throws(ShellError) -> [UInt8] {
    var line: [UInt8] = []
    while true {
      let end = buffer.firstIndex(of: UInt8(ascii: "\n"))
      line.append(contentsOf: buffer[..<(end ?? buffer.endIndex)])
      guard line.count <= limit + 1 else { throw .failed("the server's answer has a line that is too long") }
      if let end {
        buffer = buffer[(end + 1)...]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
      }
      try refill()
    }
  }

  private mutating func refill() throws(ShellError) {
    let bytes = try read()
    guard !bytes.isEmpty else { throw Self.cutShort }
    buffer = bytes[...]
  }

  mutating func take(_ count: Int, _ sink: ([UInt8]) throws(ShellError) -> Void) throws(ShellError) {
    var rest = count
    while rest > 0 {
      if buffer.isEmpty { try refill() }
      let piece = buffer.prefix(rest)
      try sink(Array(piece))
      buffer = buffer.dropFirst(piece.count)
      rest -= piece.count
    }
  }

  mutating func takeRest(_ sink: ([UInt8]) throws(ShellError) -> Void) throws(ShellError) {
    if !buffer.isEmpty { try sink(Array(buffer)) }
    buffer = []
    while true {
      let bytes = try read()
      if bytes.isEmpty { return }
      try sink(bytes)
    }
  }
}
