#if Server
  internal import LintelStorage
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix

  /// `POST /v1/traces`: OTLP over HTTP, as the protocol's specification says.
  struct OTLPService: HTTPService {
    static let path = "/v1/traces"
    /// Longest organisation taken from `X-Scope-OrgID`, in bytes.
    static let organizationBytes = 256

    let backend: any Backend
    let limits: ServerLimits
    let gatekeeper: Gatekeeper
    let places: Places
    /// Where bodies are decompressed and decoded.
    let pool: NIOThreadPool
    let metrics: ServerMetrics
    let storeLog: StoreLog

    func admit(_ head: HTTPRequestHead) throws(HTTPProblem) -> Admission {
      try Self.route(head)
      try gatekeeper.check(.ingest, head)
      _ = try Self.format(of: head)
      _ = try ContentCoding(of: head)
      _ = try Self.organization(of: head)
      return Admission(bodyBytes: limits.bodyBytes, endsWithClient: false)
    }

    func answer(_ request: HTTPRequest) async -> HTTPResponse {
      do throws(HTTPProblem) {
        guard let place = places.enter() else {
          throw HTTPProblem(.tooManyRequests, "too many exports at one time: send this one again", retryAfter: 1)
        }
        defer { withExtendedLifetime(place) {} }
        let format = try Self.format(of: request.head)
        let spans = try await decode(request, format)
        try await store(spans)
        metrics.count { $0.spansRejected &+= spans.rejected }
        let body = OTLPMessages.exportResponse(rejected: spans.rejected, message: spans.message, format)
        return HTTPResponse(.ok, contentType: format.mediaType, body: .bytes(body))
      } catch {
        return answer(error, to: request.head)
      }
    }

    /// Errors are `google.rpc.Status` in the request's encoding, JSON when that is unknown.
    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
      let format = head.mediaType.flatMap(OTLPFormat.init(mediaType:)) ?? .json
      return HTTPResponse(problem, contentType: format.mediaType, body: OTLPMessages.status(problem, format))
    }

    func didAnswer(_ head: HTTPRequestHead, status: HTTPResponseStatus) {
      metrics.countRequest(head.path == Self.path ? Self.path : "other", status: Int(status.code))
    }
  }

  // MARK: What the head says
  extension OTLPService {
    static func route(_ head: HTTPRequestHead) throws(HTTPProblem) {
      switch head.path {
      case path[...]: break
      case "/v1/metrics", "/v1/logs":
        throw HTTPProblem(.notFound, "only traces are taken here: set the exporters of metrics and logs to none")
      default:
        throw HTTPProblem(.notFound, "there is nothing here: POST traces to \(path)")
      }
      guard head.method == .POST else {
        throw HTTPProblem(.methodNotAllowed, "\(path) takes POST", headers: [("allow", "POST")])
      }
    }

    static func format(of head: HTTPRequestHead) throws(HTTPProblem) -> OTLPFormat {
      guard let format = head.mediaType.flatMap(OTLPFormat.init(mediaType:)) else {
        throw HTTPProblem(
          .unsupportedMediaType, "set Content-Type to application/x-protobuf or application/json",
          headers: [("accept-post", "application/x-protobuf, application/json")])
      }
      return format
    }

    static func organization(of head: HTTPRequestHead) throws(HTTPProblem) -> String? {
      guard let organization = head.headers.first(name: "x-scope-orgid"), !organization.isEmpty else { return nil }
      guard organization.utf8.count <= organizationBytes else {
        throw HTTPProblem(.badRequest, "X-Scope-OrgID is longer than \(organizationBytes) bytes")
      }
      return organization
    }
  }

  // MARK: The work
  extension OTLPService {
    /// Decompresses and decodes, on a thread that may block.
    private func decode(_ request: HTTPRequest, _ format: OTLPFormat) async throws(HTTPProblem) -> DecodedSpans {
      let organization = try Self.organization(of: request.head)
      let coding = try ContentCoding(of: request.head)
      let expander = Expander(limit: limits.expandedBodyBytes, reservation: request.reservation)
      metrics.count { $0.bodyBytes &+= request.body.readableBytes }
      do {
        return try await pool.runIfActive { [backend, metrics] in
          let body = try expander.expand(request.body, coding)
          metrics.count { $0.expandedBytes &+= body.readableBytes }
          return try body.withUnsafeReadableBytes { try backend.decode($0, format, organization: organization) }
        }
      } catch {
        throw problem(of: error)
      }
    }

    private func problem(of error: any Error) -> HTTPProblem {
      switch error {
      case let error as MalformedBody: HTTPProblem(.badRequest, error.message)
      case ExpansionError.malformed(let message): HTTPProblem(.badRequest, message)
      case ExpansionError.tooLarge:
        HTTPProblem(
          .payloadTooLarge,
          "the body expands past the limit of \(limits.expandedBodyBytes) bytes: send fewer spans in a request")
      case ExpansionError.noMemory: .noMemory
      default: HTTPProblem(.serviceUnavailable, "the server is shutting down", retryAfter: 5)
      }
    }

    /// Waits a little for a store that is catching up before sending the client away.
    private func store(_ spans: DecodedSpans) async throws(HTTPProblem) {
      guard let batch = spans.batch else { return }
      let began = ContinuousClock.now
      while true {
        do throws(StorageError) {
          let outcome = try await backend.append(batch)
          storeLog.appended()
          metrics.appendSeconds.record(since: began)
          metrics.count {
            $0.spansAccepted &+= outcome.stored
            $0.spansDuplicate &+= outcome.duplicates
            $0.spansErased &+= outcome.erased
          }
          return
        } catch {
          guard error.code == .overloaded, began.duration(to: .now) < .seconds(limits.overloadWaitSeconds) else {
            storeLog.refused(error)
            throw Self.problem(of: error)
          }
        }
        try? await Task.sleep(for: .milliseconds(20))
      }
    }

    /// Whether a retry can help decides the status; the store's own words go along, they hold no user data.
    static func problem(of error: StorageError) -> HTTPProblem {
      switch error.code {
      case .invalid: HTTPProblem(.badRequest, error.message)
      case .overloaded: HTTPProblem(.serviceUnavailable, "the store is catching up: \(error.message)", retryAfter: 1)
      case .diskFull: HTTPProblem(.serviceUnavailable, "the disk is full: \(error.message)", retryAfter: 30)
      case .io, .corrupt, .incompatible, .locked, .readOnly, .failedStop, .closed:
        HTTPProblem(.serviceUnavailable, "the store takes no spans: \(error.message)", retryAfter: 30)
      }
    }
  }
#endif
