/// Makes traces, one at a time, as the applications of a ``Catalogue`` would.
///
/// A conversation goes on over several traces: its context grows turn by turn by the answer and by what tools return, and
/// the provider's cache knows the earlier part of it in multiples of 128 tokens.
struct TraceMaker: Sendable {
  private struct Session {
    var id: UInt64
    var user: UInt32
    var app: UInt16
    /// Tokens said so far.
    var context: Int64
  }

  /// Conversations that may go on.
  private static let openSessions = 64
  /// Beyond it a conversation is summarised.
  private static let contextLimit: Int64 = 128_000

  let catalogue: Catalogue
  private let shapes: Shapes
  var dice: Dice
  /// Of the trace made last.
  private(set) var rows: [SpanRow] = []
  private var sessions: [Session] = []
  private var nextSession = 0
  private var seenUsers: Bitset
  private let stream: Int
  private let streamCount: Int

  init(catalogue: Catalogue, seed: UInt64, stream: Int, streamCount: Int) {
    self.catalogue = catalogue
    shapes = catalogue.shapes
    self.stream = stream
    self.streamCount = streamCount
    dice = Dice(random: SplitMix64(seed: SplitMix64.mix(seed) ^ SplitMix64.mix(UInt64(stream + 1))))
    seenUsers = Bitset(count: 25_000)
    for _ in 0..<Self.openSessions { sessions.append(newSession()) }
  }

  /// Makes the trace that starts at `start`; its spans are in `rows` afterwards.
  mutating func makeTrace(start: Int64) {
    rows.removeAll(keepingCapacity: true)
    let place = session()
    let app = catalogue.apps[Int(sessions[place].app)]
    var base = SpanRow()
    (base.traceHigh, base.traceLow) = (dice.word(.traceID), dice.word(.traceID))
    (base.session, base.user, base.app) = (
      sessions[place].id, sessions[place].user, sessions[place].app
    )
    base.host = UInt8(dice.below(app.hosts, .resourceAttributes))
    switch app.kind {
    case .service: serve(base, start)
    case .assistant: answer(base, app, place, start)
    case .agent, .retrieval: run(base, app, place, start)
    }
    dice.floor.spans += rows.count
  }

  // MARK: Sessions

  private mutating func session() -> Int {
    if dice.draw(shapes.continuesSession, .sessionID) {
      return dice.below(Self.openSessions, .sessionID)
    }
    nextSession = (nextSession + 1) % Self.openSessions
    sessions[nextSession] = newSession()
    return nextSession
  }

  private mutating func newSession() -> Session {
    let app = dice.draw(shapes.app, .appID)
    let rank = dice.draw(shapes.user, .userHash)
    // A user's hash is 128 random bits, once.
    if seenUsers.insert(rank) { dice.floor.add(128, .userHash) }
    return Session(
      id: dice.word(.sessionID), user: UInt32(rank * streamCount + stream), app: UInt16(app),
      context: catalogue.apps[app].promptTokens)
  }

  // MARK: Traces

  /// A request to a service, which calls others.
  private mutating func serve(_ base: SpanRow, _ start: Int64) {
    var root = span(base, .request, parent: 0, start: start)
    root.target = UInt8(dice.draw(shapes.route, .route))
    var parents = InlineArray<4, UInt64>(repeating: root.spanID)
    var depth = 0
    var time = start
    for _ in 0..<dice.draw(shapes.serviceCalls, .operation) {
      time += dice.draw(shapes.gap, .startTime)
      var call = span(base, .call, parent: parents[depth], start: time)
      call.target = UInt8(dice.draw(shapes.route, .route))
      call.duration = dice.draw(shapes.callTime, .duration)
      if dice.draw(shapes.callFails, .status) { fail(&call) }
      time += call.duration
      rows.append(call)
      // The next call is made by this one's callee, or by the root.
      depth = dice.draw(shapes.servicesNest, .operation) ? min(depth + 1, 3) : 0
      if depth > 0 { parents[depth] = call.spanID }
    }
    close(&root, at: time)
  }

  /// One chat, without an agent.
  private mutating func answer(_ base: SpanRow, _ app: App, _ place: Int, _ start: Int64) {
    var root = span(base, .request, parent: 0, start: start)
    root.target = 1
    sessions[place].context += dice.draw(shapes.question, .inputTokens)
    let time = chat(
      base, app, place, parent: root.spanID, after: start, isFirst: true, wantsTools: false)
    close(&root, at: time)
  }

  /// An agent that was asked something.
  private mutating func run(_ base: SpanRow, _ app: App, _ place: Int, _ start: Int64) {
    var root = span(base, .request, parent: 0, start: start)
    sessions[place].context += dice.draw(shapes.question, .inputTokens)
    let turns = dice.draw(shapes.turns, .operation)
    let begin = start + dice.draw(shapes.gap, .startTime)
    let time = work(
      base, app, place, parent: root.spanID, after: begin, turns: Int(turns), depth: 0)
    close(&root, at: time)
  }

  /// An agent's turns, within an agent span. Returns when it is over. Agents hand work to agents, two deep.
  private mutating func work(
    _ base: SpanRow, _ app: App, _ place: Int, parent: UInt64, after start: Int64, turns: Int,
    depth: Int
  ) -> Int64 {
    var agent = span(base, .agent, parent: parent, start: start)
    var time = start
    for turn in 0..<turns {
      let isLast = turn == turns - 1
      if app.kind == .retrieval { time = retrieve(base, place, parent: agent.spanID, after: time) }
      let wantsTools = !isLast && app.kind == .agent && dice.draw(shapes.callsTools, .operation)
      time = chat(
        base, app, place, parent: agent.spanID, after: time, isFirst: turn == 0,
        wantsTools: wantsTools)
      guard wantsTools else { continue }
      let tools = 1 + dice.draw(shapes.parallelTools, .operation)
      let chatEnd = time
      for _ in 0..<tools { time = max(time, tool(base, app, parent: agent.spanID, after: chatEnd)) }
      sessions[place].context += dice.draw(shapes.toolResult, .inputTokens)
      if depth < 2, dice.draw(shapes.delegates, .operation) {
        let begin = time + dice.draw(shapes.gap, .startTime)
        time = work(
          base, app, place, parent: agent.spanID, after: begin, turns: 2, depth: depth + 1)
      }
    }
    close(&agent, at: time)
    return agent.end
  }
}

// MARK: - Spans

extension TraceMaker {
  private mutating func span(_ base: SpanRow, _ operation: Operation, parent: UInt64, start: Int64)
    -> SpanRow
  {
    var row = base
    row.operation = operation
    row.spanID = dice.word(.spanID)
    row.parentID = parent
    row.start = start
    return row
  }

  /// Ends a span that waited for others, a little after them.
  private mutating func close(_ row: inout SpanRow, at time: Int64) {
    row.duration = time + dice.draw(shapes.gap, .duration) - row.start
    rows.append(row)
  }

  private mutating func fail(_ row: inout SpanRow) {
    let failure = dice.draw(shapes.failure, .statusMessage)
    row.failure = UInt8(failure + 1)
    if Catalogue.failures[failure].hasDetail {
      row.failureDetail = UInt16(dice.below(4096, .statusMessage))
    }
  }

  /// Returns when the chat is over.
  private mutating func chat(
    _ base: SpanRow, _ app: App, _ place: Int, parent: UInt64, after time: Int64, isFirst: Bool,
    wantsTools: Bool
  ) -> Int64 {
    var row = span(base, .chat, parent: parent, start: time + dice.draw(shapes.gap, .startTime))
    row.model = UInt8(
      dice.draw(shapes.usesSecondModel, .requestModel) ? app.secondModel : app.model)
    guard !dice.draw(shapes.chatFails, .status) else {
      fail(&row)
      row.duration = dice.draw(shapes.failureTime, .duration)
      rows.append(row)
      return row.end
    }
    if sessions[place].context > Self.contextLimit {
      sessions[place].context = 2 * app.promptTokens
    }
    let known = sessions[place].context
    row.inputTokens = UInt32(known)
    if dice.draw(isFirst ? shapes.firstCacheHit : shapes.cacheHit, .cacheReadTokens) {
      row.cacheReadTokens = UInt32((isFirst ? app.promptTokens : known) / 128 * 128)
    }
    let answered = dice.draw(shapes.answer[app.tokenLimit], .outputTokens)
    if Catalogue.models[Int(row.model)].isReasoning {
      row.reasoningTokens = UInt32(dice.draw(shapes.thoughts[app.tokenLimit], .reasoningTokens))
    }
    row.outputTokens = UInt32(answered) + row.reasoningTokens
    row.finish = answered == app.maxTokens / 2 ? .length : wantsTools ? .toolCalls : .stop
    row.timeToFirstToken = dice.draw(shapes.firstToken, .timeToFirstToken)
    // Below the last token there is room for some nanoseconds, else every duration would be a multiple of its tokens.
    let tokens = Int64(row.outputTokens)
    let rest = dice.below(1 << (Int64.bitWidth - 1 - tokens.leadingZeroBitCount), .duration)
    row.duration =
      row.timeToFirstToken + tokens * dice.draw(shapes.tokenTime, .duration) + Int64(rest)
    (row.responseHigh, row.responseLow) = (
      dice.word(.responseID), UInt32(dice.below(1 << 32, .responseID))
    )
    (row.inputDigest, row.outputDigest) = (dice.word(.inputDigest), dice.word(.outputDigest))
    sessions[place].context += answered
    rows.append(row)
    return row.end
  }

  /// Returns when the tool has answered.
  private mutating func tool(_ base: SpanRow, _ app: App, parent: UInt64, after time: Int64)
    -> Int64
  {
    var row = span(base, .tool, parent: parent, start: time + dice.draw(shapes.gap, .startTime))
    row.target = UInt8((app.firstTool + dice.draw(shapes.tool, .toolName)) % Catalogue.tools.count)
    row.duration = dice.draw(shapes.toolTime, .duration)
    if dice.draw(shapes.toolFails, .status) { fail(&row) }
    if dice.draw(shapes.toolCallsOut, .operation) {
      var call = span(
        base, .call, parent: row.spanID, start: row.start + dice.draw(shapes.gap, .startTime))
      call.target = UInt8(dice.draw(shapes.route, .route))
      call.duration = dice.draw(shapes.callTime, .duration)
      if dice.draw(shapes.callFails, .status) { fail(&call) }
      row.duration += call.end - row.start
      rows.append(call)
    }
    rows.append(row)
    return row.end
  }

  /// Searches the knowledge base: a question is embedded, and passages come back. Returns when they have.
  private mutating func retrieve(_ base: SpanRow, _ place: Int, parent: UInt64, after time: Int64)
    -> Int64
  {
    var search = span(
      base, .retrieval, parent: parent, start: time + dice.draw(shapes.gap, .startTime))
    var row = span(
      base, .embeddings, parent: search.spanID,
      start: search.start + dice.draw(shapes.gap, .startTime))
    row.model = UInt8(Catalogue.embeddingModel)
    row.inputTokens = UInt32(dice.draw(shapes.question, .inputTokens))
    row.duration = dice.draw(shapes.embeddingTime, .duration)
    rows.append(row)
    search.duration = row.end - search.start + dice.draw(shapes.retrievalTime, .duration)
    rows.append(search)
    sessions[place].context += dice.draw(shapes.passages, .inputTokens)
    return search.end
  }
}

/// Which of a fixed number of things have been seen.
struct Bitset: Sendable {
  private var words: [UInt64]

  init(count: Int) { words = [UInt64](repeating: 0, count: count / 64 + 1) }

  /// Whether it is new.
  mutating func insert(_ number: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(number % 64)
    defer { words[number / 64] |= bit }
    return words[number / 64] & bit == 0
  }
}
