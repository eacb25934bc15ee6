/// A chunk's lanes as runs of equal ones.
///
///     runs := value:u32 * count (less the chunk's base), first lane:u16 * count
struct ChunkRuns {
  private let start: UnsafeRawPointer
  private let count: Int

  /// Runs that are shorter on average take longer to spread than bits to unpack.
  private static let shortest = 6
  /// Bytes of a run.
  private static let stride = MemoryLayout<UInt32>.size + MemoryLayout<UInt16>.size

  /// - Parameter start: Where they were written to.
  init(_ start: UnsafeRawPointer, count: Int) {
    self.start = start
    self.count = count
  }

  /// How many runs a chunk's lanes make; `nil` where they had better be packed.
  static func count(_ lanes: UnsafeBufferPointer<Int64>, width: Int) -> Int? {
    guard width > 0, width <= 32 else { return nil }
    var count = 1
    for lane in 1..<lanes.count where lanes[lane] != lanes[lane &- 1] { count &+= 1 }
    let saves = count * stride * 4 <= BitPacking.byteCount(lanes.count, width: width) * 3
    return saves && count * shortest <= lanes.count ? count : nil
  }

  static func write(_ lanes: UnsafeBufferPointer<Int64>, count: Int, base: Int64, into out: inout [UInt8]) {
    out.append(count: count * stride) { target in
      var run = 0
      for lane in 0..<lanes.count where lane == 0 || lanes[lane] != lanes[lane &- 1] {
        let value = UInt32(truncatingIfNeeded: lanes[lane] &- base)
        target.storeBytes(of: value, toByteOffset: run &* 4, as: UInt32.self)
        target.storeBytes(
          of: UInt16(truncatingIfNeeded: lane), toByteOffset: count &* 4 &+ run &* 2, as: UInt16.self)
        run &+= 1
      }
    }
  }

  /// Lanes past the chunk's last, at most, that ``spread(base:into:)`` writes to.
  static let slack = 32

  @inline(__always)
  private func value(_ run: Int) -> UInt32 { start.loadUnaligned(fromByteOffset: run &* 4, as: UInt32.self) }

  @inline(__always)
  private func first(_ run: Int) -> Int {
    Int(start.loadUnaligned(fromByteOffset: count &* 4 &+ run &* 2, as: UInt16.self))
  }

  /// The value of one lane, less the base.
  func value(ofLane lane: Int) -> UInt32 {
    var (low, high) = (0, count)
    while high &- low > 1 {
      let middle = (low &+ high) / 2
      if first(middle) <= lane { low = middle } else { high = middle }
    }
    return value(low)
  }

  /// All ``BitPacking/chunk`` lanes, and anything into the ``slack`` behind them. A run is written so many lanes at a time
  /// that most take one step, and no branch has to guess how many; what is too much, the next one overwrites.
  @inline(__always)
  func spread<Lane: PackedLane>(base: Lane, into out: UnsafeMutablePointer<Lane>) {
    var lane = 0
    for run in 0..<count {
      let end = run &+ 1 < count ? first(run &+ 1) : BitPacking.chunk
      let value = base &+ Lane(truncatingIfNeeded: value(run))
      repeat {
        Lane.storeRun(value, at: UnsafeMutableRawPointer(out + lane))
        lane &+= Lane.runLanes
      } while lane < end
      lane = end
    }
  }
}
