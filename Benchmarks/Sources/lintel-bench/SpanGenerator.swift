import Glibc

/// Spans of agent traces as LLM applications make them: a root agent span, chat calls whose context grows turn by turn,
/// tool calls, embeddings, retrievals and plain HTTP work; Zipf-distributed models, applications, tools and users.
struct SpanGenerator {
  private static let models: [(name: String, provider: String, inputPrice: Int, outputPrice: Int)] = [
    ("gpt-4o", "openai", 2500, 10000), ("gpt-4o-mini", "openai", 150, 600),
    ("claude-sonnet-4-5", "anthropic", 3000, 15000), ("claude-haiku-4-5", "anthropic", 1000, 5000),
    ("gemini-2.5-pro", "gcp.gemini", 1250, 10000), ("gemini-2.5-flash", "gcp.gemini", 300, 2500),
    ("mistral-large-2512", "mistral_ai", 500, 1500), ("gpt-5-mini", "openai", 250, 2000),
  ]
  private static let tools = ["web_search", "read_file", "run_sql", "send_mail", "calendar", "calculator", "browse"]
  private static let errors = [
    "rate limit exceeded: retry after 20s", "context length exceeded: maximum is 128000 tokens",
    "timeout awaiting headers", "internal server error",
  ]
  private static let regions = ["us-east-1", "eu-west-1", "ap-south-1"]

  private var random: SplitMix64
  private let applications = Zipf(count: 400, exponent: 1.05)
  private let modelRanks = Zipf(count: SpanGenerator.models.count, exponent: 0.9)
  private let toolRanks = Zipf(count: SpanGenerator.tools.count, exponent: 1.1)
  private let users = Zipf(count: 100_000, exponent: 1.02)
  /// Start of the next trace, nanoseconds since 1970.
  private var clock: UInt64

  init(seed: UInt64, start: UInt64) {
    random = SplitMix64(seed: seed)
    clock = start
  }

  /// One export request with whole traces, of about `spanCount` spans. Returns the body and the exact number of spans.
  mutating func request(spanCount: Int) -> (body: [UInt8], spans: Int) {
    var writer = ProtobufWriter()
    writer.bytes.reserveCapacity(spanCount * 600)
    var spans = 0
    while spans < spanCount { spans += trace(into: &writer, limit: spanCount - spans) }
    return (writer.bytes, spans)
  }

  private mutating func trace(into writer: inout ProtobufWriter, limit: Int) -> Int {
    let application = applications.draw(&random)
    let size = min(limit, 1 + Int(-log(1 - random.unit()) * 8))
    let trace = Trace(
      id: bigEndian(random.next()) + bigEndian(random.next() | 1), user: "user-\(users.draw(&random))",
      session: "session-" + String(random.next(), radix: 16), model: modelRanks.draw(&random), start: clock)
    clock += UInt64(-log(1 - random.unit()) * 2_000_000)
    let region = Self.regions[random.below(Self.regions.count)]
    writer.message(1) { writer in
      writer.message(1) {
        $0.attribute(1, "service.name", "service-\(application % 40)")
        $0.attribute(1, "org.id", "org-\(application % 25)")
        $0.attribute(1, "app.id", "app-\(application)")
        $0.attribute(1, "deployment.environment.name", application % 10 == 0 ? "staging" : "production")
        $0.attribute(1, "cloud.region", region)
        $0.attribute(1, "telemetry.sdk.language", "swift")
      }
      writer.message(2) { writer in
        writer.message(1) {
          $0.string(1, "lintel-bench")
          $0.string(2, "1")
        }
        var ids: [[UInt8]] = []
        for position in 0..<size { span(at: position, of: trace, ids: &ids, into: &writer) }
      }
    }
    return size
  }

  private struct Trace {
    let id: [UInt8]
    let user: String
    let session: String
    let model: Int
    let start: UInt64
  }

  private func bigEndian(_ word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.bigEndian) { Array($0) } }

  private mutating func span(at position: Int, of trace: Trace, ids: inout [[UInt8]], into writer: inout ProtobufWriter)
  {
    let id = bigEndian(random.next() | 1)
    let parent = position == 0 ? nil : ids[max(0, position - 1 - Int(-log(1 - random.unit()) * 1.5))]
    ids.append(id)
    let draw = random.unit()
    let start = trace.start + UInt64(Double(position) * -log(1 - random.unit()) * 4e8)
    var duration = random.logNormal(median: 3e7, sigma: 1.3)
    let failure = random.unit() < 0.015 ? Self.errors[random.below(Self.errors.count)] : nil
    let operation =
      position == 0
      ? "invoke_agent" : draw < 0.45 ? "chat" : draw < 0.7 ? "execute_tool" : draw < 0.8 ? "retrieval" : "http"
    let model = Self.models[trace.model]
    let tool = Self.tools[toolRanks.draw(&random)]
    let inputTokens = min(200_000, Int(random.logNormal(median: 1300, sigma: 1) * (1 + 0.35 * Double(position))) + 8)
    let outputTokens = min(16_384, Int(random.logNormal(median: 150, sigma: 1.1)) + 1)
    if operation == "chat" { duration += Double(outputTokens) * random.logNormal(median: 1.2e7, sigma: 0.3) }
    let responseID = random.next()
    writer.message(2) {
      $0.raw(1, trace.id)
      $0.raw(2, id)
      if let parent { $0.raw(4, parent) }
      switch operation {
      case "chat": $0.string(5, "chat \(model.name)")
      case "execute_tool": $0.string(5, "execute_tool \(tool)")
      default: $0.string(5, operation)
      }
      $0.integer(6, operation == "chat" ? 3 : 1)
      $0.fixed64(7, start)
      $0.fixed64(8, start + UInt64(duration))
      $0.attribute(9, "user.id", trace.user)
      $0.attribute(9, "session.id", trace.session)
      switch operation {
      case "chat":
        $0.attribute(9, "gen_ai.operation.name", operation)
        $0.attribute(9, "gen_ai.provider.name", model.provider)
        $0.attribute(9, "gen_ai.request.model", model.name)
        $0.attribute(9, "gen_ai.response.id", "chatcmpl-" + String(responseID, radix: 16))
        $0.attribute(9, "gen_ai.usage.input_tokens", inputTokens)
        $0.attribute(9, "gen_ai.usage.output_tokens", outputTokens)
        let nanos = inputTokens * model.inputPrice + outputTokens * model.outputPrice
        $0.attribute(9, "gen_ai.usage.cost", Double(nanos) / 1e9)
      case "execute_tool":
        $0.attribute(9, "gen_ai.operation.name", operation)
        $0.attribute(9, "gen_ai.tool.name", tool)
      case "http":
        $0.attribute(9, "server.address", "host-\(position % 20).internal")
        $0.attribute(9, "http.response.status_code", failure == nil ? 200 : 500)
      default:
        $0.attribute(9, "gen_ai.operation.name", operation)
      }
      $0.message(15) {
        if let failure {
          $0.string(2, failure)
          $0.integer(3, 2)
        }
      }
    }
  }
}
