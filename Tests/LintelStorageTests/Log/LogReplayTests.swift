import LintelColumns
import Testing

@testable import LintelStorage

@Suite struct LogReplayTests {
  /// Goes through batches of these sizes, with all numbers of threads.
  private func replay(_ sizes: [Int], _ check: ([Batch], _ found: [Batch], _ digests: [[UInt128]]) -> Void) throws {
    var dice = Dice(12)
    let batches = sizes.map { Samples.batch(&dice, Samples.Options(rows: $0, attributes: 3, traces: 50)) }
    let place = LogPosition(segment: 1)
    let records = batches.map { batch in
      LogRecord(kind: LogPayload.rows, payload: LogPayload.encode(batch), position: place, end: place)
    }
    for count in [0, 1, 3] {
      let threads = EngineThreads(count: count, name: "replay")
      let replay = LogReplay(
        shard: 0, schemas: [Samples.schema],
        exclusions: Exclusions(
          StoreRules(), number: 1, tokens: SubjectTokens(secret: []), keys: [:], isDoubtful: false),
        blockRows: 300, threads: threads)
      var found: [LogPayload.Logged] = []
      for record in records { found += try replay.add(record) }
      found += try replay.finish()
      check(batches, found.map(\.batch), replay.digests(of: found[...]))
      threads.shutDownAndWait()
    }
  }

  @Test func manyRecordsComeBackInOrderFromSeveralThreads() throws {
    try replay(Array(repeating: 3000, count: 60)) { batches, found, digests in
      #expect(found.count == 60)
      #expect(digests == batches.map { Store.digests(of: $0) })
      #expect(found.flatMap { RowText.rows($0) } == batches.flatMap { RowText.rows($0) })
    }
  }

  @Test func smallRecordsBecomeOneBetweenLargeOnes() throws {
    try replay([5, 7, 900, 1, 1, 1, 900, 255, 256, 200, 100, 1]) { batches, found, digests in
      #expect(found.map(\.rowCount) == [12, 900, 3, 900, 255, 256, 300, 1])
      #expect(digests.flatMap { $0 } == batches.flatMap { Store.digests(of: $0) })
      #expect(found.flatMap { RowText.rows($0) } == batches.flatMap { RowText.rows($0) })
    }
  }
}
