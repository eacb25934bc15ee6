internal import LintelColumns

/// Dense numbers for the combinations of values of the sort key's prefix, over several runs of rows.
struct PrefixCodes {
  private var columns: [ValueCodes]
  /// The columns' codes behind each combination; empty with a single column, whose codes serve directly.
  private var combinations: [[UInt32]] = []
  private var numbers: [[UInt32]: UInt32] = [:]

  init(_ types: [PhysicalType]) { columns = types.map { ValueCodes($0) } }

  /// One number per row.
  /// - Parameter vectors: One per prefix column.
  mutating func codes(of vectors: [ColumnVector], rowCount: Int) -> [UInt32] {
    guard !columns.isEmpty else { return Array(repeating: 0, count: rowCount) }
    if columns.count == 1 { return columns[0].codes(of: vectors[0]) }
    let own = vectors.indices.map { columns[$0].codes(of: vectors[$0]) }
    var result: [UInt32] = []
    result.reserveCapacity(rowCount)
    var last: (key: [UInt32], number: UInt32)?
    for row in 0..<rowCount {
      let key = own.map { $0[row] }
      if last?.key != key { last = (key, number(key)) }
      result.append(last?.number ?? 0)
    }
    return result
  }

  private mutating func number(_ key: [UInt32]) -> UInt32 {
    if let known = numbers[key] { return known }
    let new = UInt32(truncatingIfNeeded: combinations.count)
    numbers[key] = new
    combinations.append(key)
    return new
  }

  /// The rank of each number, by the columns' values one after the other.
  func ranks() -> [UInt32] {
    guard columns.count > 1 else { return columns.first?.ranks() ?? [0] }
    let ranks = columns.map { $0.ranks() }
    let keys = combinations.map { key in key.indices.map { ranks[$0][Int(key[$0])] } }
    let order = keys.indices.sorted { keys[$0].lexicographicallyPrecedes(keys[$1]) }
    var result = Array(repeating: UInt32(0), count: keys.count)
    for (rank, number) in order.enumerated() { result[number] = UInt32(truncatingIfNeeded: rank) }
    return result
  }
}
