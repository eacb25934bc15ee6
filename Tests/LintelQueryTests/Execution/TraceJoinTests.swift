import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

/// Which rows a join pairs, wherever they lie.
@Suite("Trace joins") struct TraceJoinTests {
  private static let schema = TableSchema(
    name: "t",
    columns: [
      ColumnDefinition("trace", .id16, nullable: true), ColumnDefinition("id", .id8),
      ColumnDefinition("up", .id8, nullable: true), ColumnDefinition("time", .timestamp),
      ColumnDefinition("label", .string, nullable: true),
    ], computed: [ComputedColumn("later", "time + 5ns")], hasAttributes: true, sortKey: ["time"], shardKey: "label",
    timeColumn: "time", clusterColumn: "trace", derivations: ["up": .reference(of: "id")])

  /// (trace, id, parent): a tree 1 < (2 < (4, 5), 3), another trace with the same ids, an orphan, a cycle 21 22 23, an id
  /// stored twice with different parents, rows without trace.
  private static let rows: [(trace: UInt128?, id: Int64, up: Int64?)] = [
    (1, 1, nil), (1, 2, 1), (1, 3, 1), (1, 4, 2), (1, 5, 2), (2, 1, nil), (2, 2, 1), (3, 12, 11), (3, 13, 12),
    (4, 21, 23), (4, 22, 21), (4, 23, 22), (5, 31, nil), (5, 32, nil), (5, 33, 31), (5, 33, 32), (5, 34, 33),
    (6, 41, 41), (nil, 1, nil), (nil, 2, 1),
  ]

  /// The rows dealt out to segments, coded or plain.
  private static func snapshot(segments: Int, blockRows: Int, coded: Bool) -> TableSnapshot {
    let all = (0..<segments).map { segment -> TestSegment in
      let own = rows.enumerated().filter { $0.offset % segments == segment }
      var columns: [ColumnReference: ColumnVector] = [
        .column(0): .make(own.map(\.element.trace)), .column(1): .make(own.map { Optional($0.element.id) }),
        .column(2): .make(own.map(\.element.up)), .column(3): .make(own.map { Optional(Int64($0.offset)) }),
        .column(4): .make(own.map { $0.offset % 3 == 0 ? nil : "row-\($0.offset % 5)" }),
        .attribute(AttributeKey("kind", .string)): .make(own.map { $0.offset % 2 == 0 ? "even" : nil }),
      ]
      if coded { for (reference, vector) in columns { columns[reference] = vector.coded } }
      return TestSegment(name: "part-\(segment)", rowCount: own.count, blockRows: blockRows, columns: columns)
    }
    return TableSnapshot(schema: schema, segments: all)
  }

  private static let layouts = [
    snapshot(segments: 1, blockRows: 64, coded: true), snapshot(segments: 1, blockRows: 2, coded: false),
    snapshot(segments: 3, blockRows: 4, coded: true), snapshot(segments: 20, blockRows: 1, coded: false),
  ]

  private static func pairs(_ relation: String, _ snapshot: TableSnapshot) throws -> [String] {
    let engine = QueryEngine(catalog: TestCatalog(snapshot))
    let result = try engine.run(
      "SELECT a.trace, a.id, b.id FROM t AS a JOIN \(relation) t AS b ORDER BY a.trace, a.id, b.id, a.time, b.time")
    return result.cells.map { row in
      row.map { if case .int(let id) = $0 { "\(id)" } else { "\($0)" } }.joined(separator: " ")
    }
  }

  private static let children = [
    "#1 1 2", "#1 1 3", "#1 2 4", "#1 2 5", "#2 1 2", "#3 12 13", "#4 21 22", "#4 22 23", "#4 23 21", "#5 31 33",
    "#5 32 33", "#5 33 34", "#5 33 34", "#6 41 41",
  ]

  @Test(arguments: layouts.indices) func child(_ layout: Int) throws {
    #expect(try Self.pairs("CHILD", Self.layouts[layout]) == Self.children)
  }

  @Test(arguments: layouts.indices) func parent(_ layout: Int) throws {
    let turned = try Self.pairs("PARENT", Self.layouts[layout]).map { pair in
      let parts = pair.split(separator: " ")
      return "\(parts[0]) \(parts[2]) \(parts[1])"
    }
    #expect(Set(turned) == Set(Self.children))
    #expect(turned.count == Self.children.count)
  }

  private static let descendants = [
    "#1 1 2", "#1 1 3", "#1 1 4", "#1 1 5", "#1 2 4", "#1 2 5", "#2 1 2", "#3 12 13",
    "#4 21 21", "#4 21 22", "#4 21 23", "#4 22 21", "#4 22 22", "#4 22 23", "#4 23 21", "#4 23 22", "#4 23 23",
    "#5 31 33", "#5 31 34", "#5 32 33", "#5 32 34", "#5 33 34", "#5 33 34", "#6 41 41",
  ]

  @Test(arguments: layouts.indices) func descendant(_ layout: Int) throws {
    #expect(try Self.pairs("DESCENDANT", Self.layouts[layout]) == Self.descendants)
  }

  @Test(arguments: layouts.indices) func ancestor(_ layout: Int) throws {
    let turned = try Self.pairs("ANCESTOR", Self.layouts[layout]).map { pair in
      let parts = pair.split(separator: " ")
      return "\(parts[0]) \(parts[2]) \(parts[1])"
    }
    #expect(turned.sorted() == Self.descendants.sorted())
  }

  @Test(arguments: layouts.indices) func sibling(_ layout: Int) throws {
    #expect(
      try Self.pairs("SIBLING", Self.layouts[layout]) == ["#1 2 3", "#1 3 2", "#1 4 5", "#1 5 4"])
  }

  /// A chain goes through rows that the sides' filters leave out.
  @Test(arguments: layouts.indices) func filteredSides(_ layout: Int) throws {
    let engine = QueryEngine(catalog: TestCatalog(Self.layouts[layout]))
    let result = try engine.run(
      """
      SELECT a.time, b.time, b.label, a.attributes['kind'], a.later FROM t a JOIN DESCENDANT t b
      WHERE a.up IS NULL AND b.id >= '0000000000000004' AND a.time < b.time ORDER BY 1, 2
      """)
    #expect(
      result.cells.map(\.description)
        == [
          [.int(0), .int(3), .null, .text("even"), .int(5)],
          [.int(0), .int(4), .text("row-4"), .text("even"), .int(5)],
          [.int(12), .int(14), .text("row-4"), .text("even"), .int(17)],
          [.int(12), .int(16), .text("row-1"), .text("even"), .int(17)],
          [.int(13), .int(15), .null, .null, .int(18)], [.int(13), .int(16), .text("row-1"), .null, .int(18)],
        ].map { (row: [QueryResult.Cell]) in row.description })
  }

  /// Every layout answers alike, and as the oracle does.
  @Test(
    arguments: [
      "SELECT a.label, count(*) AS n, max(b.time) AS t FROM t a JOIN CHILD t b GROUP BY a.label ORDER BY n DESC, 1",
      "SELECT DISTINCT b.label FROM t AS a JOIN DESCENDANT t AS b WHERE a.label = 'row-1' ORDER BY 1",
      "SELECT count(*) AS n FROM t AS a JOIN ANCESTOR t AS b WHERE a.attributes['kind'] = 'even' AND b.later > a.time",
      "SELECT count(*) AS n FROM t a JOIN SIBLING t b WHERE a.trace IN (SELECT trace FROM t WHERE label = 'row-1')",
      "SELECT time FROM t WHERE trace IN (SELECT a.trace FROM t a JOIN CHILD t b WHERE b.label IS NULL) ORDER BY time",
      "SELECT count(*) AS n FROM t a JOIN CHILD t b WHERE false",
      "SELECT a.time - b.time AS d FROM t a JOIN PARENT t b WHERE a.time + 9223372036854775000 > 0 LIMIT 0",
    ]) func agrees(_ text: String) throws
  {
    for snapshot in Self.layouts {
      let engine = QueryEngine(catalog: TestCatalog(snapshot))
      let expected = try Oracle(snapshot).run(try engine.plan(text))
      #expect(
        try engine.run(text).cells.map { $0.map(\.description) } == DashboardQueryTests.cells(expected), "\(text)")
    }
  }

  // MARK: Limits

  /// One trace of `count` rows below one root, or in one chain.
  private static func family(_ count: Int, isChain: Bool) -> QueryEngine {
    let ids = (1...count).map { Optional(Int64($0)) }
    let ups = (1...count).map { $0 == 1 ? nil : isChain ? Int64($0 - 1) : 1 }
    let columns: [ColumnReference: ColumnVector] = [
      .column(0): .make(Array(repeating: UInt128(7), count: count)), .column(1): .make(ids), .column(2): .make(ups),
      .column(3): .make(ids), .column(4): .make(Array(repeating: "x", count: count)),
    ]
    var options = ExecutionOptions()
    options.memoryLimitBytes = 64 << 20
    let snapshot = TableSnapshot(
      schema: schema, segments: [TestSegment(rowCount: count, blockRows: 1024, columns: columns)])
    return QueryEngine(catalog: TestCatalog(snapshot), options: options)
  }

  @Test func pairsAreLimitedByMemory() throws {
    do throws(QueryError) {
      _ = try Self.family(20_000, isChain: false).run("SELECT count(*) FROM t AS a JOIN SIBLING t AS b")
      Issue.record("no error")
    } catch {
      #expect(error.code == .limitExceeded)
      #expect(error.message.contains("64 MiB"))
    }
  }

  @Test func longChains() throws {
    let engine = Self.family(20_000, isChain: true)
    let result = try engine.run(
      "SELECT count(*) AS n FROM t AS a JOIN DESCENDANT t AS b WHERE a.time <= 3 AND b.time > 19990")
    #expect(result.cells == [[.int(30)]])
  }

  @Test func cancelled() throws {
    let token = CancellationToken()
    token.cancel()
    let engine = Self.family(1000, isChain: false)
    #expect(throws: QueryError.self) {
      try engine.run("SELECT count(*) FROM t AS a JOIN SIBLING t AS b", cancellation: token)
    }
  }

  /// A damaged part is left out of both sides.
  @Test func corruptPart() throws {
    let good = Self.snapshot(segments: 2, blockRows: 4, coded: false)
    let own = TestSegment(
      name: "bad", rowCount: 1, blockRows: 4,
      columns: [
        .column(0): .make([UInt128(1)]), .column(1): .make([Int64(6)]), .column(2): .make([Int64(1)]),
        .column(3): .make([Int64(99)]), .column(4): .make(["x"]),
      ], corrupt: .column(2))
    let snapshot = TableSnapshot(schema: Self.schema, segments: good.segments + [own])
    let result = try QueryEngine(catalog: TestCatalog(snapshot)).run("SELECT count(*) FROM t AS a JOIN CHILD t AS b")
    #expect(result.cells == [[.int(Int64(Self.children.count))]])
    #expect(result.warnings.count == 1)
  }
}
