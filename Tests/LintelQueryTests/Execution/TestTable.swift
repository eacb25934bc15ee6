import LintelColumns
import LintelStorage

@testable import LintelQuery

/// A small table with a column of every kind, filled at random, as one or more segments.
struct TestTable {
  static let status = Enumeration(name: "status", labels: ["unset", "ok", "error"])
  static let schema = TableSchema(
    name: "rows",
    columns: [
      ColumnDefinition("number", .int64),
      ColumnDefinition("time", .timestamp),
      ColumnDefinition("duration", .duration, nullable: true),
      ColumnDefinition("status", .enumeration(status)),
      ColumnDefinition("model", .string, nullable: true),
      ColumnDefinition("trace", .id16),
      ColumnDefinition("span", .id8),
      ColumnDefinition("score", .float64, nullable: true),
      ColumnDefinition("flag", .bool, nullable: true),
      ColumnDefinition("extra", .variant, nullable: true),
    ], hasAttributes: true, sortKey: ["time"], shardKey: "model", timeColumn: "time", clusterColumn: "trace")

  static let number = Expression.column(0, .int64)
  static let time = Expression.column(1, .timestamp)
  static let duration = Expression.column(2, .duration)
  static let statusColumn = Expression.column(3, .enumeration(status))
  static let model = Expression.column(4, .string)
  static let trace = Expression.column(5, .id16)
  static let span = Expression.column(6, .id8)
  static let score = Expression.column(7, .float64)
  static let flag = Expression.column(8, .bool)
  static let extra = Expression.column(9, .variant)
  static let host = Expression.attribute(AttributeRead(name: "host", kinds: [.string], type: .string))
  static let ratio = Expression.attribute(AttributeRead(name: "ratio", kinds: [.double, .int], type: .float64))

  /// One row, as plain Swift values.
  struct Row {
    var number: Int64
    var time: Int64
    var duration: Int64?
    var status: Int64
    var model: String?
    var trace: UInt128
    var span: Int64
    var score: Double?
    var flag: Bool?
    var extra: Variant?
    var host: String?
    var ratio: Double?
    var ratioInt: Int64?
  }

  let rows: [Row]

  /// - Parameter firstTime: of the first row; the others follow ten apart.
  init(seed: UInt64, count: Int, firstTime: Int64 = 0) {
    var random = SeededGenerator(seed)
    rows = (0..<count).map { index in
      let models: [String?] = [nil, "alpha", "beta", "gamma", "", "delta"]
      let scores: [Double?] = [nil, .nan, 0, -0.0, 1.5, -2.25, .infinity, 1e300, 0.1, 1e-3]
      let extras: [Variant?] = [
        nil, .empty, .int(3), .double(3), .double(.nan), .string("x"), .bool(true), .array([.int(1)]),
        .map([.init("k", .string("v")), .init("n", .int(5))]),
      ]
      return Row(
        number: Int64.random(in: -50...50, using: &random), time: firstTime + Int64(index) * 10,
        duration: Bool.random(using: &random) ? Int64.random(in: 0...1_000_000, using: &random) : nil,
        status: Int64.random(in: 0...3, using: &random), model: models.randomElement(using: &random) ?? nil,
        trace: UInt128(UInt64.random(in: 0...40, using: &random)) << 90 | UInt128(index / 8),
        span: Int64(bitPattern: random.next()), score: scores.randomElement(using: &random) ?? nil,
        flag: [nil, true, false].randomElement(using: &random) ?? nil,
        extra: extras.randomElement(using: &random) ?? nil,
        host: Int.random(in: 0...4, using: &random) == 0 ? "host-\(Int.random(in: 0...9, using: &random))" : nil,
        ratio: Int.random(in: 0...3, using: &random) == 0 ? Double.random(in: 0...1, using: &random) : nil,
        ratioInt: Int.random(in: 0...3, using: &random) == 0 ? Int64.random(in: 0...9, using: &random) : nil)
    }
  }

  /// The rows cut into segments of `segmentRows`, each in blocks of `blockRows`; wide columns coded or plain.
  func snapshot(segmentRows: Int, blockRows: Int, coded: Bool, corrupt: Int? = nil) -> TableSnapshot {
    let starts = Array(stride(from: 0, to: max(rows.count, 1), by: segmentRows))
    return TableSnapshot(
      schema: Self.schema,
      segments: starts.enumerated().map { number, start in
        segment(
          "part-\(number)", Array(rows[start..<min(start + segmentRows, rows.count)]), blockRows, coded,
          corrupt: number == corrupt)
      })
  }

  private func segment(
    _ name: String, _ rows: [Row], _ blockRows: Int, _ coded: Bool, corrupt: Bool
  ) -> TestSegment {
    var columns: [ColumnReference: ColumnVector] = [:]
    columns[.column(0)] = .make(rows.map { Optional($0.number) })
    columns[.column(1)] = .make(rows.map { Optional($0.time) })
    columns[.column(2)] = .make(rows.map(\.duration))
    columns[.column(3)] = .make(rows.map { Optional($0.status) })
    columns[.column(4)] = .make(rows.map(\.model))
    columns[.column(5)] = .make(rows.map { Optional($0.trace) })
    columns[.column(6)] = .make(rows.map { Optional($0.span) })
    columns[.column(7)] = .make(rows.map(\.score))
    columns[.column(8)] = .make(rows.map(\.flag))
    columns[.column(9)] = Self.variants(rows.map(\.extra))
    if rows.contains(where: { $0.host != nil }) {
      columns[.attribute(AttributeKey("host", .string))] = .make(rows.map(\.host))
    }
    columns[.attribute(AttributeKey("ratio", .double))] = .make(rows.map(\.ratio))
    columns[.attribute(AttributeKey("ratio", .int))] = .make(rows.map(\.ratioInt))
    if coded { for (reference, vector) in columns { columns[reference] = vector.coded } }
    return TestSegment(
      name: name, rowCount: rows.count, blockRows: blockRows, columns: columns, corrupt: corrupt ? .column(0) : nil)
  }

  static func variants(_ values: [Variant?]) -> ColumnVector {
    var strings = ByteStrings()
    var bits = Bitmap(repeating: true, count: values.count)
    for (index, value) in values.enumerated() {
      var encoded: [UInt8] = []
      if let value { value.encode(into: &encoded) } else { bits[index] = false }
      strings.append(encoded)
    }
    return ColumnVector(.bytes(strings), validity: bits)
  }
}

extension Expression {
  static func text(_ value: String) -> Expression { .constant(.bytes(Array(value.utf8)), .string) }
  static func int(_ value: Int64, _ type: ColumnType = .int64) -> Expression { .constant(.int64(value), type) }
  static func double(_ value: Double) -> Expression { .constant(.float64(value), .float64) }

  static func compare(_ function: ScalarFunction, _ left: Expression, _ right: Expression) -> Expression {
    .call(function, [left, right], .bool)
  }
}

extension QueryPlan {
  /// A plan over the test table.
  static func test(
    filter: Expression? = nil, keys: [Expression] = [], calls: [AggregateCall] = [], having: Expression? = nil,
    outputs: [Expression]? = nil, distinct: Bool = false, ordering: [Ordering] = [], limit: Int? = nil,
    offset: Int = 0, subqueries: [QueryPlan] = []
  ) -> QueryPlan {
    let isGrouped = !keys.isEmpty || !calls.isEmpty
    let all =
      outputs
      ?? (keys.enumerated().map { .groupKey($0, $1.type) } + calls.enumerated().map { .aggregate($0, $1.type) })
    return QueryPlan(
      table: "rows", schema: TestTable.schema, filter: filter,
      aggregation: isGrouped ? Aggregation(keys: keys, calls: calls, having: having) : nil,
      outputs: all.enumerated().map { Output(name: "c\($0)", expression: $1) }, isDistinct: distinct,
      ordering: ordering, limit: limit, offset: offset, subqueries: subqueries)
  }
}

extension QueryResult {
  /// All cells by row, doubles by their bits, so that NaN equals NaN.
  var cells: [[Cell]] {
    (0..<rowCount).map { row in columns.map { Cell($0.values, row) } }
  }

  enum Cell: Hashable, CustomStringConvertible {
    case null
    case int(Int64)
    case double(UInt64)
    case bool(Bool)
    case bytes([UInt8])
    case id(UInt128)

    init(_ vector: ColumnVector, _ row: Int) {
      guard vector.isValid(row) else {
        self = .null
        return
      }
      switch vector.storage {
      case .int64(let lanes): self = .int(lanes[row])
      case .float64(let lanes): self = .double(lanes[row].bitPattern)
      case .bool(let lanes): self = .bool(lanes[row])
      case .bytes(let lanes): self = .bytes(Array(lanes[row]))
      case .id128(let lanes): self = .id(lanes[row])
      case .codes(let lanes, let dictionary):
        switch dictionary.values {
        case .bytes(let values): self = .bytes(Array(values[Int(lanes[row])]))
        case .id128(let values): self = .id(values[Int(lanes[row])])
        }
      }
    }

    static func text(_ text: String) -> Cell { .bytes(Array(text.utf8)) }
    static func number(_ value: Double) -> Cell { .double(value.bitPattern) }

    var description: String {
      switch self {
      case .null: "null"
      case .int(let value): "\(value)"
      case .double(let bits): "\(Double(bitPattern: bits))"
      case .bool(let value): "\(value)"
      case .bytes(let value): "'\(String(decoding: value, as: UTF8.self))'"
      case .id(let value): "#\(value)"
      }
    }
  }
}

func execute(
  _ plan: QueryPlan, _ snapshot: TableSnapshot?, threads: Int = 2, pruning: Bool = true,
  cancellation: CancellationToken = CancellationToken(), cache: QueryCache? = nil, spillSpace: SpillSpace? = nil,
  _ change: (inout ExecutionOptions) -> Void = { _ in }
) throws(QueryError) -> QueryResult {
  var options = ExecutionOptions()
  options.threads = threads
  options.usePruning = pruning
  change(&options)
  return try Executor.run(
    plan, on: snapshot, options: options, cancellation: cancellation, cache: cache, spillSpace: spillSpace)
}
