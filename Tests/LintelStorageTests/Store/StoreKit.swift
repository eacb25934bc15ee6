import LintelColumns
import Testing

@testable import LintelStorage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A seeded generator, so that a failure can be run again.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// A directory that is removed at the end.
final class ScratchDirectory: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/lintel-test-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp/lintel-test-failed"
    }
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { remove("\(path)/\(name)") }
      }
      closedir(directory)
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}

enum Samples {
  static let schema = TableSchema(
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
    predictors: ["name"], derivations: ["parent": .reference(of: "span"), "cost": .weightedSum(of: ["tokens"])])

  static let epoch: Int64 = 1_790_000_000_000_000_000

  struct Options {
    var rows = 100
    var attributes = 8
    /// Rows come from this stretch of time, in nanoseconds.
    var spread: Int64 = 60_000_000_000
    var traces = 20
    var firstTrace = 0
    var start = epoch
  }

  /// Rows in no order, with dictionaries in some batches and plain values in others.
  static func batch(_ dice: inout Dice, _ options: Options = Options()) -> Batch {
    let count = options.rows
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
      if dice.chance(50) { user.appendNull() } else { user.append(UInt128(dice.below(30)) << 64 | 7) }
      if dice.chance(70) { payload.appendNull() } else { payload.append(bytes(.int(Int64(dice.below(9))))) }
    }
    let columns = [
      org.finish(), trace.finish(), span.finish(), time.finish(), duration.finish(), name.finish(), score.finish(),
      ok.finish(), note.finish(), user.finish(), payload.finish(), parent.finish(), tokens.finish(), cost.finish(),
    ]
    return Batch(
      schema: schema, rowCount: count, columns: columns,
      attributes: attributes(&dice, rows: count, keys: options.attributes))
  }

  static func bytes(_ value: Variant) -> [UInt8] {
    var bytes: [UInt8] = []
    value.encode(into: &bytes)
    return bytes
  }

  static func attributes(_ dice: inout Dice, rows: Int, keys: Int) -> [AttributeColumn] {
    (0..<keys).compactMap { number -> AttributeColumn? in
      let kind = AttributeKind.allCases[number % AttributeKind.allCases.count]
      let density = [100, 60, 10, 1][number % 4]
      let chosen = (0..<UInt32(rows)).filter { _ in dice.chance(density) }
      guard !chosen.isEmpty else { return nil }
      let key = AttributeKey("key.\(number / 2)", kind)
      return AttributeColumn(key: key, rows: chosen, values: values(&dice, kind, chosen.count))
    }.sorted { $0.key < $1.key }
  }

  static func values(_ dice: inout Dice, _ kind: AttributeKind, _ count: Int) -> ColumnVector {
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
    case .variant:
      var builder = BytesColumnBuilder()
      for _ in 0..<count { builder.append(bytes(.array([.int(Int64(dice.below(50))), .string("x")]))) }
      return builder.finish()
    }
  }
}

/// Rows as text, for comparing what went in with what comes out.
enum RowText {
  static func rows(_ batch: Batch) -> [String] {
    rows(BatchSegment(batch, name: "test", blockRows: 1 << 20), batch.schema)
  }

  static func rows(_ snapshot: TableSnapshot) throws -> [String] {
    try snapshot.segments.flatMap { try rowsThrowing($0, snapshot.schema) }
  }

  private static func rows(_ segment: any Segment, _ schema: TableSchema) -> [String] {
    (try? rowsThrowing(segment, schema)) ?? []
  }

  static func rowsThrowing(_ segment: any Segment, _ schema: TableSchema) throws -> [String] {
    var rows = Array(repeating: "", count: segment.rowCount)
    func add(_ label: String, _ column: ColumnReference) throws {
      for block in 0..<segment.blockCount {
        let vector = try segment.read(column, block: block)
        try #require(vector.count == segment.rowCount(ofBlock: block))
        for row in 0..<vector.count where vector.isValid(row) {
          rows[block * segment.blockRows + row] += " \(label)=\(text(vector, row))"
        }
      }
    }
    for (index, column) in schema.columns.enumerated() { try add(column.name, .column(index)) }
    for key in segment.attributeKeys { try add("[\(key.name) \(key.kind)]", .attribute(key)) }
    return rows
  }

  private static func text(_ vector: ColumnVector, _ row: Int) -> String {
    switch vector.physicalType {
    case .int64: vector.int64(at: row).map { "\($0)" } ?? "?"
    case .float64: vector.float64(at: row).map { "\($0.bitPattern)" } ?? "?"
    case .bool: vector.bool(at: row).map { "\($0)" } ?? "?"
    case .id128: vector.id128(at: row).map { String($0, radix: 16) } ?? "?"
    case .bytes: vector.bytes(at: row).map { String(decoding: $0, as: UTF8.self) + "/\($0.count)" } ?? "?"
    }
  }
}

/// The first difference of two multisets of rows; `nil` when there is none.
func difference(_ found: [String], _ expected: [String]) -> String? {
  let (found, expected) = (found.sorted(), expected.sorted())
  for (left, right) in zip(found, expected) where left != right { return "found \(left) where \(right) was expected" }
  return found.count == expected.count ? nil : "\(found.count) rows where \(expected.count) were expected"
}
