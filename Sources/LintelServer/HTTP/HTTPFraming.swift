#if Server
  internal import NIOHTTP1

  /// What a request's head says about the length of its body.
  enum BodyLength: Equatable {
    case known(Int)
    case chunked

    /// Checks the head's framing against the largest body allowed.
    init(of head: HTTPRequestHead, atMost limit: Int) throws(HTTPProblem) {
      guard head.version.major == 1 else {
        throw HTTPProblem(.httpVersionNotSupported, "HTTP/1.0 and HTTP/1.1 are spoken here")
      }
      if let expectation = head.headers.first(name: "expect"), !expectation.isContinueExpectation {
        throw HTTPProblem(.expectationFailed, "the only expectation met here is 100-continue")
      }
      let codings = head.headers[canonicalForm: "transfer-encoding"]
      if !codings.isEmpty {
        guard codings.count == 1, codings[0].lowercased() == "chunked" else {
          throw HTTPProblem(.notImplemented, "the only transfer coding understood here is chunked")
        }
        self = .chunked
        return
      }
      guard let text = head.headers.first(name: "content-length") else {
        // Without either header a request has no body: right for GET, an oversight for POST.
        guard head.method != .POST else {
          throw HTTPProblem(.lengthRequired, "send Content-Length, or Transfer-Encoding: chunked")
        }
        self = .known(0)
        return
      }
      guard let length = Int(text), length >= 0 else {
        throw HTTPProblem(.badRequest, "Content-Length is not a number of bytes")
      }
      guard length <= limit else { throw .bodyTooLarge(limit: limit) }
      self = .known(length)
    }
  }

  extension HTTPRequestHead {
    var expectsContinue: Bool {
      version.minor >= 1 && headers.first(name: "expect")?.isContinueExpectation == true
    }
  }

  extension String {
    fileprivate var isContinueExpectation: Bool { lowercased() == "100-continue" }
  }

  extension HTTPProblem {
    static func bodyTooLarge(limit: Int) -> HTTPProblem {
      HTTPProblem(
        .payloadTooLarge, "the body is larger than the limit of \(limit) bytes: send fewer spans in a request")
    }

    static let noMemory = HTTPProblem(
      .tooManyRequests, "too many request bodies are in flight: send this one again after the time in Retry-After",
      retryAfter: 1)

    static let tooSlow = HTTPProblem(.requestTimeout, "the body came in too slowly: send it again")
  }
#endif
