/// The distributions that spans are drawn from. Their medians and spreads follow published workload studies (coding
/// agents, chat services, microservice traces); times are nanoseconds.
struct Shapes: Sendable {
  /// What applications choose as max_tokens.
  static let tokenLimits: InlineArray<4, Int> = [1024, 4096, 8192, 16384]

  private static func byLimit(_ make: (Double) -> Quantity) -> InlineArray<4, Quantity> {
    InlineArray { make(Double(tokenLimits[$0] / 2)) }
  }

  // Who and where.
  let app = Choice.zipf(count: 400, exponent: 1.05)
  let user = Choice.zipf(count: 25_000, exponent: 1.02)
  let continuesSession = Chance(0.5)

  // How much.
  let turns = Quantity.logNormal(median: 3.5, sigma: 0.9, limits: 1...120)
  let parallelTools = Choice.geometric(count: 6, ratio: 0.3)
  let callsTools = Chance(0.75)
  let delegates = Chance(0.04)
  let toolCallsOut = Chance(0.15)
  let serviceCalls = Quantity.logNormal(median: 14, sigma: 0.8, limits: 1...200)
  let servicesNest = Chance(0.4)

  // Tokens.
  let question = Quantity.logNormal(median: 90, sigma: 1.1, limits: 1...20_000)
  let toolResult = Quantity.logNormal(median: 260, sigma: 1.2, limits: 1...40_000)
  let passages = Quantity.logNormal(median: 1800, sigma: 0.6, limits: 100...16_000)
  /// By the application's limit (``tokenLimits``): at most half of it said, and half of it thought.
  let answer = Shapes.byLimit { Quantity.logNormal(median: 130, sigma: 1.1, limits: 1...$0) }
  let thoughts = Shapes.byLimit { Quantity.logNormal(median: 500, sigma: 1, limits: 16...$0) }
  let cacheHit = Chance(0.8)
  let firstCacheHit = Chance(0.4)

  // Which.
  let usesSecondModel = Chance(0.1)
  let tool = Choice.zipf(count: 24, exponent: 1.2)
  let route = Choice.zipf(count: 16, exponent: 0.7)
  let failure = Choice.zipf(count: 9, exponent: 0.8)

  // Failures.
  let chatFails = Chance(0.03)
  let toolFails = Chance(0.055)
  let callFails = Chance(0.01)

  // Times.
  let firstToken = Quantity.logNormal(median: 9e8, sigma: 0.7, limits: 5e7...6e10)
  let tokenTime = Quantity.logNormal(median: 1e7, sigma: 0.35, limits: 2e6...1e8)
  let embeddingTime = Quantity.logNormal(median: 6e7, sigma: 0.6, limits: 5e6...1e10)
  let retrievalTime = Quantity.logNormal(median: 2.5e7, sigma: 0.8, limits: 1e6...2e10)
  let toolTime = Quantity.logNormal(median: 6e7, sigma: 2.2, limits: 1e5...1.2e11)
  let callTime = Quantity.logNormal(median: 8e6, sigma: 1.2, limits: 1e5...1e10)
  let failureTime = Quantity.logNormal(median: 3e8, sigma: 1.5, limits: 1e6...6e10)
  /// Between one step and the next within an application.
  let gap = Quantity.logNormal(median: 1.5e6, sigma: 1, limits: 2e4...2e9)
}
