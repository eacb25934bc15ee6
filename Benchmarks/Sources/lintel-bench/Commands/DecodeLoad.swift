import Lintel
import LintelColumns
import LintelIngest

/// OTLP bytes in memory to columns, on one core: LintelIngest's decoder alone, then with the log record's encoding.
struct DecodeLoad {
  var bodySpans: Int
  var runs: Int

  func run(_ options: WorkloadOptions) async throws {
    var workload = options.workload()
    let bodies = await Bodies.make(
      &workload, spans: options.spans, bodySpans: bodySpans, threads: options.threads)
    let size = Double(bodies.bytes) / Double(bodies.spans)
    print(
      "\(bodies.spans.grouped) spans in bodies of \(bodySpans), \(size.fixed(1)) bytes a span; best of \(runs) runs, one core"
    )
    let decoder = OTLPDecoder(hasher: UserHasher(secret: Array(0..<32)))
    try report("OTLP to columns", bodies) { _ = try Self.decode($0, decoder) }
    var record: [UInt8] = []
    try report("OTLP to columns to log record", bodies) { body in
      record.removeAll(keepingCapacity: true)
      BatchCodec.encode(try Self.decode(body, decoder), into: &record)
    }
  }

  private static func decode(_ body: Bodies.Body, _ decoder: OTLPDecoder) throws -> Batch {
    let request = try body.bytes.withUnsafeBytes { try decoder.decode($0) }
    guard request.accepted == body.spans else {
      throw HTTPConnection.Failure(
        description: "\(body.spans - request.accepted) spans refused: \(request.message)")
    }
    return request.batch
  }

  private func report(_ what: String, _ bodies: Bodies, _ work: (Bodies.Body) throws -> Void) throws {
    var best = Double.infinity
    for _ in 0..<runs {
      let began = Usage.now()
      for body in bodies.bodies { try work(body) }
      best = min(best, Usage.now() - began)
    }
    let rate = Int(Double(bodies.spans) / best)
    print("\(what): \(rate.grouped) spans/s, \((Double(bodies.bytes) / best / 1e6).fixed(0)) MB/s")
  }
}
