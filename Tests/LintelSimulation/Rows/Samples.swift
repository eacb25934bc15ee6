package import LintelColumns

package enum Samples {
  package static let schema = TableSchema(
    name: "events",
    columns: [
      ColumnDefinition("org", .string, nullable: true),
      ColumnDefinition("trace", .id16),
      ColumnDefinition("span", .id8),
      ColumnDefinition("time", .timestamp),
      ColumnDefinition("duration", .duration),
      ColumnDefinition("name", .string),
      ColumnDefinition("score", .float64, nullable: true),
      ColumnDefinition("ok", .bool, nullable: true),
      ColumnDefinition("note", .string, nullable: true),
      ColumnDefinition("user", .id16, nullable: true),
      ColumnDefinition("payload", .variant, nullable: true),
      ColumnDefinition("parent", .id8, nullable: true),
      ColumnDefinition("tokens", .uint32, nullable: true),
      ColumnDefinition("cost", .money, nullable: true),
    ],
    hasAttributes: true, sortKey: ["org", "time"], shardKey: "org", timeColumn: "time", clusterColumn: "trace",
    predictors: ["name"], derivations: ["parent": .reference(of: "span"), "cost": .weightedSum(of: ["tokens"])],
    correlations: ["duration": ["tokens"]], durationColumn: "duration", subjectColumn: "user", tenantColumn: "org",
    content: ContentKeys(names: ["said", "heard"], prefixes: ["said."]))

  /// The key of a user. Like a hash: its bytes are found nowhere else by chance.
  package static func user(_ number: Int) -> UInt128 {
    var dice = Dice(UInt64(number) &+ 0x5EED)
    return UInt128(dice.next()) << 64 | UInt128(dice.next())
  }

  package static let epoch: Int64 = 1_790_000_000_000_000_000

  package struct Options {
    package var rows: Int
    package var attributes: Int
    /// Rows come from this stretch of time, in nanoseconds.
    package var spread: Int64
    package var traces: Int
    package var firstTrace: Int
    package var start: Int64
    package var users: Int
    /// Whether rows say something.
    package var isTalking: Bool

    package init(
      rows: Int = 100, attributes: Int = 8, spread: Int64 = 60_000_000_000, traces: Int = 20, firstTrace: Int = 0,
      start: Int64 = epoch, users: Int = 30, isTalking: Bool = false
    ) {
      self.isTalking = isTalking
      self.rows = rows
      self.attributes = attributes
      self.spread = spread
      self.traces = traces
      self.firstTrace = firstTrace
      self.start = start
      self.users = users
    }
  }

  /// Rows in no order, with dictionaries in some batches and plain values in others.
  package static func batch(_ dice: inout Dice, _ options: Options = Options()) -> Batch {
    let count = options.rows
    let users = options.users
    var org = BytesColumnBuilder()
    var trace = Id128ColumnBuilder()
    var span = Int64ColumnBuilder()
    var time = Int64ColumnBuilder()
    var duration = Int64ColumnBuilder()
    var name = BytesColumnBuilder()
    var score = Float64ColumnBuilder()
    var ok = BoolColumnBuilder()
    var note = BytesColumnBuilder()
    var user = Id128ColumnBuilder()
    var payload = BytesColumnBuilder()
    var parent = Int64ColumnBuilder()
    var tokens = Int64ColumnBuilder()
    var cost = Int64ColumnBuilder()
    var spans: [Int: [Int64]] = [:]
    for _ in 0..<count {
      let number = options.firstTrace + dice.below(options.traces)
      if number % 7 == 6 { org.appendNull() } else { org.append("org_\(number % 5)") }
      trace.append(UInt128(number) &* 0x1234_5678_9abc_def1_1234_5678_9abc_def1)
      let id = Int64(bitPattern: dice.next())
      span.append(id)
      let others = spans[number, default: []]
      if others.isEmpty { parent.appendNull() } else { parent.append(others[dice.below(others.count)]) }
      spans[number, default: []].append(id)
      time.append(options.start + Int64(dice.next() % UInt64(max(1, options.spread))))
      duration.append(Int64(dice.below(1_000_000)) - 10)
      let label = dice.below(5)
      name.append(["chat", "tool", "", "invoke_agent", "Grüße"][label])
      let count = Int64(dice.below(10_000))
      if label == 0 { tokens.append(count) } else { tokens.appendNull() }
      if label == 0 { cost.append(dice.chance(3) ? -count : 2500 * count) } else { cost.appendNull() }
      if dice.chance(40) { score.appendNull() } else { score.append(Double(dice.below(1000)) / 8) }
      if dice.chance(30) { ok.appendNull() } else { ok.append(dice.chance(50)) }
      if dice.chance(60) {
        note.appendNull()
      } else {
        note.append("note \(dice.chance(20) ? dice.next() : dice.next() % 90)")
      }
      if dice.chance(50) { user.appendNull() } else { user.append(Self.user(dice.below(users))) }
      if dice.chance(70) { payload.appendNull() } else { payload.append(bytes(.int(Int64(dice.below(9))))) }
    }
    let columns = [
      org.finish(), trace.finish(), span.finish(), time.finish(), duration.finish(), name.finish(), score.finish(),
      ok.finish(), note.finish(), user.finish(), payload.finish(), parent.finish(), tokens.finish(), cost.finish(),
    ]
    let rest = attributes(&dice, rows: count, keys: options.attributes)
    let talk = options.isTalking ? talk(&dice, rows: count) : []
    return Batch(
      schema: schema, rowCount: count, columns: columns, attributes: (rest + talk).sorted { $0.key < $1.key })
  }

  /// A message of a conversation; long enough to be a piece of content.
  package static func message(_ number: Int) -> String {
    let role = number % 2 == 0 ? "user" : "assistant"
    return #"{"role": "\#(role)", "content": "what was said as number \#(number): \"}{][\\"}"#
  }

  /// A conversation's history as JSON.
  package static func history(_ conversation: Int, turns: Int) -> String {
    "[" + (0..<turns).map { message(100 * conversation + $0) }.joined(separator: ", ") + "]"
  }

  /// Attributes that are content: JSON and structured, with messages that other rows have too; short and long texts.
  package static func talk(_ dice: inout Dice, rows: Int) -> [AttributeColumn] {
    var said: (rows: [UInt32], values: [String]) = ([], [])
    var heard: (rows: [UInt32], values: [[UInt8]]) = ([], [])
    for row in 0..<UInt32(rows) {
      if dice.chance(80) {
        said.rows.append(row)
        switch dice.below(6) {
        case 0: said.values.append("short \(dice.below(3))")
        case 1: said.values.append("a text that is no list of messages, of its own: \(dice.next()) \(dice.next())")
        default: said.values.append(history(dice.below(4), turns: 1 + dice.below(5)))
        }
      }
      if dice.chance(30) {
        heard.rows.append(row)
        let messages = (0..<dice.below(4)).map { turn -> Variant in
          .map([.init("role", .string("tool")), .init("content", .string(message(100 * dice.below(2) + turn)))])
        }
        heard.values.append(bytes(.array(messages)))
      }
    }
    var strings = ByteStrings()
    for value in heard.values { strings.append(value) }
    return [
      AttributeColumn(
        key: AttributeKey("heard", .variant), rows: heard.rows, values: ColumnVector(.bytes(strings))),
      AttributeColumn(
        key: AttributeKey("said", .string), rows: said.rows, values: ColumnVector(.bytes(ByteStrings(said.values)))),
    ].filter { !$0.rows.isEmpty }
  }

  package static func bytes(_ value: Variant) -> [UInt8] {
    var bytes: [UInt8] = []
    value.encode(into: &bytes)
    return bytes
  }

  package static func attributes(_ dice: inout Dice, rows: Int, keys: Int) -> [AttributeColumn] {
    (0..<keys).compactMap { number -> AttributeColumn? in
      let kind = AttributeKind.allCases[number % AttributeKind.allCases.count]
      let density = [100, 60, 10, 1][number % 4]
      let chosen = (0..<UInt32(rows)).filter { _ in dice.chance(density) }
      guard !chosen.isEmpty else { return nil }
      let key = AttributeKey("key.\(number / 2)", kind)
      return AttributeColumn(key: key, rows: chosen, values: values(&dice, kind, chosen.count))
    }.sorted { $0.key < $1.key }
  }

  package static func values(_ dice: inout Dice, _ kind: AttributeKind, _ count: Int) -> ColumnVector {
    switch kind {
    case .int:
      return ColumnVector(.int64((0..<count).map { _ in Int64(dice.below(500)) - 20 }))
    case .double:
      return ColumnVector(.float64((0..<count).map { _ in Double(dice.below(500)) / 4 }))
    case .bool:
      return ColumnVector(.bool((0..<count).map { _ in dice.chance(50) }))
    case .string:
      let few = dice.chance(50)
      var builder = BytesColumnBuilder()
      for _ in 0..<count { builder.append(few ? "value \(dice.below(4))" : "value \(dice.next())") }
      return builder.finish()
    case .variant, .textContent, .variantContent:
      var builder = BytesColumnBuilder()
      for _ in 0..<count { builder.append(bytes(.array([.int(Int64(dice.below(50))), .string("x")]))) }
      return builder.finish()
    }
  }
}
