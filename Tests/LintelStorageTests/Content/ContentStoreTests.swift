import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// The content store against the plain twin: rows with their content in them.
@Suite("Content in the store") struct ContentStoreTests {
  private static func isOf(_ user: Int, _ row: String) -> Bool {
    row.contains(" user=\(String(Samples.user(user), radix: 16)) ")
      || row.hasSuffix(
        " user=\(String(Samples.user(user), radix: 16))")
  }

  @Test func rowsComeBackAsTheyWereSent() async throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    for round in 0..<6 {
      var dice = Dice(seed &+ UInt64(round))
      let directory = ScratchDirectory()
      let configuration = StoreTests.configuration {
        $0.shardCount = 1 + round % 2
        $0.durability = round == 3 ? .buffered : .synced
        $0.contentCacheBytes = round == 4 ? 0 : 1 << 20
      }
      var store = try StoreTests.open(directory, configuration)
      var expected: [String] = []
      var sent: [Batch] = []
      var erased: Set<Int> = []
      for step in 0..<18 {
        switch dice.below(9) {
        case 0, 1, 2:
          let batch = Samples.batch(
            &dice, Samples.Options(rows: 120, attributes: 3, users: 8, isTalking: true))
          let rows = RowText.rows(batch).filter { row in !erased.contains { Self.isOf($0, row) } }
          #expect(try await store.append(batch).stored == rows.count, "seed \(seed), round \(round), step \(step)")
          expected += rows
          sent.append(batch)
        case 3: try await store.flush()
        case 4: try await store.mergeAll()
        case 5:
          let user = dice.below(8)
          _ = try store.erase([Subject(Samples.user(user))])
          erased.insert(user)
          expected.removeAll { Self.isOf(user, $0) }
        case 6: try await store.eraseFiles()
        case 7:
          // Sent again, also after the store has been opened anew.
          guard let batch = sent.last else { continue }
          let receipt = try await store.append(batch)
          #expect(receipt.stored == 0, "seed \(seed), round \(round), step \(step)")
        default:
          try await store.close()
          store = try StoreTests.open(directory, configuration)
        }
        let found = try RowText.rows(store.snapshot("events"))
        #expect(difference(found, expected) == nil, "seed \(seed), round \(round), step \(step)")
        let reader = try StoreTests.open(directory, configuration, readOnly: true)
        #expect(difference(try RowText.rows(reader.snapshot("events")), expected) == nil, "seed \(seed), beside")
        try await reader.close()
      }
      try await store.flush()
      try store.sweepContentBlocking()
      try await store.mergeAll()
      #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil, "seed \(seed), the end")
      #expect(try store.check().allSatisfy { $0.problem == nil })
      #expect(store.problems == [])
      try await store.close()
    }
  }

  @Test func aHistoryIsStoredOnce() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    for turn in 1...20 {
      let text = Samples.history(1, turns: turn)
      _ = try await store.append(TalkRows.batch([(1, "a", text)], time: Int64(turn)))
      if turn % 5 == 0 { try await store.flush() }
    }
    try await store.mergeAll()
    #expect(try TalkRows.pieces(store) == (0..<20).map { Samples.message(100 + $0) }.sorted())
    #expect(store.statistics.contentSegments == 1)
    // The same words of another organisation are stored apart, and after an opening nothing is stored again.
    try await store.close()
    let again = try StoreTests.open(directory)
    _ = try await again.append(
      TalkRows.batch([(1, "a", Samples.history(1, turns: 20)), (1, "b", Samples.history(1, turns: 2))], time: 99))
    try await again.flush()
    #expect(again.statistics.contentPieces == 22)
    try await again.close()
  }

  @Test func whatOnlyAnErasedUserSaidIsGone() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    let shared = Samples.message(1)
    func said(_ messages: String...) -> String { "[" + messages.joined(separator: ", ") + "]" }
    let (theirs, others, late) = (Samples.message(22), Samples.message(33), Samples.message(44))
    _ = try await store.append(
      TalkRows.batch([(1, "a", said(shared, theirs)), (2, "a", said(shared, others)), (1, "b", said(others))]))
    try await store.flush()
    try await store.mergeAll()
    _ = try await store.append(
      TalkRows.batch([(1, "a", said(shared, theirs, late)), (2, "a", said(others, shared))], time: 1))
    let erasure = try #require(try store.erase([Subject(Samples.user(1))]).first)
    #expect(try await store.append(TalkRows.batch([(1, "a", said(late, theirs))], time: 2)).erased == 1)
    try await store.eraseFiles()
    #expect(try TalkRows.pieces(store) == [shared, others].sorted())
    let receipt = String(decoding: try #require(try store.receipt(erasure.number)), as: UTF8.self)
    #expect(receipt.contains("\"pieces_erased_from_content\":") && receipt.contains("\"result\":\"clean\""))
    // The files hold the words no more, not even compressed ones: every piece has been read above.
    for folder in ["wal/shard-0000", "content", "hot"] {
      for file in try PosixFileSystem().list("\(directory.path)/data/\(folder)") {
        let bytes = try PosixFileSystem().readAll("\(directory.path)/data/\(folder)/\(file)", limit: 1 << 24)
        #expect(!String(decoding: bytes, as: UTF8.self).contains("number 22"))
      }
    }
    // What others say again afterwards is there.
    _ = try await store.append(TalkRows.batch([(3, "a", said(theirs, shared))], time: 3))
    try await store.flush()
    #expect(try TalkRows.pieces(store).filter { $0 == theirs }.count == 1)
    #expect(try RowText.rows(store.snapshot("events")).contains { $0.contains("number 22") })
    #expect(store.problems == [])
    try await store.close()
  }

  @Test func contentGoesWithTheRowsThatExpire() async throws {
    let directory = ScratchDirectory()
    let now = Mutex(Samples.epoch)
    let store = try await Store.open(
      at: directory.path + "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(),
      clock: { now.withLock { $0 } })
    let second: Int64 = 1_000_000_000
    _ = try await store.append(TalkRows.batch([(1, "a", Samples.history(1, turns: 3))]))
    try await store.flush()
    _ = try await store.append(TalkRows.batch([(1, "a", Samples.history(2, turns: 2))], time: 90_000 * second))
    try await store.flush()
    try store.setRetention(table: "events", tenant: nil, nanoseconds: 1000 * second)
    now.withLock { $0 = Samples.epoch + 90_100 * second }
    try await store.expire()
    #expect(try TalkRows.pieces(store) == [Samples.message(200), Samples.message(201)].sorted())
    #expect(store.problems == [])
    try await store.close()
  }

  /// A snapshot taken before keeps what it shows, whatever is swept.
  @Test func snapshotsKeepTheirContent() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory, StoreTests.configuration { $0.contentCacheBytes = 0 })
    let batch = TalkRows.batch((0..<10).map { ($0, "a", Samples.history($0, turns: 4)) })
    _ = try await store.append(batch)
    let inMemory = try store.snapshot("events")
    try await store.flush()
    let inParts = try store.snapshot("events")
    _ = try store.erase((0..<9).map { Subject(Samples.user($0)) })
    try await store.eraseFiles()
    #expect(try TalkRows.pieces(store).count == 4)
    for snapshot in [inMemory, inParts] {
      #expect(difference(try RowText.rows(snapshot), RowText.rows(batch)) == nil)
    }
    try await store.close()
  }

  @Test func clientsCannotSendRecipes() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    var batch = TalkRows.batch([(1, "a", "x")])
    batch.attributes = [
      AttributeColumn(
        key: AttributeKey("said", .textContent), rows: [0], values: ColumnVector(.bytes(ByteStrings(["\u{3}"]))))
    ]
    await #expect(throws: StorageError.self) { try await store.append(batch) }
    try await store.close()
  }

  @Test func damagedContentIsReportedAndTheRestReadable() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    _ = try await store.append(TalkRows.batch([(1, "a", Samples.history(1, turns: 3)), (2, "b", "short")]))
    try await store.close()
    let folder = "\(directory.path)/data/content"
    let file = try #require(try PosixFileSystem().list(folder).first)
    var bytes = try PosixFileSystem().readAll("\(folder)/\(file)", limit: 1 << 20)
    bytes[20] ^= 1
    try PosixFileSystem().remove("\(folder)/\(file)")
    try PosixFileSystem().create("\(folder)/\(file)").append(bytes)
    let again = try StoreTests.open(directory)
    let snapshot = try again.snapshot("events")
    #expect(throws: StorageError.self) { try RowText.rows(snapshot) }
    // The value is null, and everything else is there.
    let said = ColumnReference.attribute(AttributeKey("said", .string))
    let rows = try snapshot.segments.flatMap { segment in
      let values = try segment.read(said, block: 0)
      return (0..<values.count).map { values.string(at: $0) }
    }
    #expect(Set(rows) == [nil, "short"])
    #expect(snapshot.damage.notes.contains { $0.hasPrefix("content/") })
    #expect(try again.check().contains { $0.problem?.code == .corrupt })
    #expect(again.problems.contains { $0.path?.hasPrefix("content/") ?? false })
    let segment = try #require(snapshot.segments.first)
    #expect(try segment.read(.column(3), block: 0).count == 2)
    try await again.close()
  }

  @Test func damageIsFoundInTheBackground() throws {
    let disk = SimulatedFileSystem()
    let scheduler = SimulatedScheduler(seed: 1)
    var configuration = StoreTests.configuration()
    configuration.scrubBytesPerSecond = 1 << 20
    let store = try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: configuration, fileSystem: disk, scheduler: scheduler)
    let outcome = scheduler.run { () async -> Result<Void, StorageError> in
      do throws(StorageError) {
        _ = try await store.append(TalkRows.batch((0..<20).map { ($0, "a", Samples.history($0, turns: 4)) }))
        try await store.flush()
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try (outcome ?? .failure(StorageError(.io, "it waits for something that nobody does"))).get()
    let file = try #require(disk.paths.first { $0.hasSuffix(".content") })
    for (seconds, isDamaged) in [(0, false), (10, false), (100_000, true), (100_010, true)] {
      if isDamaged { disk.corrupt(file) { $0[40] = 0xA5 } }
      store.scrub(now: Int64(seconds) * 1_000_000_000)
      scheduler.drain()
      if !isDamaged { #expect(store.problems == []) }
    }
    #expect(store.problems.contains { $0.code == .corrupt && $0.path?.hasPrefix("content/") ?? false })
    #expect(store.statistics.scrubPasses >= 1)
    disk.crash()
    scheduler.drain()
  }
}
