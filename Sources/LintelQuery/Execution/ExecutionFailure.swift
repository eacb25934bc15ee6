import LintelStorage

/// What can end a run from inside: an answer to the user, or a corrupt segment, upon which the query starts again without.
enum ExecutionFailure: Error {
  case query(QueryError)
  case corrupt(segment: Int, message: String)
  /// The content of the rows at hand takes more than may be in memory at once: for ``EvaluationContext/sliced(_:_:)``, which
  /// goes on with fewer.
  case tooMuchAtOnce

  init(_ error: StorageError, segment: Int) {
    if error.code == .corrupt {
      self = .corrupt(segment: segment, message: error.description)
    } else {
      self = .query(QueryError(.storage, "the store could not be read: \(error.description)"))
    }
  }

  static func overflow(_ operation: String) -> ExecutionFailure {
    .query(
      QueryError(
        .overflow, "integer overflow in \(operation): the result needs more than 64 bits; use CAST(.. AS float64)"))
  }

  static func unsupported(_ message: String) -> ExecutionFailure { .query(QueryError(.unsupported, message)) }
}
