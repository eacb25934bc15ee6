import Lintel

/// A service that keeps its own traces in Lintel: it answers (imaginary) questions, records each as a span, and can say
/// what they cost whom.
@main
struct Service {
  struct Spend: Decodable {
    let app: String?
    let calls: Int
    let cost: Int64
    let slowest: Int64
  }

  static func main() async throws {
    guard let path = CommandLine.arguments.dropFirst().first else {
      print("usage: embedded-example DIRECTORY")
      return
    }
    let store = try await SpanStore.open(at: path)
    do {
      try await store.append((1...100).map(call))
      try await report(on: store)
    } catch {
      guard error.isRetryable else { throw error }
      print("Lintel is busy, try again: \(error)")
    }
    try await store.close()
  }

  static func call(_ number: Int) -> TraceSpan {
    var span = TraceSpan(name: "chat gpt-4o", start: .now, duration: .milliseconds(200 + 7 * number))
    span.kind = .client
    span.appID = number % 3 == 0 ? "support-bot" : "research-agent"
    span.userID = "user-\(number % 5)"
    span.operation = "chat"
    span.requestModel = "gpt-4o"
    span.inputTokens = UInt32(900 + number)
    span.outputTokens = UInt32(40 + number)
    span.reportedCost = Int64(900 + number) * 2_500 + Int64(40 + number) * 10_000
    span.attributes["customer.tier"] = number % 2 == 0 ? "gold" : "free"
    return span
  }

  static func report(on store: SpanStore) async throws(LintelError) {
    let answer = try await store.query(
      """
      SELECT app_id AS app, count(*) AS calls, sum(reported_cost) AS cost, max(duration) AS slowest
      FROM spans WHERE attributes['customer.tier'] = 'gold' GROUP BY app ORDER BY cost DESC
      """)
    for spend in try answer.decode(Spend.self) {
      print(
        "\(spend.app ?? "-"): \(spend.calls) calls, \(Double(spend.cost) / 1e9) USD, slowest \(spend.slowest / 1_000_000) ms"
      )
    }
  }
}
