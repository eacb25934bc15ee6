internal import LintelColumns

/// Finds rows that lie in parts since before the store was opened, so that a batch sent again after a restart is recognised.
///
/// While the store is open the digests of recent rows are in memory (``RetryWindow``); they are not written anywhere. After
/// an opening, the parts that got rows within the retry window are asked instead: of a row's cluster they tell which
/// blocks hold rows of it, and the first row that might be in a block brings all of that block's digests into memory. A
/// new trace costs a look into a table; memory and reading stay within the limits that the window has anyway.
///
/// Belongs to one shard and is used by whoever has the turn to write its log.
struct StoredRows: Sendable {
  private struct Place: Hashable, Sendable {
    var part: Int
    var block: Int
  }

  private let parts: [(schema: TableSchema, reader: PartReader)]
  private let content: @Sendable () -> ContentView
  /// When rows sent again are no longer recognised, in nanoseconds since 1970.
  let end: Int64
  private let rowLimit: Int
  /// The blocks that hold rows of a cluster, by the digest of the cluster's value. Made when first asked for.
  private var places: [UInt64: [Place]]?
  private var loaded: Set<Place> = []
  private var digests = DigestSet()

  /// - Parameters:
  ///   - parts: Those that got rows within the window.
  ///   - content: Where what their rows refer to is at present: digests go by what clients sent.
  ///   - end: When to stop looking, in nanoseconds since 1970.
  ///   - rowLimit: Digests kept at once.
  init(
    _ parts: [(schema: TableSchema, reader: PartReader)],
    content: @escaping @Sendable () -> ContentView = { ContentView() }, until end: Int64, rowLimit: Int
  ) {
    self.parts = parts
    self.content = content
    self.end = end
    self.rowLimit = rowLimit
  }

  func isOver(now: Int64) -> Bool { parts.isEmpty || now >= end }

  /// The rows of a batch that are in none of the parts, ascending; `nil` when that is all of them.
  ///
  /// A block that can't be read holds no known row: the part is reported and quarantined by its reader, and storing a row
  /// twice is better than losing one.
  mutating func newRows(of batch: Batch, digests rowDigests: [UInt128]) -> [UInt32]? {
    let clusters = RowDigest.values(of: batch.columns[batch.schema.clusterColumn])
    if places == nil { places = index() }
    var wanted: Set<Place> = []
    for cluster in Set(clusters) { wanted.formUnion(places?[cluster] ?? []) }
    guard !wanted.isEmpty else { return nil }
    var isKnown = [Bool](repeating: false, count: rowDigests.count)
    // In the order in which they lie on the disk.
    for place in wanted.sorted(by: { ($0.part, $0.block) < ($1.part, $1.block) }) where !loaded.contains(place) {
      if digests.count + parts[place.part].reader.blockRows > rowLimit {
        // What has to go is asked before it goes.
        mark(&isKnown, rowDigests)
        digests = DigestSet()
        loaded = []
      }
      load(place)
    }
    mark(&isKnown, rowDigests)
    guard isKnown.contains(true) else { return nil }
    return isKnown.indices.filter { !isKnown[$0] }.map { UInt32(truncatingIfNeeded: $0) }
  }

  private func mark(_ isKnown: inout [Bool], _ rowDigests: [UInt128]) {
    for (row, digest) in rowDigests.enumerated() where digests.contains(digest) { isKnown[row] = true }
  }

  private func index() -> [UInt64: [Place]] {
    var places: [UInt64: [Place]] = [:]
    for (part, (schema, reader)) in parts.enumerated() {
      for block in 0..<reader.blockCount {
        guard let vector = try? reader.read(.column(schema.clusterColumn), block: block) else { continue }
        for cluster in Set(RowDigest.values(of: vector)) {
          places[cluster, default: []].append(Place(part: part, block: block))
        }
      }
    }
    return places
  }

  private mutating func load(_ place: Place) {
    loaded.insert(place)
    let (schema, reader) = parts[place.part]
    guard let batch = try? reader.batch(block: place.block, schema: schema) else { return }
    guard batch.hasContent else {
      for digest in Store.digests(of: batch) { _ = digests.insert(digest) }
      return
    }
    var rebuilder = ContentRebuilder(content())
    for start in stride(from: 0, to: batch.rowCount, by: Self.contentRows) {
      let rows = (start..<min(start + Self.contentRows, batch.rowCount)).map { UInt32(truncatingIfNeeded: $0) }
      guard let whole = try? rebuilder.whole(batch.select(rows: rows)) else { continue }
      for digest in Store.digests(of: whole) { _ = digests.insert(digest) }
    }
  }

  /// Rows whose content is in memory at a time.
  private static let contentRows = 64
}

extension PartReader {
  /// The rows of a block, all columns.
  fileprivate func batch(block: Int, schema: TableSchema) throws(StorageError) -> Batch {
    var columns: [ColumnVector] = []
    for index in schema.columns.indices { columns.append(try read(.column(index), block: block)) }
    var attributes: [AttributeColumn] = []
    for key in attributeKeys {
      let vector = try read(.attribute(key), block: block)
      if vector.isAllNull { continue }
      let rows = (0..<UInt32(vector.count)).filter { vector.isValid(Int($0)) }
      attributes.append(AttributeColumn(key: key, rows: rows, values: vector.gather(rows)))
    }
    return Batch(schema: schema, rowCount: rowCount(ofBlock: block), columns: columns, attributes: attributes)
  }
}
