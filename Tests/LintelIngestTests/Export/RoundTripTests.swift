import LintelColumns
import Testing

@testable import LintelIngest

/// What comes out equals what went in.
@Suite struct RoundTripTests {
  /// Sent as protobuf, exported, and read by Foundation's JSON parser: field by field what the model says.
  @Test(arguments: (1...60).map { UInt64($0) })
  func exportedIsWhatWasSent(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let sent = randomRequest(&random)
    let result = try decode(encoded(sent))
    try result.batch.validate()
    #expect(result.rejectedCount == 0)
    let lines = try SpanExporter().lines(result.batch)
    let expected = Canonical.spans(sent)
    let exported = try Canonical.spans(jsonLines: lines)
    #expect(exported.count == expected.count, "seed \(seed)")
    for (sent, back) in zip(expected, exported) {
      #expect(sent == back, "seed \(seed)\n\(Canonical.difference(sent, back))")
    }
  }

  /// Sent as protobuf, exported, decoded again from JSON: the same rows, to the digest.
  @Test(arguments: (1...60).map { UInt64($0) })
  func importingAnExportGivesTheSameRows(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let batch = try decode(encoded(randomRequest(&random))).batch
    let lines = try SpanExporter().lines(batch)
    var again: [UInt128] = []
    for line in lines.split(separator: 0x0a) {
      let copy = try decode(json: String(decoding: line, as: UTF8.self))
      #expect(copy.rejectedCount == 0, "seed \(seed): \(copy.message)")
      again += RowDigest.digests(of: copy.batch)
    }
    #expect(again.sorted() == RowDigest.digests(of: batch).sorted(), "seed \(seed)")
  }

  @Test func batchesSurviveTheirCodec() throws {
    var random = SplitMix64(seed: 77)
    for _ in 0..<50 {
      let batch = try decode(encoded(randomRequest(&random))).batch
      var bytes: [UInt8] = []
      BatchCodec.encode(batch, into: &bytes)
      let copy = try bytes.withUnsafeBytes { try BatchCodec.decode($0, schema: batch.schema) }
      #expect(RowDigest.digests(of: copy) == RowDigest.digests(of: batch))
    }
  }
}
