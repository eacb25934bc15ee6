import Testing

@testable import LintelStorage

@Suite struct RowOrderTests {
  @Test func slicesHoldAboutAsManyRowsAsTheyShould() {
    var dice = Dice(1)
    let start: Int64 = 1_790_000_000_000_000_000
    // Ten rows a group, a group a millisecond, and a few clocks that are years off.
    var times = (0..<20_000).map { start + Int64($0) * 1_000_000 }
    times += [0, start * 2, start + 1 << 60]
    times.shuffle(using: &dice)
    let slices = TimeSlices(times, rowCount: 200_000, targetRows: 10_000)
    var counts: [Int64: Int] = [:]
    for time in times { counts[slices.number(of: time), default: 0] += 10 }
    #expect((20...48).contains(counts.count), "\(counts.count) slices")
    #expect(counts.values.allSatisfy { $0 <= 10_000 })
    for (left, right) in zip(times.sorted(), times.sorted().dropFirst()) {
      #expect(slices.number(of: left) <= slices.number(of: right))
    }
  }

  @Test func smallAndTimelessPartsHaveOneSlice() {
    for (times, rows) in [([], 5), ([1, 2, 3], 100), ([7, 7, 7], 1 << 30), ([.min, .max], 1 << 10)] as [([Int64], Int)]
    {
      let slices = TimeSlices(times, rowCount: rows)
      #expect(Set(([.min, 0, .max] + times).map(slices.number)).count == 1)
    }
  }

  @Test func groupsAreOrderedBySliceThenPrefixThenTime() {
    let slice: Int64 = 1 << 30
    var groups = ClusterGroups(clusterCount: 0)
    let count = 4000
    for number in 0..<count {
      // Two tenants by turns, over eight slices.
      _ = groups.group(
        prefix: UInt64(number % 2), cluster: UInt32(number), time: Int64(number) * 8 * slice / Int64(count))
    }
    let order = groups.sorted(rowCount: 1 << 22) { $0 < $1 }
    let slices = TimeSlices(groups.groups.map(\.firstTime), rowCount: 1 << 22)
    let keys = order.map { index -> [Int64] in
      let group = groups.groups[Int(index)]
      return [slices.number(of: group.firstTime), Int64(group.prefix), group.firstTime, Int64(group.cluster)]
    }
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
    #expect(Set(keys.map { $0[0] }).count >= 4)
    // Another row of a trace keeps its group's place, however late it comes.
    #expect(groups.group(prefix: 1, cluster: 1, time: 7 * slice) == 1)
  }
}
