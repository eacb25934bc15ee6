/// A column vector of integers or codes as it is kept in memory for being read often: each chunk of 1,024 lanes at the
/// number of bits its values need, or as runs where neighbours are alike: the user and the session of a trace's spans. It
/// takes a fraction of the lanes' bytes and unpacks at several values a nanosecond, whatever the encoding that the lanes
/// were stored in.
///
/// Lanes of null rows come back as anything.
public struct PackedVector: Sendable {
  struct Chunk {
    /// The least lane; what is packed counts from it.
    var base: Int64
    /// The greatest lane.
    var high: Int64
    var offset: UInt32
    var width: UInt8
    /// How many runs the lanes are kept as; 0: packed.
    var runs: UInt16 = 0
  }

  private(set) var chunks: [Chunk] = []
  private(set) var packed: [UInt8] = []
  let validity: Bitmap?
  /// `nil` for integers.
  public let dictionary: ValueDictionary?
  public let count: Int

  /// `nil` for lanes of other types, and for vectors so short or so wide that little would be saved.
  public init?(_ vector: ColumnVector) {
    count = vector.count
    guard count >= BitPacking.chunk else { return nil }
    validity = vector.validity
    switch vector.storage {
    case .int64(let lanes):
      dictionary = nil
      lanes.withUnsafeBufferPointer { pack($0) }
      guard packed.count < count * 7 else { return nil }
    case .codes(let codes, let dictionary):
      self.dictionary = dictionary
      codes.withUnsafeBufferPointer { pack($0) }
      guard packed.count < count * 7 / 2 else { return nil }
    default: return nil
    }
  }

  public var physicalType: PhysicalType { dictionary?.physicalType ?? .int64 }

  /// Bytes of memory, without the dictionary's.
  public var byteCount: Int {
    packed.count + chunks.count * MemoryLayout<Chunk>.stride + (validity.map { 8 * $0.words.count } ?? 0)
  }

  private mutating func pack<Lane: FixedWidthInteger>(_ lanes: UnsafeBufferPointer<Lane>) {
    chunks.reserveCapacity((lanes.count + BitPacking.chunk - 1) / BitPacking.chunk)
    withScratch(of: Int64.self, count: BitPacking.chunk) { scratch in
      var start = 0
      while start < lanes.count {
        fill(scratch, lanes, from: start)
        let (low, high) = Kernels.bounds(UnsafeBufferPointer(scratch))
        let width = BitPacking.width(UInt64(bitPattern: high &- low))
        let runs = ChunkRuns.count(UnsafeBufferPointer(scratch), width: width)
        chunks.append(
          Chunk(
            base: low, high: high, offset: UInt32(truncatingIfNeeded: packed.count),
            width: UInt8(truncatingIfNeeded: width), runs: UInt16(truncatingIfNeeded: runs ?? 0)))
        if let runs {
          ChunkRuns.write(UnsafeBufferPointer(scratch), count: runs, base: low, into: &packed)
        } else {
          BitPacking.pack(UnsafeBufferPointer(scratch), width: width, base: low, into: &packed)
        }
        start += BitPacking.chunk
      }
    }
    // Kept for long: gives back what growing left over. (`Array(packed[...])` would hand back the same memory.)
    packed = packed.withUnsafeBufferPointer { Array($0) }
  }

  /// One chunk's lanes. Null rows and those past the end repeat a neighbour, so that they widen nothing.
  private func fill<Lane: FixedWidthInteger>(
    _ scratch: UnsafeMutableBufferPointer<Int64>, _ lanes: UnsafeBufferPointer<Lane>, from start: Int
  ) {
    let end = min(start + BitPacking.chunk, lanes.count)
    var last: Int64 = 0
    if let validity {
      let first = (start..<end).first { validity[$0] }
      last = first.map { Int64(truncatingIfNeeded: lanes[$0]) } ?? 0
      for row in start..<end {
        if validity[row] { last = Int64(truncatingIfNeeded: lanes[row]) }
        scratch[row - start] = last
      }
    } else {
      for row in start..<end { scratch[row - start] = Int64(truncatingIfNeeded: lanes[row]) }
      last = scratch[end - start - 1]
    }
    for lane in (end - start)..<BitPacking.chunk { scratch[lane] = last }
  }

  public func unpacked() -> ColumnVector {
    if let dictionary { return ColumnVector(.codes(lanes(), dictionary), validity: validity) }
    return ColumnVector(.int64(lanes()), validity: validity)
  }

  private func lanes<Lane: PackedLane>() -> [Lane] {
    [Lane](unsafeUninitializedCapacity: chunks.count * BitPacking.chunk + ChunkRuns.slack) { out, initialized in
      forEachChunk { chunk, packed, first in
        chunk.unpack(packed, into: UnsafeMutableBufferPointer(rebasing: out[first...]))
      }
      initialized = count
    }
  }

  /// Calls `body(chunk, packed bytes, its first row)` for every chunk, in order.
  @inline(__always)
  func forEachChunk(_ body: (Chunk, UnsafeRawBufferPointer, Int) -> Void) {
    packed.withUnsafeBytes { packed in
      for (number, chunk) in chunks.enumerated() { body(chunk, packed, number &* BitPacking.chunk) }
    }
  }
}

extension PackedVector.Chunk {
  /// All lanes of the chunk, ``BitPacking/chunk`` of them; `target` has ``ChunkRuns/slack`` more, which may hold anything then.
  @inline(__always)
  func unpack<Lane: PackedLane>(
    _ packed: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Lane>
  ) {
    let base = Lane(truncatingIfNeeded: base)
    guard width > 0, let start = packed.baseAddress, let lanes = target.baseAddress else {
      return target[..<BitPacking.chunk].update(repeating: base)
    }
    if runs > 0 {
      ChunkRuns(start + Int(offset), count: Int(runs)).spread(base: base, into: lanes)
    } else {
      Lane.unpackChunk(start + Int(offset), width: Int(width), base: base, into: lanes)
    }
  }
}
