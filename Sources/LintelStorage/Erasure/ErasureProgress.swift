internal import LintelColumns

/// Rows that were taken away, and what they referred to.
struct ErasedRows: Sendable {
  /// By table.
  private(set) var rows: [String: Int] = [:]
  /// The ids of their pieces of content, by shard.
  private(set) var pieces: [Int: ContentIDs] = [:]

  var isEmpty: Bool { rows.isEmpty }

  mutating func add(_ batch: Batch, shard: Int) {
    guard batch.rowCount > 0 else { return }
    rows[batch.schema.name, default: 0] += batch.rowCount
    guard batch.hasContent else { return }
    for id in batch.contentIDs { pieces[shard, default: ContentIDs()].insert(id) }
  }

  mutating func add(_ other: ErasedRows) {
    rows.merge(other.rows, uniquingKeysWith: +)
    for (shard, ids) in other.pieces { pieces[shard, default: ContentIDs()].formUnion(ids) }
  }
}

/// What erasing has taken away so far: of one pass over the files, or of several where the first ones came to no end, also of
/// processes before this one (``ErasureJournal``). A receipt accounts for it.
struct ErasureProgress: Sendable {
  /// Something that went at once, with the manifest that says so.
  enum Step: Sendable, Hashable {
    /// Rows that were in memory or in the log, by table: gone when the shard's log begins at the segment.
    case memory(shard: Int, floor: UInt64, rows: [String: Int])
    /// A part that was written anew or dropped: gone when the manifest doesn't name that number.
    case part(number: UInt64, ErasureReceipt.Part)
    /// A content segment likewise.
    case content(number: UInt64, ErasureReceipt.Content)

    /// Whether it has happened, as a manifest tells that comes after it.
    func hasHappened(in manifest: Manifest) -> Bool {
      switch self {
      case .memory(let shard, let floor, _):
        shard < manifest.logFloors.count && manifest.logFloors[shard] >= floor
      case .part(let number, _): !manifest.parts.contains { $0.number == number }
      case .content(let number, _): !manifest.content.contains { $0.number == number }
      }
    }
  }

  /// The Merkle root of the manifest as the first pass found it, in hex.
  var rootBefore: String?
  var steps: [Step] = []
  /// What the rows that went referred to, or will have when the step under way is done; by shard.
  var pieces: [Int: ContentIDs] = [:]

  mutating func add(_ ids: ContentIDs, shard: Int) { pieces[shard, default: ContentIDs()].formUnion(ids) }

  /// Rows that were in no part, by table.
  var rowsFromMemory: [String: Int] {
    steps.reduce(into: [:]) { sums, step in
      if case .memory(_, _, let rows) = step { sums.merge(rows, uniquingKeysWith: +) }
    }
  }

  var parts: [ErasureReceipt.Part] { steps.compactMap { if case .part(_, let part) = $0 { part } else { nil } } }

  var content: [ErasureReceipt.Content] {
    steps.compactMap { if case .content(_, let content) = $0 { content } else { nil } }
  }
}
