internal import LintelColumns

/// Which rows go into which part of a flush, and in which order.
struct FlushOrder {
  /// The merge window of each part; `nil` for the one that takes the rows of all further windows.
  private(set) var windows: [Int64?] = []
  /// Row numbers in the part's order, one list a part.
  private(set) var rows: [[UInt32]] = []

  /// More windows than this in one flush share a part: a client with a broken clock must not make a thousand.
  static let maximumWindows = 8

  /// - Parameters:
  ///   - prefix: The columns of the sort key before the time column.
  ///   - times: One per row, nanoseconds.
  init(prefix: [ColumnVector], cluster: ColumnVector, times: [Int64], window: MergeWindow) {
    let windowOf = assignWindows(times, window)
    var prefixes = PrefixCodes(prefix.map(\.physicalType))
    let prefixOf = prefixes.codes(of: prefix, rowCount: times.count)
    let ranks = prefixes.ranks()
    var codes = ValueCodes(cluster.physicalType)
    let clusters = codes.codes(of: cluster)
    var groups = ClusterGroups(clusterCount: codes.count)
    var groupOf = Array(repeating: UInt32(0), count: times.count)
    for row in 0..<times.count {
      let place = UInt64(windowOf[row]) << 32 | UInt64(ranks[Int(prefixOf[row])])
      groupOf[row] = UInt32(groups.group(prefix: place, cluster: clusters[row], time: times[row]))
    }
    let order = groups.sorted(rowCount: times.count, codes.comparator())
    let sorted = Self.place(groupOf, order: order, times: times)
    rows = Array(repeating: [], count: windows.count)
    for row in sorted { rows[Int(windowOf[Int(row)])].append(row) }
  }

  /// Numbers the windows that occur; the fullest ones get a part of their own.
  private mutating func assignWindows(_ times: [Int64], _ window: MergeWindow) -> [UInt8] {
    var counts: [Int64: Int] = [:]
    var last: (key: Int64, count: Int) = (times.first.map(window.number(of:)) ?? 0, 0)
    let keys = times.map(window.number(of:))
    for key in keys {
      if key == last.key {
        last.count += 1
      } else {
        counts[last.key, default: 0] += last.count
        last = (key, 1)
      }
    }
    counts[last.key, default: 0] += last.count
    var chosen = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    let mixed = chosen.count > Self.maximumWindows
    chosen = chosen.prefix(Self.maximumWindows).sorted()
    windows = chosen.map { $0 } + (mixed ? [nil] : [])
    var numbers: [Int64: UInt8] = [:]
    for (number, key) in chosen.enumerated() { numbers[key] = UInt8(number) }
    let rest = UInt8(chosen.count)
    var result = Array(repeating: UInt8(0), count: times.count)
    var known: (key: Int64, number: UInt8)?
    for (row, key) in keys.enumerated() {
      if known?.key != key { known = (key, numbers[key] ?? rest) }
      result[row] = known?.number ?? rest
    }
    return result
  }

  /// Rows in the order of their groups (counting sort), by time within a group, in order of arrival at the same time.
  private static func place(_ groupOf: [UInt32], order: [UInt32], times: [Int64]) -> [UInt32] {
    var ends = Array(repeating: 0, count: order.count)
    for group in groupOf { ends[Int(group)] += 1 }
    var starts = Array(repeating: 0, count: order.count)
    var position = 0
    for group in order {
      starts[Int(group)] = position
      position += ends[Int(group)]
    }
    ends = starts
    var rows = Array(repeating: UInt32(0), count: groupOf.count)
    for row in 0..<groupOf.count {
      let group = Int(groupOf[row])
      rows[ends[group]] = UInt32(truncatingIfNeeded: row)
      ends[group] += 1
    }
    for group in 0..<order.count where ends[group] - starts[group] > 1 {
      rows[starts[group]..<ends[group]].sort { (times[Int($0)], $0) < (times[Int($1)], $1) }
    }
    return rows
  }
}

/// Divides time into the windows within which parts are merged.
struct MergeWindow: Sendable, Hashable {
  /// Nanoseconds, at least one second.
  let length: Int64

  init(seconds: Double) {
    let bounded = seconds.isFinite ? min(max(seconds, 1), 1e9) : 1e9
    length = Int64(bounded * 1e9)
  }

  /// The number of the window that holds `time`: floored, so that windows before 1970 are as long as the others.
  func number(of time: Int64) -> Int64 {
    let quotient = time / length
    return time % length < 0 ? quotient - 1 : quotient
  }

  /// The window that holds the whole range; `nil` when it spans several.
  func number(of range: ClosedRange<Int64>) -> Int64? {
    let first = number(of: range.lowerBound)
    return first == number(of: range.upperBound) ? first : nil
  }
}
