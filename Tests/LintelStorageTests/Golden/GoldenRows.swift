import LintelColumns

/// The rows of the golden parts: always the same, of every type, and shaped so that a few thousand of them show nearly
/// every encoding. Whole numbers only, so that no library of mathematics can change them. The committed files hold them:
/// they never change.
enum GoldenRows {
  static let schema = TableSchema(
    name: "golden",
    columns: [
      ColumnDefinition("org", .string, nullable: true),
      ColumnDefinition("trace", .id16),
      ColumnDefinition("span", .id8),
      ColumnDefinition("time", .timestamp),
      ColumnDefinition("name", .string),
      ColumnDefinition("parent", .id8, nullable: true),
      ColumnDefinition("tokens", .uint32, nullable: true),
      ColumnDefinition("cost", .money, nullable: true),
      ColumnDefinition("provider", .string, nullable: true),
      ColumnDefinition("duration", .duration),
      ColumnDefinition("arbitrary", .int64, nullable: true),
      ColumnDefinition("outlying", .int64),
      ColumnDefinition("uniform", .int64),
      ColumnDefinition("steady", .int64),
      ColumnDefinition("version", .int64),
      ColumnDefinition("status", .enumeration(Enumeration(name: "status", labels: ["unset", "ok", "error"]))),
      ColumnDefinition("score", .float64, nullable: true),
      ColumnDefinition("noise", .float64, nullable: true),
      ColumnDefinition("ok", .bool, nullable: true),
      ColumnDefinition("user", .id16, nullable: true),
      ColumnDefinition("digest", .id16, nullable: true),
      ColumnDefinition("response", .string, nullable: true),
      ColumnDefinition("key", .bytes, nullable: true),
      ColumnDefinition("note", .string, nullable: true),
      ColumnDefinition("digits", .string, nullable: true),
      ColumnDefinition("payload", .variant, nullable: true),
      ColumnDefinition("resource", .map),
      ColumnDefinition("never", .string, nullable: true),
    ],
    hasAttributes: true, sortKey: ["org", "time"], shardKey: "org", timeColumn: "time", clusterColumn: "trace",
    predictors: ["name"], derivations: ["parent": .reference(of: "span"), "cost": .weightedSum(of: ["tokens"])],
    correlations: ["duration": ["tokens"]], durationColumn: "duration")

  /// Batches that are flushed by themselves and then merged: into four blocks.
  static func batches() -> [Batch] { (0..<3).map { batch($0, rows: 1030) } }

  /// What is looked at as a flush leaves it.
  static func fewRows() -> Batch { batch(4, rows: 200) }

  /// A batch with more dynamic columns than get blocks of their own.
  static func manyAttributes() -> Batch {
    var batch = batch(3, rows: 24)
    batch.attributes = (0..<1004).map { number in
      let values = ColumnVector(.int64([Int64(number % 5)]))
      return AttributeColumn(
        key: AttributeKey("k\(1000 + number)", .int), rows: [UInt32(number % 24)], values: values)
    }
    return batch
  }

  /// Batches whose attributes are lists, to be merged.
  static func lists() -> [Batch] {
    (5...6).map { number in
      var batch = batch(number, rows: 150)
      batch.attributes = ListRows.attributes(number, rows: 150)
      return batch
    }
  }

  /// Batches for a warm part: traces of eight spans whose steps grow towards the end, whose roots last as long as the rest, and
  /// whose spans take the longer the more tokens they have.
  static func traces() -> [Batch] {
    (7...8).map { number in
      var batch = batch(number, rows: 2048)
      var dice = Dice(UInt64(2000 + number))
      var columns = [String: RowColumn]()
      for name in ["trace", "time", "duration", "tokens"] {
        columns[name] = schema.index(of: name).map { RowColumn(schema.columns[$0].type.physical) }
      }
      for trace in 0..<256 {
        var times = [1_790_000_000_000_000_000 + Int64((number - 7) * 256 + trace) * 40_000_000_000]
        for left in (1...7).reversed() { times.append(times[7 - left] + Int64(dice.below(1 << 32)) / Int64(left)) }
        let tokens = times.map { _ in Int64(1 + dice.below(1 << (3 + dice.below(10)))) }
        var lengths = tokens.map { $0 * 10_000_000 + Int64(dice.below(1 << 20)) }
        lengths[0] = (zip(times, lengths).dropFirst().map { $0 + $1 }.max() ?? 0) - times[0] + 1_000_000
        for row in 0..<8 {
          columns["trace"]?.append(.id(id(number * 10_000 + trace)))
          columns["time"]?.append(.int(times[row]))
          columns["duration"]?.append(.int(lengths[row]))
          columns["tokens"]?.append(row == 0 ? nil : .int(tokens[row]))
        }
      }
      for (name, column) in columns {
        if let index = schema.index(of: name) { batch.columns[index] = column.finish() }
      }
      return batch
    }
  }

  private static func batch(_ number: Int, rows: Int) -> Batch {
    var dice = Dice(UInt64(1000 + number))
    var builders = schema.columns.map { RowColumn($0.type.physical) }
    var spans: [Int: [Int64]] = [:]
    for row in 0..<rows {
      let trace = number * 300 + row / 4
      var values = row == 0 ? [:] : common(&dice, number, row)
      values["org"] = trace % 100 > 90 ? nil : .text("org-\(trace / 100 % 4)")
      values["trace"] = .id(id(trace))
      let span = Int64(bitPattern: dice.next())
      values["span"] = .int(span)
      if let first = spans[trace]?.first { values["parent"] = .int(row % 50 == 7 ? 7 : first) }
      spans[trace, default: []].append(span)
      let start = Int64(trace % 400) * 4_000_000_000 + Int64(row % 4) << 36 + Int64(dice.below(1 << 35))
      values["time"] = .int(1_790_000_000_000_000_000 + start)
      values["steady"] = .int(Int64(row) * 1000 + Int64(dice.below(4)))
      values["version"] = .int(Int64(trace / 64))
      values["resource"] = .bytes(encoded(.map([Variant.Entry("service.name", .string("service-\(trace % 3)"))])))
      for (column, definition) in schema.columns.enumerated() {
        builders[column].append(values[definition.name] ?? zero(definition))
      }
    }
    return Batch(
      schema: schema, rowCount: rows, columns: builders.map { $0.finish() }, attributes: attributes(&dice, rows))
  }

  /// What doesn't depend on the trace.
  private static func common(_ dice: inout Dice, _ number: Int, _ row: Int) -> [String: RowColumn.Value] {
    let name = dice.below(4)
    let tokens = Int64(dice.below(1 << (3 + dice.below(12))))
    var values: [String: RowColumn.Value] = [
      "name": .text(["chat", "execute_tool", "embeddings", "größer"][name]),
      "duration": .int(Int64(1 + dice.below(1 << (10 + dice.below(8)))) * 1000),
      "outlying": .int(dice.chance(2) ? Int64(dice.below(1 << 40)) : Int64(dice.below(3))),
      "uniform": .int(Int64(dice.below(1000)) - 500),
      "status": .int(dice.chance(4) ? 2 : 0),
    ]
    if name == 0 {
      values["tokens"] = .int(tokens)
      values["cost"] = .int(dice.chance(2) ? tokens : tokens * 2500)
      values["response"] = .text("chatcmpl-" + hex(dice.next() >> 4, digits: 15))
      values["digits"] = .text("user-\(dice.below(90_000))")
    }
    if name != 2 { values["provider"] = .text(["openai", "none", "", "anthropic"][name]) }
    if dice.chance(10) { values["arbitrary"] = .int(Int64(bitPattern: dice.next())) }
    if dice.chance(60) { values["score"] = .double(Double(dice.below(4000)) / 8) }
    if dice.chance(8) { values["noise"] = .double(Double(bitPattern: dice.next())) }
    if row % 100 < 30 { values["ok"] = .bool(dice.chance(50)) }
    if dice.chance(50) { values["user"] = .id(UInt128(dice.below(40)) << 64 | 7) }
    values["digest"] = .id(id(number * 10_000 + (row % 3 == 0 ? row : dice.below(row / 3 + 1) * 3)))
    if dice.chance(8) { values["key"] = .bytes((0..<9).map { _ in UInt8(dice.below(256)) }) }
    if dice.chance(12) { values["note"] = .text(note(&dice)) }
    if dice.chance(20) { values["payload"] = .bytes(encoded(.array([.int(Int64(dice.below(50))), .bool(true)]))) }
    return values
  }

  private static func note(_ dice: inout Dice) -> String {
    let words = ["the", "agent", "asked", "for", "a", "plan", "of", "three", "steps", "and", "called", "tools"]
    return (0..<(6 + dice.below(9))).map { _ in words[dice.below(words.count)] }.joined(separator: " ")
  }

  private static func attributes(_ dice: inout Dice, _ rows: Int) -> [AttributeColumn] {
    AttributeKind.allCases.map { kind in
      let chosen = (0..<UInt32(rows)).filter { _ in dice.chance(30) }
      var column = RowColumn(kind.physical)
      for _ in chosen {
        switch kind {
        case .int: column.append(.int(Int64(dice.below(500))))
        case .double: column.append(.double(Double(dice.below(500)) / 4))
        case .bool: column.append(.bool(dice.chance(90)))
        case .string: column.append(.text("region-\(dice.below(3))"))
        case .variant, .textContent, .variantContent:
          column.append(.bytes(encoded(.array([.string("x"), .int(Int64(dice.below(9)))]))))
        }
      }
      return AttributeColumn(key: AttributeKey("key.\(kind)", kind), rows: chosen, values: column.finish())
    }.sorted { $0.key < $1.key }
  }

  private static func zero(_ definition: ColumnDefinition) -> RowColumn.Value? {
    if definition.isNullable { return nil }
    return definition.type.physical == .bytes ? .text("") : .int(0)
  }

  private static func encoded(_ value: Variant) -> [UInt8] {
    var bytes: [UInt8] = []
    value.encode(into: &bytes)
    return bytes
  }

  /// An id for a small number, for which every bit looks random.
  private static func id(_ number: Int) -> UInt128 {
    var dice = Dice(UInt64(number))
    return UInt128(dice.next()) << 64 | UInt128(dice.next())
  }

  private static func hex(_ number: UInt64, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}

/// A column that grows value by value.
private enum RowColumn {
  enum Value { case int(Int64), double(Double), bool(Bool), text(String), bytes([UInt8]), id(UInt128) }

  case int64(Int64ColumnBuilder), float64(Float64ColumnBuilder), bool(BoolColumnBuilder)
  case bytes(BytesColumnBuilder), id128(Id128ColumnBuilder)

  init(_ type: PhysicalType) {
    switch type {
    case .int64: self = .int64(Int64ColumnBuilder())
    case .float64: self = .float64(Float64ColumnBuilder())
    case .bool: self = .bool(BoolColumnBuilder())
    case .bytes: self = .bytes(BytesColumnBuilder())
    case .id128: self = .id128(Id128ColumnBuilder())
    }
  }

  /// Values of another type than the column's are nulls.
  mutating func append(_ value: Value?) {
    switch self {
    case .int64(var builder):
      if case .int(let value) = value { builder.append(value) } else { builder.appendNull() }
      self = .int64(builder)
    case .float64(var builder):
      if case .double(let value) = value { builder.append(value) } else { builder.appendNull() }
      self = .float64(builder)
    case .bool(var builder):
      if case .bool(let value) = value { builder.append(value) } else { builder.appendNull() }
      self = .bool(builder)
    case .id128(var builder):
      if case .id(let value) = value { builder.append(value) } else { builder.appendNull() }
      self = .id128(builder)
    case .bytes(var builder):
      switch value {
      case .text(let text): builder.append(text)
      case .bytes(let bytes): builder.append(bytes)
      default: builder.appendNull()
      }
      self = .bytes(builder)
    }
  }

  func finish() -> ColumnVector {
    switch self {
    case .int64(var builder): builder.finish()
    case .float64(var builder): builder.finish()
    case .bool(var builder): builder.finish()
    case .bytes(var builder): builder.finish()
    case .id128(var builder): builder.finish()
    }
  }
}
