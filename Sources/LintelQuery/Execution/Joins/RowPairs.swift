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
  static func sorted(
    _ parts: [RowPairs], leftCount: Int, rightCount: Int, _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> RowPairs {
    var all = RowPairs()
    let count = parts.reduce(0) { $0 + $1.count }
    all.left.reserveCapacity(count)
    all.right.reserveCapacity(count)
    for part in parts {
      try interrupt.check()
      all.left += part.left
      all.right += part.right
    }
    if try !isAscending(all.left, all.right, interrupt) {
      (all.right, all.left) = try order(all.right, all.left, keys: rightCount, interrupt)
      (all.left, all.right) = try order(all.left, all.right, keys: leftCount, interrupt)
    }
    return all
  }

  private static func isAscending(
    _ left: [UInt32], _ right: [UInt32], _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> Bool {
    for index in left.indices.dropFirst() {
      try interrupt.check(atStep: index)
      if left[index] < left[index - 1] { return false }
      if left[index] == left[index - 1], right[index] < right[index - 1] { return false }
    }
    return true
  }

  /// Counts and distributes: pairs of one key stay in their order.
  private static func order(
    _ keys: [UInt32], _ others: [UInt32], keys count: Int, _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> ([UInt32], [UInt32]) {
    let (numbers, _) = try interrupt.byGroup(keys.count, groups: count) { keys[$0] }
    return (
      try interrupt.mapLanes(numbers) { keys[Int($0)] }, try interrupt.mapLanes(numbers) { others[Int($0)] }
    )
  }
}
