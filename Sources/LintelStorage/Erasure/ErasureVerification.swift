internal import LintelColumns
internal import Synchronization

/// What reading every file of a store for erased subjects came to.
public struct ErasureVerification: Sendable, Hashable {
  /// Files and bytes that were read.
  public var files = 0
  public var bytes = 0
  /// Where something of an erased subject was found.
  public var found: [String] = []
  /// Files that can't be read as what they should be: nobody can tell what is in them.
  public var unreadable: [String] = []

  public var isClean: Bool { found.isEmpty && unreadable.isEmpty }

  var json: String {
    func list(_ names: [String]) -> String { "[\(names.map(ReceiptText.quoted).joined(separator: ","))]" }
    let result = isClean ? "clean" : found.isEmpty ? "incomplete" : "found"
    return "{\"result\":\"\(result)\",\"files\":\(files),\"bytes\":\(bytes),\"found\":\(list(found)),"
      + "\"unreadable\":\(list(unreadable))}"
  }
}

/// Reads every file of a store, past all caches, and looks for subjects: for their rows, for their keys in dictionaries,
/// and for the keys' bytes anywhere.
struct ErasureVerifier {
  let store: Store
  let subjects: SubjectSet
  /// Subjects whose key must not be left at all: those erased in every tenant.
  let everywhere: SubjectSet
  let scan: ByteScan
  /// Files of parts that were written anew: their dictionaries must hold nothing that no row has.
  let renewed: Set<String>
  /// Of each shard: content from before must hold nothing that no row refers to.
  let generations: [UInt64]
  private var result = ErasureVerification()

  /// - Parameters:
  ///   - erasures: What is to be gone.
  ///   - keys: The keys, as far as they are known, by token.
  ///   - renewed: Files of parts that were written anew.
  ///   - generations: Of each shard's content, those that began with the erasing.
  init(
    _ store: Store, _ erasures: [Erasure], keys: [UInt128: UInt128], renewed: Set<String>, generations: [UInt64]
  ) {
    self.generations = generations
    self.store = store
    self.renewed = renewed
    let tokens = store.exclusions.tokens
    subjects = SubjectSet(erasures.map { ($0.token, $0.tenant) }, tokens, keys)
    let whole = erasures.filter { $0.tenant == nil }
    everywhere = SubjectSet(whole.map { ($0.token, nil) }, tokens, keys)
    scan = ByteScan(whole.compactMap { keys[$0.token] })
  }

  /// - Throws: what keeps files from being read at all; damage is part of the answer.
  mutating func run() throws(StorageError) -> ErasureVerification {
    let manifest = try store.directory.manifests.load().manifest
    for entry in manifest.parts { try check(entry) }
    for shard in 0..<store.directory.layout.shardCount {
      try checkContent(shard)
    }
    try checkFolders()
    for shard in 0..<store.directory.layout.shardCount { try checkLog(shard) }
    try scanFolder(store.path)
    try scanFolder("\(store.path)/manifest")
    try scanFolder(store.directory.erasurePath)
    try scanFolder("\(store.directory.erasurePath)/receipts")
    // What queries put there has no name, and goes when they end; a process that was killed may have left one.
    try scanFolder(store.directory.spillDirectory)
    return result
  }

  private mutating func check(_ entry: PartEntry) throws(StorageError) {
    guard let schema = store.schemas[entry.table] else {
      result.unreadable.append("\(entry.fileName): of table '\(entry.table)', whose schema isn't known")
      return
    }
    try scan(store.directory.path(of: entry.fileName), name: entry.fileName)
    guard let column = schema.subjectColumn else { return }
    do throws(StorageError) {
      let reader = try PartReader(
        file: try store.fileSystem.open(store.directory.path(of: entry.fileName)), name: entry.fileName,
        schema: schema, expectedChecksum: entry.footerChecksum, cache: BlockCache(capacity: 0),
        cacheID: entry.number, onDamage: { _ in })
      // Without filters, which might be wrong.
      let plain = UnfilteredSegment(base: reader)
      var rows = 0
      try subjects.forEachRow(of: plain, subject: column, tenant: schema.tenantColumn) { _, _, _ in rows += 1 }
      if rows > 0 { result.found.append("\(entry.fileName): \(rows) rows") }
      if let dictionary = try reader.dictionary(.column(column)), everywhere.contains(oneOf: dictionary) {
        result.found.append("\(entry.fileName): the dictionary of column '\(schema.columns[column].name)'")
      }
      if renewed.contains(entry.fileName) { try checkDictionaries(reader) }
    } catch {
      guard error.code == .corrupt || error.isMissingFile else { throw error }
      result.unreadable.append("\(entry.fileName): \(error.message)")
    }
  }

  /// Reads all content of a shard past the cache, and looks for what no row refers to: what only erased rows did.
  ///
  /// Whoever swept, and whether anybody did, doesn't matter: only segments of which every piece has come since the erasing
  /// began may hold more than what parts refer to.
  private mutating func checkContent(_ shard: Int) throws(StorageError) {
    // No flush is between the manifest and what queries see.
    let (entries, live) = store.flushTurn.withLock { _ in
      (
        store.manifest.withLock { $0.content.filter { $0.shard == shard } },
        store.state.withLock { $0.contentSegments[shard] }
      )
    }
    guard !entries.isEmpty else { return }
    let young = Set(live.filter { $0.since >= generations[shard] }.map(\.entry.number))
    var marks = ContentMarks()
    if let part = try store.mark(shard, &marks) {
      result.unreadable.append("\(part): nobody can tell what content its rows refer to")
    }
    let cache = ContentCache(capacity: 0)
    for entry in entries {
      try scan(store.directory.path(of: entry.fileName), name: entry.fileName)
      do throws(StorageError) {
        var unused = 0
        try store.directory.open(entry, cache: cache).forEachPiece { (piece) throws(StorageError) in
          if !young.contains(entry.number), !marks.ids.contains(piece.id) { unused += 1 }
        }
        if unused > 0 { result.found.append("\(entry.fileName): \(unused) pieces that no row refers to") }
      } catch {
        guard error.code == .corrupt || error.isMissingFile else { throw error }
        result.unreadable.append("\(entry.fileName): \(error.message)")
      }
    }
  }

  /// What only erased rows had is in no dictionary: every entry is some row's.
  private mutating func checkDictionaries(_ reader: PartReader) throws(StorageError) {
    let kept = KeptKeys(maximumBytes: 64 << 20)
    for (index, column) in reader.directory.columns.enumerated() where column.dictionary != nil {
      let dictionary = try reader.dictionary(ofStored: index, cached: false)
      var isUsed = [Bool](repeating: false, count: column.dictionaryCount)
      for block in 0..<reader.blockCount {
        let vector = try reader.block(block, ofStored: index, dictionary: dictionary, keeping: .keys(kept))
        guard case .codes(let codes, _) = vector.storage else { continue }
        for row in codes.indices where vector.isValid(row) && Int(codes[row]) < isUsed.count {
          isUsed[Int(codes[row])] = true
        }
      }
      let unused = isUsed.count { !$0 }
      if unused > 0 {
        result.found.append("\(reader.name): \(unused) entries of '\(column.displayName)' that no row has")
      }
    }
  }

  /// Files that no manifest names, and segments of the log that it has done with.
  private mutating func checkFolders() throws(StorageError) {
    // No flush is at work meanwhile: what it writes goes through the rules, and is named when it has written it; what it has
    // made obsolete it removes itself.
    let (strays, obsolete) = try store.flushTurn.withLock { (_) throws(StorageError) in
      let manifest = store.manifest.withLock { $0 }
      let named = manifest.fileNames
      var strays: [String] = []
      for (folder, path) in store.directory.fileFolders {
        let files = try store.fileSystem.list(path).filter { folder == Tier.hot.folder || !VolumeMark.isOwn($0) }
        strays += files.map { "\(folder)/\($0)" }.filter { !named.contains($0) }.sorted()
      }
      var obsolete: [String] = []
      for (shard, floor) in manifest.logFloors.enumerated() {
        let path = store.directory.logDirectory(shard: shard)
        let segments = try store.fileSystem.list(path).compactMap(LogFormat.segment).sorted()
        obsolete += segments.filter { $0 < floor }.map { "\(path)/\(LogFormat.fileName($0))" }
      }
      return (strays, obsolete)
    }
    result.unreadable += strays.map { "\($0): left over; it goes when the store is opened again" }
    result.unreadable += obsolete.map { "\($0): left over; it goes with the next flush" }
  }

  private mutating func checkLog(_ shard: Int) throws(StorageError) {
    let path = store.directory.logDirectory(shard: shard)
    for file in try store.fileSystem.list(path).sorted() where LogFormat.segment(file) == nil {
      result.unreadable.append("\(path)/\(file): what was kept of damage in the log; remove it when it is of no use")
    }
    // A segment that is missed has been flushed meanwhile, through the rules.
    for attempt in 1...20 {
      do throws(StorageError) {
        try readLog(shard, path)
        return
      } catch {
        guard error.isMissingFile, attempt < 20 else { throw error }
      }
    }
  }

  private mutating func readLog(_ shard: Int, _ path: String) throws(StorageError) {
    let floor = try store.directory.manifests.load().manifest.logFloors[shard]
    var reader = LogReader(path, shard: shard, fileSystem: store.fileSystem, from: LogPosition(segment: floor))
    while let record = try reader.next() {
      result.bytes += record.payload.count
      let batch = try LogPayload.decode(record, schemas: store.schemas).batch
      guard let column = batch.schema.subjectColumn else { continue }
      if subjects.others(of: batch) != nil {
        result.found.append("the log's segment \(record.position.segment), offset \(record.position.offset)")
      } else if case .codes(_, let dictionary) = batch.columns[column].storage, everywhere.contains(oneOf: dictionary) {
        result.found.append("a dictionary in the log's segment \(record.position.segment)")
      }
    }
    for damage in reader.damages {
      result.unreadable.append("\(damage.path): \(damage.reason) at offset \(damage.offset)")
    }
    result.files += 1
  }

  private mutating func scanFolder(_ path: String) throws(StorageError) {
    for file in try store.fileSystem.list(path).sorted() where !Self.folders.contains(file) {
      try scan("\(path)/\(file)", name: file)
    }
  }

  private static let folders: Set<String> = [
    "cold", "content", "erasure", "hot", "manifest", "receipts", "spill", "wal", "warm",
  ]

  private mutating func scan(_ path: String, name: String) throws(StorageError) {
    do throws(StorageError) {
      let file = try store.fileSystem.open(path)
      let size = try file.size()
      let isFound = try scan.finds(in: file, size: size)
      if isFound { result.found.append("\(name): the bytes of a key") }
      result.files += 1
      result.bytes += size
    } catch {
      guard error.isMissingFile else { throw error }
    }
  }
}

extension SubjectSet {
  /// Whether an entry of a dictionary is a subject's key.
  func contains(oneOf dictionary: ValueDictionary) -> Bool {
    guard !isEmpty, case .id128(let keys) = dictionary.values else { return false }
    return keys.contains { isMeant($0) }
  }
}

/// A segment that is read whole.
private struct UnfilteredSegment: Segment {
  let base: PartReader
  var name: String { base.name }
  var rowCount: Int { base.rowCount }
  var blockRows: Int { base.blockRows }
  var attributeKeys: [AttributeKey] { base.attributeKeys }
  func storedBytes(_ column: ColumnReference, block: Int) -> Int { base.storedBytes(column, block: block) }
  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? { nil }
  func filters(_ column: ColumnReference) -> BlockFilters? { nil }
  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? { try base.dictionary(column) }
  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    try base.readOnce(column, block: block)
  }
}
