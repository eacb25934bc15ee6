import LintelQuery

/// The shell on a terminal: reads a line, runs what is complete, until Ctrl-D.
struct InteractiveShell {
  private static let prompt = "spanql> "
  private static let continuation = "   ...> "

  private let session: Session
  private let names: CompletionNames
  private let history = HistoryFile()

  init(_ session: Session) {
    self.session = session
    names = CompletionNames(source: session.source)
  }

  func run() -> ExitStatus {
    guard let editor = LineEditor(complete: { [names] line in names.current.answer(line) }) else {
      return session.runStandardInput()
    }
    for line in history.load() { editor.remember(line) }
    StandardStreams.error(Banner.text(for: session.source))
    names.refresh()
    var splitter = StatementSplitter()
    while !session.hasQuit {
      switch editor.read(prompt: splitter.isBetweenStatements ? Self.prompt : Self.continuation) {
      case .line(let line): take(line, &splitter, editor)
      case .interrupted: splitter.reset()
      case .end:
        StandardStreams.error("\n")
        return .success
      }
    }
    return .success
  }

  private func take(_ line: String, _ splitter: inout StatementSplitter, _ editor: LineEditor) {
    let line = line.hasSuffix("\n") ? line.dropLast() : Substring(line)
    if splitter.isBetweenStatements, DotCommand.matches(line) {
      remember(String(line), editor)
      _ = session.runCommand(line)
      return
    }
    for var statement in splitter.feed(line + "\n") {
      // What was typed needs no line number to be found.
      statement.line = 1
      remember((StatementSplitter.singleLine(statement.text) ?? statement.text) + ";", editor)
      if session.run(statement) != .success { return splitter.reset() }
    }
  }

  private func remember(_ line: String, _ editor: LineEditor) {
    editor.remember(line)
    history.append(line)
  }
}

/// The lines that greet: where we are, what is there, and how to get on.
enum Banner {
  /// What takes longer isn't worth waiting for.
  private static let patience = Duration.milliseconds(700)

  static func text(for source: any QuerySource) -> String {
    let contents = try? Foreground.run(ProgressLine("looking around")) { () async throws(ShellError) in
      await self.contents(source)
    }
    let what = (contents ?? nil).map { "\n\($0)" } ?? ""
    return "Lintel at \(ResultText.visible(source.place))\(what)\nStatements end with ';'. Type .help for help.\n\n"
  }

  private static func contents(_ source: any QuerySource) async -> String? {
    let query = Task {
      try await source.query(
        "SELECT count(*) AS n, min(start_time) AS first, max(start_time) AS last FROM spans", CancellationToken())
    }
    let clock = Task {
      try await Task.sleep(for: patience)
      query.cancel()
    }
    defer { clock.cancel() }
    guard let result = try? await query.value else { return nil }
    let cells =
      String(decoding: ResultFormatter(.tsv).bytes(result), as: UTF8.self).split(separator: "\n").last?
      .split(separator: "\t") ?? []
    guard cells.count == 3, let count = Int(cells[0]) else { return nil }
    guard let first = Int64(cells[1]), let last = Int64(cells[2]) else { return "no spans yet" }
    return "\(Quantity.count(count)) spans from \(minute(first)) to \(minute(last))"
  }

  /// `2026-01-31 23:59`, UTC.
  private static func minute(_ nanoseconds: Int64) -> String {
    String(ResultText.time(nanoseconds).prefix(16)).replacing("T", with: " ")
  }
}
