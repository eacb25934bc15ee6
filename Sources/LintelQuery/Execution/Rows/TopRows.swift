import Glibc

/// Keeps the first `limit` rows by sort key (all where there is no limit), ties by position.
///
/// Rows are rejected by a coarse prefix first; the others' full keys are encoded and, when twice too many have come
/// together, sorted and cut. So each kept row costs O(log) and each rejected one a comparison.
struct TopRows {
  private struct Entry {
    var prefix: UInt64
    var position: UInt64
    var start: Int
    var length: Int
  }

  private let limit: Int?
  private var entries: [Entry] = []
  private var bytes: [UInt8] = []
  /// Rows with a greater prefix can't be among the first.
  private(set) var threshold: UInt64 = .max

  init(limit: Int?) { self.limit = limit }

  var byteCount: Int { entries.count * 32 + bytes.count }

  /// Adds the lanes of the columns; `positions` break ties (and name the rows).
  mutating func add(_ columns: [SortColumn], positions: [UInt64]) {
    guard let first = columns.first else {
      for position in positions { append(prefix: 0, position: position, columns: [], lane: 0) }
      return
    }
    let prefixes = first.prefixes()
    for lane in prefixes.indices where prefixes[lane] <= threshold {
      append(prefix: prefixes[lane], position: positions[lane], columns: columns, lane: lane)
    }
  }

  private mutating func append(prefix: UInt64, position: UInt64, columns: [SortColumn], lane: Int) {
    let start = bytes.count
    for column in columns { column.append(lane, to: &bytes) }
    entries.append(Entry(prefix: prefix, position: position, start: start, length: bytes.count - start))
    if let limit, entries.count >= limit.multipliedReportingOverflow(by: 2).partialValue &+ 16, limit < 1 << 40 {
      cut(limit)
    }
  }

  /// Learns that rows with a greater prefix aren't among the first of all.
  mutating func lower(to prefix: UInt64) { threshold = min(threshold, prefix) }

  mutating func merge(_ other: TopRows) {
    let base = bytes.count
    bytes += other.bytes
    for var entry in other.entries {
      entry.start += base
      entries.append(entry)
    }
  }

  private mutating func cut(_ limit: Int) {
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

  private mutating func sort() {
    bytes.withUnsafeBufferPointer { bytes in
      entries.sort { left, right in
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        if let base = bytes.baseAddress {
          let order = memcmp(base + left.start, base + right.start, min(left.length, right.length))
          if order != 0 { return order < 0 }
          if left.length != right.length { return left.length < right.length }
        }
        return left.position < right.position
      }
    }
  }

  /// Positions of the rows in order.
  mutating func finish() -> [UInt64] {
    sort()
    return entries.prefix(limit ?? entries.count).map(\.position)
  }
}
