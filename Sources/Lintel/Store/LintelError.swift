public import LintelQuery
public import LintelStorage

/// Everything that Lintel's API throws, to be switched over.
public enum LintelError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Opening, writing or reading the store failed; ``StorageError/Code`` says whether a retry can help
  /// (`.overloaded` and `.diskFull` pass, `.failedStop` needs a reopening).
  case storage(StorageError)
  /// The query has no answer; its `offset` points into the query's text.
  case query(QueryError)
  /// Values don't have the shape that was asked for or promised.
  case decoding(String)

  public var description: String {
    switch self {
    case .storage(let error): error.description
    case .query(let error): error.description
    case .decoding(let message): message
    }
  }

  /// Whether the same call may succeed a little later.
  public var isRetryable: Bool {
    guard case .storage(let error) = self else { return false }
    return error.code == .overloaded || error.code == .diskFull
  }
}
