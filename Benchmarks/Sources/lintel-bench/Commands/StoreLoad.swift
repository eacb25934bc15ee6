import Lintel
import LintelColumns
import LintelStorage
import Synchronization

/// Appends batches to a store in this process, as a service that embeds Lintel would, and measures only that: batches are
/// made ahead, a slab at a time, while the clock stands still.
struct StoreLoad {
  var directory: String
  var options: WorkloadOptions
  var batchRows: Int
  var inFlight: Int
  var isBuffered: Bool
  /// Spans held ready in memory.
  var slabSpans: Int
  /// Whether to merge as far as possible at the end.
  var mergesAll: Bool

  private struct Phase {
    let name: String
    /// Since the first append, the making of slabs left out.
    let seconds: Double
    let parts: Int
  }

  func run() async throws {
    var configuration = Configuration()
    if isBuffered { configuration.storage.durability = .buffered }
    let store = try await SpanStore.open(at: directory, configuration: configuration)
    var clock = Stopwatch()
    var workload = options.workload()
    var left = options.spans
    var slabBytes = 0
    var retries = 0
    while left > 0 {
      let slab = await makeSlab(&workload, spans: min(left, slabSpans))
      slabBytes = max(slabBytes, Usage.residentBytes())
      if left == options.spans { Usage.forgetPeak() }
      left -= slab.reduce(0) { $0 + $1.rowCount }
      clock.start()
      retries += try await append(slab, to: store)
      // What the store does in the background must not be done for nothing while the next slab is made.
      if left > 0 { await Self.settle(&clock) }
      clock.stop()
    }
    var phases = [Phase(name: "acknowledged", seconds: clock.wall, parts: store.statistics.parts)]
    clock.start()
    try await store.flush()
    await Self.settle(&clock)
    clock.stop()
    phases.append(
      Phase(
        name: "+ flush and background merges", seconds: clock.wall, parts: store.statistics.parts))
    if mergesAll {
      clock.start()
      try await store.optimize()
      clock.stop()
      phases.append(
        Phase(name: "+ OPTIMIZE (all merges)", seconds: clock.wall, parts: store.statistics.parts))
    }
    let peak = Usage.peakResidentBytes()
    let statistics = store.statistics
    try await store.close()
    report(phases, clock, statistics, retries: retries, peak: peak, ready: slabBytes)
    for problem in store.problems { print("problem: \(problem)") }
  }

  // MARK: Appending

  private final class Progress: Sendable {
    let next = Atomic(0)
    let retries = Atomic(0)
  }

  func makeSlab(_ workload: inout Workload, spans: Int) async -> [Batch] {
    let (rows, catalogue) = (batchRows, workload.catalogue)
    let shares = await workload.run(spans: spans, threads: options.threads) { stream, share in
      var maker = BatchMaker(catalogue)
      var batches: [Batch] = []
      stream.forEachRows(share, rows) { batches.append(maker.batch($0)) }
      return batches
    }
    return roundRobin(shares)
  }

  /// Returns how often the store asked to wait.
  func append(_ batches: [Batch], to store: SpanStore) async throws -> Int {
    let progress = Progress()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<inFlight {
        group.addTask {
          while true {
            let index = progress.next.add(1, ordering: .relaxed).oldValue
            guard index < batches.count else { return }
            while try await !Self.append(batches[index], to: store) {
              progress.retries.add(1, ordering: .relaxed)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    return progress.retries.load(ordering: .relaxed)
  }

  /// False when the store is too busy: then it has waited a little.
  private static func append(_ batch: Batch, to store: SpanStore) async throws -> Bool {
    do throws(LintelError) {
      _ = try await store.append(batch)
      return true
    } catch {
      guard error.isRetryable else { throw error }
      try await Task.sleep(nanoseconds: 2_000_000)
      return false
    }
  }

  /// Waits until the store's threads have nothing to do. The time in which nothing happened is taken off the clock.
  private static func settle(_ clock: inout Stopwatch) async {
    var idle = 0.0
    while idle < 0.3 {
      let (began, processor) = (Usage.now(), Usage.processorSeconds())
      try? await Task.sleep(nanoseconds: 50_000_000)
      let seconds = Usage.now() - began
      idle = Usage.processorSeconds() - processor < seconds * 0.04 ? idle + seconds : 0
    }
    clock.discount(idle)
  }

  // MARK: Reporting

  private func report(
    _ phases: [Phase], _ clock: Stopwatch, _ statistics: StoreStatistics, retries: Int, peak: Int,
    ready: Int
  ) {
    let spans = options.spans
    print(
      "\(spans.grouped) spans appended in batches of \(batchRows), \(inFlight) in flight, "
        + (isBuffered ? "buffered" : "acknowledged after fsync"))
    var table = TextTable(["", "seconds", "spans/s", "parts"])
    for phase in phases {
      let rate = Int(Double(spans) / phase.seconds)
      table.add([phase.name, phase.seconds.fixed(2), rate.grouped, String(phase.parts)])
    }
    print(table.text)
    let microseconds = clock.processor / Double(spans) * 1e6
    print(
      "processor \(clock.processor.fixed(2)) s, \(microseconds.fixed(2)) us a span; told to wait \(retries) times"
    )
    let threads = clock.threads.filter { $0.value >= 0.005 }.sorted { $0.value > $1.value }
      .map { "\($0.key) \($0.value.fixed(2))" }
    if !threads.isEmpty { print("processor seconds by thread: \(threads.joined(separator: ", "))") }
    print(
      "peak memory \((peak >> 20).grouped) MiB, of which \((ready >> 20).grouped) MiB were spans held ready"
    )
    let written =
      Double(statistics.flushedRows + statistics.mergedRows)
      / Double(max(1, statistics.flushedRows))
    if statistics.duplicateRows > 0 {
      print("\(statistics.duplicateRows.grouped) spans were taken for repeats")
    }
    print(
      "write amplification: each row was written into parts \(written.fixed(2)) times "
        + "(\(statistics.flushes) flushes, \(statistics.merges) merges); \(statistics.writtenPartBytes.grouped) bytes of "
        + "parts written, \(statistics.partBytes.grouped) left")
    let bytes = Usage.files(in: directory).reduce(0) { $0 + $1.bytes }
    print("on disk \(bytes.grouped) bytes, \((Double(bytes) / Double(spans)).fixed(2)) a span")
  }
}

/// Adds up stretches of time.
struct Stopwatch {
  private(set) var wall = 0.0
  private(set) var processor = 0.0
  /// Processor seconds by the name of the thread.
  private(set) var threads: [String: Double] = [:]
  private var since = (wall: 0.0, processor: 0.0)
  private var threadsBefore: [String: Double] = [:]

  mutating func start() {
    threadsBefore = Usage.processorSecondsByThread()
    since = (Usage.now(), Usage.processorSeconds())
  }

  mutating func stop() {
    wall += Usage.now() - since.wall
    processor += Usage.processorSeconds() - since.processor
    for (name, seconds) in Usage.processorSecondsByThread() {
      threads[name, default: 0] += seconds - (threadsBefore[name] ?? 0)
    }
  }

  mutating func discount(_ seconds: Double) { wall -= seconds }
}
