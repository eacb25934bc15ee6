public import LintelColumns

/// Why a span was not stored.
public enum RejectionReason: Int, Sendable, Hashable, CaseIterable, CustomStringConvertible {
  /// The trace id isn't 16 bytes, or is all zero.
  case traceID
  /// The span id isn't 8 bytes, or is all zero.
  case spanID
  /// The parent's id is neither absent nor 8 bytes.
  case parentSpanID
  /// There is no start time.
  case noStartTime
  /// The start or the end lies after the year 2262, where signed nanoseconds end.
  case timeOutOfRange
  /// A link's id isn't hexadecimal (JSON only; links may otherwise have ids of any length).
  case linkID
  /// The name or another string isn't valid UTF-8.
  case invalidText

  public var description: String {
    switch self {
    case .traceID: "trace id isn't 16 bytes or is all zero"
    case .spanID: "span id isn't 8 bytes or is all zero"
    case .parentSpanID: "parent span id isn't 8 bytes"
    case .noStartTime: "no start time"
    case .timeOutOfRange: "start or end time past 2262-04-11"
    case .linkID: "a link's id isn't hexadecimal"
    case .invalidText: "a string isn't valid UTF-8"
    }
  }
}

/// What a request held: the rows to store, and what was left out.
public struct DecodedRequest: Sendable {
  /// The accepted spans as rows of the spans table. No raw user id is in it.
  public let batch: Batch
  /// Spans in `batch`.
  public var accepted: Int { batch.rowCount }
  /// Spans left out, by reason.
  public let rejected: [RejectionReason: Int]

  public var rejectedCount: Int { rejected.values.reduce(0, +) }

  /// For the partial-success answer: which share was rejected and why, the commonest reasons first. Empty when all is well.
  public var message: String {
    guard rejectedCount > 0 else { return "" }
    let reasons = rejected.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
      .map { "\($0.value): \($0.key)" }
    return "\(rejectedCount) of \(accepted + rejectedCount) spans rejected (\(reasons.joined(separator: "; ")))"
  }
}
