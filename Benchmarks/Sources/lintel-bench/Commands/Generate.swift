import ArgumentParser

/// What the same spans are made from, everywhere.
struct WorkloadOptions: ParsableArguments {
  @Option(help: "Spans to make.") var spans = 1_000_000
  @Option(help: "The same seed makes the same spans.") var seed: UInt64 = 1
  @Option(help: "Spans a second of imagined time.") var rate = 2000.0
  @Option(help: "Threads that make spans.") var threads = 2

  /// 2026-02-01T00:00:00Z, in nanoseconds since 1970.
  static let firstOfFebruary: Int64 = 1_769_904_000_000_000_000

  func workload(start: Int64 = firstOfFebruary) -> Workload { Workload(seed: seed, start: start, rate: rate) }
}

/// `lintel-bench generate`: makes spans, and says how fast and what no format can go below.
struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Make spans; print the rate and the entropy floor.")

  @OptionGroup var options: WorkloadOptions
  @Option(help: "Spans in one batch.") var batch = 8192

  func run() async throws {
    var workload = options.workload()
    let catalogue = workload.catalogue
    let rows = batch
    let began = Usage.now()
    let marks = await workload.run(spans: options.spans, threads: options.threads) { stream, share in
      var maker = BatchMaker(catalogue)
      var buffer: [SpanRow] = []
      var left = share
      var mark: UInt64 = 0
      while left > 0 {
        buffer.removeAll(keepingCapacity: true)
        stream.take(min(rows, left), into: &buffer)
        for row in buffer { mark = SplitMix64.mix(mark ^ row.spanID) }
        left -= maker.batch(buffer).rowCount
      }
      return mark
    }
    report(seconds: Usage.now() - began, mark: marks.reduce(0) { SplitMix64.mix($0 ^ $1) })
    print(FloorTable.text(workload.floor))
  }

  private func report(seconds: Double, mark: UInt64) {
    let rate = Int(Double(options.spans) / seconds)
    print(
      "\(options.spans.grouped) spans as batches of \(batch): \(rate.grouped) a second on \(options.threads) threads")
    print("peak memory \((Usage.peakResidentBytes() >> 20).grouped) MiB; these spans' mark \(Hex.text("", mark))")
  }
}

/// The floor, column by column.
enum FloorTable {
  static func text(_ floor: EntropyFloor) -> String {
    var table = TextTable(["column", "floor B/span"])
    for column in DrawnColumn.allCases.sorted(by: { floor.bytesPerSpan($0) > floor.bytesPerSpan($1) }) {
      table.add([column.name, floor.bytesPerSpan(column).fixed(3)])
    }
    table.add(["all columns", floor.bytesPerSpan.fixed(2)])
    return table.text
  }
}
