internal import CLintelKernels

/// The bins of one block, and how many values are in each.
struct BinTable {
  private(set) var bins: [lintel_bin]
  private(set) var counts: [UInt32] = []
  private let greatest: UInt64

  /// Bins of the given least values (ascending, the first 0), which cover all values up to `greatest`.
  init(_ lowers: [UInt64], greatest: UInt64) {
    self.greatest = greatest
    bins = lowers.enumerated().map { index, lower in
      let last = index + 1 < lowers.count ? lowers[index + 1] &- 1 : greatest
      return lintel_bin(lower: lower, width: UInt64(BitPacking.width(last &- lower)))
    }
  }

  /// Bits of all values' offsets.
  var offsetBits: Int { zip(bins, counts).reduce(0) { $0 + Int($1.0.width) * Int($1.1) } }

  /// Writes each value's bin and counts them; bins without values are dropped. `false` where more than 256 are left.
  mutating func assign(
    _ values: UnsafeBufferPointer<UInt64>, into target: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    guard let source = values.baseAddress else { return false }
    let steps = BitPacking.width(UInt64(bins.count - 1))
    var lowers = [UInt64](repeating: .max, count: 1 << steps)
    for (index, bin) in bins.enumerated() { lowers[index] = bin.lower }
    return withScratch(of: UInt16.self, count: values.count) { wide in
      guard let found = wide.baseAddress else { return false }
      lintel_binned_search(source, values.count, lowers, UInt32(steps), found)
      let last = UInt16(truncatingIfNeeded: bins.count - 1)
      // The greatest 64-bit number is found among what fills the table up.
      if greatest == .max { for index in 0..<wide.count { wide[index] = min(wide[index], last) } }
      let all = BinTable.histogram(UnsafeBufferPointer(wide), bins.count)
      guard let numbers = keep(all) else { return false }
      numbers.withUnsafeBufferPointer { numbers in
        for index in 0..<wide.count { target[index] = numbers[Int(wide[index])] }
      }
      return true
    }
  }

  /// Two tables, so that equal bins in a row don't wait for each other's increments.
  private static func histogram(_ bins: UnsafeBufferPointer<UInt16>, _ count: Int) -> [UInt32] {
    var tables = [UInt32](repeating: 0, count: count * 2)
    tables.withUnsafeMutableBufferPointer { tables in
      var index = 0
      while index &+ 1 < bins.count {
        tables[Int(bins[index])] &+= 1
        tables[count &+ Int(bins[index &+ 1])] &+= 1
        index &+= 2
      }
      if index < bins.count { tables[Int(bins[index])] &+= 1 }
      for bin in 0..<count { tables[bin] &+= tables[count &+ bin] }
    }
    return Array(tables[..<count])
  }

  /// Keeps the bins that have values; the new number of each.
  private mutating func keep(_ all: [UInt32]) -> [UInt8]? {
    var numbers = [UInt8](repeating: 0, count: all.count)
    var kept: [lintel_bin] = []
    for (index, count) in all.enumerated() where count > 0 {
      guard kept.count < 256 else { return nil }
      numbers[index] = UInt8(truncatingIfNeeded: kept.count)
      kept.append(bins[index])
      counts.append(count)
    }
    bins = kept
    return numbers
  }

  /// Appends what a reader must know of the bins; where the sizes of codes and offsets go comes back.
  func describe(_ weights: [UInt32], log: Int, into out: inout [UInt8]) -> Int {
    let range = BitPacking.width(bins.last?.lower ?? 0)
    out.append(UInt8(truncatingIfNeeded: log))
    out.append(UInt8(truncatingIfNeeded: bins.count - 1))
    out.append(UInt8(truncatingIfNeeded: range))
    let sizes = out.count
    out.append(littleEndian: 0 as UInt64)
    var fields = BitFieldWriter()
    var expected: UInt64 = 0
    for (bin, weight) in zip(bins, weights) {
      fields.append(bin.width, width: 7, into: &out)
      fields.append(UInt64(weight - 1), width: log, into: &out)
      fields.append(bin.lower == expected ? 1 : 0, width: 1, into: &out)
      if bin.lower != expected { fields.append(bin.lower, width: range, into: &out) }
      expected = BinTable.end(bin)
    }
    fields.finish(into: &out)
    return sizes
  }

  /// Where a bin that follows begins, modulo 2^64.
  static func end(_ bin: lintel_bin) -> UInt64 {
    bin.width >= 64 ? bin.lower : bin.lower &+ 1 &<< bin.width
  }
}
