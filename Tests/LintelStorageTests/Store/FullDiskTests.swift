import LintelColumns
import Testing

@testable import LintelStorage

/// A store that is opened where there is no room left.
@Suite struct FullDiskTests {
  private let batches: [Batch]

  init() {
    var dice = Dice(11)
    batches = (0..<3).map { _ in Samples.batch(&dice) }
  }

  private func open(_ disk: SimulatedFileSystem, _ scheduler: SimulatedScheduler) throws(StorageError) -> Store {
    try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: StoreConfiguration(), fileSystem: disk,
      scheduler: scheduler)
  }

  private func append(
    _ batch: Batch, to store: Store, _ scheduler: SimulatedScheduler
  ) -> Result<AppendReceipt, StorageError>? {
    scheduler.run {
      do throws(StorageError) { return .success(try await store.append(batch)) } catch { return .failure(error) }
    }
  }

  /// What a crash leaves of a store with one batch.
  private func crashed(_ loss: Loss) throws -> SimulatedFileSystem {
    let disk = SimulatedFileSystem()
    let scheduler = SimulatedScheduler(seed: 1)
    let store = try open(disk, scheduler)
    #expect(try append(batches[0], to: store, scheduler)?.get().stored == batches[0].rowCount)
    defer { scheduler.drain() }
    return disk.afterCrash(loss)
  }

  private func rows(_ store: Store) throws -> [String] { try RowText.rows(store.snapshot("events")).sorted() }

  @Test(arguments: [Loss.processKilled, .nothing, .lastWriteTorn(unit: 512, zeroFilled: false)])
  func answersAtOnceAndTakesRowsWhenThereIsRoom(loss: Loss) throws {
    // The first file that the opening makes is the one for which there is no room.
    let (dry, trial) = (try crashed(loss), SimulatedScheduler(seed: 2))
    _ = try open(dry, trial)
    let at = try #require(dry.calls.first { $0.name == "create" }).number
    dry.crash()
    trial.drain()
    let found = try crashed(loss)
    let scheduler = SimulatedScheduler(seed: 2)
    found.setFault(.fail(at: at, errno: SimulatedFileSystem.noSpace, lasting: true))
    let store = try open(found, scheduler)
    #expect(try rows(store) == RowText.rows(batches[0]).sorted())
    // New rows and known ones alike: nothing proves yet that those are on the disk.
    for batch in batches.prefix(2) {
      #expect(throws: StorageError.self) { try append(batch, to: store, scheduler)?.get() }
    }
    #expect(store.statistics.failure == nil)
    found.setFault(.none)
    #expect(try append(batches[0], to: store, scheduler)?.get().duplicates == batches[0].rowCount)
    #expect(try append(batches[1], to: store, scheduler)?.get().stored == batches[1].rowCount)
    let last = found.afterCrash(.everything)
    scheduler.drain()
    let end = SimulatedScheduler(seed: 3)
    let again = try open(last, end)
    #expect(try rows(again) == (RowText.rows(batches[0]) + RowText.rows(batches[1])).sorted())
    #expect(again.problems.isEmpty)
    last.crash()
    end.drain()
  }

  /// What has expired makes the room that its own dropping needs.
  @Test func retentionFreesAFullDisk() throws {
    let tiered = try TieredStore { $0.mergeWindowSeconds = 100 }
    defer { tiered.end() }
    var dice = Dice(12)
    let batches = (0..<10).map { number in
      Samples.batch(
        &dice, Samples.Options(spread: 50_000_000_000, start: Samples.epoch + Int64(number) * 100_000_000_000))
    }
    try tiered.write(batches)
    try tiered.store.setRetention(table: "events", tenant: nil, nanoseconds: 1_000_000_000_000)
    #expect(tiered.files.count == 10)
    let bytes = tiered.files.reduce(0) { $0 + (tiered.disk.contents($1)?.count ?? 0) }
    let written = tiered.store.statistics.writtenPartBytes
    tiered.disk.setFault(.fail(at: tiered.disk.callCount, errno: SimulatedFileSystem.noSpace, lasting: true))
    // There is room as soon as a part is gone, and not before.
    tiered.disk.observeChanges { [disk = tiered.disk] call in
      if call.name == "remove", call.path.hasSuffix(".part") { disk.setFault(.none) }
    }
    tiered.scheduler.clockSeconds = 1900
    #expect(try rows(tiered.store) == RowText.rows(batches[9]).sorted())
    try tiered.run { (store) async throws(StorageError) in try await store.expire() }
    tiered.disk.observeChanges(nil)
    #expect(tiered.files.count == 1)
    #expect(tiered.files.reduce(0) { $0 + (tiered.disk.contents($1)?.count ?? 0) } < bytes / 5)
    #expect(tiered.store.statistics.writtenPartBytes == written)
    let disk = tiered.disk.afterCrash(.nothing)
    tiered.scheduler.drain()
    let again = try TieredStore(on: disk, at: 1900) { $0.mergeWindowSeconds = 100 }
    defer { again.end() }
    #expect(try rows(again.store) == RowText.rows(batches[9]).sorted())
    #expect(again.store.problems == [] && again.files.count == 1)
    #expect(try append(batches[9], to: again.store, again.scheduler)?.get().stored == 0)
  }
}
