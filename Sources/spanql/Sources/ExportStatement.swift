import LintelQuery

/// EXPORT doesn't answer with rows but writes a file, so the shell looks for it.
enum ExportStatement {
  /// What does not parse is no EXPORT: running it as a query says what is wrong.
  static func matches(_ statement: String) -> Bool {
    guard let parsed = try? SpanQL.parse(statement), case .export = parsed else { return false }
    return true
  }

  /// Where an EXPORT wants to write.
  static func path(of statement: String) throws(ShellError) -> String {
    do throws(QueryError) {
      guard case .export(let syntax) = try SpanQL.parse(statement) else { throw QueryError(.unsupported, "no EXPORT") }
      guard !syntax.path.isEmpty else {
        throw QueryError(
          .syntax, "EXPORT doesn't say which file to write", offset: statement.utf8.count,
          hint: "add TO 'spans.jsonl'")
      }
      return syntax.path
    } catch {
      throw .query(error)
    }
  }
}
