internal import LintelColumns

extension PartReader {
  var isPart: Bool { true }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int {
    guard let stored = storedColumn(column), block >= 0, block < blockCount else { return 0 }
    guard let index = try? index(ofStored: stored) else { return 0 }
    return index.entries[block].chunk.length
  }

  /// A damaged index has no zone maps: the query goes on to read, and meets the damage there.
  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? {
    guard block >= 0, block < blockCount else { return nil }
    switch place(column) {
    case nil:
      let rows = rowCount(ofBlock: block)
      return BlockStatistics(rowCount: rows, nullCount: rows, bounds: .none)
    case .tail:
      return nil
    case .column(let stored):
      guard directory.columns[stored].physical == physicalType(column) else { return nil }
      return (try? index(ofStored: stored))?.entries[block].statistics
    }
  }

  /// Like ``statistics(_:block:)`` for each of the blocks, with one look for the column.
  func blocks(_ blocks: [Int], of column: ColumnReference, _ admits: (BlockStatistics) -> Bool) -> [Int] {
    guard case .column(let stored)? = place(column), directory.columns[stored].physical == physicalType(column),
      let index = try? index(ofStored: stored)
    else { return blocks.filter { statistics(column, block: $0).map(admits) ?? true } }
    return blocks.filter { $0 < 0 || $0 >= index.entries.count || admits(index.entries[$0].statistics) }
  }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? {
    guard case .column(let stored) = place(column) else { return nil }
    return try dictionary(ofStored: stored)
  }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    guard block >= 0, block < blockCount else {
      throw StorageError(.invalid, "the part has no block \(block)", path: name)
    }
    switch place(column) {
    case nil:
      return .nulls(physicalType(column), count: rowCount(ofBlock: block))
    case .column(let stored):
      guard directory.columns[stored].physical == physicalType(column) else {
        throw StorageError(
          .incompatible,
          "column '\(directory.columns[stored].displayName)' was stored as \(directory.columns[stored].physical), the "
            + "schema now says \(physicalType(column)); read it with the schema it was written with", path: name)
      }
      return try self.block(block, ofStored: stored)
    case .tail(let number):
      return try tailBlock(block, key: number)
    }
  }

  func packed(_ column: ColumnReference, block: Int) -> PackedVector? {
    guard let stored = kept(column, block), case .packed(let packed) = cache[blockKey(block, ofStored: stored)] else {
      return nil
    }
    return packed
  }

  func picked(_ column: ColumnReference, block: Int, rows: [UInt32]) throws(StorageError) -> ColumnVector? {
    guard let stored = kept(column, block) else { return nil }
    switch cache[blockKey(block, ofStored: stored)] {
    case .packed(let packed): return packed.count == rowCount(ofBlock: block) ? packed.gather(rows) : nil
    case .linked(let linked): return try follow(linked, block, from: stored, rows: rows)
    default: return nil
    }
  }

  /// The stored column whose block the cache may have, as the schema has it.
  private func kept(_ column: ColumnReference, _ block: Int) -> Int? {
    guard case .column(let stored) = place(column), block >= 0, block < blockCount,
      directory.columns[stored].physical == physicalType(column)
    else { return nil }
    return stored
  }

  private func storedColumn(_ column: ColumnReference) -> Int? {
    switch place(column) {
    case nil: nil
    case .column(let stored): stored
    case .tail: tailColumn
    }
  }
}

extension PartReader {
  /// Reads like ``read(_:block:)`` for those who come by once: leaves the cache alone.
  func readOnce(
    _ column: ColumnReference, block: Int, keeping: BlockKeeping = .nowhere
  ) throws(StorageError) -> ColumnVector {
    guard case .column(let stored) = place(column) else { return try read(column, block: block) }
    return try self.block(block, ofStored: stored, keeping: keeping)
  }

  /// One key of the tail, unfolded into a column's block.
  func tailBlock(_ block: Int, key number: Int) throws(StorageError) -> ColumnVector {
    let key = BlockCache.Key(
      part: cacheID, column: UInt32(truncatingIfNeeded: directory.columns.count + number),
      block: UInt32(truncatingIfNeeded: block))
    if let vector = cache.vector(key) { return vector }
    let vector = try unfold(block, key: number, .cache)
    cache.insert(vector, for: key, columnRows: rowCount)
    return vector
  }

  func tailBlockOnce(_ block: Int, key number: Int) throws(StorageError) -> ColumnVector {
    try unfold(block, key: number, .nowhere)
  }

  private func unfold(_ block: Int, key number: Int, _ keeping: BlockKeeping) throws(StorageError) -> ColumnVector {
    guard let tailColumn else { return .nulls(tailKinds[number].physical, count: rowCount(ofBlock: block)) }
    let folded = try self.block(block, ofStored: tailColumn, keeping: keeping)
    do throws(ColumnError) {
      return try AttributeTail.unfold(folded, key: number, kinds: tailKinds)
    } catch {
      throw damage("block \(block) of the rare attributes", error.message)
    }
  }
}
