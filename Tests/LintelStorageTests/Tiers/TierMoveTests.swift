import LintelColumns
import Testing

@testable import LintelStorage

@Suite struct TierMoveTests {
  @Test func rowsAreTheSameInEveryTier() throws {
    let batches = TieredStore.batches(4)
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write(batches)
    let rows = batches.flatMap { RowText.rows($0) }.sorted()
    #expect(tiered.parts == [4, 0, 0])
    let before = try tiered.store.snapshot("events")
    try tiered.move(at: 900)
    #expect(tiered.parts == [4, 0, 0])
    // All four are of one window, and become one.
    try tiered.move(at: 1100)
    #expect(tiered.parts == [0, 1, 0])
    #expect(tiered.files.count == 1 && tiered.files[0].hasPrefix(TieredStore.warm + "/"))
    #expect(try tiered.rows() == rows)
    // Who was reading goes on.
    #expect(try RowText.rows(before).sorted() == rows)
    try tiered.move(at: 5100)
    #expect(tiered.parts == [0, 0, 1])
    #expect(tiered.files.count == 1 && tiered.files[0].hasPrefix("/data/cold/"))
    #expect(try tiered.rows() == rows)
    let statistics = tiered.store.statistics
    #expect(statistics.moves == 2 && statistics.movedRows == 800 && statistics.merges == 0)
    #expect(tiered.store.problems == [])
    #expect(try tiered.store.check().allSatisfy { $0.problem == nil })
    #expect(tiered.store.parts("events").map(\.tier) == [.cold])
    // A process that knows nothing of the settings reads from the manifest where the tiers are.
    let reader = try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(), fileSystem: tiered.disk,
      readOnly: true, scheduler: tiered.scheduler, clock: { Samples.epoch })
    #expect(try RowText.rows(reader.snapshot("events")).sorted() == rows)
    #expect(reader.tiers("events").map(\.tier) == [.hot, .warm, .cold])
  }

  @Test func aReaderBesideTheWriterFollows() throws {
    let batches = TieredStore.batches(3)
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write(Array(batches.prefix(2)))
    let reader = try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(), fileSystem: tiered.disk,
      readOnly: true, scheduler: tiered.scheduler, clock: { Samples.epoch })
    var rows = batches.prefix(2).flatMap { RowText.rows($0) }.sorted()
    #expect(try RowText.rows(reader.snapshot("events")).sorted() == rows)
    try tiered.move(at: 1100)
    #expect(try RowText.rows(reader.snapshot("events")).sorted() == rows)
    #expect(reader.tiers().map(\.parts) == [0, 1])
    try tiered.write([batches[2]])
    try tiered.move(at: 5100)
    rows = batches.flatMap { RowText.rows($0) }.sorted()
    #expect(try RowText.rows(reader.snapshot("events")).sorted() == rows)
    #expect(reader.problems == [])
  }

  @Test func mergesKeepToTheirTier() throws {
    let batches = TieredStore.batches(6)
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write(Array(batches.prefix(2)))
    try tiered.move(at: 1100)
    try tiered.write(Array(batches[2..<4]))
    #expect(tiered.parts == [2, 1, 0])
    try tiered.run { (store) async throws(StorageError) in try await store.mergeAll() }
    #expect(tiered.parts == [1, 1, 0])
    // Late rows follow those of their age, and are merged with them there.
    try tiered.move(at: 1101)
    #expect(tiered.parts == [0, 2, 0])
    try tiered.run { (store) async throws(StorageError) in try await store.mergeAll() }
    #expect(tiered.parts == [0, 1, 0])
    #expect(tiered.files.allSatisfy { $0.hasPrefix(TieredStore.warm + "/") })
    #expect(try tiered.rows() == batches.prefix(4).flatMap { RowText.rows($0) }.sorted())
  }

  @Test func theBackgroundMovesAsFastAsItMay() throws {
    let batches = TieredStore.batches(2)
    let tiered = try TieredStore { $0.tiers.moveBytesPerSecond = 1000 }
    defer { tiered.end() }
    try tiered.write([batches[0]])
    tiered.scheduler.clockSeconds = 1100
    let second: Int64 = 1_000_000_000
    func tick(_ seconds: Int64) {
      tiered.store.startMoving(now: seconds * second)
      tiered.scheduler.drain()
    }
    tick(1)
    #expect(tiered.parts == [1, 0, 0])
    tick(2)
    #expect(tiered.parts == [0, 1, 0])
    let cost = tiered.store.statistics.movedBytes / 1000
    try tiered.write([batches[1]])
    tick(3)
    #expect(tiered.parts == [1, 1, 0])
    tick(Int64(4 + 4 * cost))
    #expect(tiered.parts == [0, 2, 0])
    #expect(tiered.store.problems == [])
  }

  @Test func theOldestMakesRoomWhereTheHotVolumeIsShortOfIt() throws {
    let tiered = try TieredStore { $0.tiers.hotFreeBytes = 1 << 20 }
    defer { tiered.end() }
    try tiered.write(TieredStore.batches(3))
    let oldest = try #require(tiered.store.parts("events").min { ($0.maxTime, $0.name) < ($1.maxTime, $1.name) })
    try tiered.move(at: 10)
    #expect(tiered.parts == [3, 0, 0])
    tiered.disk.setFreeSpace { $0.hasPrefix("/data") ? 1000 : 1 << 40 }
    try tiered.move(at: 10)
    // One at a time: what it frees shows later.
    #expect(tiered.parts == [2, 1, 0])
    #expect(!tiered.store.parts("events").map(\.name).contains(oldest.name))
    tiered.disk.setFreeSpace { _ in 1 << 30 }
    try tiered.move(at: 10)
    #expect(tiered.parts == [2, 1, 0])
  }

  @Test func aFullTierLeavesPartsWhereTheyAre() throws {
    let batches = TieredStore.batches(2)
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write(batches)
    let at = tiered.disk.callCount
    tiered.disk.setFault(.fail(at: at, errno: SimulatedFileSystem.noSpace, lasting: true))
    #expect(throws: StorageError.self) { try tiered.move(at: 1100) }
    tiered.disk.setFault(.none)
    #expect(tiered.parts == [2, 0, 0])
    #expect(tiered.files.count == 2)
    #expect(tiered.store.statistics.failure == nil)
    try tiered.move(at: 1101)
    #expect(tiered.parts == [0, 1, 0])
    #expect(try tiered.rows() == batches.flatMap { RowText.rows($0) }.sorted())
  }

  @Test func aDamagedPartIsQuarantinedAndTheOthersMove() throws {
    let batches = TieredStore.batches(3)
    let whole = try TieredStore()
    try whole.write(batches)
    let path = try #require(whole.files.first)
    let disk = whole.disk.afterCrash(.everything)
    whole.scheduler.drain()
    let tiered = try TieredStore(on: disk, at: 900)
    defer { tiered.end() }
    disk.corrupt(path) { bytes in
      for place in 100..<bytes.count - 2000 { bytes[place] ^= 0x55 }
    }
    try? tiered.move(at: 1100)
    try tiered.move(at: 1101)
    tiered.scheduler.drain()
    #expect(tiered.parts == [0, 1, 0])
    #expect(tiered.store.problems.contains { $0.code == .corrupt })
    #expect(try tiered.rows() == batches.dropFirst().flatMap { RowText.rows($0) }.sorted())
    // Kept for whoever can mend it, and left out for good.
    #expect(disk.paths.contains(path))
  }
}
