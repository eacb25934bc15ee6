import LintelQuery

/// What answers the shell's statements: a store in a directory, or a server.
///
/// Cancelling the task of a call cancels the query; the token says how far it is, where that is known.
protocol QuerySource: Sendable {
  /// For the banner.
  var place: String { get }

  func query(_ statement: String, _ token: CancellationToken) async throws(ShellError) -> QueryResult

  /// Runs an `EXPORT` into a file.
  func export(_ statement: String, to path: String) async throws(ShellError) -> ExportReport

  func close() async
}

struct ExportReport: Sendable {
  let spanCount: Int
  let path: String
  /// What is missing, or isn't as it was stored: with any of it the export isn't complete.
  var warnings: [String] = []
}

/// Why a statement or a command has no result.
enum ShellError: Error, Sendable {
  /// The query has no answer; the offset points into the statement.
  case query(QueryError)
  case cancelled
  /// Anything else, as a sentence.
  case failed(String)

  /// As it is shown: with the statement's line and a caret where the place is known. The statement is empty where nobody
  /// typed one.
  func text(for statement: String) -> String {
    switch self {
    case .query(let error) where statement.isEmpty:
      QueryError(error.code, error.message, hint: error.hint).rendered(in: "")
    case .query(let error): error.rendered(in: statement)
    case .cancelled: "cancelled"
    case .failed(let message): "error: \(message)"
    }
  }
}
