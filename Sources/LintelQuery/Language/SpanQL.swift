/// The language: reading statements, and the words that a shell completes.
public enum SpanQL {
  /// Reads one statement; semicolons after it are ignored.
  ///
  /// - Throws: `.syntax` with the place and what was expected; `.limitExceeded` where the text is too long or nested.
  public static func parse(_ text: String) throws(QueryError) -> Statement {
    var parser = try Parser(text)
    return try parser.statement()
  }

  /// Every keyword, upper-case.
  public static var keywords: [String] { Keywords.all }

  /// Every function, lower-case.
  public static var functions: [String] { FunctionNames.all.sorted() }
}
