/// Why a query has no answer.
public struct QueryError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The text is not SpanQL.
    case syntax
    /// A name that doesn't exist, or types that don't fit.
    case binding
    /// An integer result past 64 bits.
    case overflow
    /// The memory or time limit was reached.
    case limitExceeded
    case cancelled
    /// Reading the store failed.
    case storage
    /// The statement can't be run here (for instance EXPORT over a plain query endpoint).
    case unsupported
  }

  public let code: Code
  public let message: String
  /// Where in the query text, as a UTF-8 offset.
  public let offset: Int?
  /// What to do instead, such as "did you mean request_model?".
  public let hint: String?

  public init(_ code: Code, _ message: String, offset: Int? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.offset = offset
    self.hint = hint
  }

  /// The message and the hint, on one line.
  public var description: String { hint.map { "\(message); \($0)" } ?? message }
}
