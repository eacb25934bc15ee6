internal import CLintelKernels

/// What the values of a sequence look like, chunk by chunk, and what each encoding would cost.
struct IntegerProfile {
  struct Chunk {
    var minimum: Int64
    var width: Int
    var minimumDelta: Int64
    var deltaWidth: Int
    /// Bits a value in the patched encoding; `width` where patching doesn't pay.
    var patchedWidth: Int
  }

  private(set) var chunks: [Chunk] = []
  private(set) var minimum: Int64 = .max
  private(set) var maximum: Int64 = .min
  /// How many values differ from the one before.
  private(set) var changes = 0
  private let count: Int
  private var bitpackSize = 0
  private var deltaSize = 0

  /// Looks at every value once; there must be one at least.
  init(_ values: UnsafeBufferPointer<Int64>) {
    count = values.count
    chunks.reserveCapacity(count / BitPacking.chunk + 1)
    var start = 0
    while start < count {
      let size = min(BitPacking.chunk, count - start)
      guard let base = values.baseAddress else { return }
      var profile = lintel_profile()
      lintel_profile_i64(base + start, size, &profile)
      if start > 0, values[start] != values[start - 1] { changes += 1 }
      add(profile, size)
      start += size
    }
  }

  private mutating func add(_ profile: lintel_profile, _ size: Int) {
    let width = BitPacking.width(UInt64(bitPattern: profile.maximum &- profile.minimum))
    let deltaRange = UInt64(bitPattern: profile.maximum_delta &- profile.minimum_delta)
    let deltaWidth = BitPacking.width(deltaRange)
    chunks.append(
      Chunk(
        minimum: profile.minimum, width: width, minimumDelta: profile.minimum_delta, deltaWidth: deltaWidth,
        patchedWidth: width))
    minimum = min(minimum, profile.minimum)
    maximum = max(maximum, profile.maximum)
    changes += profile.changes
    bitpackSize += 9 + BitPacking.byteCount(size, width: width)
    deltaSize += 17 + BitPacking.byteCount(size, width: deltaWidth)
  }

  /// A lower bound of the size of the runs encoding; what the runs really take shows when they are written.
  var leastSizeOfRuns: Int { changes / 4 }

  /// The encoding, runs apart, with the fewest bytes, and how many. One that decodes slower must save something.
  mutating func cheapest(_ values: UnsafeBufferPointer<Int64>) -> (BlockEncoding, Int) {
    var best = (BlockEncoding.plain, count * 8)
    if bitpackSize < best.1 { best = (.bitpack, bitpackSize) }
    if deltaSize < best.1 - best.1 / 16 { best = (.delta, deltaSize) }
    let patchedSize = planPatches(values)
    if patchedSize < best.1 - best.1 / 16 { best = (.patched, patchedSize) }
    return best
  }

  /// Chooses each chunk's patched width; the sum of the chunks' sizes.
  private mutating func planPatches(_ values: UnsafeBufferPointer<Int64>) -> Int {
    guard let base = values.baseAddress else { return .max }
    var total = 0
    withScratch(of: UInt32.self, count: 65) { histogram in
      guard let counts = histogram.baseAddress else { return }
      for index in chunks.indices {
        let start = index * BitPacking.chunk
        let size = min(BitPacking.chunk, count - start)
        histogram.initialize(repeating: 0)
        lintel_count_widths(base + start, size, chunks[index].minimum, counts)
        let plan = IntegerProfile.patchedWidth(UnsafeBufferPointer(histogram), chunks[index].width, size)
        chunks[index].patchedWidth = plan.width
        total += plan.size
      }
    }
    return total
  }

  private static func patchedWidth(
    _ histogram: UnsafeBufferPointer<UInt32>, _ width: Int, _ size: Int
  ) -> (width: Int, size: Int) {
    var best = (width: width, size: 12 + BitPacking.byteCount(size, width: width))
    var exceptions = 0
    var candidate = width - 1
    while candidate >= 0 {
      exceptions += Int(histogram[candidate + 1])
      if exceptions > size / 8 { break }
      let highs = BitPacking.byteCount(exceptions, width: width - candidate)
      let bytes = 12 + BitPacking.byteCount(size, width: candidate) + exceptions * 2 + highs
      if bytes < best.size { best = (candidate, bytes) }
      candidate -= 1
    }
    return best
  }

  /// Calls `body` with each chunk's values and plan.
  @inline(__always)
  func forEachChunk(_ values: UnsafeBufferPointer<Int64>, _ body: (UnsafeBufferPointer<Int64>, Chunk) -> Void) {
    var start = 0
    for part in chunks {
      let size = min(BitPacking.chunk, count - start)
      body(UnsafeBufferPointer(rebasing: values[start..<start + size]), part)
      start += size
    }
  }
}
