import LintelColumns
import LintelStorage

@testable import LintelQuery

/// Snapshots with every column type, nulls, extremes, dictionaries and plain columns, moved and dynamic attributes.
struct RandomTable {
  static let level = Enumeration(name: "level", labels: ["low", "mid", "high"])

  static let schema = TableSchema(
    name: "rows",
    columns: [
      ColumnDefinition("time", .timestamp),
      ColumnDefinition("took", .duration, nullable: true),
      ColumnDefinition("cost", .money, nullable: true),
      ColumnDefinition("tokens", .uint32, nullable: true),
      ColumnDefinition("small", .int64),
      ColumnDefinition("big", .int64, nullable: true),
      ColumnDefinition("score", .float64, nullable: true),
      ColumnDefinition("flag", .bool, nullable: true),
      ColumnDefinition("name", .string, nullable: true),
      ColumnDefinition("note", .string),
      ColumnDefinition("raw", .bytes, nullable: true),
      ColumnDefinition("span", .id8),
      ColumnDefinition("above", .id8, nullable: true),
      ColumnDefinition("trace", .id16, nullable: true),
      ColumnDefinition("level", .enumeration(level)),
      ColumnDefinition("extra", .variant, nullable: true),
      ColumnDefinition("resource", .map),
      ColumnDefinition("origins", .string, hidden: true),
    ], computed: [ComputedColumn("ended", "time + took")], hasAttributes: true, sortKey: ["time"], shardKey: "name",
    timeColumn: "time", clusterColumn: "trace", movedAttributes: moves, originsColumn: "origins",
    derivations: ["above": .reference(of: "span")])

  static let moves = [
    MovedAttribute(key: "m.name", list: "attributes", column: "name", conversion: .string),
    MovedAttribute(key: "m.names", list: "attributes", column: "name", conversion: .singleton),
    MovedAttribute(key: "m.tokens", list: "attributes", column: "tokens", conversion: .int),
    MovedAttribute(key: "m.tokens", list: "attributes", column: "tokens", conversion: .double),
    MovedAttribute(key: "m.took", list: "attributes", column: "took", conversion: .seconds),
    MovedAttribute(key: "m.cost", list: "attributes", column: "cost", conversion: .usd),
    MovedAttribute(key: "r.note", list: "resource", column: "note", conversion: .string),
    MovedAttribute(
      key: "m.kind", list: "attributes", column: "name", conversion: .openInferenceKind,
      originals: ["alpha": "ALPHA", "beta": "B"]),
  ]

  /// Names of dynamic attributes and the kinds that rows have them with.
  static let attributes: [(name: String, kinds: [AttributeKind])] = [
    ("a.text", [.string]), ("a.int", [.int]), ("a.real", [.double]), ("a.flag", [.bool]), ("a.tree", [.variant]),
    ("a.number", [.int, .double]), ("a.mixed", [.string, .int, .double, .bool, .variant]),
    ("m.tokens", [.int, .string]),
    ("m.name", [.string]),
    ("list.0.role", [.string]), ("list.0.text", [.string, .int]), ("list.2.text", [.string]), ("list.10", [.variant]),
    ("list.10.text", [.string]), ("list.1.parts.0.n", [.int]), ("list.1.parts.1.n", [.double]), ("list.01", [.bool]),
    ("list..x", [.string]), ("list", [.string]),
  ]

  static let words = ["", "alpha", "beta", "Gamma", "delta%x", "it's", "ÄÖ ß", "x_y", "a.b", "42", "-7", "1.5", "true"]
  /// Ids of rows and of their parents: few, so that there are children, cycles, and rows of one id.
  static let ids: [Int64] = [1, 2, 3, 4, 5, 6, 7, 8, 9, -1, .min, 0x00F0_67AA_0BA9_02B7]
  static let start: Int64 = 1_767_225_600_000_000_000

  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed) }

  mutating func snapshot() -> TableSnapshot {
    let count = Int.random(in: 0...4, using: &random)
    let segments = (0..<count).map { number in
      segment("part-\(number)", rows: [0, 1, 7, 40, 90].randomElement(using: &random) ?? 1, first: number * 50)
    }
    return TableSnapshot(schema: Self.schema, segments: segments)
  }

  private mutating func segment(_ name: String, rows: Int, first: Int) -> TestSegment {
    var columns: [ColumnReference: ColumnVector] = [:]
    for (index, column) in Self.schema.columns.enumerated() {
      columns[.column(index)] = vector(column, rows, first)
    }
    for attribute in Self.attributes where Int.random(in: 0...3, using: &random) > 0 {
      for kind in attribute.kinds where Int.random(in: 0...3, using: &random) > 0 {
        let nulls = Int.random(in: 1...5, using: &random)
        columns[.attribute(AttributeKey(attribute.name, kind))] = self.attribute(kind, rows, nulls: nulls)
      }
    }
    for reference in columns.keys.sorted(by: { "\($0)" < "\($1)" }) where Bool.random(using: &random) {
      columns[reference] = columns[reference]?.coded
    }
    let blockRows = [1, 8, 32, 128].randomElement(using: &random) ?? 8
    return TestSegment(name: name, rowCount: rows, blockRows: blockRows, columns: columns)
  }

  // MARK: Columns

  private mutating func values<T>(_ rows: Int, nulls: Int, _ make: (inout SeededGenerator, Int) -> T) -> [T?] {
    (0..<rows).map { row in
      nulls > 0 && Int.random(in: 0..<nulls, using: &random) == 0 ? nil : make(&random, row)
    }
  }

  private mutating func integers(
    _ rows: Int, _ nulls: Int, _ make: (inout SeededGenerator, Int) -> Int64
  ) -> ColumnVector {
    let lanes: [Int64?] = values(rows, nulls: nulls, make)
    return .make(lanes)
  }

  private mutating func integers(_ rows: Int, _ nulls: Int, _ pool: [Int64]) -> ColumnVector {
    integers(rows, nulls) { random, _ in pool.randomElement(using: &random) ?? 0 }
  }

  private mutating func flags(_ rows: Int, _ nulls: Int) -> ColumnVector {
    let lanes: [Bool?] = values(rows, nulls: nulls) { random, _ in Bool.random(using: &random) }
    return .make(lanes)
  }

  private mutating func vector(_ column: ColumnDefinition, _ rows: Int, _ first: Int) -> ColumnVector {
    let nulls = column.isNullable ? [0, 1, 2, 5].randomElement(using: &random) ?? 3 : 0
    switch column.name {
    case "time":
      return integers(rows, 0) {
        Self.start + Int64(first + $1) * 7_000_000_000 + Int64.random(in: 0...9, using: &$0)
      }
    case "took": return integers(rows, nulls, [0, 1, 250_000_000, 2_000_000_000, 1_234_567_890])
    case "cost": return integers(rows, nulls) { random, _ in Int64.random(in: -3...5, using: &random) * 2_500_000 }
    case "tokens": return integers(rows, nulls, [0, 1, 400, 512, 4_294_967_295])
    case "small": return integers(rows, 0) { random, _ in Int64.random(in: -4...9, using: &random) }
    case "big": return integers(rows, nulls, [.max, .min, 0, -1, 9_007_199_254_740_993, 1 << 62])
    case "span": return integers(rows, 0, Self.ids)
    case "above": return integers(rows, max(nulls, 2), Self.ids)
    case "level": return integers(rows, 0) { random, _ in Int64.random(in: 0...3, using: &random) }
    case "trace":
      let ids: [UInt128] = [1, .max, 0x4BF9_2F35_77B3_4DA6_A3CE_929D_0E0E_4736, 7]
      let lanes: [UInt128?] = values(rows, nulls: nulls) { random, _ in ids.randomElement(using: &random) ?? 0 }
      return .make(lanes)
    case "score": return .make(doubles(rows, nulls))
    case "flag": return flags(rows, nulls)
    case "extra": return variants(rows, nulls)
    case "resource": return maps(rows)
    case "origins": return .make(origins(rows))
    default: return .make(texts(rows, nulls))
    }
  }

  private mutating func doubles(_ rows: Int, _ nulls: Int) -> [Double?] {
    values(rows, nulls: nulls) { random, _ in
      let special: [Double] = [
        0, -0.0, .nan, .infinity, -.infinity, 1e300, -1e300, .leastNonzeroMagnitude, 0.1, 0.5, -2.5, 3, 400,
      ]
      return Int.random(in: 0...2, using: &random) == 0
        ? special.randomElement(using: &random) ?? 0 : Double(Int.random(in: -40...40, using: &random)) / 8
    }
  }

  private mutating func texts(_ rows: Int, _ nulls: Int) -> [String?] {
    let pool = Array(Self.words.shuffled(using: &random).prefix(Int.random(in: 1...Self.words.count, using: &random)))
    return values(rows, nulls: nulls) { random, _ in pool.randomElement(using: &random) ?? "" }
  }

  private mutating func attribute(_ kind: AttributeKind, _ rows: Int, nulls: Int) -> ColumnVector {
    switch kind {
    case .string: .make(texts(rows, nulls))
    case .int: integers(rows, nulls) { random, _ in Int64.random(in: -3...8, using: &random) * 50 }
    case .double: .make(doubles(rows, nulls))
    case .bool: flags(rows, nulls)
    case .variant, .textContent, .variantContent: variants(rows, nulls)
    }
  }

  private mutating func variants(_ rows: Int, _ nulls: Int) -> ColumnVector {
    TestTable.variants(
      values(rows, nulls: nulls) { random, _ in
        let pool: [Variant] = [
          .empty, .int(3), .double(3), .double(-0.0), .double(.nan), .string("x"), .string("42"), .bool(true),
          .bool(false), .bytes([1, 2]), .array([]), .array([.int(1), .string("y")]), .int(.max), .double(9.3e18),
          .map([.init("k", .string("v")), .init("n", .int(5)), .init("k", .double(2.5))]),
        ]
        return pool.randomElement(using: &random) ?? .empty
      })
  }

  private mutating func maps(_ rows: Int) -> ColumnVector {
    TestTable.variants(
      values(rows, nulls: 0) { random, _ in
        let entries: [Variant.Entry] = [
          .init("host", .string("h-1")), .init("host", .int(2)), .init("port", .int(8080)), .init("ok", .bool(true)),
          .init("r.note", .string("beta")),
        ]
        return .map(entries.filter { _ in Bool.random(using: &random) })
      })
  }

  private mutating func origins(_ rows: Int) -> [String?] {
    let entries = Self.moves.map(\.originEntry) + [(Self.moves.last?.originEntry ?? "") + ":Alias"]
    return values(rows, nulls: 0) { random, _ in
      entries.filter { _ in Int.random(in: 0...2, using: &random) == 0 }.joined(separator: ";")
    }
  }
}
