/// Reads what ``IntegerEncoder`` writes, straight into 64-bit lanes or 32-bit ones (then modulo 2^32).
enum IntegerDecoder {
  /// Reads encoding and body of `out.count` values.
  static func decode<Lane: PackedLane>(
    _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    let encoding = try BlockEncoding.read(&reader)
    try decodeBody(encoding, &reader, into: out)
  }

  /// Reads the body of `out.count` values. A sequence of runs may not hold runs itself.
  static func decodeBody<Lane: PackedLane>(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, mayHoldRuns: Bool = true,
    into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    switch encoding {
    case .plain: try decodePlain(&reader, out)
    case .constant: out.update(repeating: Lane(truncatingIfNeeded: try reader.integer(Int64.self)))
    case .runs where mayHoldRuns: try decodeRuns(&reader, out)
    case .bitpack: try decodeBitpack(&reader, out)
    case .delta: try decodeDelta(&reader, out)
    case .patched: try decodePatched(&reader, out)
    case .binned: try BinnedDecoder.decodeBody(&reader, into: out)
    case .empty where out.isEmpty: break
    default: throw ColumnError(.malformed, "integers can't be encoded as \(encoding.name) here")
    }
  }

  private static func decodePlain<Lane: PackedLane>(
    _ reader: inout ByteReader, _ out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    let bytes = try reader.take(out.count, of: 8)
    for index in 0..<out.count {
      let value = bytes.loadUnaligned(fromByteOffset: index &* 8, as: Int64.self)
      out[index] = Lane(truncatingIfNeeded: Int64(littleEndian: value))
    }
  }

  @inline(__always)
  private static func forEachChunk<Lane>(
    _ out: UnsafeMutableBufferPointer<Lane>,
    _ body: (UnsafeMutableBufferPointer<Lane>) throws(ColumnError) -> Void
  ) throws(ColumnError) {
    var start = 0
    while start < out.count {
      let size = min(BitPacking.chunk, out.count &- start)
      try body(UnsafeMutableBufferPointer(rebasing: out[start..<start &+ size]))
      start &+= size
    }
  }

  private static func decodeBitpack<Lane: PackedLane>(
    _ reader: inout ByteReader, _ out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    try forEachChunk(out) { (chunk) throws(ColumnError) in
      let base = Lane(truncatingIfNeeded: try reader.integer(Int64.self))
      let width = Int(try reader.byte())
      try BitPacking.unpack(&reader, width: width, base: base, into: chunk)
    }
  }

  private static func decodeDelta<Lane: PackedLane>(
    _ reader: inout ByteReader, _ out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    try forEachChunk(out) { (chunk) throws(ColumnError) in
      var value = Lane(truncatingIfNeeded: try reader.integer(Int64.self))
      let base = Lane(truncatingIfNeeded: try reader.integer(Int64.self))
      let width = Int(try reader.byte())
      try BitPacking.unpack(&reader, width: width, base: base, into: chunk)
      chunk[0] = value
      for index in 1..<max(1, chunk.count) {
        value = value &+ chunk[index]
        chunk[index] = value
      }
    }
  }

  private static func decodePatched<Lane: PackedLane>(
    _ reader: inout ByteReader, _ out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    try forEachChunk(out) { (chunk) throws(ColumnError) in
      let base = Lane(truncatingIfNeeded: try reader.integer(Int64.self))
      let width = Int(try reader.byte())
      let exceptions = Int(try reader.integer(UInt16.self))
      let highWidth = Int(try reader.byte())
      guard exceptions < BitPacking.chunk, width &+ highWidth <= Lane.maximumWidth else {
        throw ColumnError(.malformed, "a chunk has \(exceptions) exceptions of \(width) + \(highWidth) bits")
      }
      try BitPacking.unpack(&reader, width: width, base: base, into: chunk)
      try patch(&reader, exceptions, highWidth, shift: width, chunk)
    }
  }

  private static func patch<Lane: PackedLane>(
    _ reader: inout ByteReader, _ exceptions: Int, _ highWidth: Int, shift: Int,
    _ chunk: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    guard exceptions > 0 else { return }
    let positions = try reader.take(exceptions, of: 2)
    let highs: [Lane] = try filledLanes(exceptions) { (highs) throws(ColumnError) in
      try BitPacking.unpack(&reader, width: highWidth, base: 0, into: highs)
    }
    for index in 0..<exceptions {
      let stored = positions.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
      let position = Int(UInt16(littleEndian: stored))
      guard position < chunk.count else {
        throw ColumnError(.malformed, "an exception at \(position) of \(chunk.count) values")
      }
      chunk[position] &+= highs[index] << Lane(truncatingIfNeeded: shift)
    }
  }

  private static func decodeRuns<Lane: PackedLane>(
    _ reader: inout ByteReader, _ out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    let count = try reader.varint()
    guard count <= UInt64(out.count) else {
      throw ColumnError(.malformed, "\(count) runs in \(out.count) values")
    }
    let values: [Lane] = try runPart(&reader, Int(count))
    let lengths: [UInt32] = try runPart(&reader, Int(count))
    try RunLengths.expand(values, lengths, into: out)
  }

  private static func runPart<Lane: PackedLane>(
    _ reader: inout ByteReader, _ count: Int
  ) throws(ColumnError) -> [Lane] {
    let encoding = try BlockEncoding.read(&reader)
    return try filledLanes(count) { (lanes) throws(ColumnError) in
      try decodeBody(encoding, &reader, mayHoldRuns: false, into: lanes)
    }
  }
}

/// Values and how often each repeats.
enum RunLengths {
  /// Writes `values[i]` `lengths[i]` times, which must fill `out` exactly.
  static func expand<Lane: BitwiseCopyable>(
    _ values: [Lane], _ lengths: [UInt32], into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    var total: UInt64 = 0
    for length in lengths { total &+= UInt64(length) }
    guard total == UInt64(out.count), values.count == lengths.count else {
      throw ColumnError(.malformed, "runs of \(total) values in a block of \(out.count)")
    }
    guard let start = out.baseAddress else { return }
    var position = 0
    for index in 0..<values.count {
      let length = Int(lengths[index])
      (start + position).update(repeating: values[index], count: length)
      position &+= length
    }
  }
}
