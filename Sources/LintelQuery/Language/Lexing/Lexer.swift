/// Cuts a query into tokens.
///
///     word      := (letter | _) (letter | digit | _ | $)*
///     name      := '"' (any but '"' | '""')* '"'
///     string    := '\'' (any but '\'' | '\'\'')* '\''
///     number    := digits [. digits] [e [+|-] digits] [unit]       unit := ns us ms s m h d | usd
///     comment   := -- to the end of the line | /* .. */ (not nested)
struct Lexer {
  /// Longest query text, in bytes.
  static let maximumLength = 16 << 20

  let bytes: [UInt8]
  var position = 0

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// All tokens of `text`, the last one `.end`.
  static func tokens(of text: String) throws(QueryError) -> [Token] {
    guard text.utf8.count <= maximumLength else {
      throw QueryError(.limitExceeded, "a query has at most \(maximumLength >> 20) MiB, this one is longer")
    }
    var lexer = Lexer(text)
    var tokens: [Token] = []
    while true {
      try lexer.skipBlanks()
      let start = lexer.position
      let kind = try lexer.next()
      tokens.append(Token(kind, start..<lexer.position))
      if kind == .end { return tokens }
    }
  }

  func byte(_ ahead: Int = 0) -> UInt8 {
    position + ahead < bytes.count ? bytes[position + ahead] : 0
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  private mutating func skipBlanks() throws(QueryError) {
    while position < bytes.count {
      switch byte() {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0B, 0x0C:
        position += 1
      case UInt8(ascii: "-") where byte(1) == UInt8(ascii: "-"):
        while position < bytes.count, byte() != UInt8(ascii: "\n") { position += 1 }
      case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
        try skipComment()
      default:
        return
      }
    }
  }

  private mutating func skipComment() throws(QueryError) {
    let start = position
    position += 2
    while !(byte() == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) {
      guard position < bytes.count else {
        throw QueryError(.syntax, "this comment has no end", offset: start, hint: "close it with */")
      }
      position += 1
    }
    position += 2
  }

  private mutating func next() throws(QueryError) -> Token.Kind {
    guard position < bytes.count else { return .end }
    let first = byte()
    if Self.isDigit(first) || first == UInt8(ascii: ".") && Self.isDigit(byte(1)) { return try number() }
    if Self.beginsWord(first) { return .word(word()) }
    switch first {
    case UInt8(ascii: "'"): return .string(try quoted(first, "string"))
    case UInt8(ascii: "\""): return .quotedName(try quoted(first, "name"))
    default: return .symbol(try symbol())
    }
  }

  mutating func word() -> String {
    let start = position
    while position < bytes.count, Self.continuesWord(byte()) { position += 1 }
    return text(start..<position)
  }

  private mutating func quoted(_ quote: UInt8, _ what: String) throws(QueryError) -> String {
    let start = position
    var content: [UInt8] = []
    position += 1
    while position < bytes.count {
      if byte() == quote {
        guard byte(1) == quote else {
          position += 1
          return String(decoding: content, as: UTF8.self)
        }
        position += 1
      }
      content.append(byte())
      position += 1
    }
    let mark = quote == UInt8(ascii: "'") ? "'" : "\""
    throw QueryError(
      .syntax, "this \(what) has no end", offset: start,
      hint: "close it with \(mark); inside, a \(mark) is written twice")
  }

  private mutating func symbol() throws(QueryError) -> Token.Symbol {
    guard let (symbol, length) = Self.symbol(byte(), byte(1)) else { throw unexpectedCharacter() }
    position += length
    return symbol
  }

  /// The symbol that two bytes begin with, and its length.
  private static func symbol(_ first: UInt8, _ second: UInt8) -> (Token.Symbol, Int)? {
    let next = Unicode.Scalar(second)
    switch Unicode.Scalar(first) {
    case "(": return (.leftParenthesis, 1)
    case ")": return (.rightParenthesis, 1)
    case "[": return (.leftBracket, 1)
    case "]": return (.rightBracket, 1)
    case ",": return (.comma, 1)
    case ";": return (.semicolon, 1)
    case ".": return (.dot, 1)
    case "+": return (.plus, 1)
    case "-": return (.minus, 1)
    case "*": return (.star, 1)
    case "/": return (.slash, 1)
    case "%": return (.percent, 1)
    case "~": return (.matches, 1)
    case "=": return (.equal, next == "=" ? 2 : 1)
    case "<": return next == "=" ? (.lessOrEqual, 2) : next == ">" ? (.notEqual, 2) : (.less, 1)
    case ">": return next == "=" ? (.greaterOrEqual, 2) : (.greater, 1)
    case "!": return next == "=" ? (.notEqual, 2) : next == "~" ? (.notMatches, 2) : nil
    case "|": return next == "|" ? (.concatenate, 2) : nil
    case ":": return next == ":" ? (.cast, 2) : nil
    default: return nil
    }
  }

  private func unexpectedCharacter() -> QueryError {
    let rest = String(decoding: bytes[position..<min(bytes.count, position + 64)], as: UTF8.self)
    let character = rest.first.map(String.init) ?? ""
    let hint: String? =
      switch character {
      case "`": "names with odd characters stand in \"double quotes\""
      case "!": "write NOT, or <> for unequal"
      case "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}": "strings stand in 'straight quotes'"
      default: nil
      }
    return QueryError(.syntax, "the character \(character) has no meaning here", offset: position, hint: hint)
  }

  // MARK: Character classes

  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  static func beginsWord(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "_")
  }

  static func continuesWord(_ byte: UInt8) -> Bool {
    beginsWord(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
  }
}
