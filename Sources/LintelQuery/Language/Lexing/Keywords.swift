/// The words of the language, for the parser's messages and for completion.
enum Keywords {
  /// Words that can't be names unless quoted.
  static let reserved: Set<String> = [
    "and", "as", "between", "by", "case", "cast", "distinct", "else", "end", "false", "from", "group", "having",
    "ilike",
    "in", "is", "join", "like", "limit", "not", "null", "offset", "on", "or", "order", "select", "then", "to", "true",
    "union", "when", "where",
  ]

  /// Words that begin a statement.
  static let statements = [
    "SELECT", "EXPLAIN", "SHOW", "DESCRIBE", "EXPORT", "OPTIMIZE", "FLUSH", "CHECK", "ERASE", "LIFT", "HOLD", "RELEASE",
    "ALTER", "DROP",
  ]

  /// Every keyword, upper-case.
  static let all: [String] =
    (reserved.map { $0.uppercased() } + statements.dropFirst() + [
      "ANALYZE", "ASC", "ATTRIBUTES", "COLUMNS", "DESC", "DRY", "ERASURE", "ERASURES", "FILTER", "FIRST", "FOR",
      "HOLDS", "LAST", "NULLS", "ORG", "PART", "PARTS", "PROBLEMS", "RETENTION", "RUN", "SET", "STORAGE", "TABLE",
      "TABLES",
      "TIERS", "USER",
    ] + TraceJoin.Relation.allCases.map { $0.rawValue.uppercased() }).filter { !["ON", "UNION"].contains($0) }.sorted()

  /// The text with its ASCII letters in lower case: what keywords, functions and unquoted names are looked up by.
  static func folded(_ text: String) -> String {
    String(decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }
}
