import Foundation
import LintelColumns
import Testing

@testable import LintelStorage

/// On however many threads a merge runs, it writes the same bytes.
@Suite struct ParallelMergeTests {
  @Test(arguments: [31, 32, 33] as [UInt64])
  func threadsWriteTheSamePart(seed: UInt64) async throws {
    print("seed \(seed)")
    var dice = Dice(seed)
    let options = Samples.Options(rows: 900, attributes: 12, traces: 200)
    let batches = (0..<6).map { _ in Samples.batch(&dice, options) }
    var parts: [Data] = []
    for threads in [1, 2, 5] {
      let directory = ScratchDirectory()
      let store = try StoreTests.open(
        directory,
        StoreTests.configuration { configuration in
          configuration.mergeThreads = threads
          configuration.parallelMergeRows = threads == 1 ? .max : 0
        })
      for batch in batches {
        _ = try await store.append(batch)
        try await store.flush()
      }
      try await store.mergeAll()
      #expect(store.parts("events").map(\.level) == [1])
      #expect(difference(try RowText.rows(store.snapshot("events")), batches.flatMap(RowText.rows)) == nil)
      let name = try #require(store.parts("events").first?.name)
      parts.append(try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/data/\(name)")))
      try await store.close()
    }
    #expect(parts.allSatisfy { $0 == parts[0] })
  }

  /// Columns are made ready ahead of time until there is enough, or until that is over.
  @Test func columnsAreMadeReadyAhead() {
    let ahead = UnitedAhead([5, 1, 3])
    let threads = EngineThreads(count: 1, name: "test")
    let big = ValueDictionary(.id128(Array(repeating: 1, count: 3 << 20)))
    threads.start {
      ahead.unite { (number) throws(StorageError) in
        if number == 5 { throw StorageError(.corrupt, "unreadable") }
        return UnitedColumn(places: [], values: number == 1 ? big : nil)
      }
    }
    while ahead.readyCount == 0 { usleep(1000) }
    usleep(20_000)
    // What failed is left to whoever merges it; 48 MiB are enough.
    #expect(ahead.take(5) == nil)
    #expect(ahead.readyCount == 1)
    ahead.end()
    threads.shutDownAndWait()
    #expect(ahead.take(3) == nil)
    #expect(ahead.take(1)?.values === big)
    #expect(ahead.take(1) == nil)
  }

  /// Columns that are finished before their turn wait; whoever has the turn writes them all. The directory has them by number.
  @Test func columnsComeIntoThePartInTheOrderGiven() throws {
    let directory = ScratchDirectory()
    let path = "\(directory.path)/1.part"
    let part = try PartWriter(
      fileSystem: PosixFileSystem(), path: path, table: "events", rowCount: 64, blockRows: 64)
    let order = [2, 0, 3, 1]
    let queue = ColumnQueue(order, part: part)
    let threads = EngineThreads(count: 3, name: "test")
    threads.together(3) {
      while let number = queue.next() {
        // The first are slow.
        usleep(UInt32(40_000 / (1 + 10 * (order.firstIndex(of: number) ?? 0))))
        var writer = ColumnWriter(.schema("column \(number)"), typeName: "int", physical: .int64, blockCount: 1)
        writer.write(ColumnVector(.int64((0..<64).map { Int64($0 * number + number) })))
        do throws(StorageError) {
          _ = try queue.pass(&writer, number)
          writer.finish(dictionary: nil)
          try queue.finish(writer, number)
        } catch {
          queue.fail(error)
        }
      }
    }
    threads.shutDownAndWait()
    #expect(queue.failure == nil)
    _ = try part.finish(minTime: 0, maxTime: 0, tailKeys: [])
    let footer = try PartFooter(file: try PosixFileSystem().open(path), name: "1.part")
    #expect(footer.directory.columns.map(\.displayName) == (0..<4).map { "column \($0)" })
    let offsets = order.map { footer.directory.columns[$0].dataOffset }
    #expect(offsets == offsets.sorted())
  }
}
