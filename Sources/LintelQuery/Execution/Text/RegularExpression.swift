/// A regular expression over UTF-8 text: matching takes time linear in the text whatever the pattern.
///
///     alternatives   a|b          groups       (..) (?:..)     anchors    ^ $
///     repeats        * + ? {m} {m,} {m,n} (a trailing ? is accepted and changes nothing)
///     classes        [a-z] [^a-z] . (any scalar but newline) \d \D \w \W \s \S
///     escapes        \n \t \r \f \v \0 \xHH and any punctuation
///     (?i) at the start: ASCII letters match in either case
///
/// Thompson's construction gives a nondeterministic automaton over bytes; ``Matcher`` makes the deterministic one as the text
/// demands, in bounded memory. Patterns are limited in nesting and in the size of their automaton.
struct RegularExpression: Sendable {
  /// What is wrong with a pattern.
  struct PatternError: Error {
    let message: String
    /// Byte of the pattern.
    let offset: Int
  }

  enum Instruction: Sendable {
    case bytes(UInt8, UInt8, next: Int)
    case split(Int, Int)
    case jump(Int)
    case startOfText(next: Int)
    case endOfText(next: Int)
    case accept
  }

  static let maximumInstructions = 20_000
  static let maximumRepeat: Int = 1000
  static let maximumNesting = 100

  let instructions: [Instruction]
  let start: Int

  init(_ pattern: some Collection<UInt8>) throws(PatternError) {
    var parser = RegularExpressionParser(Array(pattern))
    let tree = try parser.parse()
    var compiler = RegularExpressionCompiler(ignoresCase: parser.ignoresCase)
    start = try compiler.compile(tree)
    instructions = compiler.instructions
  }
}

/// The syntax tree of a regular expression.
indirect enum RegularExpressionTree {
  case empty
  /// Sorted, disjoint ranges of Unicode scalars.
  case scalars([ClosedRange<UInt32>])
  case sequence([RegularExpressionTree])
  case alternatives([RegularExpressionTree])
  case repeated(RegularExpressionTree, min: Int, max: Int?)
  case startOfText
  case endOfText
}
