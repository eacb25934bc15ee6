internal import LintelColumns

/// What masks leave of columns: a column of which nothing is left must not be merged.
extension MergeSources {
  /// Values that a stored column has in the rows that are left; exact where that might be none.
  func valuesLeft(_ source: Int, column: Int) throws(StorageError) -> Int {
    let reader = readers[source]
    let values = reader.directory.columns[column].valueCount
    guard let mask = masks[source], values <= mask.removedCount else { return values }
    var removed = 0
    for block in mask.affectedBlocks {
      let vector = try reader.block(block, ofStored: column, keeping: .keys(keys))
      removed += mask.removed(block).count { vector.isValid($0) }
    }
    return max(0, values - removed)
  }

  /// Values of each of the tail's keys in the rows that are left out; empty where there are none.
  func removedTailValues(_ source: Int) throws(StorageError) -> [Int] {
    let reader = readers[source]
    guard let mask = masks[source], let tail = reader.tailColumn else { return [] }
    var removed = Array(repeating: 0, count: reader.directory.tailKeys.count)
    for block in mask.affectedBlocks {
      let folded = try reader.block(block, ofStored: tail, keeping: .keys(keys)).plain()
      guard case .bytes(let rows) = folded.storage else { continue }
      do throws(ColumnError) {
        for row in mask.removed(block) where folded.isValid(row) {
          try AttributeTail.forEachEntry(rows.bytes, rows.range(row), kinds: reader.tailKinds) {
            (entry) throws(ColumnError) in
            if entry.key < removed.count { removed[entry.key] += 1 }
          }
        }
      } catch {
        throw reader.damage("block \(block) of the rare attributes", error.message)
      }
    }
    return removed
  }
}
