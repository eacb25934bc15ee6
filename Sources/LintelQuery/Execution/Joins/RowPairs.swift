/// Pairs of rows of the two sides, by their numbers.
struct RowPairs: Sendable {
  /// Pairs after which the memory limit and cancellation are looked at.
  private static let batch = 1 << 16

  private(set) var left: [UInt32] = []
  private(set) var right: [UInt32] = []
  private var reserved = 0

  var count: Int { left.count }

  @inline(__always)
  mutating func append(_ left: UInt32, _ right: UInt32, _ query: QueryContext) throws(ExecutionFailure) {
    self.left.append(left)
    self.right.append(right)
    if self.left.count == reserved + Self.batch { try reserve(query) }
  }

  /// Accounts for the pairs; they may be many more than the rows.
  mutating func reserve(_ query: QueryContext) throws(ExecutionFailure) {
    // Twice: they are put in order beside themselves.
    try query.reserve((count - reserved) * 16)
    reserved = count
    try query.check()
  }

  /// All pairs of the parts, in the order of the left rows and then of the right ones.
  static func sorted(_ parts: [RowPairs], leftCount: Int, rightCount: Int) -> RowPairs {
    var all = RowPairs()
    for part in parts {
      all.left += part.left
      all.right += part.right
    }
    if !isAscending(all.left, all.right) {
      (all.right, all.left) = order(all.right, all.left, keys: rightCount)
      (all.left, all.right) = order(all.left, all.right, keys: leftCount)
    }
    return all
  }

  private static func isAscending(_ left: [UInt32], _ right: [UInt32]) -> Bool {
    for index in left.indices.dropFirst() {
      if left[index] < left[index - 1] { return false }
      if left[index] == left[index - 1], right[index] < right[index - 1] { return false }
    }
    return true
  }

  /// Counts and distributes: pairs of one key stay in their order.
  private static func order(_ keys: [UInt32], _ others: [UInt32], keys count: Int) -> ([UInt32], [UInt32]) {
    var next = Array(repeating: 0, count: count + 1)
    for key in keys { next[Int(key) + 1] += 1 }
    for key in 0..<count { next[key + 1] += next[key] }
    var sortedKeys = keys
    var sortedOthers = others
    for (key, other) in zip(keys, others) {
      let place = next[Int(key)]
      sortedKeys[place] = key
      sortedOthers[place] = other
      next[Int(key)] += 1
    }
    return (sortedKeys, sortedOthers)
  }
}
