/// What can be wrong with encoded bytes. Never thrown for data that Lintel wrote and nothing damaged.
public struct ColumnError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The bytes end before the value does.
    case truncated
    /// A checksum doesn't match.
    case checksumMismatch
    /// A length, code, width or tag that no encoder writes.
    case malformed
    /// Written by a newer version of Lintel.
    case unsupportedEncoding
    /// A limit (rows, bytes, nesting) is exceeded.
    case limitExceeded
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
