/// What the spans of the workload do.
enum Operation: UInt8, CaseIterable, Sendable {
  case agent, chat, tool, retrieval, embeddings, request, call

  /// `gen_ai.operation.name`; plain requests have none.
  var name: String? {
    switch self {
    case .agent: "invoke_agent"
    case .chat: "chat"
    case .tool: "execute_tool"
    case .retrieval: "retrieval"
    case .embeddings: "embeddings"
    case .request, .call: nil
    }
  }

  /// OTLP's number of the span's kind.
  var kind: Int64 {
    switch self {
    case .agent, .tool: 1
    case .request: 2
    case .chat, .retrieval, .embeddings, .call: 3
    }
  }

  var hasModel: Bool { self == .chat || self == .embeddings }
}

/// How a chat ended.
enum FinishReason: UInt8, CaseIterable, Sendable {
  case stop, toolCalls, length

  var name: String {
    switch self {
    case .stop: "stop"
    case .toolCalls: "tool_calls"
    case .length: "length"
    }
  }
}

/// Names of the attributes that have no column of their own.
enum AttributeName {
  static let responseID = "gen_ai.response.id"
  static let inputDigest = "gen_ai.input.digest"
  static let outputDigest = "gen_ai.output.digest"
  static let temperature = "gen_ai.request.temperature"
  static let maxTokens = "gen_ai.request.max_tokens"
  static let errorType = "error.type"
  static let method = "http.request.method"
  static let statusCode = "http.response.status_code"
  static let route = "http.route"
  static let serverAddress = "server.address"
}

/// A span in the form that is cheap to make, sort and carry: numbers only, names stand in the ``Catalogue``.
struct SpanRow: BitwiseCopyable, Sendable {
  var traceHigh: UInt64 = 0
  var traceLow: UInt64 = 0
  var spanID: UInt64 = 0
  /// 0: none.
  var parentID: UInt64 = 0
  /// Nanoseconds since 1970.
  var start: Int64 = 0
  /// Nanoseconds.
  var duration: Int64 = 0
  var session: UInt64 = 0
  var responseHigh: UInt64 = 0
  var inputDigest: UInt64 = 0
  var outputDigest: UInt64 = 0
  /// Nanoseconds; 0: none.
  var timeToFirstToken: Int64 = 0
  var responseLow: UInt32 = 0
  var user: UInt32 = 0
  var inputTokens: UInt32 = 0
  var outputTokens: UInt32 = 0
  var cacheReadTokens: UInt32 = 0
  var reasoningTokens: UInt32 = 0
  var app: UInt16 = 0
  /// Which of the application's hosts.
  var host: UInt8 = 0
  var operation = Operation.request
  var model: UInt8 = 0
  /// Of a tool call: the tool. Of a request or a call: its route.
  var target: UInt8 = 0
  var finish = FinishReason.stop
  /// Number of the failure, plus one; 0: none.
  var failure: UInt8 = 0
  /// The number in the failure's message.
  var failureDetail: UInt16 = 0

  /// Nanoseconds since 1970.
  var end: Int64 { start &+ duration }
}
