internal import CLintelKernels

/// Writes sequences of integers, in the encoding that takes the fewest bytes. Bit patterns of doubles, dictionary codes,
/// string lengths and run lengths go through here too.
///
///     integers := encoding:u8, body         (in a block the encoding is the block's first byte)
///     plain    := 8 bytes a value
///     constant := value:i64
///     runs     := count:varint, integers (one value a run), integers (one length a run; at least 1)
///     bitpack  := for every 1,024 values: base:i64, width:u8, packed(m, width) of value - base
///     delta    := for every 1,024 values: first:i64, base:i64, width:u8, packed(m, width) of
///                 value[i] - value[i - 1] - base; 0 in the place of the first
///     patched  := for every 1,024 values: base:i64, width:u8, exceptions:u16, highWidth:u8, packed(m, width) of the
///                 low bits of value - base, position:u16 of each exception, packed stream (exceptions, highWidth) of
///                 their bits above
///     binned   := see ``BinnedEncoder``
///
/// `m` is 1,024, or the number of values left in the last chunk; `packed` is defined at ``BitPacking``. Differences and
/// sums are taken modulo 2^64. How many values there are is known from outside.
enum IntegerEncoder {
  /// Smallest and largest value, `nil` of none, and the encoding chosen.
  struct Result {
    var encoding: BlockEncoding
    var bounds: (minimum: Int64, maximum: Int64)?
  }

  /// Appends encoding and body.
  @discardableResult
  static func encode(
    _ values: UnsafeBufferPointer<Int64>, effort: EncodingEffort, into out: inout [UInt8]
  ) -> Result {
    let tag = out.count
    out.append(0)
    let result = encodeBody(values, effort: effort, into: &out)
    out[tag] = result.encoding.rawValue
    return result
  }

  /// Appends the body only.
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, effort: EncodingEffort, mayUseRuns: Bool = true, into out: inout [UInt8]
  ) -> Result {
    guard values.count > 0 else { return Result(encoding: .empty, bounds: nil) }
    var profile = IntegerProfile(values)
    let bounds = (profile.minimum, profile.maximum)
    if profile.minimum == profile.maximum {
      out.append(littleEndian: profile.minimum)
      return Result(encoding: .constant, bounds: bounds)
    }
    let start = out.count
    var (encoding, size) = profile.cheapest(values)
    let runCount = profile.changes + 1
    if mayUseRuns, runCount <= values.count / 3, profile.leastSizeOfRuns < size {
      encodeRuns(values, runCount, effort, into: &out)
      // Runs also decode fastest, but a bit-packed block can be looked into without decoding all of it.
      if out.count - start <= size {
        encoding = .runs
        size = out.count - start
      } else {
        out.removeLast(out.count - start)
      }
    }
    if effort != .light, encodeBinned(values, profile, effort, rivalSize: size, from: start, into: &out) {
      return Result(encoding: .binned, bounds: bounds)
    }
    switch encoding {
    case .runs: break
    case .bitpack: encodeBitpack(values, profile, into: &out)
    case .delta: encodeDelta(values, profile, into: &out)
    case .patched: encodePatched(values, profile, into: &out)
    default:
      encoding = .plain
      out.append(contentsOf: UnsafeRawBufferPointer(values))
    }
    return Result(encoding: encoding, bounds: bounds)
  }

  /// Appends encoding and body of zeros and ones: bits, runs or, where they are uneven enough, entropy-coded.
  static func encodeFlags(_ flags: UnsafeBufferPointer<Int64>, into out: inout [UInt8]) {
    let start = out.count
    encode(flags, effort: .light, into: &out)
    let end = out.count
    let rival = BinnedEncoder.Rival(size: end - start - 1, yieldsToAnyShare: true)
    out.append(BlockEncoding.binned.rawValue)
    if BinnedEncoder.encodeBody(flags, minimum: 0, rival: rival, into: &out) {
      out.removeSubrange(start..<end)
    } else {
      out.removeLast()
    }
  }

  /// Puts binned values in the place of what has been written since `start`, if that pays. Values of two bits stay
  /// packed, unless bytes count most: they are scanned fastest, and there is little to save.
  private static func encodeBinned(
    _ values: UnsafeBufferPointer<Int64>, _ profile: IntegerProfile, _ effort: EncodingEffort, rivalSize: Int,
    from start: Int, into out: inout [UInt8]
  ) -> Bool {
    guard rivalSize * 32 > values.count * (effort == .dense ? 4 : 9) else { return false }
    let written = out.count
    let rival =
      effort == .dense
      ? BinnedEncoder.Rival(size: rivalSize, share: 128, yieldsToAnyShare: true) : BinnedEncoder.Rival(size: rivalSize)
    guard BinnedEncoder.encodeBody(values, minimum: profile.minimum, rival: rival, into: &out) else { return false }
    out.removeSubrange(start..<written)
    return true
  }

  private static func encodeRuns(
    _ values: UnsafeBufferPointer<Int64>, _ runCount: Int, _ effort: EncodingEffort, into out: inout [UInt8]
  ) {
    out.append(varint: UInt64(runCount))
    withScratch(of: Int64.self, count: runCount * 2 + 2) { scratch in
      let runs = UnsafeMutableBufferPointer(rebasing: scratch[..<(runCount + 1)])
      let lengths = UnsafeMutableBufferPointer(rebasing: scratch[(runCount + 1)...])
      splitRuns(values, runs, lengths)
      for part in [runs, lengths] {
        let tag = out.count
        out.append(0)
        let part = UnsafeBufferPointer(rebasing: part[..<runCount])
        out[tag] = encodeBody(part, effort: effort, mayUseRuns: false, into: &out).encoding.rawValue
      }
    }
  }

  /// Writes each run's value and length, with no branch: every value is written, and counts when it ends a run.
  private static func splitRuns(
    _ values: UnsafeBufferPointer<Int64>, _ runs: UnsafeMutableBufferPointer<Int64>,
    _ lengths: UnsafeMutableBufferPointer<Int64>
  ) {
    var run = 0
    var start = 0
    runs[0] = values[0]
    for index in 1..<values.count {
      lengths[run] = Int64(index &- start)
      let isNew = values[index] != values[index &- 1]
      run &+= Int(unsafeBitCast(isNew, to: UInt8.self))
      start = isNew ? index : start
      runs[run] = values[index]
    }
    lengths[run] = Int64(values.count &- start)
  }

  private static func encodeBitpack(
    _ values: UnsafeBufferPointer<Int64>, _ profile: IntegerProfile, into out: inout [UInt8]
  ) {
    profile.forEachChunk(values) { chunk, part in
      out.append(littleEndian: part.minimum)
      out.append(UInt8(part.width))
      BitPacking.pack(chunk, width: part.width, base: part.minimum, into: &out)
    }
  }

  private static func encodeDelta(
    _ values: UnsafeBufferPointer<Int64>, _ profile: IntegerProfile, into out: inout [UInt8]
  ) {
    withScratch(of: Int64.self, count: BitPacking.chunk) { deltas in
      profile.forEachChunk(values) { chunk, part in
        out.append(littleEndian: chunk[0])
        out.append(littleEndian: part.minimumDelta)
        out.append(UInt8(part.deltaWidth))
        deltas[0] = part.minimumDelta
        for index in 1..<max(1, chunk.count) { deltas[index] = chunk[index] &- chunk[index &- 1] }
        let used = UnsafeBufferPointer(rebasing: deltas[..<chunk.count])
        BitPacking.pack(used, width: part.deltaWidth, base: part.minimumDelta, into: &out)
      }
    }
  }

  private static func encodePatched(
    _ values: UnsafeBufferPointer<Int64>, _ profile: IntegerProfile, into out: inout [UInt8]
  ) {
    var positions: [UInt16] = []
    var highs: [Int64] = []
    profile.forEachChunk(values) { chunk, part in
      let width = part.patchedWidth
      positions.removeAll(keepingCapacity: true)
      highs.removeAll(keepingCapacity: true)
      if width < part.width {
        for (index, value) in chunk.enumerated() {
          let high = UInt64(bitPattern: value &- part.minimum) &>> UInt64(width)
          if high != 0 {
            positions.append(UInt16(truncatingIfNeeded: index))
            highs.append(Int64(bitPattern: high))
          }
        }
      }
      out.append(littleEndian: part.minimum)
      out.append(UInt8(width))
      out.append(littleEndian: UInt16(truncatingIfNeeded: positions.count))
      out.append(UInt8(positions.isEmpty ? 0 : part.width - width))
      BitPacking.pack(chunk, width: width, base: part.minimum, into: &out)
      out.append(memoryOf: positions)
      highs.withUnsafeBufferPointer { highs in
        // All 1,024 values can't be exceptions, so that this is a stream, never a vertical chunk.
        BitPacking.pack(highs, width: part.width - width, base: 0, into: &out)
      }
    }
  }
}
