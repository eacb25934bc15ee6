internal import LintelColumns

/// The rows of one table in one shard that are in the log but in no part yet: batches in the order of their commits.
///
/// Small batches are put together now and then, so that a query over ten thousand of them sees a few hundred segments at
/// most.
struct Memtable: Sendable {
  let schema: TableSchema
  /// Those that have been put together, or were large, first.
  private(set) var segments: [BatchSegment] = []
  private var settledCount = 0
  private(set) var rowCount = 0
  /// Bytes reserved from the store's budget.
  private(set) var reservedBytes = 0

  /// So many small segments are put up with: under load most batches are flushed before it would pay to join them.
  static let smallSegmentLimit = 256

  init(_ schema: TableSchema) { self.schema = schema }

  var isEmpty: Bool { segments.isEmpty }

  mutating func insert(_ segment: BatchSegment, reservedBytes: Int) {
    segments.append(segment)
    rowCount += segment.rowCount
    self.reservedBytes += reservedBytes
  }

  /// The small segments that are to become one; `nil` while there are few.
  func smallSegments(targetRows: Int) -> ArraySlice<BatchSegment>? {
    let small = segments[settledCount...]
    guard small.count >= Self.smallSegmentLimit else { return nil }
    var end = small.startIndex
    var rows = 0
    while end < small.endIndex, rows == 0 || rows + small[end].rowCount <= targetRows {
      rows += small[end].rowCount
      end += 1
    }
    return small[..<end]
  }

  /// Puts `joined` in the place of the segments it was made of, if they are still there. Returns the bytes that are no longer
  /// needed: every small batch has dictionaries of its own.
  mutating func replace(_ old: ArraySlice<BatchSegment>, with joined: BatchSegment, targetRows: Int) -> Int {
    guard old.startIndex == settledCount, old.endIndex <= segments.count,
      zip(old, segments[old.indices]).allSatisfy({ $0 === $1 })
    else { return 0 }
    let freed = max(0, min(old.reduce(0) { $0 + $1.byteCount } - joined.byteCount, reservedBytes))
    reservedBytes -= freed
    segments.replaceSubrange(old.indices, with: [joined])
    // What is far from full takes part in the next round again.
    if joined.rowCount * 2 >= targetRows { settledCount += 1 }
    return freed
  }
}

/// The memtables of one shard, whose rows lie in log segments up to `lastSegment`, on their way into parts.
struct FrozenMemtables: Sendable {
  let id: UInt64
  let shard: Int
  let tables: [String: Memtable]
  /// What rows of theirs, and of later ones, refer to.
  let content: ContentMemory
  let lastSegment: UInt64
  /// When they were set aside, in nanoseconds since 1970: no row came later.
  let frozenAt: Int64
  /// What an erasure takes out of them, if it set them aside.
  let erased: Exclusions?

  var rowCount: Int { tables.values.reduce(0) { $0 + $1.rowCount } }
  var reservedBytes: Int { tables.values.reduce(0) { $0 + $1.reservedBytes } }
}
