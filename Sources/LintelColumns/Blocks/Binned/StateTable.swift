internal import CLintelKernels

/// The state machine of tabled asymmetric numeral systems (tANS; J. Duda, arXiv 1311.2540, section 2; the tables are
/// laid out as in Y. Collet's Finite State Entropy).
///
/// There are `2^log` states, and each symbol owns as many as its weight says; those of a symbol lie spread by a fixed
/// stride. Reading: the state names a symbol; some bits and the symbol's count so far give the next state. A symbol of
/// weight w costs `log - log2(w)` bits, fractions included, because states carry over what isn't written yet.
enum StateTable {
  static let leastLog = 5
  static let greatestLog = 12

  /// Calls `body` with each state and its symbol, in the order of states.
  @inline(__always)
  private static func spread(_ weights: [UInt32], log: Int, into symbols: UnsafeMutableBufferPointer<UInt8>) {
    let size = 1 &<< log
    let stride = (size &>> 1) &+ (size &>> 3) &+ 3
    var state = 0
    for (symbol, weight) in weights.enumerated() {
      for _ in 0..<weight {
        symbols[state] = UInt8(truncatingIfNeeded: symbol)
        state = (state &+ stride) & (size &- 1)
      }
    }
  }

  /// The decoder's table, `2^log` entries: symbol, width of the bits to read << 8, what to add to them << 16.
  ///
  /// The weights are positive and add up to `2^log`: then every next state is below `2^log`.
  static func decoding(_ weights: [UInt32], log: Int, into table: UnsafeMutableBufferPointer<UInt32>) {
    let size = 1 &<< log
    var next = weights
    withScratch(of: UInt8.self, count: size) { symbols in
      spread(weights, log: log, into: symbols)
      next.withUnsafeMutableBufferPointer { next in
        for state in 0..<size {
          let symbol = Int(symbols[state])
          let count = next[symbol]
          next[symbol] = count &+ 1
          let width = UInt32(truncatingIfNeeded: log &- (31 &- count.leadingZeroBitCount))
          let base = (count &<< width) &- UInt32(truncatingIfNeeded: size)
          table[state] = UInt32(truncatingIfNeeded: symbol) | width &<< 8 | base &<< 16
        }
      }
    }
  }

  /// The encoder's tables: for each symbol what it writes, and `2^log` next states.
  static func encoding(
    _ weights: [UInt32], log: Int, into next: UnsafeMutableBufferPointer<UInt16>
  ) -> [lintel_tans_symbol] {
    let size = 1 &<< log
    var rows: [lintel_tans_symbol] = []
    var starts: [Int] = []
    var total = 0
    for weight in weights {
      // From states below the bound `widest - 1` bits are written, from others `widest`.
      let widest = UInt32(truncatingIfNeeded: log &- (31 &- max(1, weight &- 1).leadingZeroBitCount))
      let most = weight == 1 ? UInt32(truncatingIfNeeded: log) : widest
      rows.append(
        lintel_tans_symbol(
          delta_width: (most &<< 16) &- (weight &<< most),
          delta_state: Int32(truncatingIfNeeded: total &- Int(weight))))
      starts.append(total)
      total &+= Int(weight)
    }
    withScratch(of: UInt8.self, count: size) { symbols in
      spread(weights, log: log, into: symbols)
      for state in 0..<size {
        let symbol = Int(symbols[state])
        next[starts[symbol]] = UInt16(truncatingIfNeeded: size &+ state)
        starts[symbol] &+= 1
      }
    }
    return rows
  }

  /// A size that tells weights apart without taking longer to build than the values take to code.
  static func log(symbolCount: Int, valueCount: Int) -> Int {
    let fine = max(BitPacking.width(UInt64(valueCount)) - 2, BitPacking.width(UInt64(symbolCount)) + 1)
    return min(greatestLog, max(leastLog, fine))
  }

  /// Weights that add up to `2^log`, each at least 1, as near to the shares of `counts` (each at least 1) as can be.
  static func weights(_ counts: [UInt32], log: Int) -> [UInt32] {
    let size = 1 << log
    let total = max(1, counts.reduce(0) { $0 + Int($1) })
    var weights = counts.map { count in
      UInt32(truncatingIfNeeded: max(1, (Int(count) * size + total / 2) / total))
    }
    var excess = weights.reduce(0) { $0 + Int($1) } - size
    while excess != 0 {
      // Whoever bears the change at the least cost a state: count / weight is least when taking, greatest when giving.
      var best = 0
      var bestRatio = excess > 0 ? Double.infinity : -Double.infinity
      for symbol in weights.indices {
        let ratio = Double(counts[symbol]) / Double(weights[symbol])
        if excess > 0 ? ratio < bestRatio && weights[symbol] > 1 : ratio > bestRatio {
          best = symbol
          bestRatio = ratio
        }
      }
      weights[best] = excess > 0 ? weights[best] - 1 : weights[best] + 1
      excess += excess > 0 ? -1 : 1
    }
    return weights
  }
}
