/// The spans that one collector receives, in the order of their end times: spans of many traces interleaved, a child
/// before its parent, as exporters send them.
///
/// Traces start at random, so many a second. A span waits in a ring of time windows until the window in which it ends is
/// complete; memory so depends on the rate and on how long traces last, not on how many spans are taken.
struct SpanStream: Sendable {
  /// Spans of the same end time window.
  private var ring: [[SpanRow]]
  /// Spans that end after the ring's last window.
  private var late: [SpanRow] = []
  /// Nanoseconds of a window.
  private let window: Int64
  /// When the first window began, nanoseconds since 1970.
  private let start: Int64
  /// Number of the window being handed out, from 0.
  private var current = -1
  private var order: EndOrder
  private var given = 0

  /// Which of the workload's streams it is, from 0.
  let number: Int
  private var maker: TraceMaker
  private let traceGap: Quantity
  private var nextTrace: Int64

  /// - Parameters:
  ///   - start: When the first trace starts, nanoseconds since 1970.
  ///   - rate: Spans a second of this stream, on average.
  init(
    catalogue: Catalogue, seed: UInt64, stream: Int, streamCount: Int, start: Int64, rate: Double
  ) {
    number = stream
    maker = TraceMaker(catalogue: catalogue, seed: seed, stream: stream, streamCount: streamCount)
    window = Int64(Self.windowSpans / rate * 1e9) + 1
    ring = Array(repeating: [], count: Self.windows)
    order = EndOrder(window: window)
    traceGap = .exponential(mean: Self.spansPerTrace / rate * 1e9)
    self.start = start
    nextTrace = start
  }

  private static let windows = 512
  private static let windowSpans = 1024.0
  /// On average, as measured; only the rate depends on it.
  private static let spansPerTrace = 12.0

  /// What the draws so far need, whatever the format.
  var floor: EntropyFloor { maker.dice.floor }

  /// Calls `body` with the next spans, up to `count`. At least one.
  mutating func next<Result>(
    _ count: Int, _ body: (_ rows: [SpanRow], _ order: ArraySlice<UInt32>) -> Result
  ) -> Result {
    while given >= order.permutation.count { advance() }
    let end = min(order.permutation.count, given + count)
    defer { given = end }
    return body(ring[current % Self.windows], order.permutation[given..<end])
  }

  /// Appends exactly `count` spans to `rows`.
  mutating func take(_ count: Int, into rows: inout [SpanRow]) {
    var missing = count
    while missing > 0 {
      missing -= next(missing) { window, order in
        for index in order { rows.append(window[Int(index)]) }
        return order.count
      }
    }
  }

  /// Makes the traces that start in the next window, after which all spans that end in it are known.
  private mutating func advance() {
    // Memory of a window is given back: kept for each of the ring's, it would be all that the ring could ever hold.
    if current >= 0 { ring[current % Self.windows] = [] }
    current += 1
    given = 0
    if current % Self.windows == 0 { placeLate() }
    let end = start + Int64(current + 1) * window
    while nextTrace < end {
      maker.makeTrace(start: nextTrace)
      for row in maker.rows { place(row) }
      nextTrace += 1 + maker.dice.draw(traceGap, .startTime)
    }
    order.sort(ring[current % Self.windows], from: end - window)
  }

  @inline(__always)
  private mutating func place(_ row: SpanRow) {
    let number = Int((row.end - start) / window)
    if number < current + Self.windows {
      ring[number % Self.windows].append(row)
    } else {
      late.append(row)
    }
  }

  private mutating func placeLate() {
    let waiting = late
    late.removeAll(keepingCapacity: true)
    for row in waiting { place(row) }
  }
}

/// Sorts the spans of a window by their ends: spread over many small slots first, then by insertion, since hardly any
/// span is far from its place.
struct EndOrder: Sendable {
  private static let slots = 2048

  private(set) var permutation: [UInt32] = []
  private var counts = [UInt32](repeating: 0, count: EndOrder.slots + 1)
  private let slotsPerNanosecond: Double

  init(window: Int64) { slotsPerNanosecond = Double(Self.slots) / Double(window) }

  mutating func sort(_ rows: [SpanRow], from start: Int64) {
    for slot in counts.indices { counts[slot] = 0 }
    for row in rows { counts[slot(row, start) + 1] += 1 }
    for slot in 1..<counts.count { counts[slot] += counts[slot - 1] }
    permutation = Array(repeating: 0, count: rows.count)
    for index in rows.indices {
      let slot = slot(rows[index], start)
      permutation[Int(counts[slot])] = UInt32(index)
      counts[slot] += 1
    }
    for place in permutation.indices.dropFirst() {
      let index = permutation[place]
      let end = rows[Int(index)].end
      var hole = place
      while hole > 0, rows[Int(permutation[hole - 1])].end > end {
        permutation[hole] = permutation[hole - 1]
        hole -= 1
      }
      permutation[hole] = index
    }
  }

  @inline(__always)
  private func slot(_ row: SpanRow, _ start: Int64) -> Int {
    min(Self.slots - 1, Int(Double(row.end - start) * slotsPerNanosecond))
  }
}
