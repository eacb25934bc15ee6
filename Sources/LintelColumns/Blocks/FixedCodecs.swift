/// Blocks of booleans.
///
///     constant := value:u8 (0 or 1)
///     bitmap   := (n + 7) / 8 bytes, bit i % 8 of byte i / 8 is value i
enum BoolCodec {
  static func encodeBody(_ values: UnsafeBufferPointer<Bool>, into out: inout [UInt8]) -> BlockEncoding {
    var trueCount = 0
    for value in values { trueCount &+= Int(unsafeBitCast(value, to: UInt8.self)) }
    if trueCount == 0 || trueCount == values.count {
      out.append(trueCount == 0 ? 0 : 1)
      return .constant
    }
    out.append(count: (values.count + 7) / 8) { target in
      for index in 0..<values.count {
        target[index &>> 3] |= unsafeBitCast(values[index], to: UInt8.self) &<< UInt8(index & 7)
      }
    }
    return .bitmap
  }

  static func decodeBody(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<Bool>
  ) throws(ColumnError) {
    switch encoding {
    case .constant: out.update(repeating: try reader.byte() != 0)
    case .bitmap:
      let bits = try reader.take((out.count + 7) / 8)
      for index in 0..<out.count { out[index] = bits[index &>> 3] &>> UInt8(index & 7) & 1 != 0 }
    case .empty where out.isEmpty: break
    default: throw ColumnError(.malformed, "booleans can't be encoded as \(encoding.name)")
    }
  }
}

/// Blocks of 128-bit ids.
///
///     constant := 16 bytes
///     runs     := count:varint, 16 bytes a run, integers (one length a run)
///     plain    := 16 bytes a value
///
/// An id is written as a little-endian number.
enum IdCodec {
  struct Result {
    var encoding: BlockEncoding
    var bounds: BlockStatistics.Bounds
  }

  static func encodeBody(
    _ values: UnsafeBufferPointer<UInt128>, effort: EncodingEffort, into out: inout [UInt8]
  ) -> Result {
    guard let first = values.first else { return Result(encoding: .empty, bounds: .none) }
    var low = first
    var high = first
    var runCount = 1
    for index in 1..<max(1, values.count) {
      let value = values[index]
      if value != values[index &- 1] {
        runCount &+= 1
        if value < low { low = value }
        if value > high { high = value }
      }
    }
    let bounds = BlockStatistics.Bounds.id128(min: low, max: high)
    if runCount == 1 {
      out.append(littleEndian: first)
      return Result(encoding: .constant, bounds: bounds)
    }
    if runCount <= values.count / 4 * 3 {
      encodeRuns(values, runCount, effort, into: &out)
      return Result(encoding: .runs, bounds: bounds)
    }
    out.append(contentsOf: UnsafeRawBufferPointer(values))
    return Result(encoding: .plain, bounds: bounds)
  }

  private static func encodeRuns(
    _ values: UnsafeBufferPointer<UInt128>, _ runCount: Int, _ effort: EncodingEffort, into out: inout [UInt8]
  ) {
    out.append(varint: UInt64(runCount))
    var lengths: [Int64] = []
    lengths.reserveCapacity(runCount)
    var start = 0
    for index in 1...values.count where index == values.count || values[index] != values[start] {
      out.append(littleEndian: values[start])
      lengths.append(Int64(index - start))
      start = index
    }
    lengths.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: effort, into: &out) }
  }

  static func decodeBody(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<UInt128>
  ) throws(ColumnError) {
    switch encoding {
    case .constant: out.update(repeating: try reader.integer(UInt128.self))
    case .plain:
      UnsafeMutableRawBufferPointer(out).copyMemory(from: try reader.take(out.count, of: 16))
    case .runs:
      let count = try reader.count(minimumSize: 16)
      guard count <= out.count else { throw ColumnError(.malformed, "\(count) runs in \(out.count) values") }
      let source = try reader.take(count, of: 16)
      let values: [UInt128] = try filledLanes(count) { (values) throws(ColumnError) in
        UnsafeMutableRawBufferPointer(values).copyMemory(from: source)
      }
      let lengths: [UInt32] = try filledLanes(count) { (lengths) throws(ColumnError) in
        try IntegerDecoder.decode(&reader, into: lengths)
      }
      try RunLengths.expand(values, lengths, into: out)
    case .empty where out.isEmpty: break
    default: throw ColumnError(.malformed, "ids can't be encoded as \(encoding.name)")
    }
  }
}
