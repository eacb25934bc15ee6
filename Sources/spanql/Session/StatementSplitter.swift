/// Cuts text into statements at `;`, leaving alone those inside strings, quoted names and comments (whose forms are those
/// of the language's lexer). Takes the text in whole lines, as it comes.
struct StatementSplitter {
  struct Statement: Equatable {
    /// Without the `;`, and without the blanks and comments before it.
    var text: String
    /// Line of the whole input on which it begins, from 1.
    var line: Int
  }

  private enum State { case plain, string, name, lineComment, blockComment }

  private var state = State.plain
  private var pending: [UInt8] = []
  private var hasContent = false
  private var line = 1
  private var startLine = 1

  /// Whether nothing but blanks and comments stands since the last statement.
  var isBetweenStatements: Bool { !hasContent && state == .plain }

  /// Takes some more lines; what they complete.
  mutating func feed(_ text: some StringProtocol) -> [Statement] {
    var statements: [Statement] = []
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      if byte == UInt8(ascii: "\n") { line += 1 }
      if state == .plain, byte == UInt8(ascii: ";") {
        if let statement = finish() { statements.append(statement) }
        index += 1
        continue
      }
      let length = step(byte, next)
      pending.append(contentsOf: bytes[index..<index + length])
      index += length
    }
    return statements
  }

  /// What stands after the last `;`, as a statement.
  mutating func finish() -> Statement? {
    defer { reset() }
    guard hasContent else { return nil }
    while let last = pending.last, Self.isBlank(last) { pending.removeLast() }
    return Statement(text: String(decoding: pending, as: UTF8.self), line: startLine)
  }

  /// Forgets the statement that was begun.
  mutating func reset() {
    pending.removeAll()
    hasContent = false
    state = .plain
  }

  /// Moves the state over one character, or over two that belong together; says how many.
  private mutating func step(_ byte: UInt8, _ next: UInt8) -> Int {
    switch state {
    case .plain: return stepInPlain(byte, next)
    // A doubled quote closes and opens again: the same in the end.
    case .string: if byte == UInt8(ascii: "'") { state = .plain }
    case .name: if byte == UInt8(ascii: "\"") { state = .plain }
    case .lineComment: if byte == UInt8(ascii: "\n") { state = .plain }
    case .blockComment:
      if byte == UInt8(ascii: "*"), next == UInt8(ascii: "/") {
        state = .plain
        return 2
      }
    }
    return 1
  }

  private mutating func stepInPlain(_ byte: UInt8, _ next: UInt8) -> Int {
    switch (byte, next) {
    case (UInt8(ascii: "-"), UInt8(ascii: "-")):
      state = .lineComment
      return 2
    case (UInt8(ascii: "/"), UInt8(ascii: "*")):
      state = .blockComment
      return 2
    case _ where Self.isBlank(byte): return 1
    case (UInt8(ascii: "'"), _): state = .string
    case (UInt8(ascii: "\""), _): state = .name
    default: break
    }
    if !hasContent {
      hasContent = true
      pending.removeAll()
      startLine = line
    }
    return 1
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  /// The statement on one line, for the history: comments go, line ends become spaces. `nil` where a string holds one.
  static func singleLine(_ statement: String) -> String? {
    var splitter = StatementSplitter()
    var line: [UInt8] = []
    let bytes = Array(statement.utf8)
    var index = 0
    while index < bytes.count {
      let before = splitter.state
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      let length = splitter.step(bytes[index], next)
      let isBreak = bytes[index] == 0x0A || bytes[index] == 0x0D
      switch before {
      case .string where isBreak, .name where isBreak: return nil
      case .lineComment, .blockComment: break
      case .plain where splitter.state == .lineComment || splitter.state == .blockComment: line.append(0x20)
      case .plain where isBlank(bytes[index]): if line.last != 0x20 { line.append(0x20) }
      case .plain, .string, .name: line.append(contentsOf: bytes[index..<index + length])
      }
      index += length
    }
    while line.last == 0x20 { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }
}
