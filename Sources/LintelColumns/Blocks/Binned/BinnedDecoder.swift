internal import CLintelKernels

/// Reads what ``BinnedEncoder`` writes.
enum BinnedDecoder {
  static func decodeBody<Lane: PackedLane>(
    _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    switch try reader.byte() {
    case 0: try decodeLatents(&reader, into: out)
    case 1:
      guard out.count > 1 else { throw ColumnError(.malformed, "differences of \(out.count) values") }
      var value = Lane(truncatingIfNeeded: try reader.integer(Int64.self))
      try decodeLatents(&reader, into: UnsafeMutableBufferPointer(rebasing: out[1...]))
      out[0] = value
      for index in 1..<out.count {
        value = value &+ out[index]
        out[index] = value
      }
    case let mode: throw ColumnError(.malformed, "binned integers of mode \(mode)")
    }
  }

  private static func decodeLatents<Lane: PackedLane>(
    _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    let base = try reader.integer(UInt64.self)
    let divisor = try reader.varint()
    let log = Int(try reader.byte())
    let binCount = Int(try reader.byte()) + 1
    let range = Int(try reader.byte())
    let codeBytes = Int(try reader.integer(UInt32.self))
    let offsetBytes = Int(try reader.integer(UInt32.self))
    guard log >= StateTable.leastLog, log <= StateTable.greatestLog, range <= 64 else {
      throw ColumnError(.malformed, "\(binCount) bins of 2^\(log) states")
    }
    let (bins, weights) = try readBins(&reader, binCount, log, range)
    let codes = try reader.take(codeBytes)
    let offsets = try reader.take(offsetBytes)
    // These eight bytes are what the kernel may read behind codes and offsets.
    let states = try (
      reader.integer(UInt16.self), reader.integer(UInt16.self), reader.integer(UInt16.self), reader.integer(UInt16.self)
    )
    guard max(max(states.0, states.1), max(states.2, states.3)) < 1 << log else {
      throw ColumnError(.malformed, "a state beyond the 2^\(log) there are")
    }
    let scaled = bins.map { lintel_bin(lower: base &+ divisor &* $0.lower, width: $0.width) }
    let isSound = withScratch(of: UInt32.self, count: 1 << log) { table in
      StateTable.decoding(weights, log: log, into: table)
      return scaled.withUnsafeBufferPointer { scaled in
        guard let codes = codes.baseAddress, let offsets = offsets.baseAddress else { return false }
        var stream = lintel_binned_stream(
          table: table.baseAddress, bins: scaled.baseAddress, maximum_width: bins.map(\.width).max() ?? 0,
          divisor: divisor, codes: codes.assumingMemoryBound(to: UInt8.self), code_bytes: codeBytes,
          offsets: offsets.assumingMemoryBound(to: UInt8.self), offset_bytes: offsetBytes, states: states)
        return Lane.decodeBinned(&stream, into: out)
      }
    }
    guard isSound else { throw ColumnError(.malformed, "codes of bins don't come out even") }
  }

  private static func readBins(
    _ reader: inout ByteReader, _ count: Int, _ log: Int, _ range: Int
  ) throws(ColumnError) -> ([lintel_bin], weights: [UInt32]) {
    var bins: [lintel_bin] = []
    var weights: [UInt32] = []
    var total = 0
    var expected: UInt64 = 0
    var fields = BitFieldReader()
    for _ in 0..<count {
      let width = try fields.field(7, &reader)
      let weight = Int(try fields.field(log, &reader)) + 1
      let follows = try fields.field(1, &reader) == 1
      let lower = follows ? expected : try fields.field(range, &reader)
      guard width <= 64 else { throw ColumnError(.malformed, "a bin of \(width) bits") }
      let bin = lintel_bin(lower: lower, width: width)
      bins.append(bin)
      weights.append(UInt32(weight))
      total += weight
      expected = BinTable.end(bin)
    }
    guard total == 1 << log else { throw ColumnError(.malformed, "weights of \(total) for 2^\(log) states") }
    return (bins, weights)
  }
}
