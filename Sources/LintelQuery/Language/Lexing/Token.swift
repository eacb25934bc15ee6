/// One word of a query.
struct Token: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// A name or a keyword, as written.
    case word(String)
    /// `"name"`: never a keyword.
    case quotedName(String)
    case string(String)
    /// Without a sign, so that -9223372036854775808 can be written.
    case integer(UInt64)
    case decimal(Double)
    /// Nanoseconds.
    case duration(Int64)
    /// Nano-USD.
    case money(Int64)
    case symbol(Symbol)
    case end
  }

  enum Symbol: String, Sendable, Hashable, CaseIterable {
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBracket = "["
    case rightBracket = "]"
    case comma = ","
    case semicolon = ";"
    case dot = "."
    case plus = "+"
    case minus = "-"
    case star = "*"
    case slash = "/"
    case percent = "%"
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case concatenate = "||"
    case matches = "~"
    case notMatches = "!~"
    case cast = "::"
  }

  let kind: Kind
  /// UTF-8 offsets in the query text.
  let range: Range<Int>
  /// A word in lower case, to be compared with keywords; empty for other tokens.
  let folded: String

  init(_ kind: Kind, _ range: Range<Int>) {
    self.kind = kind
    self.range = range
    folded = if case .word(let text) = kind { Keywords.folded(text) } else { "" }
  }

  /// How messages name the token.
  var description: String {
    switch kind {
    case .word(let text): text
    case .quotedName(let text): "\"\(text)\""
    case .string: "a string"
    case .integer, .decimal: "a number"
    case .duration: "a duration"
    case .money: "an amount of money"
    case .symbol(let symbol): "'\(symbol.rawValue)'"
    case .end: "the end of the query"
    }
  }
}
