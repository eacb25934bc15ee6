import Testing

@testable import spanql

@Suite struct StatementSplitterTests {
  private func split(_ text: String) -> [String] {
    var splitter = StatementSplitter()
    return (splitter.feed(text) + [splitter.finish()].compactMap { $0 }).map(\.text)
  }

  @Test(
    arguments: [
      ("", []), (" ;; \n;", []), ("SELECT 1", ["SELECT 1"]), ("SELECT 1;SELECT 2 ; ", ["SELECT 1", "SELECT 2"]),
      ("SELECT ';', 'it''s;' ; x", ["SELECT ';', 'it''s;'", "x"]),
      ("SELECT \"a;b\"\"c;\" ; x", ["SELECT \"a;b\"\"c;\"", "x"]),
      ("a -- not; here 'nor\n here; b", ["a -- not; here 'nor\n here", "b"]),
      ("a /* not; 'here */ ; b", ["a /* not; 'here */", "b"]),
      ("-- only a comment;\n/* and; another */", []),
      ("-- before\nSELECT 1 -- after", ["SELECT 1 -- after"]),
      ("SELECT 1 - 2 / 3 * 4; y", ["SELECT 1 - 2 / 3 * 4", "y"]),
      ("a /*/ ; */ ; b", ["a /*/ ; */", "b"]), ("a /* x **/; b", ["a /* x **/", "b"]),
      ("'unfinished ; x", ["'unfinished ; x"]),
    ] as [(String, [String])])
  func statements(_ text: String, _ expected: [String]) {
    #expect(split(text) == expected)
  }

  @Test func statementsKnowTheirLines() {
    var splitter = StatementSplitter()
    let statements = splitter.feed("\n-- x\nSELECT\n1;\n\nSELECT 2;")
    #expect(statements.map(\.line) == [3, 6])
  }

  /// However the lines are handed over, the statements are the same.
  @Test func feedingByLinesIsTheSame() {
    let text = "SELECT 'a\n;b';\n-- c;\nSELECT /* d\n; */ 2;\nrest"
    var splitter = StatementSplitter()
    var pieces: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      pieces += splitter.feed(line + "\n").map(\.text)
    }
    pieces += [splitter.finish()?.text].compactMap { $0 }
    #expect(pieces == split(text))
    #expect(pieces.count == 3)
  }

  @Test func betweenStatementsMeansNothingIsBegun() {
    var splitter = StatementSplitter()
    #expect(splitter.isBetweenStatements)
    _ = splitter.feed("-- note\n  ")
    #expect(splitter.isBetweenStatements)
    _ = splitter.feed("/* open")
    #expect(!splitter.isBetweenStatements)
    _ = splitter.feed("*/ SELECT '")
    #expect(!splitter.isBetweenStatements)
    splitter.reset()
    #expect(splitter.isBetweenStatements)
    #expect(splitter.finish() == nil)
  }

  @Test(arguments: [
    ("SELECT 1", "SELECT 1"), ("SELECT\n  1,\n  2", "SELECT 1, 2"), ("SELECT 1 -- one\n, 2", "SELECT 1 , 2"),
    ("SELECT /* a\nb */ 1", "SELECT 1"), ("SELECT '  two  spaces'", "SELECT '  two  spaces'"),
  ])
  func onOneLine(_ text: String, _ expected: String) {
    let line = StatementSplitter.singleLine(text)
    #expect(line?.split(separator: " ") == expected.split(separator: " "))
    #expect(line?.contains("\n") == false)
  }

  @Test func aStringWithALineEndStaysAsItIs() {
    #expect(StatementSplitter.singleLine("SELECT 'a\nb'") == nil)
  }
}
