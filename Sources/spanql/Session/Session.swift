import LintelQuery

#if canImport(Glibc)
  import Glibc
#endif

/// What a run of the shell remembers from statement to statement, and how it runs one.
final class Session {
  /// Files that `.read` each other stop here.
  static let maximumReadDepth = 16

  let source: any QuerySource
  let isInteractive: Bool
  /// `nil`: box on a terminal, table elsewhere.
  var format: ResultFormat?
  var showsTimer: Bool
  var output = OutputTarget.standard
  var hasQuit = false
  private var readDepth = 0

  init(source: any QuerySource, format: ResultFormat?, isInteractive: Bool) {
    self.source = source
    self.format = format
    self.isInteractive = isInteractive
    showsTimer = isInteractive
  }

  func close() {
    output.close()
    let source = source
    try? Foreground.run(ProgressLine("closing")) { () async throws(ShellError) in await source.close() }
  }

  // MARK: - Scripts

  /// Runs every statement of a text; stops at the first that fails.
  func runScript(_ text: String) -> ExitStatus {
    var script = Script(self)
    return script.feed(text + "\n") ?? script.finish()
  }

  func runFile(_ path: String) -> ExitStatus {
    guard readDepth < Self.maximumReadDepth else {
      report(.failed("files read each other more than \(Self.maximumReadDepth) deep"), statement: "")
      return .queryFailed
    }
    readDepth += 1
    defer { readDepth -= 1 }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      report(.failed("cannot read \(path): \(StandardStreams.reason(errno))"), statement: "")
      return .queryFailed
    }
    defer { _ = Glibc.close(descriptor) }
    return run(linesOf: descriptor, name: path)
  }

  func runStandardInput() -> ExitStatus { run(linesOf: STDIN_FILENO, name: "standard input") }

  /// Runs statements as soon as they are complete: who writes into a pipe may wait for each answer.
  private func run(linesOf descriptor: Int32, name: String) -> ExitStatus {
    var script = Script(self)
    var lines = LineReader(descriptor: descriptor)
    while let line = lines.next() {
      if let status = script.feed(line) { return status }
    }
    if let number = lines.failure {
      report(.failed("cannot read \(name): \(StandardStreams.reason(number))"), statement: "")
      return .queryFailed
    }
    return script.finish()
  }

  /// A line that is a dot command, or a part of statements.
  func runCommand(_ line: some StringProtocol) -> ExitStatus {
    do throws(ShellError) {
      try DotCommand.run(line, in: self)
      return .success
    } catch {
      report(error, statement: "")
      return .queryFailed
    }
  }

  // MARK: - Statements

  /// Runs one statement and writes its result.
  func run(_ statement: StatementSplitter.Statement) -> ExitStatus {
    do throws(ShellError) {
      if ExportStatement.matches(statement.text) {
        try export(statement.text)
      } else {
        try query(statement.text)
      }
      return .success
    } catch {
      report(error, statement: statement.text, line: statement.line)
      if case .cancelled = error { return isInteractive ? .queryFailed : .interrupted }
      return .queryFailed
    }
  }

  private func query(_ text: String) throws(ShellError) {
    let source = source
    let token = CancellationToken()
    let began = ContinuousClock.now
    let result = try Foreground.run(ProgressLine("running", progress: token)) { () async throws(ShellError) in
      try await source.query(text, token)
    }
    let elapsed = ContinuousClock.now - began
    warn(result.warnings)
    try show(result)
    if showsTimer { StandardStreams.error(Self.timerLine(result, elapsed)) }
  }

  func show(_ result: QueryResult) throws(ShellError) {
    let output = output
    try formatter(for: result).write(result) { chunk throws(ShellError) in
      if Interrupts.take().contains(.interrupt) { throw ShellError.cancelled }
      try output.write(chunk)
    }
  }

  /// The chosen format; a box that would not fit its terminal gives way to `vertical`, unless it was asked for.
  private func formatter(for result: QueryResult) -> ResultFormatter {
    let columns = output.columns
    if let format { return ResultFormatter(format, width: columns) }
    let box = ResultFormatter(.box, width: columns)
    guard columns != nil else { return ResultFormatter(.table) }
    return box.fits(result) ? box : ResultFormatter(.vertical)
  }

  private func export(_ text: String) throws(ShellError) {
    let source = source
    let path = try ExportStatement.path(of: text)
    let began = ContinuousClock.now
    let report = try Foreground.run(ProgressLine("exporting")) { () async throws(ShellError) in
      try await source.export(text, to: path)
    }
    warn(report.warnings)
    let spans = "\(Quantity.count(report.spanCount)) \(report.spanCount == 1 ? "span" : "spans")"
    let timer = showsTimer ? " in \(Self.text(ContinuousClock.now - began))" : ""
    StandardStreams.error("exported \(spans) to \(ResultText.visible(report.path))\(timer)\n")
    if !report.warnings.isEmpty {
      throw .failed("the export is not complete: \(ResultText.visible(report.path)) lacks what the warnings name")
    }
  }

  private func warn(_ warnings: [String]) {
    for warning in warnings { StandardStreams.error("warning: \(ResultText.visible(warning))\n") }
  }

  private static func timerLine(_ result: QueryResult, _ elapsed: Duration) -> String {
    let statistics = result.statistics
    let read =
      statistics.rowsRead > 0
      ? ", read \(Quantity.rows(statistics.rowsRead)), \(Quantity.bytes(statistics.bytesRead))" : ""
    return "\(Quantity.rows(result.rowCount)) in \(text(elapsed))\(read)\n"
  }

  private static func text(_ elapsed: Duration) -> String {
    let (seconds, attoseconds) = elapsed.components
    return ResultText.duration(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
  }

  private func report(_ error: ShellError, statement: String, line: Int = 1) {
    let place = line > 1 ? "in the statement that begins on line \(line):\n" : ""
    StandardStreams.error(place + error.text(for: statement) + "\n")
  }
}

/// Statements and dot commands of one text, as its lines come.
private struct Script {
  private let session: Session
  private var splitter = StatementSplitter()

  init(_ session: Session) { self.session = session }

  /// Runs what some whole lines complete. A status when the script ends here.
  mutating func feed(_ lines: String) -> ExitStatus? {
    for line in lines.split(separator: "\n", omittingEmptySubsequences: false) {
      let status = splitter.isBetweenStatements && DotCommand.matches(line) ? session.runCommand(line) : run(line)
      if status != .success { return status }
      if session.hasQuit { return .success }
    }
    return nil
  }

  private mutating func run(_ line: Substring) -> ExitStatus {
    for statement in splitter.feed(line + "\n") {
      let status = session.run(statement)
      if status != .success { return status }
    }
    return .success
  }

  /// Runs what stands after the last `;`.
  mutating func finish() -> ExitStatus { splitter.finish().map(session.run) ?? .success }
}
