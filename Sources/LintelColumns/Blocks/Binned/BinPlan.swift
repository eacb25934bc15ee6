/// Bins for a sample of values, chosen for the least expected size.
///
/// The idea is that of M. Loncaruk et al., "Pcodec: Better Compression for Numerical Sequences", arXiv 2502.06112: a
/// value is written as the number of its bin, entropy-coded, and its offset into the bin, at the width the bin needs.
/// The sample is sorted and cut into groups of about equal size (a value that occurs often has one to itself); then
/// dynamic programming joins neighbours where one bin for all of them is cheaper.
struct BinPlan {
  /// The least value of each bin, ascending, the first 0; a bin ends where the next begins.
  private(set) var lowers: [UInt64] = []
  /// Expected bits a value, what describes the bins included.
  private(set) var bitsPerValue = Double.infinity

  /// What describing a bin takes, roughly: width, weight, and for some the least value.
  private static let bitsPerBin: Float = 28

  /// log2(n) * n for the sizes of groups.
  private static let entropies: [Float] = (0...maximumSample).map { $0 == 0 ? 0 : Float($0) * log2($0) }

  static let maximumSample = 4096
  static let maximumGroups = 256

  private static func log2(_ value: Int) -> Float {
    // Exponent, and the mantissa by the series of artanh: logarithms aren't in the standard library.
    let exponent = Float(value.bitWidth - 1 - value.leadingZeroBitCount)
    let mantissa = Double(value) / Double(1 << (value.bitWidth - 1 - value.leadingZeroBitCount))
    let ratio = (mantissa - 1) / (mantissa + 1)
    var term = ratio
    var sum = 0.0
    for power in stride(from: 1.0, through: 41.0, by: 2.0) {
      sum += term / power
      term *= ratio * ratio
    }
    return exponent + Float(sum * 2 / 0.693147180559945309)
  }

  /// Plans for `sorted` (1 to ``maximumSample`` values, ascending from 0, the last the greatest of all `valueCount`).
  init(sorted: UnsafeBufferPointer<UInt64>, valueCount: Int, groupCount: Int) {
    let groups = Groups(sorted, most: min(groupCount, BinPlan.maximumGroups))
    let scale = Float(sorted.count) / Float(max(1, valueCount))
    withScratch(of: Float.self, count: groups.count + 1) { costs in
      withScratch(of: UInt16.self, count: groups.count + 1) { firsts in
        join(groups, perBin: BinPlan.bitsPerBin * scale, costs, firsts)
        let total = BinPlan.entropies[sorted.count] + costs[groups.count]
        bitsPerValue = Double(total) / Double(sorted.count)
        partition(groups, firsts, greatest: sorted.last ?? 0)
      }
    }
  }

  /// `costs[j]` becomes the least cost of the first j groups, `firsts[j]` the first group of the last bin among them.
  private func join(
    _ groups: Groups, perBin: Float, _ costs: UnsafeMutableBufferPointer<Float>,
    _ firsts: UnsafeMutableBufferPointer<UInt16>
  ) {
    BinPlan.entropies.withUnsafeBufferPointer { entropies in
      groups.withColumns { starts, ends, counts in
        costs[0] = 0
        for last in 0..<groups.count {
          var best = Float.infinity
          var bestFirst = last
          let end = ends[last]
          let endCount = counts[last &+ 1]
          var first = last
          while first >= 0 {
            let count = endCount &- counts[first]
            let width = 64 &- (end &- starts[first]).leadingZeroBitCount
            let cost = costs[first] + Float(count) * Float(width) - entropies[count]
            if cost < best {
              best = cost
              bestFirst = first
            }
            first &-= 1
          }
          costs[last &+ 1] = best + perBin
          firsts[last &+ 1] = UInt16(truncatingIfNeeded: bestFirst)
        }
      }
    }
  }

  /// Lays the chosen bins out over all values from 0 to `greatest`, so that each begins where the one before is full
  /// wherever that costs little (such a bin's least value isn't written), and no value is left out.
  private mutating func partition(_ groups: Groups, _ firsts: UnsafeMutableBufferPointer<UInt16>, greatest: UInt64) {
    var chosen: [(lower: UInt64, width: Int)] = []
    groups.withColumns { starts, ends, _ in
      var end = groups.count
      while end > 0 {
        let first = Int(firsts[end])
        chosen.append((starts[first], 64 - (ends[end - 1] - starts[first]).leadingZeroBitCount))
        end = first
      }
    }
    var full: UInt64? = 0
    for (lower, width) in chosen.reversed() {
      guard let end = full else { break }
      var start = lower
      let slack = width < 4 ? 0 : 1 as UInt64 &<< UInt64(width - 4)
      if lower > end {
        if width == 0 || lower - end > slack { lowers.append(end) } else { start = end }
      } else if end - lower <= slack {
        start = end
      }
      lowers.append(start)
      full = width == 64 || start > UInt64.max - (1 &<< UInt64(width)) ? nil : start + 1 &<< UInt64(width)
    }
    if let full, full <= greatest { lowers.append(full) }
  }
}

/// A sorted sample cut into groups; equal values are never apart.
private struct Groups {
  /// Least and greatest value of each group.
  private var starts: [UInt64] = []
  private var ends: [UInt64] = []
  /// How many values lie before each group; the sample's size at the end.
  private var counts: [Int] = [0]

  var count: Int { starts.count }

  init(_ sorted: UnsafeBufferPointer<UInt64>, most: Int) {
    let target = max(1, (sorted.count + most - 1) / max(1, most))
    var groupStart = 0
    var runStart = 0
    func close(_ end: Int, _ groups: inout Groups) {
      guard end > groupStart else { return }
      groups.starts.append(sorted[groupStart])
      groups.ends.append(sorted[end - 1])
      groups.counts.append(end)
      groupStart = end
    }
    while runStart < sorted.count {
      let value = sorted[runStart]
      var runEnd = runStart &+ 1
      while runEnd < sorted.count, sorted[runEnd] == value { runEnd &+= 1 }
      let isHeavy = runEnd - runStart > 1 && (runEnd - runStart) * 2 > target
      if isHeavy { close(runStart, &self) }
      if isHeavy || runEnd - groupStart >= target { close(runEnd, &self) }
      runStart = runEnd
    }
    close(sorted.count, &self)
  }

  func withColumns(
    _ body: (UnsafeBufferPointer<UInt64>, UnsafeBufferPointer<UInt64>, UnsafeBufferPointer<Int>) -> Void
  ) {
    starts.withUnsafeBufferPointer { starts in
      ends.withUnsafeBufferPointer { ends in
        counts.withUnsafeBufferPointer { counts in body(starts, ends, counts) }
      }
    }
  }
}
