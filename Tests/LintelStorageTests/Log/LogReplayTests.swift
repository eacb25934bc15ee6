import LintelColumns
import Testing

@testable import LintelStorage

@Suite struct LogReplayTests {
  @Test func manyRecordsComeBackInOrderFromSeveralThreads() throws {
    var dice = Dice(12)
    let large = (0..<60).map { _ in Samples.batch(&dice, Samples.Options(rows: 3000, attributes: 3, traces: 50)) }
    let place = LogPosition(segment: 1)
    let records = large.map { batch in
      LogRecord(kind: LogPayload.rows, payload: LogPayload.encode(batch), position: place, end: place)
    }
    for threads in [0, 1, 3] {
      let replay = LogReplay(
        schemas: [Samples.schema],
        exclusions: Exclusions(
          StoreRules(), number: 1, tokens: SubjectTokens(secret: []), keys: [:], isDoubtful: false), threads: threads)
      var pieces: [LogReplay.Piece] = []
      for record in records { pieces += try replay.add(record) }
      pieces += try replay.finish()
      #expect(pieces.count > 1)
      #expect(pieces.flatMap(\.digests) == large.flatMap { Store.digests(of: $0) })
      #expect(pieces.flatMap(\.batches).flatMap { RowText.rows($0) } == large.flatMap { RowText.rows($0) })
    }
  }
}
