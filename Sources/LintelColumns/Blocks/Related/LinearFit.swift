/// Finds, for each key, the whole factors with which a column is a sum of others, from a few rows of the key.
struct LinearFit {
  /// One array a term, one factor a key in each.
  private(set) var factors: [[Int64]]

  /// Rows of a key that are looked at.
  private static let samples = 16

  init(
    _ values: UnsafeBufferPointer<Int64>, _ terms: [[Int64]], _ keys: UnsafeBufferPointer<UInt16>, _ keyCount: Int
  ) {
    factors = terms.map { _ in Array(repeating: 0, count: keyCount) }
    var rows = [[Int]](repeating: [], count: keyCount)
    for row in 0..<values.count where rows[Int(keys[row])].count < Self.samples { rows[Int(keys[row])].append(row) }
    for key in 0..<keyCount where !rows[key].isEmpty {
      let system = rows[key].map { row in Equation(terms: terms.map { Double($0[row]) }, value: Double(values[row])) }
      for (term, factor) in Self.solve(system).enumerated() { factors[term][key] = factor }
    }
  }

  private struct Equation {
    var terms: [Double]
    var value: Double
  }

  /// The best of a few attempts: rows that don't obey the rule may spoil one, but not all of them.
  private static func solve(_ system: [Equation]) -> [Int64] {
    var best = (factors: [Int64](repeating: 0, count: system.first?.terms.count ?? 0), hits: -1)
    for attempt in 0..<4 {
      let half = attempt == 0 ? system : system.enumerated().filter { ($0.offset + attempt) % 3 != 0 }.map(\.element)
      guard !half.isEmpty else { continue }
      let factors = eliminate(half)
      let hits = system.reduce(0) { $0 + (obeys($1, factors) ? 1 : 0) }
      if hits > best.hits { best = (factors, hits) }
      if hits == system.count { break }
    }
    return best.factors
  }

  private static func obeys(_ equation: Equation, _ factors: [Int64]) -> Bool {
    zip(equation.terms, factors).reduce(0) { $0 + $1.0 * Double($1.1) } == equation.value
  }

  /// Gauss's elimination with full pivoting, over as many independent equations as there are; the factors of terms that
  /// the equations don't determine are 0.
  private static func eliminate(_ system: [Equation]) -> [Int64] {
    var system = system
    let termCount = system[0].terms.count
    var pivots: [(row: Int, term: Int)] = []
    while pivots.count < min(termCount, system.count) {
      var pivot = (row: 0, term: 0, size: 1e-6)
      for row in system.indices where !pivots.contains(where: { $0.row == row }) {
        for term in 0..<termCount where abs(system[row].terms[term]) > pivot.size {
          pivot = (row, term, abs(system[row].terms[term]))
        }
      }
      guard pivot.size > 1e-6 else { break }
      pivots.append((pivot.row, pivot.term))
      for row in system.indices where row != pivot.row {
        let ratio = system[row].terms[pivot.term] / system[pivot.row].terms[pivot.term]
        guard ratio != 0 else { continue }
        for term in 0..<termCount { system[row].terms[term] -= ratio * system[pivot.row].terms[term] }
        system[row].terms[pivot.term] = 0
        system[row].value -= ratio * system[pivot.row].value
      }
    }
    var factors = [Int64](repeating: 0, count: termCount)
    for (row, term) in pivots {
      let factor = (system[row].value / system[row].terms[term]).rounded()
      factors[term] = abs(factor) < 0x1p62 ? Int64(factor) : 0
    }
    return factors
  }
}
