import LintelColumns
import Testing

@testable import LintelStorage

/// Backups of a store whose tiers lie elsewhere: one directory has it all.
@Suite struct BackupTierTests {
  private static func open(
    _ path: String, _ disk: SimulatedFileSystem, _ scheduler: SimulatedScheduler, tiers: TierConfiguration
  ) throws -> Store {
    try Store.open(
      path: path, schemas: [Samples.schema], configuration: StoreTests.configuration { $0.tiers = tiers },
      fileSystem: disk, scheduler: scheduler, clock: { Samples.epoch + scheduler.clockSeconds * 1_000_000_000 })
  }

  @Test func tiersComeAlongAndLieInTheRestoredDirectory() throws {
    let batches = TieredStore.batches(4)
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write([batches[0]])
    try tiered.move(at: 5100)
    tiered.scheduler.clockSeconds = 1100
    try tiered.write([batches[1]])
    try tiered.move(at: 1100)
    try tiered.write([batches[2]])
    #expect(tiered.parts == [1, 1, 1])
    let backups = Backups("/backups", fileSystem: tiered.disk)
    _ = try backups.make(of: "/data")
    try tiered.write([batches[3]])
    let second = try backups.make(of: "/data")
    #expect(second.summary.damages.isEmpty)
    #expect(try Backups.verify(backups.folder(2), fileSystem: tiered.disk).problems.isEmpty)
    _ = try Backups.restore(backups.folder(2), to: "/restored", fileSystem: tiered.disk)
    let scheduler = SimulatedScheduler(seed: 2)
    scheduler.clockSeconds = 1100
    // The directory of the other store's tier has the same mark, and not these parts.
    #expect {
      _ = try Self.open("/restored", tiered.disk, scheduler, tiers: TieredStore.configuration().tiers)
    } throws: { error in
      "\(error)".contains("whose parts lie in /restored/warm")
    }
    let store = try Self.open("/restored", tiered.disk, scheduler, tiers: TierConfiguration())
    defer { scheduler.drain() }
    #expect(try RowText.rows(store.snapshot("events")).sorted() == batches.flatMap { RowText.rows($0) }.sorted())
    #expect(store.problems == [])
    #expect(store.tiers().map(\.parts) == [2, 1, 1])
    #expect(store.tiers().allSatisfy { $0.directory.hasPrefix("/restored/") })
  }
}
