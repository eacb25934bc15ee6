/// Spans of several collectors at the same time: independent streams, so that they can be made on several threads and are
/// still the same for the same seed.
struct Workload: Sendable {
  static let streamCount = 4

  let catalogue: Catalogue
  private(set) var streams: [SpanStream]

  /// - Parameters:
  ///   - start: When the first trace starts, nanoseconds since 1970.
  ///   - rate: Spans a second of imagined time.
  init(seed: UInt64, start: Int64, rate: Double) {
    let catalogue = Catalogue(seed: seed)
    self.catalogue = catalogue
    streams = (0..<Self.streamCount).map { stream in
      SpanStream(
        catalogue: catalogue, seed: seed, stream: stream, streamCount: Self.streamCount, start: start,
        rate: rate / Double(Self.streamCount))
    }
  }

  var floor: EntropyFloor {
    var floor = EntropyFloor()
    for stream in streams { floor.add(stream.floor) }
    return floor
  }

  /// Takes `spans` spans, an equal share of each stream, on `threads` threads at once.
  ///
  /// - Parameter body: Gets a stream and its share, on any thread.
  /// - Returns: What `body` made of each stream, in the streams' order.
  mutating func run<Result: Sendable>(
    spans: Int, threads: Int, _ body: @escaping @Sendable (inout SpanStream, Int) -> Result
  ) async -> [Result] {
    let streams = streams
    let results = await withTaskGroup(of: [(Int, SpanStream, Result)].self) { group in
      for thread in 0..<threads {
        group.addTask {
          stride(from: thread, to: streams.count, by: threads).map { number in
            var stream = streams[number]
            let share = spans / streams.count + (number < spans % streams.count ? 1 : 0)
            let result = body(&stream, share)
            return (number, stream, result)
          }
        }
      }
      return await group.reduce(into: [(Int, SpanStream, Result)]()) { $0 += $1 }.sorted { $0.0 < $1.0 }
    }
    self.streams = results.map { $0.1 }
    return results.map { $0.2 }
  }
}
