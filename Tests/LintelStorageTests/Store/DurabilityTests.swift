import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

@Suite struct DurabilityTests {
  @Test func rowsSentAgainAreDropped() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(51)
    var store = try StoreTests.open(directory)
    let first = Samples.batch(&dice)
    let second = Samples.batch(&dice)
    _ = try await store.append(first)
    #expect(try await store.append(first) == AppendReceipt(stored: 0, duplicates: 100))
    try await store.flush()
    // Half of it is new, half known from a part.
    let mixed = try #require(BatchJoin.join([first.select(rows: Array(0..<50)), second.select(rows: Array(0..<50))]))
    #expect(try await store.append(mixed) == AppendReceipt(stored: 50, duplicates: 50))
    try await store.close()
    store = try StoreTests.open(directory)
    #expect(try await store.append(second) == AppendReceipt(stored: 50, duplicates: 50))
    #expect(try await store.append(first) == AppendReceipt(stored: 0, duplicates: 100))
    #expect(difference(try RowText.rows(store.snapshot("events")), RowText.rows(first) + RowText.rows(second)) == nil)
    #expect(store.statistics.duplicateRows == 150)
    try await store.close()
  }

  /// Rows sent again after a restart lie in parts, merged or not, of which only a block's digests fit into memory at once.
  @Test(arguments: [52, 53, 54] as [UInt64])
  func rowsSentAgainAfterARestartAreFoundInTheParts(seed: UInt64) async throws {
    print("seed \(seed)")
    let directory = ScratchDirectory()
    var dice = Dice(seed)
    let configuration = StoreTests.configuration { configuration in
      configuration.blockRows = 64
      configuration.shardCount = 1 + dice.below(2)
      configuration.retryWindowRows = [100, 1 << 20][dice.below(2)]
    }
    var batches: [Batch] = []
    for _ in 0..<4 {
      let store = try StoreTests.open(directory, configuration)
      for _ in 0..<3 {
        batches.append(Samples.batch(&dice, Samples.Options(rows: 150)))
        #expect(try await store.append(batches[batches.count - 1]).stored == 150)
        try await store.flush()
      }
      if dice.chance(50) { try await store.mergeAll() }
      try await store.close()
    }
    let store = try StoreTests.open(directory, configuration)
    for batch in batches.shuffled(using: &dice) {
      #expect(try await store.append(batch) == AppendReceipt(stored: 0, duplicates: 150), "seed \(seed)")
    }
    let more = Samples.batch(&dice, Samples.Options(rows: 150))
    let mixed = try #require(BatchJoin.join([batches[0].select(rows: [1, 77]), more, batches[5].select(rows: [9])]))
    #expect(try await store.append(mixed) == AppendReceipt(stored: 150, duplicates: 3), "seed \(seed)")
    #expect(difference(try RowText.rows(store.snapshot("events")), (batches + [more]).flatMap(RowText.rows)) == nil)
    try await store.close()
  }

  @Test func rowsOlderThanTheWindowAreTaken() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(55)
    let batch = Samples.batch(&dice)
    let configuration = StoreTests.configuration { $0.retryWindowSeconds = 0 }
    for _ in 0..<2 {
      let store = try StoreTests.open(directory, configuration)
      #expect(try await store.append(batch) == AppendReceipt(stored: 100, duplicates: 0))
      try await store.close()
    }
  }

  @Test func theBudgetIsKept() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(61)
    let store = try StoreTests.open(
      directory,
      StoreTests.configuration { configuration in
        configuration.memoryBudget = 400_000
        configuration.flushBytes = 1 << 30
      })
    // Nothing is flushed while this lock is held.
    var refused = 0
    var expected: [String] = []
    let held = HeldLock(store)
    for _ in 0..<60 {
      let batch = Samples.batch(&dice)
      do {
        _ = try await store.append(batch)
        expected += RowText.rows(batch)
      } catch {
        #expect(error.code == .overloaded)
        refused += 1
      }
      #expect(store.statistics.memtableBytes <= 400_000)
    }
    #expect(refused > 0)
    held.release()
    try await store.flush()
    #expect(store.statistics.memtableBytes == 0)
    let batch = Samples.batch(&dice)
    _ = try await store.append(batch)
    expected += RowText.rows(batch)
    #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
    try await store.close()
  }

  @Test func aFollowerSeesWhatIsAcknowledged() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(71)
    let store = try StoreTests.open(directory, StoreTests.configuration { $0.shardCount = 2 })
    let follower = try StoreTests.open(directory, readOnly: true)
    var expected: [String] = []
    for round in 0..<12 {
      let batch = Samples.batch(&dice)
      expected += RowText.rows(batch)
      _ = try await store.append(batch)
      #expect(difference(try RowText.rows(follower.snapshot("events")), expected) == nil, "round \(round)")
      if round % 3 == 2 { try await store.flush() }
      if round % 5 == 4 { try await store.mergeAll() }
      #expect(difference(try RowText.rows(follower.snapshot("events")), expected) == nil, "round \(round)")
    }
    do {
      _ = try await follower.append(Samples.batch(&dice))
      Issue.record("a read-only store took rows")
    } catch {
      #expect(error.code == .readOnly)
    }
    try await store.close()
    #expect(difference(try RowText.rows(follower.snapshot("events")), expected) == nil)
    try await follower.close()
  }

  @Test func appendersQueriesFlushesAndMergesTogether() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(
      directory,
      StoreTests.configuration { configuration in
        configuration.flushBytes = 60_000
        configuration.shardCount = 2
      })
    let follower = try StoreTests.open(directory, readOnly: true)
    let acknowledged = RowCounter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          var dice = Dice(UInt64(80 + worker))
          for _ in 0..<15 {
            let batch = Samples.batch(&dice)
            _ = try await store.append(batch)
            acknowledged.add(batch.rowCount)
          }
        }
      }
      group.addTask {
        for _ in 0..<40 {
          let before = acknowledged.value
          let rows = try store.snapshot("events").rowCount
          #expect(rows >= before)
          let seen = acknowledged.value
          let followed = try follower.snapshot("events").rowCount
          #expect(followed >= seen)
        }
      }
      group.addTask { for _ in 0..<3 { try await store.mergeAll() } }
      try await group.waitForAll()
    }
    #expect(try store.snapshot("events").rowCount == 6000)
    let expected = try RowText.rows(store.snapshot("events"))
    try await store.flush()
    #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
    #expect(difference(try RowText.rows(follower.snapshot("events")), expected) == nil)
    #expect(store.problems == [])
    #expect(store.statistics.flushes > 1)
    try await store.close()
  }

  @Test func manyTinyBatchesMakeFewSegments() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory, StoreTests.configuration { $0.durability = .buffered })
    var dice = Dice(91)
    let batches = (0..<600).map { _ in Samples.batch(&dice, Samples.Options(rows: 3, attributes: 2)) }
    await withTaskGroup(of: Void.self) { group in
      for batch in batches { group.addTask { _ = try? await store.append(batch) } }
    }
    let expected = batches.flatMap { RowText.rows($0) }
    #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
    // Beside those that wait there are the joined ones.
    let most = Memtable.smallSegmentLimit + 40
    var segments = Int.max
    for _ in 0..<200 where segments > most {
      segments = try store.snapshot("events").segments.count
      try await Task.sleep(nanoseconds: 5_000_000)
    }
    #expect(segments <= most)
    #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
    try await store.close()
  }
}

/// Keeps a store from flushing until it is released.
private final class HeldLock: Sendable {
  private let state = Monitor((isTaken: false, isReleased: false))

  init(_ store: Store) {
    store.callers.start { [state] in
      store.flushTurn.withLock { _ in
        state.change { $0.isTaken = true }
        state.wait { $0.isReleased }
      }
    }
    state.wait { $0.isTaken }
  }

  func release() { state.change { $0.isReleased = true } }
}

private final class RowCounter: Sendable {
  private let count = Mutex(0)

  var value: Int { count.withLock { $0 } }

  func add(_ rows: Int) { count.withLock { $0 += rows } }
}
