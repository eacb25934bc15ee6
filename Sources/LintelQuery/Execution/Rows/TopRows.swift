import Glibc

/// Keeps the first `limit` rows by sort key (all where there is no limit), ties by position.
///
/// Rows are rejected by a coarse prefix first; the others' full keys are encoded and, when twice too many have come
/// together, sorted and cut. So each kept row costs O(log) and each rejected one a comparison.
struct TopRows {
  private struct Entry {
    var prefix: UInt64
    var position: UInt64
    /// Where the rest of the key lies in `bytes`.
    var start: Int
    var length: Int
  }

  private let limit: Int?
  private var entries: [Entry] = []
  private var bytes: [UInt8] = []
  /// Rows with a greater prefix can't be among the first.
  private(set) var threshold: UInt64 = .max

  init(limit: Int?) { self.limit = limit }

  var byteCount: Int { entries.capacity * MemoryLayout<Entry>.stride + bytes.capacity }

  /// Adds the lanes of the columns; `positions` break ties (and name the rows).
  mutating func add(_ columns: [SortColumn], positions: [UInt64]) {
    guard let first = columns.first else {
      for position in positions { entries.append(Entry(prefix: 0, position: position, start: 0, length: 0)) }
      return
    }
    let prefixes = first.prefixes()
    let rest = Array(columns.dropFirst())
    let isExact = first.hasExactPrefix
    for lane in prefixes.indices where prefixes[lane] <= threshold {
      let prefix = prefixes[lane]
      let start = bytes.count
      // Of exact prefixes only those that null shares tell too little.
      if !isExact || prefix == 0 || prefix == .max { first.append(lane, to: &bytes) }
      for column in rest { column.append(lane, to: &bytes) }
      entries.append(Entry(prefix: prefix, position: positions[lane], start: start, length: bytes.count - start))
      cutIfTwiceTooMany()
    }
  }

  /// Another thread has as many rows below this prefix.
  mutating func tighten(_ prefix: UInt64) { threshold = min(threshold, prefix) }

  private mutating func cutIfTwiceTooMany() {
    guard let limit, limit < 1 << 40, entries.count >= limit * 2 + 256 else { return }
    sort()
    guard entries.count > limit else { return }
    entries.removeLast(entries.count - limit)
    var kept: [UInt8] = []
    for index in entries.indices {
      let start = kept.count
      kept += bytes[entries[index].start..<entries[index].start + entries[index].length]
      entries[index].start = start
    }
    bytes = kept
    threshold = min(threshold, entries.last?.prefix ?? 0)
  }

  mutating func merge(_ other: TopRows) {
    if entries.isEmpty {
      entries = other.entries
      bytes = other.bytes
      return
    }
    let base = bytes.count
    bytes += other.bytes
    entries.reserveCapacity(entries.count + other.entries.count)
    for var entry in other.entries {
      entry.start += base
      entries.append(entry)
    }
  }

  /// By prefix, then runs of one prefix by the rest of the key and by position.
  private mutating func sort() {
    let order = RadixOrder.order(entries.map(\.prefix))
    var sorted = order.map { entries[Int($0)] }
    bytes.withUnsafeBufferPointer { bytes in
      var start = 0
      while start < sorted.count {
        var end = start + 1
        while end < sorted.count, sorted[end].prefix == sorted[start].prefix { end += 1 }
        if end - start > 1 { sorted[start..<end].sort { Self.precedes($0, $1, bytes) } }
        start = end
      }
    }
    entries = sorted
  }

  private static func precedes(_ left: Entry, _ right: Entry, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    if let base = bytes.baseAddress {
      let order = memcmp(base + left.start, base + right.start, min(left.length, right.length))
      if order != 0 { return order < 0 }
      if left.length != right.length { return left.length < right.length }
    }
    return left.position < right.position
  }

  /// Positions of the rows in order.
  mutating func finish() -> [UInt64] {
    sort()
    return entries.prefix(limit ?? entries.count).map(\.position)
  }
}
