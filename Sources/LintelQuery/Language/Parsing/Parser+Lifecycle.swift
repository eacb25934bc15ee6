/// Statements about erasures, legal holds, retention and lost parts.
extension Parser {
  /// Users that one statement may erase.
  private static let maximumUsers = 10_000

  /// `nil` when the statement is of another kind.
  mutating func lifecycleCommand() throws(QueryError) -> LifecycleCommand? {
    if take(keyword: "erase") { return try erase() }
    if take(keyword: "lift") {
      try expect(keyword: "erasure", "after LIFT")
      return .liftErasure(try number("of an erasure; SHOW ERASURES lists them"))
    }
    if take(keyword: "hold") { return try hold() }
    if take(keyword: "release") {
      try expect(keyword: "hold", "after RELEASE")
      return .releaseHold(try number("of a hold; SHOW HOLDS lists them"))
    }
    if take(keyword: "alter") { return try alter() }
    if take(keyword: "drop") {
      try expect(keyword: "part", "after DROP")
      return .dropPart(try text("the file of a damaged part; SHOW PROBLEMS names them"))
    }
    return nil
  }

  /// `SHOW ERASURES`, `SHOW HOLDS`, `SHOW RETENTION`; takes nothing when it is another SHOW.
  mutating func showLifecycle() throws(QueryError) -> LifecycleCommand? {
    let commands: [String: LifecycleCommand] = [
      "erasures": .showErasures, "holds": .showHolds, "retention": .showRetention,
    ]
    guard let command = commands[peek(1).folded] else { return nil }
    advance()
    advance()
    return command
  }

  private mutating func erase() throws(QueryError) -> LifecycleCommand {
    try expect(keyword: "user", "after ERASE")
    var users = [try text("the id of a user")]
    while take(.comma) {
      guard users.count < Self.maximumUsers else {
        throw QueryError(
          .limitExceeded, "one statement erases \(Self.maximumUsers) users at most", offset: token.range.lowerBound)
      }
      users.append(try text("the id of a user"))
    }
    let organization = try inOrganization()
    let isDryRun = take(keyword: "dry")
    if isDryRun { try expect(keyword: "run", "after DRY") }
    return .erase(users: users, organization: organization, isDryRun: isDryRun)
  }

  private mutating func hold() throws(QueryError) -> LifecycleCommand {
    var user: String?
    let organization: String?
    if take(keyword: "user") {
      user = try text("the id of a user")
      organization = try inOrganization()
    } else if take(keyword: "org") {
      organization = try text("an organisation")
    } else {
      throw unexpected("expected USER or ORG after HOLD", ["user", "org"])
    }
    let reason = take(keyword: "for") ? try text("the reason") : ""
    return .hold(user: user, organization: organization, reason: reason)
  }

  private mutating func alter() throws(QueryError) -> LifecycleCommand {
    try expect(keyword: "table", "after ALTER")
    let table = try expectTable("after ALTER TABLE").name
    try expect(keyword: "set", "after the table")
    let isOfContent = take(keyword: "content")
    try expect(keyword: "retention", isOfContent ? "after CONTENT" : "after SET")
    let time: Int64?
    if case .duration(let nanoseconds) = token.kind {
      guard nanoseconds >= 1_000_000_000 else {
        throw QueryError(.syntax, "a retention is a second at least", offset: token.range.lowerBound)
      }
      time = nanoseconds
      advance()
    } else if take(keyword: "none") {
      time = nil
    } else {
      throw unexpected("expected a time such as 90d, or NONE, after RETENTION", ["none"])
    }
    var organization: String?
    if take(keyword: "for") {
      try expect(keyword: "org", "after FOR")
      organization = try text("an organisation")
    }
    return isOfContent
      ? .setContentRetention(table: table, organization: organization, nanoseconds: time)
      : .setRetention(table: table, organization: organization, nanoseconds: time)
  }

  private mutating func inOrganization() throws(QueryError) -> String? {
    guard take(keyword: "in") else { return nil }
    try expect(keyword: "org", "after IN")
    return try text("an organisation")
  }

  private mutating func text(_ what: String) throws(QueryError) -> String {
    guard case .string(let text) = token.kind else { throw unexpected("expected \(what) in 'quotes'") }
    guard !text.isEmpty else {
      throw QueryError(.syntax, "\(what) can't be empty", offset: token.range.lowerBound)
    }
    advance()
    return text
  }

  private mutating func number(_ what: String) throws(QueryError) -> UInt64 {
    guard case .integer(let number) = token.kind else { throw unexpected("expected the number \(what)") }
    advance()
    return number
  }
}
