internal import LintelColumns

/// The blocks of a part that one of its blocks may refer to: those of the same rows in columns listed before it, so that
/// references never go in circles.
final class RelatedPartBlocks: RelatedBlocks {
  private let reader: PartReader
  private let block: Int
  private let column: Int
  private let keeping: BlockKeeping
  /// References that led here.
  private let depth: Int
  /// What went wrong in another column, which is then to blame.
  private(set) var failure: StorageError?

  /// Writers go two references deep: a cost refers to its model, which refers to the span's name.
  private static let maximumDepth = 8

  /// - Parameters:
  ///   - column: The number of the column that refers to others.
  ///   - keeping: Where what is read for it is kept.
  init(_ reader: PartReader, block: Int, below column: Int, keeping: BlockKeeping, depth: Int = 0) {
    self.reader = reader
    self.block = block
    self.column = column
    self.keeping = keeping
    self.depth = depth
  }

  func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys {
    let stored = try check(reference.column)
    let place = BlockCache.Key(
      part: reader.cacheID, column: UInt32(truncatingIfNeeded: reference.column),
      block: UInt32(truncatingIfNeeded: block), keys: reference.kind)
    if case .keys(let kept) = keeping, let keys = kept[place] { return keys }
    if keeping.isCache, case .keys(let keys) = reader.cache[place] { return keys.keys }
    let keys: RowKeys
    if stored.dictionary != nil {
      keys = try attempt { () throws(StorageError) in
        try reader.keys(block, reference, keeping: keeping, depth: depth + 1)
      }
    } else {
      let vector = try attempt { () throws(StorageError) in
        try reader.block(block, ofStored: reference.column, keeping: keeping, depth: depth + 1)
      }
      guard reference.kind == .runs, let runs = RowKeys(runsOf: vector) else {
        throw ColumnError(.malformed, "keys of column '\(stored.displayName)', which has none")
      }
      keys = runs
    }
    switch keeping {
    // Columns that were read by them are kept themselves.
    case .cache: reader.cache.insert(.keys(PackedRowKeys(keys, reference.kind)), for: place, isLasting: false)
    case .keys(let kept): kept.insert(keys, reference.kind, for: place)
    case .nowhere: break
    }
    return keys
  }

  func integers(_ column: Int) throws(ColumnError) -> ColumnVector {
    let stored = try check(column)
    guard stored.physical == .int64 else {
      throw ColumnError(.malformed, "column '\(stored.displayName)' holds no integers")
    }
    return try attempt { () throws(StorageError) in
      try reader.block(block, ofStored: column, keeping: keeping, depth: depth + 1)
    }
  }

  private func check(_ number: Int) throws(ColumnError) -> PartColumn {
    guard number < column, depth < Self.maximumDepth else {
      throw ColumnError(.malformed, "a reference to column \(number) from column \(column)")
    }
    return reader.directory.columns[number]
  }

  private func attempt<Value>(_ body: () throws(StorageError) -> Value) throws(ColumnError) -> Value {
    do throws(StorageError) {
      return try body()
    } catch {
      failure = error
      throw ColumnError(.malformed, error.message)
    }
  }
}

extension PartReader {
  /// The keys of a block of a column that has a dictionary, which isn't read for them.
  func keys(
    _ block: Int, _ reference: BlockReference, keeping: BlockKeeping, depth: Int
  ) throws(StorageError) -> RowKeys {
    let stored = directory.columns[reference.column]
    let (rows, encoded) = try encodedBlock(block, ofStored: reference.column)
    guard let encoded else { return RowKeys(nulls: rows) }
    let related = RelatedPartBlocks(self, block: block, below: reference.column, keeping: keeping, depth: depth)
    do throws(ColumnError) {
      return try encoded.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
        try BlockCodec.decodeKeys(
          bytes, type: stored.physical, rowCount: rows, dictionaryCount: stored.dictionaryCount, kind: reference.kind,
          related: related)
      }
    } catch {
      throw related.failure ?? damage("block \(block) of column '\(stored.displayName)'", error.message)
    }
  }
}
