internal import CLintelKernels

/// Writes integers as entropy-coded numbers of bins and offsets into them; see ``BinPlan`` for where the idea is from.
///
///     binned := mode:u8 (0 values, 1 deltas), first:i64 in mode 1, base:i64, divisor:varint, log:u8, bins:u8 (less 1),
///               range:u8, codeBytes:u32, offsetBytes:u32, bins, codes, offsets, states: 4 u16
///     bins   := for each: width (7 bits), weight less 1 (log bits), follows (1 bit), lower (range bits) unless it follows:
///               then it is the bin before's lower + 2^width; one stream of bits, low bits first, padded to a byte
///     codes  := the numbers of the bins through ``StateTable``, value i in state i % 4: at each value its state's next
///               bits; one stream, padded to a byte
///     offsets := for each value its bin's width of bits; one stream, padded to a byte
///
/// A value (or a difference of neighbours, in mode 1) is base + divisor * (lower + offset), modulo 2^64. The states are
/// those that reading starts from; in the end all are 0. They stand last so that readers may load eight bytes at once.
enum BinnedEncoder {
  /// What another encoding takes, and what must be saved to be chosen before it: these decode faster.
  struct Rival {
    var size: Int
    /// One part in so many has to be saved.
    var share = 16
    /// Also where that is less than half a bit a value, as for flags.
    var yieldsToAnyShare = false

    func loses(to size: Int, valueCount: Int) -> Bool {
      let saved = self.size - size
      return saved * share >= self.size && (yieldsToAnyShare || saved * 16 >= valueCount)
    }
  }

  /// Below, the description of the bins takes what they save.
  static let leastCount = 256

  /// Appends the body if that is enough shorter than the rival; otherwise nothing.
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, minimum: Int64, rival: Rival, into out: inout [UInt8]
  ) -> Bool {
    let count = values.count
    guard count >= leastCount else { return false }
    let plain = BinSample.estimate(values, base: minimum, isDelta: false)
    let delta = BinSample.estimate(values, base: minimum, isDelta: true)
    let isDelta = delta < plain - plain / 16
    let expected = (isDelta ? delta : plain) * Double(count) / 8
    // An estimate from a sample errs by some hundredths; what is written decides.
    guard rival.loses(to: Int(expected * 0.97), valueCount: count) else { return false }
    let start = out.count
    out.append(isDelta ? 1 : 0)
    let isWritten =
      isDelta ? encodeDeltas(values, into: &out) : encodeLatents(values, base: minimum, into: &out)
    if isWritten, rival.loses(to: out.count - start, valueCount: count) { return true }
    out.removeLast(out.count - start)
    return false
  }

  private static func encodeDeltas(_ values: UnsafeBufferPointer<Int64>, into out: inout [UInt8]) -> Bool {
    out.append(littleEndian: values[0])
    return withScratch(of: Int64.self, count: values.count - 1) { deltas in
      for index in 1..<values.count { deltas[index &- 1] = values[index] &- values[index &- 1] }
      let deltas = UnsafeBufferPointer(deltas)
      return encodeLatents(deltas, base: Kernels.bounds(deltas).minimum, into: &out)
    }
  }

  private static func encodeLatents(
    _ values: UnsafeBufferPointer<Int64>, base: Int64, into out: inout [UInt8]
  ) -> Bool {
    withScratch(of: UInt64.self, count: values.count) { quotients in
      guard let source = values.baseAddress, let target = quotients.baseAddress else { return false }
      var divisor = Divisor(BinSample.commonDivisor(values, base: base))
      var greatest = lintel_binned_quotients(
        source, values.count, base, divisor.inverse, UInt32(divisor.shift), target)
      if greatest > divisor.greatestQuotient {
        divisor = Divisor(1)
        greatest = lintel_binned_quotients(source, values.count, base, 1, 0, target)
      }
      let plan = BinSample.plan(UnsafeBufferPointer(quotients), greatest: greatest)
      out.append(littleEndian: base)
      out.append(varint: divisor.value)
      return encode(UnsafeBufferPointer(quotients), BinTable(plan.lowers, greatest: greatest), into: &out)
    }
  }

  private static func encode(
    _ values: UnsafeBufferPointer<UInt64>, _ table: BinTable, into out: inout [UInt8]
  ) -> Bool {
    var table = table
    return withScratch(of: UInt8.self, count: values.count) { bins in
      guard table.assign(values, into: bins) else { return false }
      let log = StateTable.log(symbolCount: table.counts.count, valueCount: values.count)
      let weights = StateTable.weights(table.counts, log: log)
      let sizes = table.describe(weights, log: log, into: &out)
      // The width of a code is at most `log`; the kernels write eight bytes at a time.
      let room = 16 + max(values.count * log / 8, table.offsetBits / 8)
      withScratch(of: UInt8.self, count: room) { scratch in
        var states: [UInt16] = [0, 0, 0, 0]
        let codeBytes = writeCodes(bins, weights, log, scratch, &states)
        out.append(contentsOf: scratch[..<codeBytes])
        let offsetBytes = writeOffsets(values, bins, table, scratch)
        out.append(contentsOf: scratch[..<offsetBytes])
        out.append(memoryOf: states)
        out.set(UInt32(truncatingIfNeeded: codeBytes), at: sizes)
        out.set(UInt32(truncatingIfNeeded: offsetBytes), at: sizes + 4)
      }
      return true
    }
  }

  private static func writeCodes(
    _ bins: UnsafeMutableBufferPointer<UInt8>, _ weights: [UInt32], _ log: Int,
    _ target: UnsafeMutableBufferPointer<UInt8>, _ states: inout [UInt16]
  ) -> Int {
    withScratch(of: UInt16.self, count: 1 << log) { next in
      withScratch(of: UInt32.self, count: bins.count) { emitted in
        let symbols = StateTable.encoding(weights, log: log, into: next)
        guard let bins = UnsafeBufferPointer(bins).baseAddress, let next = next.baseAddress,
          let target = target.baseAddress, let room = emitted.baseAddress
        else { return 0 }
        return lintel_tans_encode(
          bins, emitted.count, symbols, next, UInt32(log), room, target, &states)
      }
    }
  }

  private static func writeOffsets(
    _ values: UnsafeBufferPointer<UInt64>, _ bins: UnsafeMutableBufferPointer<UInt8>, _ table: BinTable,
    _ target: UnsafeMutableBufferPointer<UInt8>
  ) -> Int {
    guard table.offsetBits > 0, let source = values.baseAddress, let bins = bins.baseAddress,
      let target = target.baseAddress
    else { return 0 }
    return lintel_binned_write_offsets(source, bins, values.count, table.bins, target)
  }
}

extension [UInt8] {
  /// Overwrites four bytes that stand at `position`.
  fileprivate mutating func set(_ value: UInt32, at position: Int) {
    withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: position, as: UInt32.self) }
  }
}
