#if Server
  internal import NIOCore
  internal import NIOHTTP1

  /// What answers the requests of one port. The connection does the framing, the limits and the timing.
  protocol HTTPService: Sendable {
    /// Decides by the head alone, before any of the body is read.
    func admit(_ head: HTTPRequestHead) throws(HTTPProblem) -> Admission
    /// Answers a request that has arrived whole. Runs off the event loop.
    func answer(_ request: HTTPRequest) async -> HTTPResponse
    /// Words a refusal the way the clients of this port expect it.
    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse
    /// Called once for each answer, for the counters.
    func didAnswer(_ head: HTTPRequestHead, status: HTTPResponseStatus)
  }

  /// The terms on which a request is let in.
  struct Admission: Sendable {
    /// Largest body, in bytes as sent.
    var bodyBytes: Int
    /// Whether nobody needs the answer once the client has gone. A query is stopped then; an export is stored all the same.
    var endsWithClient: Bool
  }

  struct HTTPRequest: Sendable {
    let head: HTTPRequestHead
    let body: ByteBuffer
    /// Holds the body's share of the memory budget as long as the request lives.
    let reservation: BodyReservation
  }

  struct HTTPResponse: Sendable {
    enum Body: Sendable {
      case bytes(ByteBuffer)
      /// Sent in chunks as they are written. An error breaks the connection, so that the client sees the answer is cut.
      case stream(@Sendable (HTTPBodyWriter) async throws -> StreamEnd)
    }

    /// How a streamed answer ends.
    struct StreamEnd: Sendable {
      /// Sent behind it to clients that read trailers, which they say with `TE: trailers`.
      var trailers = HTTPHeaders()
      /// Whether the answer is what was asked for. One that isn't ends as if it had been cut for whoever reads no trailers:
      /// they have no other way to tell.
      var isComplete = true
    }

    var status: HTTPResponseStatus
    var headers = HTTPHeaders()
    var body: Body = .bytes(ByteBuffer())
    /// Given back when the peer has taken the answer: answers that nobody reads are no more than there are places.
    var place: Place?

    init(_ status: HTTPResponseStatus, contentType: String, body: Body) {
      self.status = status
      self.body = body
      headers.add(name: "content-type", value: contentType)
    }
  }

  /// A refusal: what happened and what to do, with the status that says so to programs.
  struct HTTPProblem: Error, Sendable {
    var status: HTTPResponseStatus
    var message: String
    /// Seconds after which the same request may succeed.
    var retryAfter: Int?
    /// `Allow`, `Accept-Encoding` and the like.
    var headers: [(name: String, value: String)] = []

    init(
      _ status: HTTPResponseStatus, _ message: String, retryAfter: Int? = nil,
      headers: [(name: String, value: String)] = []
    ) {
      self.status = status
      self.message = message
      self.retryAfter = retryAfter
      self.headers = headers
    }
  }

  extension HTTPResponse {
    /// Adds what a problem says in its headers.
    init(_ problem: HTTPProblem, contentType: String, body: ByteBuffer) {
      self.init(problem.status, contentType: contentType, body: .bytes(body))
      for (name, value) in problem.headers { headers.add(name: name, value: value) }
      if let seconds = problem.retryAfter { headers.add(name: "retry-after", value: String(seconds)) }
    }
  }

  extension HTTPRequestHead {
    /// Whether the client says that it reads what comes behind the chunks of an answer.
    var takesTrailers: Bool {
      version.minor >= 1
        && headers[canonicalForm: "te"].contains { coding in
          String(coding.prefix { $0 != ";" }).trimmingSpaces().lowercased() == "trailers"
        }
    }

    /// The path without the query string; the absolute form of a URI is understood too.
    var path: Substring {
      var rest = uri[...]
      if rest.hasPrefix("http://") || rest.hasPrefix("https://") {
        rest = rest.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }
      }
      return rest.prefix { $0 != "?" && $0 != "#" }
    }

    /// The media type without parameters, in lower case; `nil` when the header is missing.
    var mediaType: String? {
      headers.first(name: "content-type").map { value in
        String(value.prefix { $0 != ";" }).trimmingSpaces().lowercased()
      }
    }
  }

  extension String {
    func trimmingSpaces() -> String {
      var view = self[...]
      while let first = view.first, first == " " || first == "\t" { view.removeFirst() }
      while let last = view.last, last == " " || last == "\t" { view.removeLast() }
      return String(view)
    }
  }
#endif
