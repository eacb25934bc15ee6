/// Writes random SELECTs over ``RandomTable``: every clause, function and aggregate, mostly with types that fit.
struct RandomQuery {
  var random: SeededGenerator
  /// Outputs that are approximate, by alias; compared with a tolerance and kept out of ORDER BY.
  static let approximateAlias = "approximate"

  init(seed: UInt64) { random = SeededGenerator(seed) }

  mutating func pick(_ choices: String...) -> String { choices.randomElement(using: &random) ?? "" }

  mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  mutating func list(_ range: ClosedRange<Int>, _ make: (inout RandomQuery) -> String) -> String {
    (0..<number(range)).map { _ in make(&self) }.joined(separator: ", ")
  }

  mutating func query() -> String {
    let query = chance(2) ? grouped() : plain()
    return chance(5) ? joined(query) : query
  }

  // MARK: Clauses

  private mutating func whereClause() -> String { chance(3) ? "" : " WHERE \(condition(3))" }

  private mutating func window() -> String {
    (chance(2) ? "" : " LIMIT \(number(0...12))") + (chance(4) ? " OFFSET \(number(0...5))" : "")
  }

  private mutating func direction() -> String {
    pick("", " ASC", " DESC") + pick("", "", " NULLS FIRST", " NULLS LAST")
  }

  private mutating func plain() -> String {
    let isDistinct = chance(4)
    let items = (0..<number(1...4)).map { "\(anything(2)) AS c\($0)" } + (chance(8) && !isDistinct ? ["*"] : [])
    let count = items.count - (items.last == "*" ? 1 : 0)
    var order = ""
    if chance(2) {
      order =
        " ORDER BY "
        + list(1...2) { query in
          (isDistinct || query.chance(2)
            ? query.chance(2) ? "\(query.number(1...count))" : "c\(query.number(0...count - 1))" : query.anything(2))
            + query.direction()
        }
    }
    return
      "SELECT \(isDistinct ? "DISTINCT " : "")\(items.joined(separator: ", ")) FROM rows\(whereClause())\(order)\(window())"
  }

  private mutating func grouped() -> String {
    let keys = (0..<number(0...2)).map { "\(anything(1)) AS k\($0)" }
    var aggregates = (0..<number(1...3)).map { "\(aggregate()) AS a\($0)" }
    if chance(8) { aggregates.append("approx_count_distinct(\(anything(1))) AS \(Self.approximateAlias)") }
    let names = keys.indices.map { "k\($0)" } + (0..<aggregates.count).map { "a\($0)" }
    let sortable = names.filter {
      $0 != "a\(aggregates.count - 1)" || !(aggregates.last?.hasSuffix(Self.approximateAlias) ?? false)
    }
    var text =
      "SELECT \(chance(8) ? "DISTINCT " : "")\((keys + aggregates).joined(separator: ", ")) FROM rows\(whereClause())"
    if !keys.isEmpty {
      text += " GROUP BY " + keys.indices.map { chance(2) ? "k\($0)" : "\($0 + 1)" }.joined(separator: ", ")
    }
    if chance(4) {
      text +=
        " HAVING \(pick("count(*) > 2", "min(small) < 0", "sum(took) > 3s", "max(score) > 1", "count(name) <> 1"))"
    }
    if chance(2) {
      text += " ORDER BY " + list(1...2) { (sortable.randomElement(using: &$0.random) ?? "a0") + $0.direction() }
    }
    return text + window()
  }

  private mutating func aggregate() -> String {
    let filter = chance(4) ? " FILTER (WHERE \(condition(1)))" : ""
    let call =
      switch number(0...13) {
      case 0: "count(*)"
      case 1: "count(\(anything(1)))"
      case 2: "count(DISTINCT \(anything(1)))"
      case 3:
        "sum(\(pick("took", "cost", "tokens", "small", "score", "a.int".attribute, "a.number".attribute, real(1), integer(1))))"
      case 4: "avg(\(pick("took", "cost", "tokens", "big", "score", "time", "a.real".attribute)))"
      case 5: "\(pick("min", "max", "any"))(\(anything(1)))"
      case 6: "\(pick("arg_min", "arg_max"))(\(anything(1)), \(anything(1)))"
      case 7:
        "\(pick("quantile", "quantile_exact"))(\(pick("took", "small", "big", "score", "cost", "time", "tokens")), \(pick("0", "0.25", "0.5", "0.9", "1")))"
      case 8: "\(pick("p50", "p90", "p95", "p99", "median"))(\(pick("took", "score", "big")))"
      case 9: "stddev(\(pick("took", "score", "small", "big", "tokens")))"
      case 10: "histogram(\(pick("took", "score", "small")), \(number(1...5)))"
      case 11: "top_k(\(anything(1)), \(number(1...3)))"
      case 12: "count(*) FILTER (WHERE \(condition(1))) / count(*)"
      default: "max(\(pick("took", "ended - time", "small"))) + min(\(pick("took", "1s"))) "
      }
    return call.contains("/") || call.contains("+") ? call : call + filter
  }

  // MARK: Expressions by type

  mutating func anything(_ depth: Int) -> String {
    switch number(0...12) {
    case 0: integer(depth)
    case 1: real(depth)
    case 2: text(depth)
    case 3: condition(depth)
    case 4: duration(depth)
    case 5: time(depth)
    case 6: pick("cost", "cost + 0.01usd", "-cost", "cost * 2", "NULL", "round(cost, 2)", "round(cost, -1)")
    case 7: pick("trace", "span", "level", "raw")
    case 8, 9:
      pick(
        "a.text", "a.int", "a.real", "a.flag", "a.tree", "a.number", "a.mixed", "m.name", "m.tokens", "m.took",
        "m.names", "m.kind", "m.cost", "none"
      ).attribute
    case 10: pick(unflattened, "CAST(\(unflattened) AS string)", "\(unflattened)[1]", "\(unflattened)['text']")
    case 11: pick("extra", "resource['host']", "resource['r.note']", "extra['k']", "extra[0]", "resource")
    default: choice(depth)
    }
  }

  private var unflattened: String {
    mutating get {
      "unflatten(attributes, '\(pick("list", "list[]", "list[]", "list.1.parts[]", "list.0", "a", "m", "none"))')"
    }
  }

  private mutating func choice(_ depth: Int) -> String {
    if depth == 0 { return pick("level", "name") }
    return switch number(0...5) {
    case 0: "CASE WHEN \(condition(depth - 1)) THEN \(integer(depth - 1)) ELSE \(integer(depth - 1)) END"
    case 1: "CASE level WHEN 'low' THEN \(text(depth - 1)) WHEN 'high' THEN 'top' END"
    case 2: "coalesce(\(text(depth - 1)), \(text(depth - 1)), 'none')"
    case 3: "\(pick("least", "greatest"))(\(real(depth - 1)), \(real(depth - 1)))"
    case 4: "nullif(\(integer(depth - 1)), \(integer(depth - 1)))"
    default: "coalesce(\("a.mixed".attribute), \(text(depth - 1)))"
    }
  }

  mutating func integer(_ depth: Int) -> String {
    if depth == 0 || chance(3) {
      return pick("small", "tokens", "big", "small", "0", "1", "-3", "400", "a.int".attribute)
    }
    return switch number(0...10) {
    case 0: "(\(integer(depth - 1)) + \(integer(depth - 1)))"
    case 1: "(\(integer(depth - 1)) - small)"
    case 2: "small * \(pick("small", "3", "tokens"))"
    case 3: "\(integer(depth - 1)) % \(pick("small", "7", "0", "-5"))"
    case 4: "length(\(text(depth - 1)))"
    case 5: "abs(\(pick("small", "tokens", "big")))"
    case 6: "CAST(\(pick(real(depth - 1), text(depth - 1), "flag", "time", "took", "extra", "level")) AS int64)"
    case 7: "-\(pick("small", "tokens", "(small + 1)"))"
    case 8: "\(pick("floor", "round"))(\(pick("small", "tokens")))"
    case 9: "round(\(pick("small", "tokens", "big")), \(pick("-1", "-2", "-15", "3", "NULL")))"
    default: "CASE WHEN small > 2 THEN \(integer(depth - 1)) ELSE big END"
    }
  }

  mutating func real(_ depth: Int) -> String {
    if depth == 0 || chance(3) {
      return pick("score", "score", "0.5", "2.0", "-1e3", "a.real".attribute, "a.number".attribute, "m.took".attribute)
    }
    return switch number(0...9) {
    case 0: "(\(real(depth - 1)) + \(real(depth - 1)))"
    case 1: "\(real(depth - 1)) * \(pick("score", "small", "0.25"))"
    case 2: "\(integer(depth - 1)) / \(pick("small", "2", "0", "took", "score"))"
    case 3: "\(pick("floor", "ceil", "round", "sqrt", "ln", "log2", "log10", "exp", "abs"))(\(real(depth - 1)))"
    case 4: "floor(log2(\(pick("took", "tokens", "score"))))"
    case 5: "pow(\(real(depth - 1)), \(pick("2", "0.5", "-1")))"
    case 6: "CAST(\(pick("small", "name", "note", "flag", "extra", "took", "a.mixed".attribute)) AS float64)"
    case 7: "\(real(depth - 1)) - \(real(depth - 1))"
    case 8: "score % \(pick("2.5", "0.0", "small"))"
    default: "round(\(real(depth - 1)), \(pick("2", "-2", "15", "1")))"
    }
  }

  mutating func text(_ depth: Int) -> String {
    if depth == 0 || chance(3) {
      return pick(
        "name", "note", "'beta'", "'Ä'", "''", "a.text".attribute, "m.name".attribute, "resource['r.note']", "name")
    }
    return switch number(0...7) {
    case 0: "(\(text(depth - 1)) || \(pick("'-'", "level", "small", "note")))"
    case 1: "\(pick("lower", "upper"))(\(text(depth - 1)))"
    case 2: "substring(\(text(depth - 1)), \(number(-2...4))\(pick("", ", 2", ", small")))"
    case 3:
      "CAST(\(pick("small", "score", "flag", "time", "took", "cost", "span", "trace", "level", "extra", "resource")) AS string)"
    case 4: "concat(\(text(depth - 1)), \(text(depth - 1)))"
    case 5: "coalesce(\(text(depth - 1)), 'z')"
    case 6: "CASE WHEN \(condition(depth - 1)) THEN \(text(depth - 1)) ELSE note END"
    default: "resource['host']::string"
    }
  }

  mutating func duration(_ depth: Int) -> String {
    if depth == 0 || chance(2) { return pick("took", "250ms", "2s", "1h") }
    return switch number(0...4) {
    case 0: "(took + \(duration(depth - 1)))"
    case 1: "ended - time"
    case 2: "took * \(pick("2", "small"))"
    case 3: "time % 1m"
    default: "time_bucket(1s, took)"
    }
  }

  mutating func time(_ depth: Int) -> String {
    if depth == 0 || chance(2) { return pick("time", "ended", "time") }
    return switch number(0...3) {
    case 0: "time_bucket(\(pick("1m", "5m", "30s", "7s")), \(pick("time", "ended")))"
    case 1: "time + \(duration(depth - 1))"
    case 2: "time - 5m"
    default: "CAST(\(pick("'2026-01-01T00:01:00Z'", "name", "big", "score")) AS timestamp)"
    }
  }
}

extension String {
  fileprivate var attribute: String { "attributes['\(self)']" }
}
