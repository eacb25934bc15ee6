import LintelColumns

@testable import LintelQuery

extension RandomQuery {
  private static let columns =
    Set(RandomTable.schema.columns.map(\.name)).union(["ended", "attributes"])

  /// A query over single rows, turned into one over pairs: every column gets a side at random.
  mutating func joined(_ query: String) -> String {
    guard let tokens = try? Lexer.tokens(of: query) else { return query }
    let bytes = Array(query.utf8)
    var text = ""
    var end = 0
    var depth = 0
    var depthOfSubquery: Int?
    for (index, token) in tokens.enumerated() {
      if token.kind == .symbol(.leftParenthesis) {
        depth += 1
        if tokens[index + 1].folded == "select", depthOfSubquery == nil { depthOfSubquery = depth }
      }
      if token.kind == .symbol(.rightParenthesis) {
        if depthOfSubquery == depth { depthOfSubquery = nil }
        depth -= 1
      }
      text += String(decoding: bytes[end..<token.range.lowerBound], as: UTF8.self)
      end = token.range.upperBound
      let word = String(decoding: bytes[token.range], as: UTF8.self)
      if depthOfSubquery == nil, case .word = token.kind, Self.columns.contains(word) { text += pick("a.", "b.") }
      text += word
      if depthOfSubquery == nil, word == "rows" {
        text += " AS a JOIN \(pick("CHILD", "PARENT", "DESCENDANT", "ANCESTOR", "SIBLING")) rows AS b"
      }
    }
    return text
  }
}
