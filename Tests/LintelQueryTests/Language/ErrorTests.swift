import Testing

@testable import LintelQuery

/// Errors name the place, show the line, and help.
@Suite("SpanQL errors") struct ErrorTests {
  private func rendered(_ text: String) -> String {
    do throws(QueryError) {
      _ = try SpansFixture.engine.run(text)
      return "no error"
    } catch {
      return error.rendered(in: text)
    }
  }

  @Test func unknownColumn() {
    #expect(
      rendered("SELECT requst_model FROM spans") == """
        error: there is no column requst_model in spans at line 1, column 8
          SELECT requst_model FROM spans
                 ^
        did you mean request_model?
        """)
  }

  @Test func placeOnALaterLine() {
    #expect(
      rendered("SELECT name -- ü\nFROM spans\n\tWHERE 'ü' = name AND durration > 5s") == """
        error: there is no column durration in spans at line 3, column 23
           WHERE 'ü' = name AND durration > 5s
                                ^
        did you mean duration?
        """)
  }

  @Test func longLinesAreCut() {
    let text = "SELECT " + String(repeating: "name, ", count: 100) + "nme FROM spans"
    let lines = rendered(text).split(separator: "\n").map(String.init)
    #expect(lines[0] == "error: there is no column nme in spans at line 1, column 608")
    #expect(lines[1].count < 120 && lines[1].hasPrefix("  …") && lines[1].hasSuffix("nme FROM spans"))
    let caret = lines[2].firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) } ?? 0
    #expect(lines[1].dropFirst(caret).hasPrefix("nme"))
    #expect(lines[3] == "did you mean name?")
  }

  /// Message, hint and the text at the place.
  @Test(
    arguments: [
      ("SELECT", "expected an expression, found the end of the query", "", ""),
      ("", "the query is empty; try SHOW TABLES", "", ""),
      ("SELEC 1", "expected a statement, found SELEC; did you mean SELECT?", "SELEC 1", ""),
      (
        "INSERT INTO spans",
        "INSERT is not a statement of SpanQL; "
          + "statements are SELECT, EXPLAIN, SHOW, DESCRIBE, EXPORT, OPTIMIZE, FLUSH, CHECK, ERASE, LIFT, HOLD, RELEASE, "
          + "ALTER, DROP",
        "INSERT", ""
      ),
      (
        "SELECT name FROM spans AS parent JOIN CHILD spans AS child WHERE 1 = 1",
        "name is ambiguous: both sides of the join have it; write parent.name or child.name", "name FROM", ""
      ),
      (
        "SELECT 1 FROM spans a JOIN CHILD spans b WHERE attributes['x'] = 1",
        "attributes is ambiguous: both sides of the join have it; write a.attributes or b.attributes", "attributes", ""
      ),
      (
        "SELECT a.nme FROM spans a JOIN CHILD spans b", "there is no column nme in spans; did you mean a.name?",
        "a.nme", ""
      ),
      (
        "SELECT chld.name FROM spans a JOIN CHILD spans child",
        "there is no table chld in this query; did you mean child?", "chld.name", ""
      ),
      (
        "SELECT 1 FROM spans JOIN CHILD spans",
        "both sides of the join are called spans; name them apart, as in spans AS a JOIN CHILD spans AS b", "spans",
        "JOIN CHILD "
      ),
      (
        "SELECT 1 FROM spans a JOIN CHLD spans b", "expected a relation after JOIN, found CHLD; did you mean CHILD?",
        "CHLD", ""
      ),
      (
        "SELECT 1 FROM spans a JOIN spans b",
        "expected a relation after JOIN, found spans; joins are JOIN CHILD, PARENT, DESCENDANT, ANCESTOR and SIBLING",
        "spans b", ""
      ),
      (
        "SELECT 1 FROM spans a LEFT JOIN spans b",
        "LEFT JOIN is not part of SpanQL; joins are JOIN CHILD, PARENT, DESCENDANT, ANCESTOR and SIBLING", "LEFT", ""
      ),
      (
        "SELECT 1 FROM spans a JOIN CHILD spans b ON a.name = b.name",
        "a join of spans has no ON: its relation says which belong together; other conditions stand in WHERE", "ON", ""
      ),
      (
        "SELECT 1 FROM spans a JOIN CHILD spans b JOIN CHILD spans c", "a query joins two sides, not more",
        "JOIN CHILD spans c", ""
      ),
      (
        "SELECT name FROM spans WERE status = 'ok'",
        "expected a clause or the end of the query, found WERE; did you mean WHERE?", "WERE", ""
      ),
      ("SELECT name FROM spns", "there is no table spns; did you mean spans?", "spns", ""),
      ("SELECT nme FROM spans", "there is no column nme in spans; did you mean name?", "nme", ""),
      ("SELECT cuont(*) FROM spans", "there is no function cuont; did you mean count?", "cuont", ""),
      (
        "SELECT 1 FROM spans WHERE status = 'eror'", "status has no value 'eror'; did you mean 'error'?", "'eror'", ""
      ),
      (
        "SELECT 1 FROM spans WHERE status = 'x'",
        "status has no value 'x'; its values are 'unset', 'ok', 'error'", "'x'", ""
      ),
      (
        "SELECT 1 FROM spans WHERE trace_id = '4bf9'", "this id has 32 hexadecimal digits, not 4 digits", "'4bf9'", ""
      ),
      (
        "SELECT 1 FROM spans WHERE span_id = 'zz00000000000000'",
        "this id has 16 hexadecimal digits, not 'zz00000000000000'", "'zz", ""
      ),
      (
        "SELECT 1 FROM spans WHERE input_tokens = '400'",
        "uint32 doesn't compare with string; write the number without quotes", "'400'", ""
      ),
      (
        "SELECT 1 FROM spans WHERE start_time > '5m'",
        "'5m' is not a timestamp; such values are written '2026-01-02T03:04:05Z'", "'5m'", ""
      ),
      (
        "SELECT 1 FROM spans WHERE start_time > 5m",
        "a timestamp doesn't compare with a duration; a point in time is now() - 5m, or '2026-01-02T03:04:05Z'", "5m",
        ""
      ),
      (
        "SELECT 1 FROM spans WHERE reported_cost > 0.05", "money compares with money; write 0.05usd for dollars",
        "0.05", ""
      ),
      (
        "SELECT 1 FROM spans WHERE name",
        "WHERE needs a condition, and this is string; "
          + "compare it with a string, as in = '..', or use IS NOT NULL", "name", ""
      ),
      (
        "SELECT name, count(*) FROM spans",
        "name must appear in GROUP BY or inside an aggregate; any(name) takes one of a group's values", "name,", ""
      ),
      (
        "SELECT 1 FROM spans WHERE count(*) > 1",
        "count is an aggregate, and aggregates can't stand in WHERE; use HAVING", "count", ""
      ),
      (
        "SELECT duration AS d FROM spans WHERE d > 1s",
        "d is an alias of the SELECT list, which WHERE can't use; "
          + "repeat the expression in WHERE, or use HAVING after GROUP BY", "d > 1s", ""
      ),
      (
        "SELECT 9223372036854775808",
        "9223372036854775808 is past 64 bits; write 9223372036854775808.0 for a floating-point number", "922", ""
      ),
      ("SELECT 9223372036854775807 + 1", "this is past 64 bits", "922", ""),
      (
        "SELECT 5mm",
        "mm is not a unit; durations are written with ns, us, ms, s, m, h or d (5m), money with usd (0.25usd)", "mm", ""
      ),
      ("SELECT 'abc", "this string has no end; close it with '; inside, a ' is written twice", "'abc", ""),
      (
        "SELECT \"name FROM spans", "this name has no end; close it with \"; inside, a \" is written twice", "\"name",
        ""
      ),
      ("SELECT 1 /* what", "this comment has no end; close it with */", "/* what", ""),
      ("SELECT name FROM spans WHERE 1 < 2 < 3", "comparisons don't chain; write a < b AND b < c", "1 < 2 < 3", ""),
      ("SELECT \"x\" FROM spans", "there is no column x in spans; strings stand in 'single quotes'", "\"x\"", ""),
      (
        "SELECT attributes FROM spans",
        "there is no column attributes in spans; name a key, as in attributes['http.method']; SHOW ATTRIBUTES FROM spans lists them",
        "attributes", ""
      ),
      (
        "SELECT \"server.address\" FROM spans",
        "there is no column server.address in spans; did you mean attributes['server.address']?", "\"server", ""
      ),
      ("SELECT 1 FROM spans ORDER BY 2", "ORDER BY 2: the SELECT list has 1 item", "2", "ORDER BY "),
      (
        "SELECT DISTINCT name FROM spans ORDER BY kind", "with DISTINCT, ORDER BY takes only what the SELECT list has",
        "kind", ""
      ),
      (
        "SELECT 1 FROM spans WHERE name ~ 'a(b'",
        "in the regular expression, a ( is not closed; a backslash takes the next character as it is", "'", "~ 'a(b"
      ),
      ("SELECT 1 FROM spans WHERE name IN ()", "the list of IN is empty", ")", "IN ("),
      (
        "SHOW VOLUMES",
        "expected TABLES, PARTS, TIERS, COLUMNS, ATTRIBUTES, PROBLEMS, ERASURES, HOLDS or RETENTION after SHOW, found VOLUMES; did you mean COLUMNS?",
        "VOLUMES", ""
      ),
      ("SELECT 1; SELECT 2", "only one statement at a time", "SELECT 2", ""),
      ("SELECT x.name FROM spans AS s", "there is no table x in this query; did you mean s.name?", "x.name", ""),
      (
        "SELECT sum(name) FROM spans",
        "the argument of sum is a number, and this is string; CAST(.. AS int64) reads a number from text, '..'::timestamp a time",
        "name)", ""
      ),
      (
        "SELECT CAST(name AS integr) FROM spans", "there is no type integr to CAST to; did you mean integer?", "integr",
        ""
      ),
      (
        "SELECT start_time + start_time FROM spans",
        "timestamp + timestamp has no meaning; to a timestamp add a duration, such as 5m", "start_time FROM", ""
      ),
      ("SELECT name, FROM spans", "expected an expression, found FROM; take away the comma before FROM", "FROM", ""),
      ("EXPORT spans TO 'x'", "EXPORT writes a file and can't be run here; run it in spanql with --data", nil, ""),
    ] as [(String, String, String?, String)])
  func message(_ text: String, _ message: String, _ place: String?, _ before: String) {
    do throws(QueryError) {
      _ = try SpansFixture.engine.run(text)
      Issue.record("no error: \(text)")
    } catch {
      #expect(error.description == message)
      guard let place else { return #expect(error.offset == nil) }
      let offset = error.offset ?? -1
      #expect(String(decoding: text.utf8.dropFirst(offset), as: UTF8.self).hasPrefix(place), "\(text) at \(offset)")
      let head = String(decoding: text.utf8.prefix(offset), as: UTF8.self)
      #expect(head.hasSuffix(before), "\(text) at \(offset)")
    }
  }
}
