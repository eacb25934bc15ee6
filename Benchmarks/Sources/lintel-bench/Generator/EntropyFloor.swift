/// What the generator draws at random, named after the column that shows it.
///
/// A value that follows from others (the organisation from the application, an agent's duration from its children, a cost
/// from tokens and price) draws nothing and has a floor of 0, however many bytes a format spends on it.
enum DrawnColumn: Int, CaseIterable, Sendable {
  case traceID, spanID, startTime, duration, status, statusMessage, appID, userHash, sessionID, operation
  case requestModel, toolName, inputTokens, outputTokens, cacheReadTokens, reasoningTokens, timeToFirstToken
  case resourceAttributes, responseID, inputDigest, outputDigest, route

  /// As `DESCRIBE STORAGE` names it.
  var name: String {
    switch self {
    case .traceID: "trace_id"
    case .spanID: "span_id"
    case .startTime: "start_time"
    case .duration: "duration"
    case .status: "status"
    case .statusMessage: "status_message"
    case .appID: "app_id"
    case .userHash: "user_hash"
    case .sessionID: "session_id"
    case .operation: "operation"
    case .requestModel: "request_model"
    case .toolName: "tool_name"
    case .inputTokens: "input_tokens"
    case .outputTokens: "output_tokens"
    case .cacheReadTokens: "cache_read_tokens"
    case .reasoningTokens: "reasoning_tokens"
    case .timeToFirstToken: "time_to_first_token"
    case .resourceAttributes: "resource_attributes"
    case .responseID: "attributes['\(AttributeName.responseID)']"
    case .inputDigest: "attributes['\(AttributeName.inputDigest)']"
    case .outputDigest: "attributes['\(AttributeName.outputDigest)']"
    case .route: "attributes['\(AttributeName.route)']"
    }
  }
}

/// Bits that no lossless format can do without, because they were drawn at random.
///
/// Counted where they are drawn, by the entropy of what they were drawn from. The order in which spans arrive adds
/// nothing: it follows from their end times. That traces are a set and not a sequence is in it too, for what is drawn is
/// the gap from one trace to the next, not a time of day.
struct EntropyFloor: Sendable {
  /// Spans that the draws made, those not yet handed out included.
  var spans = 0
  private var bits = InlineArray<32, Double>(repeating: 0)

  @inline(__always)
  mutating func add(_ more: Double, _ column: DrawnColumn) { bits[column.rawValue] += more }

  mutating func add(_ other: EntropyFloor) {
    spans += other.spans
    for index in bits.indices { bits[index] += other.bits[index] }
  }

  func bytesPerSpan(_ column: DrawnColumn) -> Double { bits[column.rawValue] / 8 / Double(max(1, spans)) }

  var bytesPerSpan: Double { DrawnColumn.allCases.reduce(0) { $0 + bytesPerSpan($1) } }
}

/// Draws at random and keeps the account.
struct Dice: Sendable {
  var random: SplitMix64
  var floor = EntropyFloor()

  @inline(__always)
  mutating func draw(_ quantity: Quantity, _ column: DrawnColumn) -> Int64 {
    floor.add(quantity.entropy, column)
    return quantity.draw(random.next())
  }

  @inline(__always)
  mutating func draw(_ choice: Choice, _ column: DrawnColumn) -> Int {
    floor.add(choice.entropy, column)
    return choice.draw(random.next())
  }

  @inline(__always)
  mutating func draw(_ chance: Chance, _ column: DrawnColumn) -> Bool {
    floor.add(chance.entropy, column)
    return random.next() < chance.threshold
  }

  /// All 64 bits; never 0, which ids must not be.
  @inline(__always)
  mutating func word(_ column: DrawnColumn) -> UInt64 {
    floor.add(64, column)
    return max(1, random.next())
  }

  /// Uniform in `0 ..< bound`, a power of two.
  @inline(__always)
  mutating func below(_ bound: Int, _ column: DrawnColumn) -> Int {
    floor.add(Double(bound.trailingZeroBitCount), column)
    return random.below(bound)
  }
}
