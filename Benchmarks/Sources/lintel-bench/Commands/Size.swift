import ArgumentParser
import Lintel

/// `lintel-bench size`: what a store that `load` filled takes, column by column, against what no format can go below.
struct Size: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what each column takes on disk, against its entropy floor.")

  @Option(help: "Directory of a store filled by 'load --data'.") var data: String
  @Option(help: "The seed it was filled with.") var seed: UInt64 = 1
  @Option(help: "The rate it was filled with.") var rate = 2000.0

  private struct Column: Decodable {
    let column: String
    let encodings: String
    let bytes: Int
  }

  func run() async throws {
    var configuration = Configuration()
    configuration.isReadOnly = true
    let store = try await SpanStore.open(at: data, configuration: configuration)
    let rows = try await store.query("SELECT count(*) AS n FROM spans").decode(Int.self).first ?? 0
    let columns = try await store.query("DESCRIBE STORAGE spans").decode(Column.self)
    try await store.close()
    guard rows > 0 else { throw ValidationError("\(data) holds no spans") }
    let floor = await floor(spans: rows)
    print(table(columns, floor, rows: Double(rows)))
    print("\n\(fileTable(rows: Double(rows), floor: floor.bytesPerSpan))")
  }

  /// The floor a span hardly depends on how many there are: a million tell it.
  private func floor(spans: Int) async -> EntropyFloor {
    var options = WorkloadOptions()
    (options.seed, options.rate, options.threads) = (seed, rate, 2)
    var workload = options.workload()
    _ = await workload.run(spans: min(spans, 1_000_000), threads: 2) { stream, share in
      stream.forEachRows(share, 8192) { _ in }
    }
    return workload.floor
  }

  private func table(_ columns: [Column], _ floor: EntropyFloor, rows: Double) -> String {
    let floors = Dictionary(
      DrawnColumn.allCases.map { ($0.name, floor.bytesPerSpan($0)) }, uniquingKeysWith: { first, _ in first })
    var table = TextTable(["column", "bytes", "B/row", "floor B/row", "ratio", "encodings"])
    for column in columns {
      let perRow = Double(column.bytes) / rows
      let least = floors[column.column] ?? 0
      table.add([
        column.column, column.bytes.grouped, perRow.fixed(3), least.fixed(3),
        least > 0 ? (perRow / least).fixed(2) : "-", column.encodings,
      ])
    }
    let bytes = columns.reduce(0) { $0 + $1.bytes }
    let perRow = Double(bytes) / rows
    table.add([
      "all columns", bytes.grouped, perRow.fixed(2), floor.bytesPerSpan.fixed(2),
      (perRow / floor.bytesPerSpan).fixed(2), "",
    ])
    return table.text
  }

  /// What the files take: parts with their indexes and filters, the log, the rest.
  private func fileTable(rows: Double, floor: Double) -> String {
    var sums: [String: Int] = [:]
    for file in Usage.files(in: data) {
      let folder = file.path.split(separator: "/").first.map(String.init) ?? file.path
      sums[file.path.contains("/") ? "\(folder)/" : "other files", default: 0] += file.bytes
    }
    var table = TextTable(["files", "bytes", "B/row", "ratio"])
    for (folder, bytes) in sums.sorted(by: { $0.value > $1.value }) {
      table.add([folder, bytes.grouped, (Double(bytes) / rows).fixed(2), ""])
    }
    let total = sums.values.reduce(0, +)
    let perRow = Double(total) / rows
    table.add(["everything", total.grouped, perRow.fixed(2), (perRow / floor).fixed(2)])
    return table.text
  }
}
