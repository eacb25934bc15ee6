internal import LintelColumns
internal import Synchronization

/// A part on disk, as queries read it.
///
/// Opening reads the trailer and the directory; indexes, dictionaries and blocks are read when first asked for, and the
/// latter two kept in the store's ``BlockCache``. The file stays open, so that a snapshot goes on reading a part that has
/// been merged away. Safe to use from any thread.
final class PartReader: MemoizingSegment {
  /// Where the values of a column are found.
  enum Place: Sendable {
    case column(Int)
    /// The number of the key among the tail's.
    case tail(Int)
  }

  let name: String
  let directory: PartDirectory
  let length: Int
  let checksum: UInt32
  private let file: any ReadableFile
  let cache: BlockCache
  let cacheID: UInt64
  private let onDamage: @Sendable (StorageError) -> Void
  /// For each column of the schema, the stored one, if there is one.
  private let schemaPlaces: [Int?]
  private let attributePlaces: [AttributeKey: Place]
  let tailColumn: Int?
  private let schema: TableSchema
  /// Kinds of the tail's keys, by number.
  let tailKinds: [AttributeKind]
  let attributeKeys: [AttributeKey]
  private let indexes: Mutex<[BlockIndex?]>
  /// The dictionaries in use anywhere, by stored column. Queries tell by identity whether codes mean the same: a column has
  /// one dictionary at a time, however often the cache has dropped it.
  private let dictionaries: Mutex<[WeakDictionary]>

  var rowCount: Int { directory.rowCount }
  var blockRows: Int { directory.blockRows }
  var minTime: Int64 { directory.minTime }
  var maxTime: Int64 { directory.maxTime }
  let maskMemo = MaskMemo()

  /// - Parameters:
  ///   - name: What messages call the part; its path within the data directory.
  ///   - expectedChecksum: The manifest's, where there is one.
  ///   - cacheID: Unique among the parts that share `cache`.
  ///   - onDamage: Called with what is wrong each time damage is found.
  init(
    file: any ReadableFile, name: String, schema: TableSchema, expectedChecksum: UInt32?, cache: BlockCache,
    cacheID: UInt64, onDamage: @escaping @Sendable (StorageError) -> Void
  ) throws(StorageError) {
    let footer = try PartFooter(file: file, name: name)
    if let expectedChecksum, footer.checksum != expectedChecksum {
      throw StorageError(.corrupt, "the file is not the one that the manifest lists (checksum differs)", path: name)
    }
    guard footer.directory.table == schema.name else {
      throw StorageError(
        .corrupt, "the file holds rows of table '\(footer.directory.table)', not '\(schema.name)'", path: name)
    }
    self.file = file
    self.name = name
    self.schema = schema
    self.cache = cache
    self.cacheID = cacheID
    self.onDamage = onDamage
    directory = footer.directory
    length = footer.fileLength
    checksum = footer.checksum
    var byName: [String: Int] = [:]
    var attributes: [AttributeKey: Place] = [:]
    var tail: Int?
    for (index, column) in directory.columns.enumerated() {
      switch column.role {
      case .schema(let name): byName[name] = index
      case .attribute(let key): attributes[key] = .column(index)
      case .tail: tail = index
      }
    }
    if tail != nil {
      for (number, tailKey) in directory.tailKeys.enumerated() where attributes[tailKey.key] == nil {
        attributes[tailKey.key] = .tail(number)
      }
    }
    tailColumn = tail
    tailKinds = directory.tailKeys.map(\.key.kind)
    attributePlaces = attributes
    attributeKeys = attributes.keys.sorted()
    schemaPlaces = schema.columns.map { byName[$0.name] }
    indexes = Mutex(Array(repeating: nil, count: directory.columns.count))
    dictionaries = Mutex(directory.columns.map { _ in WeakDictionary() })
  }

  func place(_ column: ColumnReference) -> Place? {
    switch column {
    case .column(let index):
      guard index >= 0, index < schemaPlaces.count else { return nil }
      return schemaPlaces[index].map { .column($0) }
    case .attribute(let key):
      return attributePlaces[key]
    }
  }

  func physicalType(_ column: ColumnReference) -> PhysicalType {
    switch column {
    case .column(let index): index >= 0 && index < schema.columns.count ? schema.columns[index].type.physical : .bytes
    case .attribute(let key): key.kind.physical
    }
  }

  /// Reads a chunk and checks its sum.
  func bytes(_ chunk: PartChunk, _ what: @autoclosure () -> String) throws(StorageError) -> [UInt8] {
    func read() throws(StorageError) -> (bytes: [UInt8], sum: UInt32) {
      let bytes = try attempt(what()) { () throws(StorageError) in try file.read(at: chunk.offset, count: chunk.length)
      }
      return (bytes, bytes.withUnsafeBytes { Checksum.crc32c($0) })
    }
    var (bytes, sum) = try read()
    // A transfer can go wrong where the disk is right.
    if sum != chunk.checksum { (bytes, sum) = try read() }
    guard sum == chunk.checksum else {
      throw damage(what(), "its checksum is \(hex(sum)), it should be \(hex(chunk.checksum))")
    }
    return bytes
  }

  /// Runs `body`; a damaged file is reported before the error goes on.
  private func attempt<Value>(
    _ what: @autoclosure () -> String, _ body: () throws(StorageError) -> Value
  ) throws(StorageError) -> Value {
    do {
      return try body()
    } catch {
      if error.code == .corrupt { throw damage(what(), error.message) }
      throw error
    }
  }

  /// The error for a damaged place; the store hears of it first.
  func damage(_ what: String, _ reason: String) -> StorageError {
    let error = StorageError(.corrupt, "\(what) is damaged: \(reason)", path: name)
    onDamage(error)
    return error
  }

  func index(ofStored column: Int) throws(StorageError) -> BlockIndex {
    if let index = indexes.withLock({ $0[column] }) { return index }
    let stored = directory.columns[column]
    let encoded = try bytes(stored.index, "the index of column '\(stored.displayName)'")
    let index: BlockIndex
    do {
      index = try BlockIndex(decoding: encoded, column: stored, rowCount: rowCount, blockRows: blockRows)
    } catch {
      throw damage("the index of column '\(stored.displayName)'", error.message)
    }
    indexes.withLock { $0[column] = index }
    return index
  }

  func dictionary(ofStored column: Int, cached: Bool = true) throws(StorageError) -> ValueDictionary? {
    let stored = directory.columns[column]
    guard let chunk = stored.dictionary else { return nil }
    let key = BlockCache.Key.dictionary(part: cacheID, column: column)
    if case .dictionary(let dictionary) = cache[key] { return dictionary }
    if cached, let dictionary = dictionaries.withLock({ $0[column].value }) {
      cache.insert(.dictionary(dictionary), for: key)
      return dictionary
    }
    let encoded = try bytes(chunk, "the dictionary of column '\(stored.displayName)'")
    let dictionary: ValueDictionary
    do throws(ColumnError) {
      dictionary = try encoded.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
        try DictionaryCodec.decode(bytes)
      }
    } catch {
      throw damage("the dictionary of column '\(stored.displayName)'", error.message)
    }
    guard dictionary.count == stored.dictionaryCount, dictionary.physicalType == stored.physical else {
      throw damage("the dictionary of column '\(stored.displayName)'", "it has \(dictionary.count) entries")
    }
    guard cached else { return dictionary }
    let shared = dictionaries.withLock { all in
      // Another thread may have been faster.
      let shared = all[column].value ?? dictionary
      all[column].value = shared
      return shared
    }
    cache.insert(.dictionary(shared), for: key)
    return shared
  }

  /// The rows of a block of a stored column, and its bytes, checked; `nil` for a block without any value.
  func encodedBlock(_ block: Int, ofStored column: Int) throws(StorageError) -> (rows: Int, bytes: [UInt8]?) {
    let index = try index(ofStored: column)
    guard block >= 0, block < index.entries.count else {
      throw StorageError(.invalid, "the part has no block \(block)", path: name)
    }
    let entry = index.entries[block]
    guard entry.chunk.length > 0 else { return (entry.statistics.rowCount, nil) }
    return (entry.statistics.rowCount, try bytes(entry.chunk, blockName(block, column)))
  }

  /// What messages call a block.
  private func blockName(_ block: Int, _ column: Int) -> String {
    "block \(block) of column '\(directory.columns[column].displayName)'"
  }

  func blockKey(_ block: Int, ofStored column: Int) -> BlockCache.Key {
    BlockCache.Key(
      part: cacheID, column: UInt32(truncatingIfNeeded: column), block: UInt32(truncatingIfNeeded: block))
  }

  /// Decodes one block of a stored column.
  /// - Parameters:
  ///   - keeping: Where the block, and what it takes to decode it, is kept.
  ///   - depth: References between columns that led here.
  func block(
    _ block: Int, ofStored column: Int, dictionary known: ValueDictionary? = nil, keeping: BlockKeeping = .cache,
    depth: Int = 0
  ) throws(StorageError) -> ColumnVector {
    let key = blockKey(block, ofStored: column)
    let stored = directory.columns[column]
    switch keeping.isCache ? cache[key] : nil {
    case .vector(let vector): return vector
    case .packed(let packed): return packed.unpacked()
    case .linked(let linked): return try follow(linked, block, from: column, depth: depth)
    default: break
    }
    let (rows, encoded) = try encodedBlock(block, ofStored: column)
    guard let encoded else { return .nulls(stored.physical, count: rows) }
    var dictionary = known
    if dictionary == nil { dictionary = try self.dictionary(ofStored: column, cached: keeping.isCache) }
    let related = RelatedPartBlocks(self, block: block, below: column, keeping: keeping, depth: depth)
    let vector: ColumnVector
    do throws(ColumnError) {
      if keeping.isCache, stored.physical == .int64 {
        let linked = try encoded.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
          try LinkedVector(decoding: bytes, rowCount: rows, related: related)
        }
        if let linked {
          cache.insert(linked, for: key, columnRows: rowCount)
          return try linked.vector(ids: related.integers(linked.idColumn))
        }
      }
      vector = try encoded.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
        try BlockCodec.decode(bytes, type: stored.physical, rowCount: rows, dictionary: dictionary, related: related)
      }
    } catch {
      throw related.failure ?? damage(blockName(block, column), error.message)
    }
    guard vector.count == rows else {
      throw damage(blockName(block, column), "it has \(vector.count) rows instead of \(rows)")
    }
    if keeping.isCache { cache.insert(vector, for: key, columnRows: rowCount) }
    return vector
  }

  /// The values of a block, or of some of its rows, that the cache holds as links to another column's.
  func follow(
    _ linked: LinkedVector, _ block: Int, from column: Int, depth: Int = 0, rows: [UInt32]? = nil
  ) throws(StorageError) -> ColumnVector {
    let related = RelatedPartBlocks(self, block: block, below: column, keeping: .cache, depth: depth)
    do throws(ColumnError) {
      let ids = try related.integers(linked.idColumn)
      guard let rows else { return try linked.vector(ids: ids) }
      return try linked.gather(rows, ids: ids)
    } catch {
      throw related.failure ?? damage(blockName(block, column), error.message)
    }
  }
}

private struct WeakDictionary {
  weak var value: ValueDictionary?
}

private func hex(_ sum: UInt32) -> String { String(sum, radix: 16) }
