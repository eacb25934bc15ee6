import ArgumentParser
import Glibc
import Lintel

/// `lintel-bench recover`: how long a store takes to open whose process was killed with a long log.
struct Recover: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Open a store with a long write-ahead log, or make such a store and end as if killed.")

  @OptionGroup var options: WorkloadOptions
  @Option(help: "Directory of the store.") var data: String
  @Option(help: "Make the store: bytes of log to be written, of which nothing goes into parts.") var logBytes: Int?
  @Option(help: "Spans in one appended batch.") var batch = 8192
  @Option(help: "MiB for spans that aren't in parts yet; where less are needed they go into parts at once.")
  var writeMemory = 8192

  func run() async throws {
    if let logBytes { try await make(logBytes) } else { try await open() }
  }

  /// Bytes of the log's files.
  private var logLength: Int {
    Usage.files(in: data).filter { $0.path.hasSuffix(".log") }.reduce(0) { $0 + $1.bytes }
  }

  private func make(_ bytes: Int) async throws {
    var configuration = Configuration()
    configuration.storage.durability = .buffered
    configuration.storage.memoryBudget = 1 << 40
    configuration.storage.flushBytes = 1 << 40
    configuration.storage.flushSeconds = 1e9
    let store = try await SpanStore.open(at: data, configuration: configuration)
    let load = StoreLoad(
      directory: data, options: options, batchRows: batch, inFlight: 4, isBuffered: true, slabSpans: 0, mergesAll: false
    )
    var workload = options.workload()
    while logLength < bytes {
      let slab = await load.makeSlab(&workload, spans: 50 * batch)
      _ = try await load.append(slab, to: store)
    }
    print("\(store.statistics.rows.grouped) spans in \(logLength.grouped) bytes of log")
    fflush(nil)
    // Nothing is closed, flushed or given free.
    _exit(0)
  }

  private func open() async throws {
    let bytes = logLength
    var configuration = Configuration()
    configuration.storage.memoryBudget = writeMemory << 20
    Usage.forgetPeak()
    var clock = Stopwatch()
    clock.start()
    let store = try await SpanStore.open(at: data, configuration: configuration)
    clock.stop()
    let opened = (wall: clock.wall, processor: clock.processor, peak: Usage.peakResidentBytes())
    let statistics = store.statistics
    print(
      "opened with \(bytes.grouped) bytes of log in \(opened.wall.fixed(2)) s, \(opened.processor.fixed(2)) s of processor, "
        + "at most \((opened.peak >> 20).grouped) MiB")
    print(
      "\(statistics.rows.grouped) spans, \(statistics.memtableRows.grouped) of them in memory; \(statistics.parts) parts"
    )
    clock.start()
    try await store.flush()
    clock.stop()
    print(
      "all in parts after \(clock.wall.fixed(2)) s, \(clock.processor.fixed(2)) s of processor, "
        + "at most \((Usage.peakResidentBytes() >> 20).grouped) MiB; \(store.statistics.rows.grouped) spans")
    for problem in store.problems { print("problem: \(problem)") }
    try await store.close()
  }
}
