extension RandomQuery {
  private mutating func comparison() -> String { pick("=", "<>", "<", "<=", ">", ">=") }

  mutating func condition(_ depth: Int) -> String {
    if depth > 0, chance(3) {
      return switch number(0...4) {
      case 0, 1: "(\(condition(depth - 1)) AND \(condition(depth - 1)))"
      case 2: "(\(condition(depth - 1)) OR \(condition(depth - 1)))"
      case 3: "NOT (\(condition(depth - 1)))"
      default: "(\(condition(depth - 1)) AND \(condition(depth - 1)) AND \(condition(depth - 1)))"
      }
    }
    let depth = max(depth - 1, 0)
    switch number(0...19) {
    case 0: return "\(integer(depth)) \(comparison()) \(integer(depth))"
    case 1: return "\(real(depth)) \(comparison()) \(pick(real(depth), integer(depth)))"
    case 2: return "\(text(depth)) \(comparison()) \(text(depth))"
    case 3: return "\(duration(depth)) \(comparison()) \(duration(depth))"
    case 4: return timeCondition()
    case 5: return "level \(comparison()) \(pick("'low'", "'mid'", "2", "level"))"
    case 6:
      return pick(
        "flag", "NOT flag", "flag = true", "flag IS NULL", "attributes['a.flag']", "attributes['a.mixed'] = false")
    case 7: return identifierCondition()
    case 8: return "\(anything(depth)) IS \(pick("", "NOT "))NULL"
    case 9: return membership(depth)
    case 10: return pattern(depth)
    case 11: return "\(integer(depth)) \(pick("", "NOT "))BETWEEN \(integer(0)) AND \(integer(0))"
    case 12: return attributeCondition()
    case 13: return subquery()
    case 14: return "\(text(depth)) IS \(pick("", "NOT "))DISTINCT FROM \(text(depth))"
    case 15:
      return "\(pick("starts_with", "ends_with", "contains"))(\(text(depth)), \(pick("'a'", "''", "note", "'ta'")))"
    case 16: return "cost \(comparison()) \(pick("0.0025usd", "0usd", "-0.005usd", "0", "cost"))"
    case 17: return "\(pick("tokens", "small", "took", "big")) \(comparison()) \(pick("2.5", "400.0", "-1e30", "0.0"))"
    case 18: return "score \(comparison()) \(pick("0", "2.5", "score", "small", "-0.0"))"
    default: return pick("true", "false", "NULL", "small = NULL", "name <> NULL")
    }
  }

  private mutating func timeCondition() -> String {
    let bound = pick(
      "1767225600000000000 + 5m", "'2026-01-01T00:05:00Z'", "'2026-01-01T00:08:30Z'", "now() - 5m",
      "1767226000000000000")
    if chance(3) { return "time BETWEEN '2026-01-01T00:03:00Z' AND \(bound)" }
    return "\(pick("time", "time", "ended", "time_bucket(1m, time)")) \(comparison()) \(bound)"
  }

  private mutating func identifierCondition() -> String {
    pick(
      "trace = '4bf92f3577b34da6a3ce929d0e0e4736'", "trace <> '00000000000000000000000000000001'",
      "trace > '00000000000000000000000000000003'", "span = '00f067aa0ba902b7'", "span < '8000000000000000'",
      "span IN ('00F067AA0BA902B7', '0000000000000001')", "trace IN ('ffffffffffffffffffffffffffffffff')",
      "trace = hash_user('someone')", "trace::string = name")
  }

  private mutating func membership(_ depth: Int) -> String {
    let not = pick("", "NOT ")
    return switch number(0...6) {
    case 0: "name \(not)IN ('alpha', 'beta'\(pick("", ", NULL")), 'nothing')"
    case 1: "\(integer(depth)) \(not)IN (1, 2, 400\(pick("", ", NULL", ", 2.5", ", 2.0")))"
    case 2: "attributes['a.mixed'] \(not)IN ('alpha', 3, 100, true\(pick("", ", NULL")))"
    case 3: "score \(not)IN (0, 0.5, -2.5\(pick("", ", NULL")))"
    case 4: "level \(not)IN ('low', 'high')"
    case 5: "extra \(not)IN ('x', 3\(pick("", ", true")))"
    default: "small \(not)IN (tokens, 1, \(integer(depth)))"
    }
  }

  private mutating func pattern(_ depth: Int) -> String {
    let operand = text(depth)
    return switch number(0...3) {
    case 0, 1:
      "\(operand) \(pick("", "NOT "))\(pick("LIKE", "ILIKE")) '\(pick("a%", "%ta", "%a%", "_eta", "%", "", "%\\%%", "G____", "%Ä%", "al%a", "x\\_y", "%ö%ß"))'"
    default:
      "\(operand) \(pick("~", "!~")) '\(pick("^a", "ta$", "[ab]e", "(al|ga)", "e.a", "^$", "a+", "x_?y", "^[^a-f]*$", "\\\\d+", "^-?\\\\d+$", "Ö|ß", "(b|d)el?t*a", "\\\\w\\\\."))'"
        .replacing("\\\\", with: "\\")
    }
  }

  private mutating func attributeCondition() -> String {
    let name = pick(
      "a.text", "a.int", "a.real", "a.number", "a.mixed", "m.name", "m.tokens", "m.took", "m.kind", "m.cost", "none")
    let attribute = pick(
      "attributes['\(name)']", "resource['host']", "resource['port']", "resource['r.note']", "extra['k']")
    return switch number(0...5) {
    case 0: "\(attribute) \(comparison()) '\(pick("alpha", "beta", "42", "ALPHA", "Alias"))'"
    case 1: "\(attribute) \(comparison()) \(pick("100", "400", "2.5", "0", "2s"))"
    case 2: "\(attribute) = attributes['\(pick("a.mixed", "a.number", "m.name", "a.text"))']"
    case 3: "\(attribute) LIKE '%a%'"
    case 4: "\(attribute) = \(pick("name", "small", "score", "level", "flag", "trace"))"
    default: "\(attribute) > extra"
    }
  }

  private mutating func subquery() -> String {
    let not = pick("", "NOT ")
    return switch number(0...4) {
    case 0: "trace \(not)IN (SELECT trace FROM rows WHERE \(condition(0)))"
    case 1: "name \(not)IN (SELECT name FROM rows WHERE small > \(number(-2...8)) LIMIT 3)"
    case 2: "small \(not)IN (SELECT max(small) FROM rows GROUP BY name HAVING count(*) > 1)"
    case 3: "attributes['a.text'] \(not)IN (SELECT note FROM rows)"
    default: "score \(not)IN (SELECT small FROM rows)"
    }
  }
}
