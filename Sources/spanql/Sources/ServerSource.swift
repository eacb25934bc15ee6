import LintelQuery

/// Statements answered by a linteld over HTTP.
struct ServerSource: QuerySource {
  /// Seconds to wait for a connection.
  static let connectSeconds = 10.0
  /// Seconds without a byte after which an answer is given up, when no `--timeout` says otherwise.
  static let idleSeconds = 600.0
  /// Longest answer to a query, in bytes. Exports are streamed and have no limit.
  static let maximumAnswerBytes = 4 << 30

  let address: ServerAddress
  let access: ServerAccess
  let timeoutSeconds: Double?

  var place: String { address.text }

  func query(_ statement: String, _ token: CancellationToken) async throws(ShellError) -> QueryResult {
    try await cancellable { cancellation throws(ShellError) in
      let body = try exchange("/v1/query", statement, cancellation) { exchange throws(ShellError) in
        try exchange.body(limit: Self.maximumAnswerBytes)
      }
      do throws(ResultDecodingError) {
        return try ResultDecoder.decode(body)
      } catch {
        throw .failed(error.description)
      }
    }
  }

  func export(_ statement: String, to path: String) async throws(ShellError) -> ExportReport {
    try await cancellable { cancellation throws(ShellError) in
      let file = try AtomicFile(path: path)
      var counter = SpanCounter()
      let warnings = try exchange("/v1/export", statement, cancellation) { exchange throws(ShellError) in
        try exchange.readBody { piece throws(ShellError) in
          counter.feed(piece)
          try file.write(piece)
        }
        return try Self.warnings(of: exchange)
      }
      try file.commit()
      return ExportReport(spanCount: counter.count, path: path, warnings: warnings)
    }
  }

  /// What an export says behind its last line: whether it is complete, and what is missing.
  private static func warnings(of exchange: HTTPExchange) throws(ShellError) -> [String] {
    let complete = exchange.trailers.last { $0.name == "lintel-complete" }?.value
    let warnings = exchange.trailers.filter { $0.name == "lintel-warning" }.map(\.value)
    // A server that says nothing of the kind is an older one.
    guard complete != nil || !exchange.head.announcedTrailers.contains("lintel-complete") else {
      throw .failed("the export came without the end that says whether it is complete: export again")
    }
    return complete == "no" && warnings.isEmpty ? ["the server says that something is missing"] : warnings
  }

  func close() async {}

  private func cancellable<Value: Sendable>(
    _ body: @escaping @Sendable (CancelSignal) throws(ShellError) -> Value
  ) async throws(ShellError) -> Value {
    let cancellation = try CancelSignal()
    let result = await withTaskCancellationHandler { () async -> Result<Value, ShellError> in
      do throws(ShellError) {
        return .success(try await OwnThread.run { () throws(ShellError) in try body(cancellation) })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      cancellation.cancel()
    }
    return try result.get()
  }

  /// Sends a statement; `read` gets the answer when it is a good one.
  private func exchange<Value>(
    _ path: String, _ statement: String, _ cancellation: CancelSignal,
    _ read: (inout HTTPExchange) throws(ShellError) -> Value
  ) throws(ShellError) -> Value {
    let limit = timeoutSeconds.map { ",\"timeout_seconds\":\($0)" } ?? ""
    let body = "{\"query\":\(ResultText.jsonString(statement))\(limit)}"
    let socket = try Socket(
      address, connectSeconds: Self.connectSeconds, idleSeconds: timeoutSeconds.map { $0 + 5 } ?? Self.idleSeconds,
      cancellation: cancellation)
    var exchange = try HTTPExchange(
      post: path, to: address, contentType: "application/json", body: Array(body.utf8), token: access.token,
      over: try transport(over: socket))
    guard exchange.head.status == 200 else {
      let answer = try exchange.body(limit: 1 << 20)
      throw ServerProblem.error(exchange.head, answer)
    }
    return try read(&exchange)
  }

  private func transport(over socket: Socket) throws(ShellError) -> any Transport {
    guard address.isSecure else { return socket }
    #if Server
      return try SecureTransport(socket, address, authorities: access.authorities)
    #else
      throw .failed("https is spoken by a spanql that was built with the package trait Server")
    #endif
  }
}

/// Counts the spans in OTLP JSON that passes by in pieces.
///
/// Every span has exactly one member `startTimeUnixNano`, and nothing else has one. Inside a string the same characters
/// would have a backslash before their second quote.
struct SpanCounter {
  private static let member = Array("\"startTimeUnixNano\":".utf8)

  private(set) var count = 0
  /// How many bytes of the member's name have matched so far.
  private var matched = 0

  mutating func feed(_ bytes: [UInt8]) {
    for byte in bytes {
      // Only the first character of the name can begin it anew: it occurs again just before the end, after which comes
      // a colon or no match.
      if byte == Self.member[matched] {
        matched += 1
      } else {
        matched = byte == Self.member[0] ? 1 : 0
      }
      if matched == Self.member.count {
        count += 1
        matched = 0
      }
    }
  }
}
