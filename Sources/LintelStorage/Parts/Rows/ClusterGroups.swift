/// The groups of rows that stay adjacent in a part: same merge window, same sort-key prefix, same cluster (trace).
///
/// A part's order is: the slice of time of the group's first row (``TimeSlices``), prefix, the time of the group's first row,
/// cluster, time within the group.
struct ClusterGroups {
  struct Group {
    /// Merge window and rank of the sort-key prefix.
    var prefix: UInt64
    var cluster: UInt32
    /// The next group of the same cluster; -1 ends the list.
    var next: Int32
    var firstTime: Int64
  }

  private(set) var groups: [Group] = []
  /// The first group of each cluster, by cluster code; -1 where there is none.
  private var heads: [Int32]

  /// - Parameter clusterCount: Cluster codes lie below.
  init(clusterCount: Int) { heads = Array(repeating: -1, count: clusterCount) }

  /// The group of a row, or of a run of rows, whose first time is `time`.
  mutating func group(prefix: UInt64, cluster: UInt32, time: Int64) -> Int {
    while heads.count <= Int(cluster) { heads.append(-1) }
    var index = heads[Int(cluster)]
    while index >= 0 {
      let found = Int(index)
      if groups[found].prefix == prefix {
        if time < groups[found].firstTime { groups[found].firstTime = time }
        return found
      }
      index = groups[found].next
    }
    let new = groups.count
    groups.append(Group(prefix: prefix, cluster: cluster, next: heads[Int(cluster)], firstTime: time))
    heads[Int(cluster)] = Int32(truncatingIfNeeded: new)
    return new
  }

  /// Replaces the prefixes, which were numbers in any order, by their ranks.
  mutating func rankPrefixes(_ ranks: [UInt32]) {
    for index in groups.indices { groups[index].prefix = UInt64(ranks[Int(groups[index].prefix)]) }
  }

  /// Group numbers in the part's order.
  /// - Parameter clusterPrecedes: Orders two clusters whose first times are equal.
  func sorted(rowCount: Int, _ clusterPrecedes: (UInt32, UInt32) -> Bool) -> [UInt32] {
    let slices = TimeSlices(groups.map(\.firstTime), rowCount: rowCount)
    var order = (0..<UInt32(groups.count)).map { $0 }
    groups.withUnsafeBufferPointer { groups in
      order.sort { left, right in
        let (a, b) = (groups[Int(left)], groups[Int(right)])
        let (first, second) = (slices.number(of: a.firstTime), slices.number(of: b.firstTime))
        if first != second { return first < second }
        if a.prefix != b.prefix { return a.prefix < b.prefix }
        if a.firstTime != b.firstTime { return a.firstTime < b.firstTime }
        return clusterPrecedes(a.cluster, b.cluster)
      }
    }
    return order
  }
}
