import LintelColumns
import LintelStorage

@testable import LintelQuery

/// A table like the one that spans are kept in, with a few hundred rows.
enum SpansFixture {
  static let schema = TableSchema(
    name: "spans",
    columns: [
      ColumnDefinition("trace_id", .id16),
      ColumnDefinition("span_id", .id8),
      ColumnDefinition("parent_span_id", .id8, nullable: true),
      ColumnDefinition("name", .string),
      ColumnDefinition(
        "kind",
        .enumeration(
          Enumeration(name: "kind", labels: ["unspecified", "internal", "server", "client", "producer", "consumer"]))),
      ColumnDefinition("start_time", .timestamp, documentation: "When it began."),
      ColumnDefinition("duration", .duration),
      ColumnDefinition("status", .enumeration(Enumeration(name: "status", labels: ["unset", "ok", "error"]))),
      ColumnDefinition("status_message", .string),
      ColumnDefinition("service_name", .string, nullable: true),
      ColumnDefinition("org_id", .string, nullable: true),
      ColumnDefinition("app_id", .string, nullable: true),
      ColumnDefinition("environment", .string, nullable: true),
      ColumnDefinition("user_hash", .id16, nullable: true),
      ColumnDefinition("session_id", .string, nullable: true),
      ColumnDefinition("operation", .string, nullable: true),
      ColumnDefinition("request_model", .string, nullable: true),
      ColumnDefinition("response_model", .string, nullable: true),
      ColumnDefinition("tool_name", .string, nullable: true),
      ColumnDefinition("input_tokens", .uint32, nullable: true),
      ColumnDefinition("output_tokens", .uint32, nullable: true),
      ColumnDefinition("reported_cost", .money, nullable: true),
      ColumnDefinition("events", .variant, nullable: true),
      ColumnDefinition("resource_attributes", .map),
      ColumnDefinition("attribute_origins", .string, hidden: true),
    ],
    computed: [
      ComputedColumn("end_time", "start_time + duration", documentation: "When it ended."),
      ComputedColumn(
        "input", "coalesce(CAST(attributes['said'] AS string), CAST(attributes['nobody.has'] AS string))",
        onRequest: true),
      ComputedColumn("output", "CAST(attributes['answered'] AS string)", onRequest: true),
    ],
    hasAttributes: true, sortKey: ["org_id", "start_time"], shardKey: "org_id", timeColumn: "start_time",
    clusterColumn: "trace_id",
    movedAttributes: [
      MovedAttribute(key: "gen_ai.request.model", list: "attributes", column: "request_model", conversion: .string),
      MovedAttribute(
        key: "service.name", list: "resource_attributes", column: "service_name", conversion: .string),
    ],
    originsColumn: "attribute_origins", derivations: ["parent_span_id": .reference(of: "span_id")])

  static let catalog = TestCatalog(snapshot())
  static let engine = QueryEngine(catalog: catalog)

  static func snapshot() -> TableSnapshot {
    TableSnapshot(schema: schema, segments: [segment("part-1", 200, seed: 1), segment("part-2", 90, seed: 2)])
  }

  private static func segment(_ name: String, _ rows: Int, seed: UInt64) -> TestSegment {
    var random = SeededGenerator(seed)
    var columns: [ColumnReference: ColumnVector] = [:]
    for (index, column) in schema.columns.enumerated() {
      columns[.column(index)] = vector(column, rows, &random)
    }
    // Five spans a trace: 1 < (2 < (4, 5), 3); those of part 2 are below the roots of part 1.
    let parents: [Int64?] = [seed == 1 ? nil : -4, 1, 1, 2, 2]
    columns[.column(1)] = integers(rows) { Int64(seed) * 1000 + Int64($0) }
    columns[.column(2)] = integers(rows) { row in
      parents[row % 5].map { $0 < 0 ? 1000 + Int64(row) : Int64(seed) * 1000 + Int64(row / 5 * 5) + $0 - 1 }
    }
    func key(_ name: String, _ kind: AttributeKind) -> ColumnReference { .attribute(AttributeKey(name, kind)) }
    let hosts: [String?] = (0..<rows).map { $0 % 3 == 0 ? nil : "host-\($0 % 20).internal" }
    let codes: [Int64?] = (0..<rows).map { $0 % 2 == 0 ? nil : [200, 404, 429, 500][$0 / 2 % 4] }
    let responses: [String?] = (0..<rows).map { "response-\(seed)-\($0)" }
    columns[key("server.address", .string)] = ColumnVector.make(hosts).coded
    columns[key("http.response.status_code", .int)] = .make(codes)
    columns[key("gen_ai.response.id", .string)] = .make(responses)
    return TestSegment(name: name, rowCount: rows, blockRows: 64, columns: columns)
  }

  private static func vector(
    _ column: ColumnDefinition, _ rows: Int, _ random: inout SeededGenerator
  ) -> ColumnVector {
    let words: [String: [String?]] = [
      "status_message": ["", "maximum context length exceeded", "rate limited"], "org_id": ["org-1", "org-2", "org-3"],
      "app_id": ["app-1", "app-2", nil], "request_model": ["gpt-4o", "claude-sonnet-4-5", "mistral-large", nil],
      "operation": ["chat", "execute_tool", "invoke_agent"], "service_name": ["api", "worker", nil],
      "attribute_origins": [schema.movedAttributes[0].originEntry, "", schema.movedAttributes[1].originEntry],
    ]
    switch column.type {
    case .timestamp: return integers(rows) { 1_767_225_600_000_000_000 + Int64($0) * 3_000_000_000 }
    case .duration: return integers(rows) { _ in Int64.random(in: 1_000_000...5_000_000_000, using: &random) }
    case .enumeration(let names):
      return integers(rows) { _ in Int64.random(in: 0..<Int64(names.labels.count), using: &random) }
    case .uint32: return integers(rows) { $0 % 7 == 0 ? nil : Int64.random(in: 0...4000, using: &random) }
    case .money: return integers(rows) { $0 % 5 == 0 ? nil : Int64.random(in: 0...90_000_000, using: &random) }
    case .id8: return integers(rows) { _ in Int64(bitPattern: random.next()) }
    case .id16:
      let ids: [UInt128?] = (0..<rows).map { UInt128($0 / 5 + 1) }
      return ColumnVector.make(ids).coded
    case .variant, .map:
      return TestTable.variants(
        (0..<rows).map { row in
          column.type == .map
            ? .map([.init("cloud.region", .string(row % 2 == 0 ? "eu-west" : "us-east"))])
            : row % 4 == 0 ? nil : .array([.map([.init("name", .string("exception"))])])
        })
    default:
      let pool = words[column.name] ?? ["\(column.name)-1", "\(column.name)-2", column.isNullable ? nil : ""]
      let texts: [String?] = (0..<rows).map { _ in pool.randomElement(using: &random) ?? "" }
      return ColumnVector.make(texts).coded
    }
  }

  private static func integers(_ rows: Int, _ make: (Int) -> Int64?) -> ColumnVector {
    let lanes: [Int64?] = (0..<rows).map { make($0) }
    return .make(lanes)
  }
}
