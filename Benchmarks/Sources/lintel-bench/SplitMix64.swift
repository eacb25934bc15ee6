import Glibc

/// Steele, Lea and Flood's SplitMix64: the same seed gives the same spans on every machine.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in `0 ..< 1`.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Log-normal with the given median and spread.
  mutating func logNormal(median: Double, sigma: Double) -> Double {
    let radius = (-2 * log(1 - unit())).squareRoot()
    return median * exp(sigma * radius * cos(2 * .pi * unit()))
  }
}

/// Draws ranks `0 ..< count` with probability proportional to `1 / (rank + 1)^exponent`.
struct Zipf {
  private let cumulative: [Double]

  init(count: Int, exponent: Double) {
    var total = 0.0
    cumulative = (1...count).map { rank in
      total += pow(Double(rank), -exponent)
      return total
    }
  }

  func draw(_ random: inout SplitMix64) -> Int {
    let target = random.unit() * (cumulative.last ?? 1)
    var low = 0
    var high = cumulative.count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] < target { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
