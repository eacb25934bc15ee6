import LintelQuery

/// The shell's own commands, which begin with a dot and end with their line.
enum DotCommand: String, CaseIterable {
  case help, tables, schema, mode, timer, read, output, quit, exit

  var usage: (arguments: String, meaning: String) {
    switch self {
    case .help: ("", "what you are reading")
    case .tables: ("", "the tables of the store")
    case .schema: ("[TABLE]", "the columns of a table (default: spans)")
    case .mode: ("[FORMAT]", "how results look: " + ResultFormat.allCases.map(\.rawValue).joined(separator: " "))
    case .timer: ("on|off", "whether time and rows are shown after a result")
    case .read: ("FILE", "run the statements of a file")
    case .output: ("FILE|stdout", "where results go")
    case .quit, .exit: ("", "leave; so does Ctrl-D")
    }
  }

  static func matches(_ line: some StringProtocol) -> Bool {
    line.first { $0 != " " && $0 != "\t" } == "."
  }

  /// Runs a line that starts with a dot.
  static func run(_ line: some StringProtocol, in session: Session) throws(ShellError) {
    var words = self.words(line)
    let name = words.isEmpty ? "" : words.removeFirst()
    guard let command = DotCommand(rawValue: String(name.dropFirst())) else {
      throw .failed("there is no command \(name); .help lists them")
    }
    let argument = words.first
    guard words.count < 2 else { throw .failed("\(name) takes one argument at most; quote names with spaces: 'a b'") }
    try command.run(argument, in: session)
  }

  private func run(_ argument: String?, in session: Session) throws(ShellError) {
    switch self {
    case .help: StandardStreams.error(Self.helpText)
    case .tables: try runStatement("SHOW TABLES", session)
    case .schema: try runStatement("DESCRIBE \(try Self.tableName(argument ?? "spans"))", session)
    case .mode: try setMode(argument, session)
    case .timer:
      switch argument {
      case "on": session.showsTimer = true
      case "off": session.showsTimer = false
      case nil: StandardStreams.error("timer is \(session.showsTimer ? "on" : "off")\n")
      default: throw .failed(".timer takes on or off")
      }
    case .read:
      guard let argument else { throw .failed(".read takes a file") }
      // The statement that failed has been reported already.
      if session.runFile(argument) != .success { throw .failed("\(argument): stopped at the first error") }
    case .output: try setOutput(argument, session)
    case .quit, .exit: session.hasQuit = true
    }
  }

  private func runStatement(_ text: String, _ session: Session) throws(ShellError) {
    let source = session.source
    let token = CancellationToken()
    let result = try Foreground.run(ProgressLine("asking", progress: token)) { () async throws(ShellError) in
      try await source.query(text, token)
    }
    try session.show(result)
  }

  private func setMode(_ argument: String?, _ session: Session) throws(ShellError) {
    guard let argument else {
      return StandardStreams.error("mode is \(session.format?.rawValue ?? "box on a terminal, else table")\n")
    }
    guard let format = ResultFormat(rawValue: argument.lowercased()) else {
      throw .failed("there is no format \(argument): " + ResultFormat.allCases.map(\.rawValue).joined(separator: " "))
    }
    session.format = format
  }

  private func setOutput(_ argument: String?, _ session: Session) throws(ShellError) {
    let target: OutputTarget =
      argument == nil || argument == "stdout" ? .standard : try OutputTarget(path: argument ?? "")
    session.output.close()
    session.output = target
  }

  /// A name as it may stand in a statement.
  private static func tableName(_ text: String) throws(ShellError) -> String {
    let isPlain = text.utf8.allSatisfy {
      ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == 0x5F || ($0 >= 0x30 && $0 <= 0x39)
    }
    guard isPlain, !text.isEmpty else { throw .failed("\(text) is no name of a table") }
    return text
  }

  /// Words between blanks; quotes of either kind hold blanks together. A `;` at the end is a habit, not a part.
  static func words(_ line: some StringProtocol) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    var isWord = false
    for character in line {
      if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        isWord = true
      } else if character.isWhitespace {
        if isWord { words.append(word) }
        (word, isWord) = ("", false)
      } else {
        word.append(character)
        isWord = true
      }
    }
    if isWord { words.append(word) }
    if let last = words.last, last.hasSuffix(";") { words[words.count - 1] = String(last.dropLast()) }
    return words.filter { !$0.isEmpty }
  }

  private static var helpText: String {
    var text =
      "Statements end with ';' and may take several lines. Tab completes, the up key goes back in the history.\n"
    text += "Ctrl-C stops the running query, or clears the line.\n\n"
    for command in allCases where command != .exit {
      let (arguments, meaning) = command.usage
      let left = ".\(command.rawValue) \(arguments)"
      text += "  " + left + String(repeating: " ", count: max(1, 22 - left.count)) + meaning + "\n"
    }
    return text
  }
}
