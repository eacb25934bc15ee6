import LintelColumns
import Testing

@testable import LintelStorage

/// Erasure, retention, and the search for damage in warm and cold parts.
@Suite struct TierLifecycleTests {
  private static func isOf(_ user: Int, _ row: String) -> Bool {
    row.split(separator: " ").contains("user=\(String(Samples.user(user), radix: 16))")
  }

  /// A store with a cold, a warm and a hot part.
  private func spread(_ batches: [Batch], _ change: (inout StoreConfiguration) -> Void = { _ in }) throws -> TieredStore
  {
    let tiered = try TieredStore(at: 0, change)
    try tiered.write([batches[0]])
    try tiered.move(at: 5100)
    let cold = tiered
    cold.scheduler.clockSeconds = 1100
    try cold.write([batches[1]])
    try cold.move(at: 1100)
    try cold.write([batches[2]])
    #expect(cold.parts == [1, 1, 1])
    return cold
  }

  @Test func anErasureReachesEveryTier() throws {
    let batches = TieredStore.batches(3, users: 4)
    let tiered = try spread(batches)
    defer { tiered.end() }
    let rows = batches.flatMap { RowText.rows($0) }
    let left = rows.filter { !Self.isOf(1, $0) }.sorted()
    #expect(left.count < rows.count)
    let erasures = try tiered.store.erase([Subject(Samples.user(1))])
    #expect(erasures.map(\.rows) == [rows.count - left.count])
    #expect(try tiered.rows() == left)
    try tiered.run { (store) async throws(StorageError) in try await store.eraseFiles() }
    #expect(tiered.parts == [1, 1, 1])
    #expect(try tiered.rows() == left)
    #expect(try tiered.store.rules().erasures.map(\.state) == [.erased])
    // No byte of any file has the key, whatever tier it is of.
    let scan = ByteScan([Samples.user(1)])
    for path in tiered.files {
      let bytes = try #require(tiered.disk.contents(path))
      #expect(!scan.finds(in: bytes), "\(path)")
    }
    let receipt = try #require(try tiered.store.receipt(1))
    _ = try ReceiptCheck.check(receipt)
    let text = String(decoding: receipt, as: UTF8.self)
    for tier in Tier.allCases { #expect(text.contains("\"tier\":\"\(tier.rawValue)\""), "\(tier)") }
    #expect(tiered.store.problems == [])
  }

  @Test func strayFilesOfATierKeepAnErasureOpenUntilTheyGo() throws {
    let batches = TieredStore.batches(3, users: 4)
    let tiered = try spread(batches)
    defer { tiered.end() }
    // What an erasure finds lying in a volume and can't have written is named.
    _ = try tiered.disk.create("\(TieredStore.warm)/notes")
    _ = try tiered.store.erase([Subject(Samples.user(2))])
    #expect(throws: StorageError.self) {
      try tiered.run { (store) async throws(StorageError) in try await store.eraseFiles() }
    }
    try tiered.disk.remove("\(TieredStore.warm)/notes")
    try tiered.run { (store) async throws(StorageError) in try await store.eraseFiles() }
    #expect(try tiered.store.rules().erasures.map(\.state) == [.erased])
  }

  /// What an erasure takes away its receipt accounts for: a move takes erased rows along, hidden as before.
  @Test func aMoveLeavesErasedRowsToTheErasure() throws {
    let batches = TieredStore.batches(2, users: 4)
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write(batches)
    _ = try tiered.store.erase([Subject(Samples.user(1))])
    try tiered.move(at: 1100)
    let left = batches.flatMap { RowText.rows($0) }.filter { !Self.isOf(1, $0) }.sorted()
    #expect(try tiered.rows() == left)
    try tiered.run { (store) async throws(StorageError) in try await store.eraseFiles() }
    #expect(try tiered.rows() == left)
    #expect(tiered.parts == [0, 1, 0])
    #expect(tiered.store.tiers().map(\.rows).reduce(0, +) == left.count)
  }

  @Test func retentionDropsPartsOfEveryTier() throws {
    let batches = TieredStore.batches(3)
    let tiered = try spread(batches)
    defer { tiered.end() }
    try tiered.store.setRetention(table: "events", tenant: nil, nanoseconds: 8000 * 1_000_000_000)
    tiered.scheduler.clockSeconds = 8061
    #expect(try tiered.rows() == [])
    try tiered.run { (store) async throws(StorageError) in try await store.expire() }
    #expect(tiered.parts == [0, 0, 0])
    #expect(tiered.files == [])
    #expect(tiered.store.statistics.moves == 2)
  }

  /// A move of what has expired meanwhile writes nothing.
  @Test func whatHasExpiredIsNotMoved() throws {
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write(TieredStore.batches(2))
    try tiered.store.setRetention(table: "events", tenant: nil, nanoseconds: 1 * 1_000_000_000)
    try tiered.move(at: 1100)
    #expect(tiered.parts == [0, 0, 0])
    #expect(tiered.files == [])
  }

  @Test(arguments: [0, 1, 2])
  func damageIsFoundInEveryTier(place: Int) throws {
    let batches = TieredStore.batches(3)
    for finder in ["scrub", "check", "query"] {
      let whole = try spread(batches)
      let disk = whole.disk.afterCrash(.everything)
      whole.scheduler.drain()
      let tiered = try TieredStore(on: disk, at: 1100)
      defer { tiered.end() }
      let path = try #require(tiered.files.first { Tier.allCases[place] == tier(of: $0) })
      disk.corrupt(path) { bytes in
        for place in 40..<bytes.count / 2 { bytes[place] ^= 0x55 }
      }
      switch finder {
      case "scrub":
        for second in 1...20 {
          tiered.store.scrub(now: Int64(second) * 1_000_000_000)
          tiered.scheduler.drain()
        }
      case "check": #expect(try tiered.store.check().contains { $0.problem != nil })
      default: #expect(throws: (any Error).self) { try tiered.rows() }
      }
      tiered.scheduler.drain()
      var parts = [1, 1, 1]
      parts[place] = 0
      #expect(tiered.parts == parts, "\(finder)")
      #expect(tiered.store.problems.contains { $0.code == .corrupt }, "\(finder)")
      #expect(try tiered.rows().count == 200)
    }
  }

  private func tier(of path: String) -> Tier {
    path.hasPrefix(TieredStore.warm) ? .warm : path.hasPrefix("/data/cold") ? .cold : .hot
  }
}
