internal import LintelColumns

/// Rows that were taken away, and what they referred to.
struct ErasedRows: Sendable {
  /// By table.
  private(set) var rows: [String: Int] = [:]
  /// The ids of their pieces of content, by shard.
  private(set) var pieces: [Int: ContentIDs] = [:]

  mutating func add(_ batch: Batch, shard: Int) {
    guard batch.rowCount > 0 else { return }
    rows[batch.schema.name, default: 0] += batch.rowCount
    guard batch.hasContent else { return }
    for id in batch.contentIDs { pieces[shard, default: ContentIDs()].insert(id) }
  }

  mutating func add(_ other: ErasedRows) {
    rows.merge(other.rows, uniquingKeysWith: +)
    for (shard, ids) in other.pieces { add(ids, shard: shard) }
  }

  mutating func add(_ ids: ContentIDs, shard: Int) { pieces[shard, default: ContentIDs()].formUnion(ids) }
}

/// What erasing has taken away so far: of one pass over the files, or of several where the first ones came to no end.
///
/// A receipt accounts for it. Kept in memory: what a process took away before it was killed is in no receipt, and the next
/// one says so.
struct ErasureProgress: Sendable {
  /// The manifest as the first pass found it.
  var before: Manifest?
  /// From memtables and the log.
  var fromMemory = ErasedRows()
  /// What rows in parts referred to.
  var fromParts = ErasedRows()
  var parts: [ErasureReceipt.Part] = []
  var content: [ErasureReceipt.Content] = []

  /// What the rows that went from everywhere referred to in a shard.
  func pieces(shard: Int) -> ContentIDs {
    var ids = fromMemory.pieces[shard] ?? ContentIDs()
    if let others = fromParts.pieces[shard] { ids.formUnion(others) }
    return ids
  }
}
