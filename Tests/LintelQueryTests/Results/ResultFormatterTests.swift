import LintelColumns
import LintelQuery
import Testing

/// What each format looks like, byte for byte.
@Suite struct ResultFormatterTests {
  private func lines(_ format: ResultFormat) -> [String] {
    ResultFormatter(format).string(SampleResult.everyType).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  @Test func jsonHasExactlyTheContract() {
    #expect(
      ResultFormatter(.json).string(SampleResult.everyType) == #"""
        {"columns":[{"name":"trace","type":"id16"},{"name":"span","type":"id8"},{"name":"hash","type":"id16"},\#
        {"name":"name","type":"string"},{"name":"wide","type":"string"},{"name":"kind","type":"enum"},\#
        {"name":"start","type":"timestamp"},{"name":"took","type":"duration"},{"name":"cost","type":"money"},\#
        {"name":"tokens","type":"uint32"},{"name":"big","type":"int64"},{"name":"share","type":"float64"},\#
        {"name":"hit","type":"bool"},{"name":"raw","type":"bytes"},{"name":"any","type":"any"},\#
        {"name":"res","type":"map"}],"rows":[
        ["4bf92f3577b34da6a3ce929d0e0e4736","00f067aa0ba902b7","000102030405060708090a0b0c0d0e0f","chat",\#
        "こんにちは","server",1767225599120000000,45600000,1234000,812,9007199254740993,0.1,true,"/wA=","x\"y",\#
        {"k":200,"k":"200"}],
        ["ffffffffffffffffffffffffffffffff","ffffffffffffffff","000102030405060708090a0b0c0d0e0f",\#
        "a,\"b\"\t\n\\|<\u001b[31m\#u{7F}\#u{202E}","👩‍👩‍👧 e\#u{301}🇩🇪","17",-1,-90000000000,-12500000000,\#
        4294967295,-9223372036854775808,"-Infinity",false,"",[-3,"NaN",null],{}],
        [null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null]
        ],"statistics":{"elapsed_ms":12.346,"rows_read":1000,"bytes_read":4096}}

        """#)
  }

  @Test func jsonOfNothing() {
    let empty = QueryResult(columns: [], rowCount: 0)
    #expect(
      ResultFormatter(.json).string(empty)
        == #"{"columns":[],"rows":[],"statistics":{"elapsed_ms":0.0,"rows_read":0,"bytes_read":0}}"# + "\n")
  }

  @Test func jsonCarriesWarnings() {
    let result = QueryResult(columns: [], rowCount: 0, warnings: ["part \"7\" is corrupt"])
    #expect(ResultFormatter(.json).string(result).hasSuffix(#"},"warnings":["part \"7\" is corrupt"]}"# + "\n"))
  }

  @Test func jsonlinesHasAnObjectPerRow() {
    let lines = lines(.jsonlines)
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix(#"{"trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7","hash":"#))
    #expect(lines[0].hasSuffix(#""raw":"/wA=","any":"x\"y","res":{"k":200,"k":"200"}}"#))
    #expect(lines[2].hasSuffix(#""any":null,"res":null}"#))
  }

  @Test func csvQuotesWhatItMust() {
    #expect(
      ResultFormatter(.csv).string(SampleResult.everyType) == #"""
        trace,span,hash,name,wide,kind,start,took,cost,tokens,big,share,hit,raw,any,res
        4bf92f3577b34da6a3ce929d0e0e4736,00f067aa0ba902b7,000102030405060708090a0b0c0d0e0f,chat,こんにちは,server,\#
        1767225599120000000,45600000,1234000,812,9007199254740993,0.1,true,/wA=,"""x\""y""",\#
        "{""k"":200,""k"":""200""}"
        ffffffffffffffffffffffffffffffff,ffffffffffffffff,000102030405060708090a0b0c0d0e0f,"a,""b""\#t
        \|<\#u{1B}[31m\#u{7F}\#u{202E}",👩‍👩‍👧 e\#u{301}🇩🇪,17,-1,-90000000000,-12500000000,4294967295,\#
        -9223372036854775808,-Infinity,false,"","[-3,""NaN"",null]",{}
        ,,,,,,,,,,,,,,,

        """#)
  }

  @Test func tsvEscapesWhatItMust() {
    let lines = lines(.tsv)
    #expect(lines.count == 5)
    #expect(lines[1].hasSuffix("\t0.1\ttrue\t/wA=\t\"x\\\\\"y\"\t{\"k\":200,\"k\":\"200\"}"))
    #expect(lines[2].contains(#"a,"b"\t\n\\|<"# + "\u{1B}[31m"))
    #expect(lines[3] == Array(repeating: #"\N"#, count: 16).joined(separator: "\t"))
  }

  @Test func verticalShowsUnits() {
    #expect(
      lines(.vertical)[0..<17].joined(separator: "\n") == #"""
        ─[ row 1 ]────────────────
        trace   4bf92f3577b34da6a3ce929d0e0e4736
        span    00f067aa0ba902b7
        hash    000102030405060708090a0b0c0d0e0f
        name    chat
        wide    こんにちは
        kind    server
        start   2025-12-31T23:59:59.120Z
        took    45.6 ms
        cost    $0.001234
        tokens  812
        big     9007199254740993
        share   0.1
        hit     true
        raw     /wA=
        any     "x\"y"
        res     {"k":200,"k":"200"}
        """#)
    #expect(lines(.vertical)[21] == #"name    a,"b"\t\n\|<\x1b[31m\x7f\u202e"#)
  }

  /// Three columns are enough to see the frames.
  private static let small: QueryResult = {
    let all = SampleResult.everyType
    return QueryResult(columns: [all.columns[4], all.columns[8], all.columns[5]], rowCount: 3)
  }()

  @Test func tableAlignsByCells() {
    #expect(
      ResultFormatter(.table).string(Self.small) == """
        wide             cost  kind
        ----------  ---------  ------
        こんにちは  $0.001234  server
        👩‍👩‍👧 e\u{301}🇩🇪        -$12.50  17
        NULL             NULL  NULL

        """)
  }

  @Test func boxAlignsByCells() {
    #expect(
      ResultFormatter(.box).string(Self.small) == """
        ┌────────────┬───────────┬────────┐
        │ wide       │      cost │ kind   │
        ├────────────┼───────────┼────────┤
        │ こんにちは │ $0.001234 │ server │
        │ 👩‍👩‍👧 e\u{301}🇩🇪     │   -$12.50 │ 17     │
        │ NULL       │      NULL │ NULL   │
        └────────────┴───────────┴────────┘

        """)
  }

  @Test func markdownMarksNumbersAndEscapes() {
    let texts = SampleResult.texts(["a|b<i>\\", "x"], name: "t|")
    #expect(
      ResultFormatter(.markdown).string(texts) == #"""
        | t\|        |
        | ---------- |
        | a\|b\<i>\\ |
        | x          |

        """#)
    #expect(
      ResultFormatter(.markdown).string(SampleResult.integers([1_500_000_000], .duration)) == """
        |      v |
        | -----: |
        | 1.50 s |

        """)
  }

  @Test func textIsClippedToTheTerminalAndNumbersAreNot() {
    let columns = [
      QueryResult.Column(
        name: "prompt", type: .string,
        values: ColumnVector(.bytes(ByteStrings([String(repeating: "日本", count: 50), "short"])))),
      QueryResult.Column(name: "n", type: .int64, values: ColumnVector(.int64([1_234_567_890_123, 1]))),
    ]
    let result = QueryResult(columns: columns, rowCount: 2)
    let formatter = ResultFormatter(.box, width: 40)
    #expect(formatter.fits(result))
    #expect(
      formatter.string(result) == """
        ┌──────────────────────┬───────────────┐
        │ prompt               │             n │
        ├──────────────────────┼───────────────┤
        │ 日本日本日本日本日…  │ 1234567890123 │
        │ short                │             1 │
        └──────────────────────┴───────────────┘

        """)
    #expect(!ResultFormatter(.box, width: 20).fits(result))
    #expect(ResultFormatter(.table, width: 215).string(result).contains("本  1234567890123"))
  }

  @Test(arguments: ResultFormat.allCases) func chunksJoinToTheWhole(_ format: ResultFormat) {
    let result = SampleResult.integers((0..<40_000).map { $0 * 1_000_003 }, .int64)
    var chunks: [[UInt8]] = []
    ResultFormatter(format).write(result) { chunks.append($0) }
    #expect(chunks.count > 3)
    #expect(Array(chunks.joined()) == ResultFormatter(format).bytes(result))
  }

  @Test func aFailingSinkEndsTheWriting() {
    struct Full: Error {}
    let result = SampleResult.integers((0..<40_000).map { $0 }, .int64)
    var calls = 0
    #expect(throws: Full.self) {
      try ResultFormatter(.csv).write(result) { (_: [UInt8]) throws(Full) in
        calls += 1
        throw Full()
      }
    }
    #expect(calls == 1)
  }

  /// Vectors shorter than the row count, and codes past the dictionary, show as NULL and don't trap.
  @Test(arguments: ResultFormat.allCases) func brokenVectorsShowAsNull(_ format: ResultFormat) {
    let dictionary = ValueDictionary(.bytes(ByteStrings(["only"])))
    let result = QueryResult(
      columns: [
        .init(name: "short", type: .int64, values: ColumnVector(.int64([1]))),
        .init(name: "code", type: .string, values: ColumnVector(.codes([0, 9], dictionary))),
        .init(name: "odd", type: .timestamp, values: ColumnVector(.float64([0.5, 1.5]))),
      ], rowCount: 2)
    #expect(ResultFormatter(format).string(result).contains("1.5"))
  }

  /// One cell of a megabyte must not make every row as long.
  @Test func wideCellsAreNotPaddedFor() {
    let long = String(repeating: "long ", count: 200_000)
    let result = SampleResult.texts(["a", long, "b"], name: "text")
    for format in [ResultFormat.table, .box, .markdown] {
      let text = ResultFormatter(format).string(result)
      #expect(text.utf8.count < long.utf8.count + 4000 && text.contains(long.dropLast()), "\(format)")
      let lines = text.split(separator: "\n")
      #expect(lines.filter { $0.utf8.count > 2000 }.count == 1, "\(format)")
    }
    // Cells that fit are in line.
    let table = ResultFormatter(.markdown).string(SampleResult.texts(["a", "1234567890"], name: "x"))
    #expect(Set(table.split(separator: "\n").map(\.count)).count == 1)
    // A terminal cuts, whatever is left over.
    let cut = ResultFormatter(.box, width: 300).string(result).split(separator: "\n")
    #expect(cut.allSatisfy { $0.count <= 300 } && cut.contains { $0.count == 300 })
  }
}
