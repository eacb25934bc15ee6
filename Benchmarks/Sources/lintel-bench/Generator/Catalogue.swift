/// A model and what it costs.
struct Model: Sendable {
  let name: String
  let provider: String
  /// Nano-USD a token.
  let inputPrice: Int64
  let outputPrice: Int64
  /// Whether it thinks before it answers.
  let isReasoning: Bool
  let embeds: Bool
  /// Of its response ids.
  let responsePrefix: String

  init(
    _ name: String, _ provider: String, _ inputPrice: Int64, _ outputPrice: Int64,
    reasoning: Bool = false,
    embeds: Bool = false, prefix: String
  ) {
    (self.name, self.provider) = (name, provider)
    (self.inputPrice, self.outputPrice) = (inputPrice, outputPrice)
    (isReasoning, self.embeds, responsePrefix) = (reasoning, embeds, prefix)
  }
}

/// What may go wrong: `text` with a number in place of `#`.
struct Failure: Sendable {
  let type: String
  let before: String
  let after: String
  /// Whether the message has a number in it.
  let hasDetail: Bool

  init(_ type: String, _ text: String) {
    self.type = type
    let halves = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    before = String(halves[0])
    hasDetail = halves.count > 1
    after = hasDetail ? String(halves[1]) : ""
  }
}

/// What kind of work an application does.
enum AppKind: Sendable {
  /// Turns of chats and tool calls.
  case agent
  /// Retrieval, then one chat a turn.
  case retrieval
  /// Single chats.
  case assistant
  /// No model at all.
  case service
}

/// An application: everything that its spans have in common.
struct App: Sendable {
  let name: String
  let kind: AppKind
  let organization: Int
  let team: Int
  let service: Int
  let environment: Int
  let model: Int
  let secondModel: Int
  let temperature: Double
  /// Index in ``Shapes/tokenLimits``.
  let tokenLimit: Int
  /// Tokens of the system prompt and tool definitions.
  let promptTokens: Int64
  let firstTool: Int
  let agentName: String
  let hosts: Int

  var maxTokens: Int { Shapes.tokenLimits[tokenLimit] }
}

/// The names that spans carry, and the distributions that they are drawn from. Made from the seed, the same in every
/// stream.
struct Catalogue: Sendable {
  static let models = [
    Model("claude-sonnet-4-5", "anthropic", 3000, 15000, prefix: "msg_"),
    Model("gpt-5-mini", "openai", 250, 2000, reasoning: true, prefix: "resp_"),
    Model("gpt-4o", "openai", 2500, 10000, prefix: "chatcmpl-"),
    Model("gemini-2.5-flash", "gcp.gemini", 300, 2500, prefix: "gen-"),
    Model("claude-haiku-4-5", "anthropic", 1000, 5000, prefix: "msg_"),
    Model("gpt-4o-mini", "openai", 150, 600, prefix: "chatcmpl-"),
    Model("deepseek-r1", "deepseek", 550, 2190, reasoning: true, prefix: "chatcmpl-"),
    Model("mistral-large-2512", "mistral_ai", 500, 1500, prefix: "cmpl-"),
    Model("llama-4-maverick", "aws.bedrock", 240, 970, prefix: "bdrk-"),
    Model("text-embedding-3-large", "openai", 130, 0, embeds: true, prefix: ""),
  ]
  static let embeddingModel = models.count - 1

  static let tools = [
    "read_file", "run_tests", "web_search", "edit_file", "run_sql", "list_directory", "fetch_page",
    "send_mail",
    "create_ticket", "calendar_lookup", "calculator", "get_weather", "search_orders",
    "refund_order", "translate_text",
    "resize_image", "query_metrics", "post_message", "lookup_customer", "schedule_meeting",
    "git_diff", "apply_patch",
    "parse_document", "geocode",
  ]

  static let routes = [
    "/v1/agents/run", "/v1/chat", "/v1/search", "/api/orders", "/api/orders/{id}",
    "/api/customers/{id}", "/api/cart",
    "/api/payments", "/api/inventory", "/api/recommendations", "/api/shipping/quote",
    "/api/currency", "/internal/auth",
    "/internal/features", "/internal/profile/{id}", "/healthz",
  ]
  static let serverAddresses = routes.indices.map { "backend-\($0 % 6).internal" }

  static let failures = [
    Failure("rate_limit_exceeded", "Rate limit reached, please try again in #ms"),
    Failure("timeout", "timeout awaiting response headers after #ms"),
    Failure("overloaded_error", "The server is currently overloaded with other requests"),
    Failure(
      "context_length_exceeded", "This model's maximum context length was exceeded by # tokens"),
    Failure("tool_error", "tool exited with status #"),
    Failure("connection_error", "connection reset by peer"),
    Failure("invalid_request", "messages.#.content: field required"),
    Failure("not_found", "resource # was not found"),
    Failure("500", "internal server error"),
  ]

  static let teams = [
    "platform", "growth", "support", "research", "payments", "mobile", "data", "search",
  ]
  static let environments = ["production", "staging", "development"]
  static let regions = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-1", "us-west-2"]
  static let languages = ["python", "nodejs", "go", "swift", "java"]
  static let scopes = ["opentelemetry.instrumentation.genai", "opentelemetry.instrumentation.http"]
  static let scopeVersion = "0.58b0"
  static let instrumentation = ["0.58b0", "1.37.0"]

  let apps: [App]
  let organizations: [String]
  let services: [String]
  let shapes = Shapes()

  init(seed: UInt64, appCount: Int = 400) {
    var random = SplitMix64(seed: SplitMix64.mix(seed ^ 0xA95))
    let roles = [
      "coder", "triage", "concierge", "analyst", "reviewer", "writer", "planner", "tutor",
      "auditor", "scout",
    ]
    let names = [
      "northwind", "initech", "globex", "umbra", "acme", "hooli", "stark", "wayne", "tyrell",
      "aperture",
    ]
    organizations = (0..<40).map { "\(names[$0 % names.count])-\($0 / names.count + 1)" }
    services = (0..<120).map { "\(roles[$0 % roles.count])-service-\($0 / roles.count + 1)" }
    let owners = Choice.zipf(count: organizations.count, exponent: 0.9)
    let models = Choice.zipf(count: Self.embeddingModel, exponent: 0.9)
    let kinds = Choice(weights: [0.6, 0.15, 0.2, 0.05])
    apps = (0..<appCount).map { number in
      let role = roles[number % roles.count]
      let organization = owners.draw(random.next())
      return App(
        name: "\(role)-\(number)",
        kind: [.agent, .retrieval, .assistant, .service][kinds.draw(random.next())],
        organization: organization, team: random.below(Self.teams.count), service: number % 120,
        environment: Choice(weights: [0.88, 0.09, 0.03]).draw(random.next()),
        model: models.draw(random.next()),
        secondModel: models.draw(random.next()), temperature: [0, 0.2, 0.7, 1][random.below(4)],
        tokenLimit: random.below(4),
        promptTokens: Int64(200 + random.below(9000)),
        firstTool: random.below(Self.tools.count), agentName: "\(role)_agent_\(number)",
        hosts: 1 << random.below(4))
    }
  }

  /// Number of an application's host among all hosts.
  func hostNumber(app: UInt16, host: UInt8) -> Int { Int(app) << 3 | Int(host) }

  /// The attributes of an application's host that have no column, in the order in which they are sent.
  func resourceAttributes(app: Int, host: Int) -> [(key: String, value: String)] {
    let owner = apps[app]
    return [
      ("host.name", "\(services[owner.service])-\(host)"),
      ("cloud.region", Self.regions[(owner.organization + host) % Self.regions.count]),
      ("service.version", "2026.\(owner.service % 12 + 1).\(owner.service % 7)"),
      ("telemetry.sdk.language", Self.languages[owner.service % Self.languages.count]),
      ("telemetry.sdk.name", "opentelemetry"),
    ]
  }

  func spanName(_ row: SpanRow) -> String {
    switch row.operation {
    case .agent: "invoke_agent \(apps[Int(row.app)].agentName)"
    case .chat, .embeddings: "\(row.operation.name ?? "") \(Self.models[Int(row.model)].name)"
    case .tool: "execute_tool \(Self.tools[Int(row.target)])"
    case .retrieval: "retrieval knowledge_base"
    case .request: "POST \(Self.routes[Int(row.target)])"
    case .call: "GET \(Self.routes[Int(row.target)])"
    }
  }

  /// The dated name under which a model answers.
  static func answeringModel(_ model: Model) -> String {
    model.embeds ? model.name : "\(model.name)-20260214"
  }

  func message(_ row: SpanRow) -> String {
    guard row.failure > 0 else { return "" }
    let failure = Self.failures[Int(row.failure) - 1]
    return failure.hasDetail
      ? "\(failure.before)\(row.failureDetail)\(failure.after)" : failure.before
  }

  /// Nano-USD.
  static func cost(_ row: SpanRow) -> Int64 {
    let model = models[Int(row.model)]
    // A token read from the provider's cache costs a tenth.
    let fresh = Int64(row.inputTokens) - Int64(row.cacheReadTokens)
    return fresh * model.inputPrice + Int64(row.cacheReadTokens) * (model.inputPrice / 10)
      + Int64(row.outputTokens) * model.outputPrice
  }
}
