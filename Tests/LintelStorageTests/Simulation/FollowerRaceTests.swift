import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// A read-only store beside a writing one, on real files: it never misses a row that was acknowledged before it looked,
/// and never sees one twice, whatever the writer flushes, merges and removes meanwhile.
@Suite struct FollowerRaceTests {
  private final class Progress: Sendable {
    let acknowledged = Atomic<Int>(0)
    let isDone = Atomic<Bool>(false)
  }

  private static func batch(_ number: Int) -> Batch {
    var dice = Dice(UInt64(number))
    var options = Samples.Options()
    (options.rows, options.attributes, options.traces, options.firstTrace) = (3, 1, 1, number)
    return Samples.batch(&dice, options)
  }

  @Test func aFollowerSeesEveryAcknowledgedRowOnce() async throws {
    let folder = try TemporaryFolder()
    var configuration = StoreConfiguration()
    configuration.blockRows = 64
    configuration.flushSeconds = 3600
    let path = folder.path + "/data"
    let writer = try Store.open(path: path, schemas: [Samples.schema], configuration: configuration)
    let reader = try Store.open(path: path, schemas: [Samples.schema], configuration: configuration, readOnly: true)
    let progress = Progress()
    let writing = Task {
      defer { progress.isDone.store(true, ordering: .sequentiallyConsistent) }
      for number in 0..<150 {
        _ = try await writer.append(Self.batch(number))
        progress.acknowledged.store(number + 1, ordering: .sequentiallyConsistent)
        if number % 5 == 4 { try await writer.flush() }
        if number % 40 == 39 { try await writer.mergeAll() }
      }
    }
    var looks = 0
    while !progress.isDone.load(ordering: .sequentiallyConsistent) {
      try await Self.look(reader, progress)
      looks += 1
    }
    try await writing.value
    try await Self.look(reader, progress)
    #expect(looks > 3)
    #expect(reader.problems.isEmpty)
    try await writer.close()
    try await reader.close()
  }

  private static func look(_ reader: Store, _ progress: Progress) async throws {
    let acknowledged = progress.acknowledged.load(ordering: .sequentiallyConsistent)
    let threads = EngineThreads(count: 1, name: "look")
    defer { threads.shutDown() }
    let snapshot = try await threads.run { () throws(StorageError) in try reader.snapshot("events") }
    let column = ColumnReference.column(try #require(Samples.schema.index(of: "trace")))
    var counts: [UInt128: Int] = [:]
    for segment in snapshot.segments {
      for block in 0..<segment.blockCount {
        let vector = try segment.read(column, block: block)
        for row in 0..<vector.count { counts[vector.id128(at: row) ?? 0, default: 0] += 1 }
      }
    }
    for number in 0..<acknowledged {
      let trace = UInt128(number) &* 0x1234_5678_9abc_def1_1234_5678_9abc_def1
      let count = counts[trace] ?? 0
      #expect(count == 3, "batch \(number) of \(acknowledged) acknowledged")
      if count != 3 { return }
    }
  }
}
