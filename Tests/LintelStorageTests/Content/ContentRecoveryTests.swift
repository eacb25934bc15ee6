import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// What rows refer to is theirs for good, whatever becomes of the files.
@Suite("Ids of content") struct ContentRecoveryTests {
  private func open(_ disk: SimulatedFileSystem, _ scheduler: SimulatedScheduler) throws(StorageError) -> Store {
    try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(), fileSystem: disk,
      scheduler: scheduler)
  }

  private func run(
    _ scheduler: SimulatedScheduler, _ body: @escaping @Sendable () async throws(StorageError) -> Void
  ) throws {
    let outcome = scheduler.run { () async -> Result<Void, StorageError> in
      do throws(StorageError) { return .success(try await body()) } catch { return .failure(error) }
    }
    try (outcome ?? .failure(StorageError(.io, "it waits for something that nobody does"))).get()
  }

  /// What rows of an organisation say.
  private func said(_ store: Store, org: String) throws -> [String?] {
    let snapshot = try store.snapshot("events")
    let column = try #require(Samples.schema.index(of: "org"))
    return try snapshot.segments.flatMap { segment -> [String?] in
      var texts: [String?] = []
      for block in 0..<segment.blockCount {
        let orgs = try segment.read(.column(column), block: block)
        let values = try segment.read(.attribute(AttributeKey("said", .string)), block: block)
        texts += (0..<values.count).filter { orgs.string(at: $0) == org }.map { values.string(at: $0) }
      }
      return texts
    }
  }

  /// A shard looks for rows sent again by what the store knows of parts and content: none of them holds the other.
  @Test func aClosedStoreIsLetGoOf() throws {
    let disk = SimulatedFileSystem()
    weak var shard: Shard?
    for number in 1...2 {
      let scheduler = SimulatedScheduler(seed: UInt64(number))
      let store = try open(disk, scheduler)
      let looking = store.shards.first { $0.log.withLock { $0.storedRows != nil } }
      #expect((looking != nil) == (number == 2))
      shard = looking ?? store.shards[0]
      try run(scheduler) { () throws(StorageError) in
        _ = try await store.append(TalkRows.batch([(1, "x", Samples.history(1, turns: 3))], time: Int64(number)))
        try await store.close()
      }
      scheduler.drain()
    }
    #expect(shard == nil)
  }

  /// Two records say the same, and the one that brought the pieces along is damaged.
  private func diskWithoutTheFirstRecord() throws -> SimulatedFileSystem {
    let disk = SimulatedFileSystem()
    let first = SimulatedScheduler(seed: 1)
    let store = try open(disk, first)
    try run(first) { () throws(StorageError) in
      _ = try await store.append(TalkRows.batch([(1, "x", Samples.history(1, turns: 3))]))
      _ = try await store.append(TalkRows.batch([(1, "x", Samples.history(1, turns: 3))], time: 1))
    }
    let crashed = disk.afterCrash(.processKilled)
    first.drain()
    let log = try #require(crashed.paths.first { $0.hasSuffix(".log") })
    crashed.corrupt(log) { $0[LogFormat.segmentHeaderSize + LogFormat.recordHeaderSize + 8] ^= 1 }
    return crashed
  }

  /// The record that brought pieces along is damaged; a later one has rows that refer to them.
  @Test func damageInTheLogGivesNoOneAnothersWords() throws {
    let crashed = try diskWithoutTheFirstRecord()
    let second = SimulatedScheduler(seed: 2)
    var again = try open(crashed, second)
    #expect(!again.problems.isEmpty)
    #expect(try said(again, org: "x") == [nil])
    let others = Samples.history(7, turns: 5)
    let opened = again
    try run(second) { () throws(StorageError) in
      _ = try await opened.append(TalkRows.batch([(2, "y", others)], time: 2))
    }
    #expect(try said(again, org: "x") == [nil] && said(again, org: "y") == [others])
    // In parts the words of the one are as much out of the other's reach, also for the store that is opened after them.
    try run(second) { () throws(StorageError) in try await opened.close() }
    let third = SimulatedScheduler(seed: 3)
    again = try open(crashed, third)
    let last = again
    try run(third) { () throws(StorageError) in
      _ = try await last.append(TalkRows.batch([(2, "z", Samples.history(8, turns: 9))], time: 3))
    }
    #expect(try said(again, org: "x") == [nil] && said(again, org: "y") == [others])
    let snapshot = try again.snapshot("events")
    for segment in snapshot.segments { _ = try segment.read(.attribute(AttributeKey("said", .string)), block: 0) }
    #expect(snapshot.damage.notes.contains { $0.contains("are in no segment") })
    crashed.crash()
    third.drain()
  }

  /// The same where nothing at all is left of what was brought along when the store is flushed.
  @Test func idsOutliveAFlushWithoutPieces() throws {
    let crashed = try diskWithoutTheFirstRecord()
    let second = SimulatedScheduler(seed: 2)
    let again = try open(crashed, second)
    try run(second) { () throws(StorageError) in try await again.close() }
    let third = SimulatedScheduler(seed: 3)
    let last = try open(crashed, third)
    try run(third) { () throws(StorageError) in
      _ = try await last.append(TalkRows.batch([(2, "y", Samples.history(7, turns: 5))], time: 2))
    }
    #expect(try said(last, org: "x") == [nil])
    crashed.crash()
    third.drain()
  }

  // MARK: Bounds

  @Test func idsFromFilesAreBounded() throws {
    let digest = UInt128(7)
    let used = ContentPool(nextID: .max)
    #expect(used.id(digest) == nil)
    let pool = ContentPool(nextID: 0)
    #expect(pool.id(digest) == 1)
    pool.remember([(id: UInt64.max, digest: UInt128(8))], generation: 0)
    #expect(pool.nextID == ContentRecipe.idLimit && pool.id(UInt128(9)) == nil)
    for id in [0, ContentRecipe.idLimit, .max] {
      let piece = ContentPiece(id: id, digest: digest, bytes: [1, 2, 3])
      let payload = LogPayload.content([piece], digests: []) + LogPayload.encode(TalkRows.batch([(1, "x", "")]))
      let place = LogPosition(segment: 1)
      let record = LogRecord(kind: LogPayload.rowsWithContent, payload: payload, position: place, end: place)
      #expect(throws: StorageError.self) { try LogPayload.decode(record, schemas: ["events": Samples.schema]) }
    }
    for next in [0, ContentRecipe.idLimit + 1, .max] {
      var manifest = Manifest.empty(shardCount: 1)
      manifest.nextContent = [next]
      #expect(throws: StorageError.self) { try ManifestCodec.decode(ManifestCodec.encode(manifest), path: "m") }
    }
    // 2z + 1 with a zigzag of -1: the id before the first.
    #expect([3].withUnsafeBytes { ContentRecipe.ids($0) } == nil)
  }

  /// A store in which every id has been given keeps what comes where it is.
  @Test func rowsAreTakenWithoutIDs() throws {
    let text = Samples.history(1, turns: 4)
    let batch = TalkRows.batch([(1, "x", text), (2, "y", "short")])
    let cut = ContentCutter.cut(
      batch, hasher: ContentHasher(secret: Array(0..<32)), pool: ContentPool(nextID: ContentRecipe.idLimit))
    #expect(cut.pieces.isEmpty)
    var rebuilder = ContentRebuilder(ContentView())
    #expect(difference(RowText.rows(try rebuilder.whole(cut.batch)), RowText.rows(batch)) == nil)
  }

  /// A few bytes can't claim much: what is too much is refused before it is there.
  @Test func recipesThatRepeatThemselvesAreBounded() throws {
    var recipe: [UInt8] = []
    let literal = [UInt8](repeating: 65, count: 1000)
    literal.withUnsafeBytes { ContentRecipe.append($0, pieces: [], ids: [], to: &recipe) }
    recipe += [UInt8](repeating: 0, count: 1_000_000)
    var strings = ByteStrings()
    strings.append(recipe)
    let column = ColumnVector(.bytes(strings))
    var rebuilder = ContentRebuilder(ContentView(), within: ReadBounds(bytes: 1 << 20, isOver: { false }))
    #expect(try rebuilder.values(column, isLenient: true) == nil)
    var cancelled = ContentRebuilder(ContentView(), within: ReadBounds(bytes: 1 << 20, isOver: { true }))
    #expect(throws: StorageError.self) { try cancelled.values(column, isLenient: true) }
  }

  // MARK: Tenants

  /// Names that look alike, or are repaired to the same text, are different organisations.
  @Test func organisationsAreKnownByTheirBytes() async throws {
    let names: [[UInt8]] = [[0xC3, 0xA9], [0x65, 0xCC, 0x81], [0xFF], [0xFE], []]
    let text = Samples.message(1)
    var batch = TalkRows.batch(names.map { _ in (1, "", text) })
    var orgs = ByteStrings()
    for name in names { orgs.append(name) }
    batch.columns[try #require(Samples.schema.index(of: "org"))] = ColumnVector(.bytes(orgs))
    let pool = ContentPool(nextID: 1)
    let hasher = ContentHasher(secret: Array(0..<32))
    let pieces = ContentCutter.cut(batch, hasher: hasher, pool: pool).pieces
    #expect(Set(pieces.map(\.digest)).count == names.count)
    for (name, piece) in zip(names, pieces) {
      let own = ContentHasher(secret: Array(0..<32)).key(tenant: name)
      #expect(Array(text.utf8).withUnsafeBytes { own.digest($0) } == piece.digest)
    }
  }
}
