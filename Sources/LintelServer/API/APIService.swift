#if Server
  internal import LintelQuery
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix

  /// The port for people and their tools: queries, exports, health and metrics.
  struct APIService: HTTPService {
    enum Endpoint: String, CaseIterable {
      case query = "/v1/query"
      case export = "/v1/export"
      /// And what is below it: one erasure, its receipt.
      case erasures = "/v1/erasures"
      case health = "/health"
      case metrics = "/metrics"

      var methods: [HTTPMethod] {
        switch self {
        case .query, .export: [.POST]
        case .erasures: [.POST, .GET]
        case .health, .metrics: [.GET]
        }
      }

      /// What a token must allow; `nil`: nothing. Statements may ask for more.
      var scope: AccessScope? {
        switch self {
        case .query, .export, .metrics: .query
        case .erasures: .admin
        case .health: nil
        }
      }
    }

    let backend: any Backend
    let limits: ServerLimits
    let gatekeeper: Gatekeeper
    let places: Places
    /// Where answers are put into words.
    let pool: NIOThreadPool
    /// Where exports are read and written out; a slow reader blocks a thread.
    let streaming: NIOThreadPool
    let metrics: ServerMetrics
    /// What the server itself measures at the moment of asking.
    let serverGauges: @Sendable () -> [Gauge]

    func admit(_ head: HTTPRequestHead) throws(HTTPProblem) -> Admission {
      let endpoint = try Self.endpoint(of: head)
      if let scope = endpoint.scope { try gatekeeper.check(scope, head) }
      let isQuery = endpoint == .query || endpoint == .export
      return Admission(bodyBytes: limits.queryTextBytes, endsWithClient: isQuery)
    }

    func answer(_ request: HTTPRequest) async -> HTTPResponse {
      do throws(HTTPProblem) {
        switch try Self.endpoint(of: request.head) {
        case .query: return await query(request)
        case .export: return await export(request)
        case .erasures: return await erasures(request)
        case .health: return health(isTrusted: gatekeeper.allows(.query, request.head))
        case .metrics: return prometheus()
        }
      } catch {
        return answer(error, to: request.head)
      }
    }

    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
      let code = problem.status.reasonPhrase.lowercased().replacing(" ", with: "_")
      return HTTPResponse(
        problem, contentType: "application/json", body: Self.errorBody(code: code, problem.message, offset: nil))
    }

    func didAnswer(_ head: HTTPRequestHead, status: HTTPResponseStatus) {
      let path = Endpoint(path: head.path)?.rawValue ?? "other"
      metrics.countRequest(path, status: Int(status.code))
    }

    static func endpoint(of head: HTTPRequestHead) throws(HTTPProblem) -> Endpoint {
      guard let endpoint = Endpoint(path: head.path) else {
        let known = Endpoint.allCases.flatMap { endpoint in endpoint.methods.map { "\($0) \(endpoint.rawValue)" } }
          .joined(separator: ", ")
        throw HTTPProblem(.notFound, "there is nothing here; what there is: \(known)")
      }
      guard endpoint.methods.contains(head.method) else {
        let allowed = endpoint.methods.map(\.rawValue).joined(separator: ", ")
        throw HTTPProblem(
          .methodNotAllowed, "\(endpoint.rawValue) takes \(allowed)", headers: [("allow", allowed)])
      }
      return endpoint
    }

    /// The body of every error on this port.
    static func errorBody(code: String, _ message: String, offset: Int?, hint: String? = nil) -> ByteBuffer {
      let offset = offset.map { ",\"offset\":\($0)" } ?? ""
      let hint = hint.map { ",\"hint\":\(ResultText.jsonString($0))" } ?? ""
      return ByteBuffer(
        string: "{\"error\":{\"code\":\"\(code)\",\"message\":\(ResultText.jsonString(message))\(offset)\(hint)}}\n")
    }
  }

  extension APIService.Endpoint {
    init?(path: some StringProtocol) {
      let path = String(path)
      if path.hasPrefix("\(Self.erasures.rawValue)/") {
        self = .erasures
      } else {
        self.init(rawValue: path)
      }
    }
  }

  extension APIService {
    /// Whoever has no token learns whether all is well, not what isn't.
    func health(isTrusted: Bool) -> HTTPResponse {
      let problem = backend.problem()
      let text =
        problem.map { problem in
          let reason = isTrusted ? ",\"reason\":\(ResultText.jsonString(problem))" : ""
          return "{\"status\":\"failing\"\(reason)}\n"
        } ?? healthy(isTrusted: isTrusted)
      return HTTPResponse(
        problem == nil ? .ok : .serviceUnavailable, contentType: "application/json",
        body: .bytes(ByteBuffer(string: text)))
    }

    /// With damaged parts left out it still serves; a balancer needn't turn away from it, a person should look.
    private func healthy(isTrusted: Bool) -> String {
      let count = backend.problemCount
      guard count > 0 else { return "{\"status\":\"ok\"}\n" }
      return isTrusted ? "{\"status\":\"degraded\",\"problems\":\(count)}\n" : "{\"status\":\"degraded\"}\n"
    }

    func prometheus() -> HTTPResponse {
      var text = PrometheusText()
      let now = metrics.current
      text.counter("lintel_spans_accepted_total", "Spans stored.", now.spansAccepted)
      text.counter("lintel_spans_rejected_total", "Spans refused one by one.", now.spansRejected)
      text.counter("lintel_spans_duplicate_total", "Spans dropped: already stored.", now.spansDuplicate)
      text.counter("lintel_spans_erased_total", "Spans dropped: their user was erased.", now.spansErased)
      text.counter("lintel_otlp_body_bytes_total", "Bytes of OTLP bodies as sent.", now.bodyBytes)
      text.counter("lintel_otlp_expanded_bytes_total", "Bytes of OTLP bodies after decompression.", now.expandedBytes)
      text.counters(
        "lintel_http_requests_total", "Requests answered.",
        now.requests.map { ("path=\"\($0.path)\",status=\"\($0.status)\"", $1) }.sorted { $0.0 < $1.0 })
      text.histogram("lintel_append_seconds", "Time until a batch was durable.", metrics.appendSeconds)
      text.histogram("lintel_query_seconds", "Time a query took.", metrics.querySeconds)
      text.counter("lintel_queries_failed_total", "Queries that had no answer.", now.queriesFailed)
      for gauge in serverGauges() + backend.gauges() { text.gauge(gauge) }
      return HTTPResponse(.ok, contentType: PrometheusText.mediaType, body: .bytes(ByteBuffer(string: text.text)))
    }
  }
#endif
