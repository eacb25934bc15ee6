#if Server
  internal import FoundationEssentials
  internal import LintelQuery
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix

  /// What a client asks: `{"query": "..", "timeout_seconds": 5}`, or the bare text of a statement.
  struct QueryRequest: Decodable, Equatable {
    var query: String
    /// Seconds; `nil`: the server's limit.
    var timeoutSeconds: Double?

    private enum Field: String, CaseIterable {
      case query
      case timeoutSeconds = "timeout_seconds"
    }

    init(query: String, timeoutSeconds: Double? = nil) {
      self.query = query
      self.timeoutSeconds = timeoutSeconds
    }

    init(from decoder: any Decoder) throws {
      let fields = try RequestFields(decoder, of: "a query", Field.allCases.map(\.rawValue), "it was not run")
      guard let query = try fields.value(Field.query.rawValue, String.self) else {
        throw HTTPProblem(.badRequest, "the body has no \"query\"")
      }
      self.query = query
      timeoutSeconds = try fields.value(Field.timeoutSeconds.rawValue, Double.self)
    }

    /// No statement starts with a brace, so a body that does is JSON, whatever its Content-Type says.
    static func parse(_ body: ByteBuffer) throws(HTTPProblem) -> QueryRequest {
      let bytes = body.readableBytesView
      guard String(validating: bytes, as: UTF8.self) != nil else {
        throw HTTPProblem(.badRequest, "the body is not UTF-8")
      }
      let first = bytes.first { !" \t\r\n".utf8.contains($0) }
      guard first == UInt8(ascii: "{") else {
        return QueryRequest(query: String(decoding: bytes, as: UTF8.self))
      }
      do {
        let request = try JSONDecoder().decode(QueryRequest.self, from: Data(bytes))
        guard request.timeoutSeconds.map({ $0 > 0 }) ?? true else {
          throw HTTPProblem(.badRequest, "timeout_seconds must be above 0")
        }
        return request
      } catch {
        throw error as? HTTPProblem
          ?? HTTPProblem(
            .badRequest,
            "the body is not {\"query\": \"..\"}, with \"timeout_seconds\" or without: send that, or the bare text of a statement"
          )
      }
    }
  }

  extension APIService {
    func query(_ request: HTTPRequest) async -> HTTPResponse {
      await run(request) { text, place throws(QueryError) in
        if let parsed = try? SpanQL.parse(text), parsed.isExport {
          throw QueryError(
            .unsupported, "EXPORT is answered with OTLP, not with rows: POST it to \(Endpoint.export.rawValue)")
        }
        let result = try await backend.query(text)
        var response = HTTPResponse(.ok, contentType: "application/json", body: .bytes(try await format(result)))
        response.place = place
        return response
      }
    }

    /// The answer's text: made a piece at a time, so that a large one doesn't hold up others', and nobody writes on when the
    /// client has gone.
    private func format(_ result: QueryResult) async throws(QueryError) -> ByteBuffer {
      var answer = AnswerText(result)
      var text = ByteBuffer()
      do {
        while var piece = try await answer.next(pool) {
          guard text.readableBytes + piece.readableBytes <= limits.answerBytes else {
            throw QueryError(
              .limitExceeded, "the answer is larger than \(limits.answerBytes) bytes",
              hint: "ask for less with LIMIT, or EXPORT spans, which is streamed")
          }
          text.writeBuffer(&piece)
        }
        return text
      } catch let error as QueryError {
        throw error
      } catch {
        throw QueryError(.cancelled, "the query was stopped")
      }
    }

    /// `EXPORT spans WHERE ..`: OTLP JSON, one request a line, as fast as the client reads; then, for who reads trailers,
    /// whether it is complete.
    func export(_ request: HTTPRequest) async -> HTTPResponse {
      await run(request) { text, place throws(QueryError) in
        if let parsed = try? SpanQL.parse(text), !parsed.isExport {
          throw QueryError(
            .unsupported, "this is no EXPORT: POST what is answered with rows to \(Endpoint.query.rawValue)")
        }
        let export = try await backend.export(text)
        var response = HTTPResponse(
          .ok, contentType: "application/x-ndjson",
          body: .stream { [streaming] writer in
            defer { withExtendedLifetime(place) {} }
            let warnings = try await withTaskCancellationHandler {
              try await streaming.runIfActive { try export.run(writer.write) }
            } onCancel: {
              export.cancel()
            }
            return HTTPResponse.StreamEnd(
              trailers: ExportFields.end(warnings: warnings), isComplete: warnings.isEmpty)
          })
        response.headers.add(contentsOf: ExportFields.start(omissions: export.omissions))
        return response
      }
    }

    /// Takes a place, runs the statement within its time, and words what goes wrong.
    private func run(
      _ request: HTTPRequest,
      _ body: @escaping @Sendable (String, Place) async throws(QueryError) -> HTTPResponse
    ) async -> HTTPResponse {
      let statement: QueryRequest
      let place: Place
      do throws(HTTPProblem) {
        statement = try QueryRequest.parse(request.body)
        // What doesn't parse changes nothing; the engine says what is wrong with it.
        if let parsed = try? SpanQL.parse(statement.query), parsed.isAdministrative {
          try gatekeeper.check(.admin, request.head)
        }
        guard let free = await places.enter(within: limits.queryWaitSeconds) else {
          throw HTTPProblem(.serviceUnavailable, "too many queries at one time: ask again", retryAfter: 1)
        }
        place = free
      } catch {
        return answer(error, to: request.head)
      }
      let began = ContinuousClock.now
      defer { metrics.querySeconds.record(since: began) }
      let seconds = min(statement.timeoutSeconds ?? limits.querySeconds, limits.querySeconds)
      let outcome = await Deadline.run(seconds: seconds) { () async -> Result<HTTPResponse, QueryError> in
        do throws(QueryError) { return .success(try await body(statement.query, place)) } catch {
          return .failure(error)
        }
      }
      switch outcome.value {
      case .success(let response): return response
      case .failure(let error):
        metrics.count { $0.queriesFailed &+= 1 }
        return Self.response(to: error, ranOutOfTime: outcome.isLate, seconds: seconds)
      }
    }

    static func response(to error: QueryError, ranOutOfTime: Bool, seconds: Double) -> HTTPResponse {
      if ranOutOfTime, error.code == .cancelled || error.code == .limitExceeded {
        let message = "the query took longer than \(seconds) seconds: narrow its time window, or allow it more"
        let body = errorBody(code: "timeout", message, offset: nil)
        return HTTPResponse(.gatewayTimeout, contentType: "application/json", body: .bytes(body))
      }
      let (status, code): (HTTPResponseStatus, String) =
        switch error.code {
        case .syntax: (.badRequest, "syntax")
        case .binding: (.badRequest, "binding")
        case .unsupported: (.badRequest, "unsupported")
        case .overflow: (.unprocessableEntity, "overflow")
        case .limitExceeded: (.unprocessableEntity, "limit_exceeded")
        // Nobody is left to read this one.
        case .cancelled: (.serviceUnavailable, "cancelled")
        case .storage: (.serviceUnavailable, "storage")
        }
      return HTTPResponse(
        HTTPProblem(status, error.message, retryAfter: status == .serviceUnavailable ? 5 : nil),
        contentType: "application/json",
        body: errorBody(code: code, error.message, offset: error.offset, hint: error.hint))
    }
  }

  extension Statement {
    fileprivate var isExport: Bool { if case .export = self { true } else { false } }
  }

  /// An answer on its way into JSON.
  struct AnswerText: Sendable {
    /// Made in one go: a few milliseconds' work.
    static let pieceBytes = 256 << 10

    private var text: ResultFormatter.JSONText

    init(_ result: QueryResult) { text = ResultFormatter.json(result) }

    /// More of the text, made on a thread of the pool; `nil` after the last. Throws when the task is cancelled.
    mutating func next(_ pool: NIOThreadPool) async throws -> ByteBuffer? {
      guard !text.isAtEnd else { return nil }
      try Task.checkCancellation()
      let before = text
      let (piece, after) = try await pool.runIfActive {
        var text = before
        var piece = ByteBuffer()
        while piece.readableBytes < Self.pieceBytes, let chunk = text.next() { piece.writeBytes(chunk) }
        return (piece, text)
      }
      text = after
      return piece
    }
  }

  /// Cancels work that takes too long.
  enum Deadline {
    /// Runs the body; when the time is up first, cancels it and still waits for what it says.
    static func run<Value: Sendable>(
      seconds: Double, _ body: @escaping @Sendable () async -> Value
    ) async -> (value: Value, isLate: Bool) {
      let work = Task { await body() }
      let clock = Task {
        try await Task.sleep(for: .seconds(seconds))
        work.cancel()
      }
      let value = await withTaskCancellationHandler {
        await work.value
      } onCancel: {
        work.cancel()
      }
      clock.cancel()
      guard case .success = await clock.result else { return (value, false) }
      return (value, true)
    }
  }
#endif
