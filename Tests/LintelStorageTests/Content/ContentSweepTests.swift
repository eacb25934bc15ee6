import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// What is swept, when, and what never is.
@Suite("Sweeping content") struct ContentSweepTests {
  private static let second: Int64 = 1_000_000_000

  /// A store by a clock that tests move on.
  private final class Clocked: Sendable {
    let directory = ScratchDirectory()
    let now = Mutex(Samples.epoch)

    func open(_ configuration: StoreConfiguration = StoreTests.configuration()) async throws -> Store {
      try await Store.open(
        at: directory.path + "/data", schemas: [Samples.schema], configuration: configuration,
        clock: { [self] in now.withLock { $0 } })
    }

    func advance(_ seconds: Int64) { now.withLock { $0 += seconds * ContentSweepTests.second } }
  }

  private final class Flag: Sendable {
    let value = Atomic(false)
  }

  private static func tick(_ store: Store) async throws {
    store.tick()
    try await store.merger.run { () throws(StorageError) in }
    try await store.flusher.run { () throws(StorageError) in }
  }

  // MARK: Erasures beside sweeps

  /// Two parts in which user 1 said something of their own, and from which their rows are taken, but not their words.
  private static func halfErased(_ directory: ScratchDirectory) async throws -> Store {
    let store = try StoreTests.open(directory)
    for time in 0..<2 {
      _ = try await store.append(
        TalkRows.batch(
          [(1, "a", Samples.message(10 + time)), (2, "a", Samples.message(20 + time))], time: Int64(time)))
      try await store.flush()
    }
    // Not by itself.
    store.erasureRetry.withLock { $0 = .max }
    store.sweepPlan.withLock { $0.retry = .max }
    _ = try store.erase([Subject(Samples.user(1))])
    return store
  }

  /// A sweep comes between the beginning of an erasure and its own sweep.
  @Test func aSweepInBetweenHidesNothingFromAnErasure() async throws {
    let directory = ScratchDirectory()
    let store = try await Self.halfErased(directory)
    let shard = store.shards[0]
    let generation = try store.freeze(shard, for: .erasure(store.exclusions.current))
    try store.writeFrozen()
    try store.sweepContentBlocking()
    #expect(try TalkRows.pieces(store).count == 4)
    try store.mergeTurn.withLock { (_) throws(StorageError) in
      try store.clearParts(store.exclusions.current)
      var marks = ContentMarks()
      #expect(try store.mark(0, &marks) == nil)
      _ = try store.sweepContent(shard, marks, below: generation)
    }
    #expect(try TalkRows.pieces(store) == [Samples.message(20), Samples.message(21)].sorted())
    try await store.close()
  }

  /// The verification finds what is left, whoever should have taken it.
  @Test func theVerificationTrustsNobody() async throws {
    let directory = ScratchDirectory()
    let store = try await Self.halfErased(directory)
    let generation = try store.freeze(store.shards[0], for: .erasure(store.exclusions.current))
    try store.writeFrozen()
    try store.mergeTurn.withLock { (_) throws(StorageError) in try store.clearParts(store.exclusions.current) }
    var verifier = ErasureVerifier(
      store, try store.rules().erasures, keys: store.exclusions.keys, renewed: [], generations: [generation])
    let verification = try verifier.run()
    #expect(verification.found.count == 2)
    #expect(verification.found.allSatisfy { $0.contains("1 pieces that no row refers to") })
    try await store.eraseFiles()
    #expect(try TalkRows.pieces(store) == [Samples.message(20), Samples.message(21)].sorted())
    #expect(try store.rules().erasures.allSatisfy { $0.state == .erased })
    try await store.close()
  }

  /// Erasures, sweeps, merges, flushes and appends on threads of their own.
  @Test func everythingAtOnceLosesAndKeepsNothing() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory, StoreTests.configuration { $0.shardCount = 2 })
    let users = 12
    let isOver = Flag()
    try await withThrowingTaskGroup(of: Void.self) { group in
      let jobs: [@Sendable () throws -> Void] = [
        { try store.sweepContentBlocking() }, { try store.flushBlocking() }, { try store.mergeAllBlocking() },
      ]
      for job in jobs {
        group.addTask {
          while !isOver.value.load(ordering: .relaxed) {
            try job()
            try await Task.sleep(nanoseconds: 2_000_000)
          }
        }
      }
      group.addTask {
        defer { isOver.value.store(true, ordering: .relaxed) }
        for user in 0..<users {
          for turn in 0..<3 {
            let said = "[" + Samples.message(5) + ", " + Samples.message(100 + 10 * user + turn) + "]"
            _ = try await store.append(
              TalkRows.batch(
                [(user, "a", said), (99, "b", said), (99, "a", Samples.message(1000 + 10 * user + turn))],
                time: Int64(10 * user + turn)))
          }
          guard user % 3 == 0 else { continue }
          _ = try store.erase([Subject(Samples.user(user))])
          try store.eraseFilesBlocking()
        }
      }
      try await group.waitForAll()
    }
    try store.flushBlocking()
    try store.sweepContentBlocking()
    var expected: [String: Int] = [Samples.message(5): 2]
    for user in 0..<users {
      for turn in 0..<3 {
        // Of organisation b, and of a unless it is erased.
        expected[Samples.message(100 + 10 * user + turn)] = user % 3 == 0 ? 1 : 2
        expected[Samples.message(1000 + 10 * user + turn)] = 1
      }
    }
    try await store.mergeAll()
    #expect(Dictionary(grouping: try TalkRows.pieces(store), by: \.self).mapValues(\.count) == expected)
    let snapshot = try store.snapshot("events")
    #expect(try RowText.rows(snapshot).count == users * 3 * 3 - 4 * 3)
    #expect(snapshot.damage.notes.isEmpty && store.problems == [])
    try await store.close()
  }

  // MARK: Parts that can't be looked at

  @Test func nothingIsSweptWhileAPartIsSetAside() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory, StoreTests.configuration { $0.cacheBytes = 0 })
    let texts = (1...5).map { Samples.message($0) }
    _ = try await store.append(TalkRows.batch(texts.enumerated().map { ($0.offset, "a", $0.element) }))
    try await store.flush()
    // Not by itself: the damage comes between.
    store.erasureRetry.withLock { $0 = .max }
    _ = try store.erase([Subject(Samples.user(1))])
    let reader = try #require(store.state.withLock { $0.parts["events"]?.first?.reader })
    let path = "\(directory.path)/data/\(reader.name)"
    let whole = try PosixFileSystem().readAll(path, limit: 1 << 24)
    let column = try #require(reader.directory.columns.firstIndex { $0.role == .schema("user") })
    var chunks = try reader.index(ofStored: column).entries.map(\.chunk)
    if let dictionary = reader.directory.columns[column].dictionary { chunks.append(dictionary) }
    for chunk in chunks where chunk.length > 0 { try DamageTests.flip(path, at: chunk.offset + chunk.length / 2) }
    await #expect(throws: StorageError.self) { try await store.eraseFiles() }
    #expect(try TalkRows.pieces(store) == texts.sorted())
    try store.sweepContentBlocking()
    #expect(try TalkRows.pieces(store) == texts.sorted())
    #expect(try store.rules().erasures.allSatisfy { $0.state == .hidden })
    try await store.close()
    // Restored, it can be erased, and the others' words are there.
    try PosixFileSystem().remove(path)
    try PosixFileSystem().create(path).append(whole)
    let restored = try PartReader(
      file: try PosixFileSystem().open(path), name: "p", schema: Samples.schema, expectedChecksum: nil,
      cache: BlockCache(capacity: 0), cacheID: 1, onDamage: { _ in })
    let again = try StoreTests.open(directory)
    let view = again.state.withLock { $0.contentViews()[0] }
    let segment = try #require(ContentSegment(restored, view))
    let values = try segment.read(.attribute(AttributeKey("said", .string)), block: 0)
    #expect((0..<values.count).compactMap { values.string(at: $0) }.sorted() == texts.sorted())
    try await again.close()
  }

  @Test func whatOtherTablesReferToStays() async throws {
    let directory = ScratchDirectory()
    let samples = Samples.schema
    let other = TableSchema(
      name: "others", columns: samples.columns, hasAttributes: true, sortKey: ["org", "time"], shardKey: "org",
      timeColumn: "time", clusterColumn: "trace", subjectColumn: "user", tenantColumn: "org", content: samples.content)
    func open(_ schemas: [TableSchema]) throws -> Store {
      try Store.open(path: directory.path + "/data", schemas: schemas, configuration: StoreTests.configuration())
    }
    var store = try open([samples, other])
    let mine = TalkRows.batch([(1, "a", Samples.message(1)), (2, "a", Samples.message(2))])
    let theirs = Batch(
      schema: other, rowCount: 2, columns: mine.columns,
      attributes: TalkRows.batch([(1, "a", Samples.message(3)), (2, "a", Samples.message(4))]).attributes)
    _ = try await store.append(mine)
    _ = try await store.append(theirs)
    try await store.close()
    store = try open([samples])
    try store.sweepContentBlocking()
    #expect(try TalkRows.pieces(store).count == 4)
    try await store.close()
    store = try open([samples, other])
    #expect(difference(try RowText.rows(store.snapshot("others")), RowText.rows(theirs)) == nil)
    try await store.close()
  }

  // MARK: When

  /// The texts of ten rows, of which the fourth has expired.
  private func oneOfTenExpired(_ store: Store, _ clocked: Clocked) async throws -> [String] {
    try store.sweepContentBlocking()
    let texts = (0..<10).map { Samples.message($0) }
    _ = try await store.append(
      TalkRows.batch(texts.enumerated().map { ($0.offset, $0.offset == 3 ? "b" : "a", $0.element) }))
    try await store.flush()
    try store.setRetention(table: "events", tenant: "b", nanoseconds: 1000 * Self.second)
    clocked.advance(2000)
    try await store.expire()
    return texts
  }

  @Test func littleThatDiedGoesWithinADay() async throws {
    let clocked = Clocked()
    let store = try await clocked.open()
    let texts = try await oneOfTenExpired(store, clocked)
    #expect(try RowText.rows(store.snapshot("events")).count == 9)
    // It is less than is worth writing everything anew for.
    #expect(try TalkRows.pieces(store) == texts.sorted())
    // Also when nothing is to expire any more.
    try store.setRetention(table: "events", tenant: "b", nanoseconds: nil)
    try await Self.tick(store)
    #expect(try TalkRows.pieces(store) == texts.sorted())
    clocked.advance(86_400)
    try await Self.tick(store)
    #expect(try TalkRows.pieces(store) == texts.filter { $0 != texts[3] }.sorted())
    #expect(store.problems == [])
    try await store.close()
  }

  /// What went before a restart is swept after it, without any rule that is left.
  @Test func whatDiedBeforeAnOpeningIsSwept() async throws {
    let clocked = Clocked()
    var store = try await clocked.open()
    let texts = try await oneOfTenExpired(store, clocked)
    try store.setRetention(table: "events", tenant: "b", nanoseconds: nil)
    try await store.close()
    store = try await clocked.open()
    try await Self.tick(store)
    #expect(try TalkRows.pieces(store) == texts.filter { $0 != texts[3] }.sorted())
    try await store.close()
  }

  /// Where everything is some row's, nothing is set aside, and nothing stored anew.
  @Test func aSweepThatFindsNothingForgetsNothing() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    _ = try await store.append(TalkRows.batch([(1, "a", Samples.history(1, turns: 3))]))
    try await store.flush()
    let flushes = store.statistics.flushes
    try store.sweepContentBlocking()
    #expect(store.shards[0].content.generation == 0 && store.statistics.flushes == flushes)
    _ = try await store.append(TalkRows.batch([(1, "a", Samples.history(1, turns: 3))], time: 1))
    try await store.flush()
    #expect(try TalkRows.pieces(store).count == 3)
    try await store.close()
  }

  // MARK: Failures

  /// Damage in one segment is told once; the others are swept, and nothing is done over and over.
  @Test func aDamagedSegmentStopsNoOther() async throws {
    let clocked = Clocked()
    let store = try await clocked.open(StoreTests.configuration { $0.contentCacheBytes = 0 })
    for part in 0..<2 {
      let texts = (0..<4).map { Samples.message(10 * part + $0) }
      _ = try await store.append(
        TalkRows.batch(texts.enumerated().map { ($0.offset, $0.offset < 2 ? "b" : "a", $0.element) }, time: Int64(part))
      )
      try await store.flush()
    }
    let entry = try #require(store.state.withLock { $0.contentSegments[0].first?.entry })
    let path = "\(clocked.directory.path)/data/\(entry.fileName)"
    let bytes = try PosixFileSystem().readAll(path, limit: 1 << 24)
    let directory = bytes.suffix(ContentFormat.trailerLength).prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    // The last byte of the list.
    try DamageTests.flip(path, at: directory - 1)
    try store.setRetention(table: "events", tenant: "b", nanoseconds: 1000 * Self.second)
    clocked.advance(2000)
    try await store.expire()
    let segments = store.state.withLock { $0.contentSegments[0].map(\.entry) }
    #expect(segments.count == 2 && segments.contains(entry) && segments.contains { $0.pieceCount == 2 })
    #expect(store.problems.count == 1 && store.problems[0].path == entry.fileName)
    let (flushes, generation) = (store.statistics.flushes, store.shards[0].content.generation)
    for _ in 0..<5 { try await Self.tick(store) }
    clocked.advance(90_000)
    for _ in 0..<5 { try await Self.tick(store) }
    #expect(store.statistics.flushes == flushes && store.shards[0].content.generation == generation)
    #expect(store.problems.count == 1)
    try await store.close()
  }

  @Test func pausesGrowAfterFailures() {
    var plan = SweepPlan(isDue: false)
    var pauses: [Int64] = []
    for _ in 0..<20 {
      plan.isDue = false
      plan.failed(monotonic: 1000)
      #expect(plan.isDue)
      pauses.append((plan.retry - 1000) / Self.second)
    }
    #expect(pauses.prefix(7) == [60, 120, 240, 480, 960, 1920, 3600] && pauses.allSatisfy { $0 <= 3600 })
    plan.succeeded(isWhole: true, hasLeft: false, began: 5)
    #expect(plan.retry == 0 && plan.lastWhole == 5)
    // A clock that was set back doesn't hold anything up.
    #expect(!plan.isWhole(now: 6) && plan.isWhole(now: 4) && plan.isWhole(now: 5 + 86_400 * Self.second))
  }

  /// Wherever there is no room for a file: what was set aside is written the next time, and no more is set aside.
  @Test func aFullDiskIsNotMadeFuller() throws {
    let (dry, first, trial) = try Self.halfErased()
    let before = dry.callCount
    try trial.sweepContentBlocking()
    let creations = dry.calls.filter { $0.number >= before && $0.name == "create" }
    #expect(Set(creations.map { $0.path.split(separator: ".").last }).isSuperset(of: ["log", "part", "content"]))
    dry.crash()
    first.drain()
    for creation in creations {
      let (disk, scheduler, store) = try Self.halfErased()
      disk.setFault(.fail(at: creation.number, errno: SimulatedFileSystem.noSpace, lasting: false))
      #expect(throws: StorageError.self, "\(creation)") { try store.sweepContentBlocking() }
      let frozen = store.state.withLock { $0.frozen.count }
      #expect(frozen <= 1 && store.statistics.failure == nil, "\(creation)")
      disk.setFault(.none)
      try store.sweepContentBlocking()
      let left = [Samples.message(20), Samples.message(21), Samples.message(30)].sorted()
      #expect(try TalkRows.pieces(store).sorted() == left, "\(creation)")
      // What is there needn't be stored again.
      let batch = TalkRows.batch([(3, "a", Samples.message(20)), (3, "a", Samples.message(30))], time: 10)
      let cut = ContentCutter.cut(batch, hasher: store.contentHasher, pool: store.shards[0].content)
      #expect(store.shards[0].content.missing(cut.pieces).isEmpty, "\(creation)")
      disk.crash()
      scheduler.drain()
    }
  }

  /// A store with rows in memory and in a part, of which some pieces are nobody's any more.
  private static func halfErased() throws -> (SimulatedFileSystem, SimulatedScheduler, Store) {
    let disk = SimulatedFileSystem()
    let scheduler = SimulatedScheduler(seed: 1)
    let store = try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(), fileSystem: disk,
      scheduler: scheduler)
    store.erasureRetry.withLock { $0 = .max }
    let outcome = scheduler.run { () async -> Result<Void, StorageError> in
      do throws(StorageError) {
        for time in 0..<2 {
          let said = [(1, "a", Samples.message(10 + time)), (2, "a", Samples.message(20 + time))]
          _ = try await store.append(TalkRows.batch(said, time: Int64(time)))
          try await store.flush()
        }
        _ = try store.erase([Subject(Samples.user(1))])
        try store.mergeTurn.withLock { (_) throws(StorageError) in try store.clearParts(store.exclusions.current) }
        try await store.mergeAll()
        _ = try await store.append(TalkRows.batch([(2, "a", Samples.message(30))], time: 9))
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try (outcome ?? .failure(StorageError(.io, "it waits for something that nobody does"))).get()
    return (disk, scheduler, store)
  }
}
