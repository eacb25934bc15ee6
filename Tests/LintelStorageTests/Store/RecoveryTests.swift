import LintelColumns
import Testing

@testable import LintelStorage

/// What an opening does with a long log.
@Suite struct RecoveryTests {
  private let batches: [Batch]

  init() {
    var dice = Dice(77)
    batches = (0..<8).map { _ in Samples.batch(&dice, Samples.Options(rows: 40)) }
  }

  private func open(
    _ disk: SimulatedFileSystem, _ scheduler: SimulatedScheduler,
    _ change: (inout StoreConfiguration) -> Void = { _ in }
  ) throws(StorageError) -> Store {
    var configuration = StoreTests.configuration { $0.shardCount = 2 }
    change(&configuration)
    return try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: configuration, fileSystem: disk, scheduler: scheduler,
      clock: { Samples.epoch })
  }

  /// What a crash leaves of a store with all batches in its log.
  private func crashed(_ loss: Loss = .processKilled, segmentBytes: Int = 1 << 26) throws -> SimulatedFileSystem {
    let disk = SimulatedFileSystem()
    let scheduler = SimulatedScheduler(seed: 1)
    let store = try open(disk, scheduler) { $0.logSegmentBytes = segmentBytes }
    for batch in batches { #expect(try append(batch, to: store, scheduler)?.get().stored == batch.rowCount) }
    defer { scheduler.drain() }
    return disk.afterCrash(loss)
  }

  private func append(
    _ batch: Batch, to store: Store, _ scheduler: SimulatedScheduler
  ) -> Result<AppendReceipt, StorageError>? {
    scheduler.run {
      do throws(StorageError) { return .success(try await store.append(batch)) } catch { return .failure(error) }
    }
  }

  private func checkRows(_ store: Store) throws {
    #expect(difference(try RowText.rows(store.snapshot("events")), batches.flatMap { RowText.rows($0) }) == nil)
  }

  private func logs(_ disk: SimulatedFileSystem) -> [String] { disk.paths.filter { $0.hasSuffix(".log") } }

  @Test(arguments: [0, 1_000, 3_000])
  func rowsThatMemoryCannotHoldGoIntoParts(limit: Int) throws {
    let disk = try crashed()
    let scheduler = SimulatedScheduler(seed: 2)
    let store = try open(disk, scheduler) { $0.recoveryMemory = limit }
    let statistics = store.statistics
    #expect(statistics.memtableRows == 0 && statistics.memtableBytes == 0)
    #expect(statistics.parts > 4)
    try checkRows(store)
    #expect(store.problems == [])
    // The log begins anew, and what comes again is known.
    #expect(logs(disk).count == 2)
    for batch in batches { #expect(try append(batch, to: store, scheduler)?.get().duplicates == batch.rowCount) }
    let last = disk.afterCrash(.everything)
    scheduler.drain()
    let again = try open(last, SimulatedScheduler(seed: 3))
    try checkRows(again)
    last.crash()
  }

  /// With as little memory as before the crash nothing is written.
  @Test func rowsThatFitStayInMemory() throws {
    let disk = try crashed()
    let scheduler = SimulatedScheduler(seed: 2)
    let store = try open(disk, scheduler) { $0.recoveryMemory = 1 << 30 }
    #expect(store.statistics.parts == 0)
    #expect(store.statistics.memtableRows == batches.reduce(0) { $0 + $1.rowCount })
    try checkRows(store)
    for batch in batches { #expect(try append(batch, to: store, scheduler)?.get().duplicates == batch.rowCount) }
    disk.crash()
    scheduler.drain()
  }

  /// Of the rows in the log so many are remembered as the window takes, the newest.
  @Test func theNewestRowsAreRemembered() throws {
    let disk = try crashed()
    let scheduler = SimulatedScheduler(seed: 2)
    let store = try open(disk, scheduler) { $0.retryWindowRows = 160 }
    for batch in batches.suffix(2) {
      #expect(try append(batch, to: store, scheduler)?.get().duplicates == batch.rowCount)
    }
    disk.crash()
    scheduler.drain()
  }

  /// Whatever call of such an opening fails, a later one finds every row, once.
  @Test(arguments: [SimulatedFileSystem.noSpace, SimulatedFileSystem.inputOutput])
  func aFailureWhilePartsAreWrittenLosesNothing(errno: Int32) throws {
    let small: (inout StoreConfiguration) -> Void = { $0.recoveryMemory = 4_000 }
    let (dry, trial) = (try crashed(), SimulatedScheduler(seed: 2))
    _ = try open(dry, trial, small)
    let calls = dry.calls.filter { $0.isChange || $0.needsSpace }
    dry.crash()
    trial.drain()
    #expect(calls.count > 30)
    for call in calls {
      for lasting in [false, true] {
        let disk = try crashed()
        let scheduler = SimulatedScheduler(seed: 2)
        disk.setFault(.fail(at: call.number, errno: errno, lasting: lasting))
        let error = thrown { try checkRows(open(disk, scheduler, small)) }
        // A full disk keeps nobody from asking, unless it is unknown what is on it.
        if let error, errno == SimulatedFileSystem.noSpace, error.code != .failedStop {
          #expect(!call.path.contains("/hot/"), "\(call): \(error)")
        }
        let found = disk.afterCrash(.processKilled)
        scheduler.drain()
        let store = try open(found, SimulatedScheduler(seed: 3), small)
        try checkRows(store)
        found.crash()
      }
    }
  }

  @Test func aLongLogIsKeptInSeveralFiles() throws {
    let disk = try crashed(.everything, segmentBytes: 4_000)
    #expect(logs(disk).count > 4)
    let scheduler = SimulatedScheduler(seed: 2)
    let store = try open(disk, scheduler)
    try checkRows(store)
    // Only the last file of each shard is copied.
    #expect(disk.calls.count { $0.name == "rename" && $0.path.contains("/wal/") } == 2)
    _ = scheduler.run { try? await store.flush() }
    #expect(logs(disk).count == 2)
    try checkRows(store)
    disk.crash()
    scheduler.drain()
  }
}
