import ArgumentParser
import Lintel
import LintelStorage

/// `lintel-bench move`: what a store's parts take in the warm tier, against what they take in the hot one.
struct Move: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Move a store's parts to the warm tier, and show what each column takes there.",
    discussion: "The store is changed: use a copy.")

  @Option(help: "Directory of a store.") var data: String
  @Option(help: "Directory of the warm tier; without it a folder of the store's.") var warm: String?
  @Option(help: "Age from which on parts move, in seconds.") var after = 0.0

  private struct Column: Decodable {
    let column: String
    let encodings: String
    let bytes: Int
  }

  func run() async throws {
    var configuration = Configuration()
    configuration.storage.tiers.warm = TierSettings(directory: warm, afterSeconds: after)
    let store = try await SpanStore.open(at: data, configuration: configuration)
    let before = try await columns(store)
    let hot = store.statistics
    var clock = Stopwatch()
    clock.start()
    try await store.move()
    clock.stop()
    let after = store.statistics
    let columns = try await columns(store)
    try await store.close()
    guard hot.rows > 0 else { throw ValidationError("\(data) holds no spans") }
    let rows = Double(hot.rows)
    var table = TextTable(["column", "before", "after", "B/row", "ratio", "encodings"])
    for column in columns {
      let former = before.first { $0.column == column.column }?.bytes ?? 0
      table.add([
        column.column, former.grouped, column.bytes.grouped, (Double(column.bytes) / rows).fixed(3),
        former > 0 ? (Double(column.bytes) / Double(former)).fixed(3) : "-", column.encodings,
      ])
    }
    table.add([
      "all parts", hot.partBytes.grouped, after.partBytes.grouped, (Double(after.partBytes) / rows).fixed(3),
      (Double(after.partBytes) / Double(max(1, hot.partBytes))).fixed(3), "",
    ])
    print(table.text)
    print(
      "\n\(after.movedRows.grouped) spans moved in \(clock.wall.fixed(1)) s, \(clock.processor.fixed(1)) s of processor"
    )
    for tier in after.tiers { print("\(tier.tier.rawValue): \(tier.parts) parts, \(tier.bytes.grouped) bytes") }
  }

  private func columns(_ store: SpanStore) async throws -> [Column] {
    try await store.query("DESCRIBE STORAGE spans").decode(Column.self)
  }
}
