/// OTLP bodies held ready in memory.
struct Bodies: Sendable {
  struct Body: Sendable {
    let bytes: [UInt8]
    let spans: Int
  }

  let bodies: [Body]

  var spans: Int { bodies.reduce(0) { $0 + $1.spans } }
  var bytes: Int { bodies.reduce(0) { $0 + $1.bytes.count } }

  /// - Parameter bodySpans: Spans in one body, as many as a collector's batch.
  static func make(_ workload: inout Workload, spans: Int, bodySpans: Int, threads: Int) async
    -> Bodies
  {
    let catalogue = workload.catalogue
    let shares = await workload.run(spans: spans, threads: threads) { stream, share in
      var bodies: [Body] = []
      stream.forEachBody(catalogue, share, bodySpans) { bytes, spans in
        bodies.append(Body(bytes: Array(bytes), spans: spans))
      }
      return bodies
    }
    return Bodies(bodies: roundRobin(shares))
  }
}

extension SpanStream {
  /// Writes the next `spans` spans into bodies, which are valid during the call only.
  mutating func forEachBody(
    _ catalogue: Catalogue, _ spans: Int, _ bodySpans: Int,
    _ use: (UnsafeRawBufferPointer, Int) -> Void
  ) {
    let writer = OTLPWriter(catalogue)
    let body = ByteSink(capacity: bodySpans * 700)
    forEachRows(spans, bodySpans) { rows in
      body.removeAll()
      writer.write(rows, to: body)
      use(body.bytes, rows.count)
    }
  }

  /// Takes the next `spans` spans, `rows` at a time.
  mutating func forEachRows(_ spans: Int, _ rows: Int, _ use: ([SpanRow]) -> Void) {
    var buffer: [SpanRow] = []
    buffer.reserveCapacity(rows)
    var left = spans
    while left > 0 {
      buffer.removeAll(keepingCapacity: true)
      take(min(rows, left), into: &buffer)
      left -= buffer.count
      use(buffer)
    }
  }
}

/// The first of each list, then the second of each, and so on: as collectors that send at the same pace.
func roundRobin<Element>(_ lists: [[Element]]) -> [Element] {
  let most = lists.map(\.count).max() ?? 0
  return (0..<most).flatMap { turn in lists.compactMap { turn < $0.count ? $0[turn] : nil } }
}
