import Glibc

/// A yes with a fixed probability.
struct Chance: Sendable {
  /// Draws below it are a yes.
  let threshold: UInt64
  /// Bits that one draw needs, whatever the format.
  let entropy: Double

  init(_ probability: Double) {
    precondition(probability > 0 && probability < 1)
    threshold = UInt64(probability * 0x1p64)
    entropy = -probability * log2(probability) - (1 - probability) * log2(1 - probability)
  }
}

/// One of `count` things with given weights, drawn in constant time by Walker's alias method.
///
/// Its table lives as long as the process: a draw so touches no reference count.
struct Choice: @unchecked Sendable {
  private struct Slot {
    /// Of 2^32: below it the slot itself is drawn, else its alias.
    var threshold: UInt64
    var alias: UInt32
  }

  private let slots: UnsafeBufferPointer<Slot>
  /// Bits that one draw needs, whatever the format.
  let entropy: Double

  /// Ranks `0 ..< count` with probability proportional to `1 / (rank + 1)^exponent`.
  static func zipf(count: Int, exponent: Double) -> Choice {
    Choice(weights: (1...count).map { pow(Double($0), -exponent) })
  }

  /// `0 ..< count` where each next one is `ratio` times as likely as the one before.
  static func geometric(count: Int, ratio: Double) -> Choice {
    Choice(weights: (0..<count).map { pow(ratio, Double($0)) })
  }

  init(weights: [Double]) {
    let total = weights.reduce(0, +)
    let shares = weights.map { $0 / total }
    entropy = shares.reduce(0) { $1 > 0 ? $0 - $1 * log2($1) : $0 }
    var rest = shares.map { $0 * Double(shares.count) }
    var slots = shares.indices.map { Slot(threshold: 1 << 32, alias: UInt32($0)) }
    var small = rest.indices.filter { rest[$0] < 1 }
    var large = rest.indices.filter { rest[$0] >= 1 }
    while let low = small.popLast(), let high = large.popLast() {
      slots[low] = Slot(threshold: UInt64(rest[low] * 0x1p32), alias: UInt32(high))
      rest[high] -= 1 - rest[low]
      if rest[high] < 1 { small.append(high) } else { large.append(high) }
    }
    self.slots = Table.keep(slots)
  }

  @inline(__always)
  func draw(_ random: UInt64) -> Int {
    let (index, fraction) = UInt64(slots.count).multipliedFullWidth(by: random)
    let slot = slots[Int(truncatingIfNeeded: index)]
    return (fraction &>> 32) < slot.threshold ? Int(truncatingIfNeeded: index) : Int(slot.alias)
  }
}

/// A positive quantity whose distribution is given by 4096 equally likely cells between its quantiles, uniform within
/// each: close to the log-normal or exponential that it was made from, one multiplication a draw, and of an entropy that
/// is known exactly. As with ``Choice`` its table is never freed.
struct Quantity: @unchecked Sendable {
  private static let cells = 4096

  /// Bounds of the cells; one more than cells.
  private let bounds: UnsafeBufferPointer<Double>
  /// Bits that one draw needs, whatever the format, when it is kept as a whole number.
  let entropy: Double

  /// Draws outside `limits` are taken as the nearest limit.
  static func logNormal(median: Double, sigma: Double, limits: ClosedRange<Double>) -> Quantity {
    Quantity(limits: limits) { median * exp(sigma * normalQuantile($0)) }
  }

  static func exponential(mean: Double) -> Quantity {
    Quantity(limits: 0...(.infinity)) { -mean * log1p(-$0) }
  }

  private init(limits: ClosedRange<Double>, quantile: (Double) -> Double) {
    let count = Double(Self.cells)
    // The outermost cells end where a quarter of their share is beyond.
    let bounds = (0...Self.cells).map { index in
      let share = min(max(Double(index), 0.25), count - 0.25) / count
      return min(max(quantile(share), limits.lowerBound), limits.upperBound)
    }
    entropy = Self.entropy(bounds)
    self.bounds = Table.keep(bounds)
  }

  /// - Returns: a whole number.
  @inline(__always)
  func draw(_ random: UInt64) -> Int64 {
    let cell = Int(truncatingIfNeeded: random &>> 52)
    let low = bounds[cell]
    let fraction = Double(random & 0xF_FFFF_FFFF_FFFF) * 0x1p-52
    return Int64(low + fraction * (bounds[cell + 1] - low))
  }

  /// Entropy in bits of the whole numbers drawn: exact where they are few, else that of the density.
  private static func entropy(_ bounds: [Double]) -> Double {
    let share = 1 / Double(cells)
    guard let low = bounds.first, let high = bounds.last, high - low < 0x1p20 else {
      return (0..<cells).reduce(0) {
        $0 + share * log2(max(1, (bounds[$1 + 1] - bounds[$1]) / share))
      }
    }
    var masses = [Double](repeating: 0, count: Int(high) - Int(low) + 2)
    for cell in 0..<cells {
      let (from, to) = (bounds[cell], bounds[cell + 1])
      guard to > from else {
        masses[Int(from) - Int(low)] += share
        continue
      }
      var position = from
      while position < to {
        let next = min(to, floor(position) + 1)
        masses[Int(position) - Int(low)] += share * (next - position) / (to - from)
        position = next
      }
    }
    return masses.reduce(0) { $1 > 0 ? $0 - $1 * log2($1) : $0 }
  }

  /// Inverse of the normal distribution function, by bisection of `erfc`; only used while tables are made.
  private static func normalQuantile(_ share: Double) -> Double {
    var (low, high) = (-9.0, 9.0)
    while high - low > 1e-12 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < share { low = middle } else { high = middle }
    }
    return low
  }
}

private enum Table {
  static func keep<Element>(_ values: [Element]) -> UnsafeBufferPointer<Element> {
    let table = UnsafeMutableBufferPointer<Element>.allocate(capacity: values.count)
    _ = table.initialize(from: values)
    return UnsafeBufferPointer(table)
  }
}
