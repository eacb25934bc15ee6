import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// Small batches that wait at the same time are stored as one, and each is answered for itself.
@Suite struct IntakeTests {
  @Test(arguments: [1, 3]) func whatWaitsIsStoredTogether(shards: Int) async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory, StoreTests.configuration { $0.shardCount = shards })
    let held = HeldThreads(store.callers)
    var dice = Dice(61)
    var batches = (0..<20).map { Samples.batch(&dice, Samples.Options(rows: 1 + $0 % 9, attributes: 6)) }
    // One that isn't valid, one that is there twice, and one that is too large to be put together with others.
    batches[3].columns[0] = ColumnVector.nulls(.bytes, count: 999)
    batches[12] = batches[5]
    batches.append(Samples.batch(&dice, Samples.Options(rows: Intake.smallRows)))
    let all = batches
    let answers = Answers()
    await withTaskGroup(of: Void.self) { group in
      for index in all.indices {
        group.addTask {
          do throws(StorageError) {
            let receipt = try await store.append(all[index])
            answers.take(index, .success(receipt))
          } catch {
            answers.take(index, .failure(error))
          }
        }
      }
      while store.intake.waitingCount < all.count { try? await Task.sleep(for: .milliseconds(1)) }
      held.release()
    }
    let receipts = answers.all
    for (index, batch) in all.enumerated() where ![3, 5, 12].contains(index) {
      let receipt = try #require(try receipts[index]?.get())
      #expect(receipt == AppendReceipt(stored: batch.rowCount, duplicates: 0))
    }
    #expect(throws: StorageError.self) { try receipts[3]?.get() }
    let twice = try [5, 12].compactMap { try receipts[$0]?.get() }
    #expect(twice.map(\.stored).sorted() == [0, all[5].rowCount])
    #expect(twice.map(\.duplicates).sorted() == [0, all[5].rowCount])
    let stored = all.indices.filter { $0 != 3 && $0 != 12 }.flatMap { RowText.rows(all[$0]) }
    let snapshot = try store.snapshot("events")
    #expect(difference(try RowText.rows(snapshot), stored) == nil)
    // Two groups before and after the large one at most, and that one: in each shard.
    #expect(snapshot.segments.count <= 3 * shards)
    #expect(store.statistics.memtableBytes <= all.reduce(0) { $0 + $1.byteCount })
    try await store.flush()
    #expect(store.statistics.memtableBytes == 0)
    try await store.close()
    let again = try StoreTests.open(directory, StoreTests.configuration { $0.shardCount = shards })
    #expect(difference(try RowText.rows(again.snapshot("events")), stored) == nil)
    try await again.close()
  }

  @Test func whatWaitsWhenTheStoreClosesIsRefused() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    var dice = Dice(62)
    let batch = Samples.batch(&dice)
    let held = HeldThreads(store.callers)
    let waiting = Task { try await store.append(batch) }
    while store.intake.waitingCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
    try await store.close()
    held.release()
    await #expect(throws: StorageError.self) { try await waiting.value }
  }

  @Test func groupsKeepToTheirLimits() {
    var dice = Dice(63)
    let intake = Intake(takerLimit: 2)
    func add(_ rows: Int, _ schema: TableSchema = Samples.schema) -> Bool {
      var batch = Samples.batch(&dice, Samples.Options(rows: rows, attributes: 0))
      batch = Batch(schema: schema, rowCount: rows, columns: batch.columns)
      return intake.add(PendingAppend(batch: batch, completion: { _ in }))
    }
    let other = TableSchema(
      name: "others", columns: Samples.schema.columns, hasAttributes: true, sortKey: ["org", "time"], shardKey: "org",
      timeColumn: "time", clusterColumn: "trace")
    let wanted = [add(10), add(20), add(1024), add(30), add(5, other), add(6, other)]
    #expect(wanted == [true, true, false, false, false, false])
    for _ in 0..<10 { _ = add(1000) }
    func rows() -> [Int] { intake.take().map(\.batch.rowCount) }
    #expect(rows() == [10, 20])
    #expect(rows() == [1024])
    #expect(rows() == [30])
    #expect(rows() == [5, 6])
    #expect(rows().count == 8)
    #expect(rows().count == 2)
    #expect(rows() == [])
  }

  /// Each member gets the rows and the failures of its own.
  @Test func aGroupIsAnsweredMemberByMember() throws {
    var dice = Dice(64)
    let answers = Answers()
    let members = [4, 3, 5].enumerated().map { index, rows in
      PendingAppend(
        batch: Samples.batch(&dice, Samples.Options(rows: rows)),
        completion: { answers.take(index, $0) })
    }
    let group = AppendGroup(members, pieces: 3)
    group.finish(.success(.some([0, 2])), rows: [0, 2, 4, 7])
    group.finish(.failure(StorageError(.diskFull, "full")), rows: [5, 6])
    #expect(answers.all.isEmpty)
    group.finish(.success(.all), rows: [1, 3, 8, 9, 10, 11])
    let told = answers.all
    #expect(try told[0]?.get() == AppendReceipt(stored: 3, duplicates: 1))
    #expect(throws: StorageError.self) { try told[1]?.get() }
    #expect(try told[2]?.get() == AppendReceipt(stored: 4, duplicates: 1))
  }
}

private final class Answers: Sendable {
  private let answers = Mutex<[Int: Result<AppendReceipt, StorageError>]>([:])

  var all: [Int: Result<AppendReceipt, StorageError>] { answers.withLock { $0 } }

  func take(_ index: Int, _ answer: Result<AppendReceipt, StorageError>) { answers.withLock { $0[index] = answer } }
}

/// Keeps all of the threads until they are released. They sleep: other tests want the processors.
private final class HeldThreads: Sendable {
  private let state = Monitor((held: 0, isReleased: false))

  init(_ threads: EngineThreads) {
    let count = threads.count
    for _ in 0..<count {
      threads.start { [state] in
        state.change { $0.held += 1 }
        state.wait { $0.isReleased }
      }
    }
    state.wait { $0.held == count }
  }

  func release() { state.change { $0.isReleased = true } }
}
