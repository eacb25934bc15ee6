internal import LintelColumns

/// Takes content out of batches: attributes that are content become recipes, and the pieces go beside them.
struct ContentCutter {
  private let keys: ContentKeys
  private let hasher: ContentHasher
  private let pool: ContentPool
  /// Distinct pieces of the batch, in the order of first appearance, and where they are by a quick hash.
  private var pieces: [ContentPiece] = []
  private var places: [Quick: [Int]] = [:]

  private struct Quick: Hashable {
    var hash: UInt64
    var tenant: Int
  }

  private init(_ keys: ContentKeys, _ hasher: ContentHasher, _ pool: ContentPool) {
    self.keys = keys
    self.hasher = hasher
    self.pool = pool
  }

  /// A batch without its content.
  struct Cut: Sendable {
    var batch: Batch
    /// Every piece that rows refer to, once.
    var pieces: [ContentPiece]
  }

  static func cut(_ batch: Batch, hasher: ContentHasher, pool: ContentPool) -> Cut {
    guard let keys = batch.schema.content, batch.attributes.contains(where: { keys.contains($0.key) }) else {
      return Cut(batch: batch, pieces: [])
    }
    var cutter = ContentCutter(keys, hasher, pool)
    let tenants = TenantNumbers(batch)
    let hashers = tenants.names.map(hasher.key)
    var columns = batch.attributes.filter { !keys.contains($0.key) }
    for var column in cutter.cut(batch.attributes.filter { keys.contains($0.key) }, batch.rowCount, tenants, hashers) {
      columns += column.finish()
    }
    columns.sort { $0.key < $1.key }
    return Cut(
      batch: Batch(schema: batch.schema, rowCount: batch.rowCount, columns: batch.columns, attributes: columns),
      pieces: cutter.pieces)
  }

  /// Cuts row by row: what a row was answered stands in the history that the next one sends, and is best stored beside it.
  private mutating func cut(
    _ columns: [AttributeColumn], _ rowCount: Int, _ tenants: TenantNumbers, _ hashers: [ContentHasher.Key]
  ) -> [CutColumn] {
    var cuts = columns.map(CutColumn.init)
    var recipe: [UInt8] = []
    for row in 0..<UInt32(truncatingIfNeeded: rowCount) {
      let tenant = tenants[Int(row)]
      for index in cuts.indices {
        guard let value = cuts[index].next(row) else { continue }
        recipe.removeAll(keepingCapacity: true)
        append(value, cuts[index].kind, tenant, hashers[tenant], to: &recipe)
        cuts[index].append(recipe, row)
      }
    }
    return cuts
  }

  private mutating func append(
    _ value: ArraySlice<UInt8>, _ kind: AttributeKind, _ tenant: Int, _ key: ContentHasher.Key, to recipe: inout [UInt8]
  ) {
    value.withUnsafeBytes { bytes in
      let ranges = kind == .textContent ? ContentCut.pieces(ofText: bytes) : ContentCut.pieces(ofVariant: bytes)
      var found: [Range<Int>] = []
      var ids: [UInt64] = []
      found.reserveCapacity(ranges.count)
      ids.reserveCapacity(ranges.count)
      for range in ranges {
        let piece = UnsafeRawBufferPointer(rebasing: bytes[range])
        // Without an id it stays where it is.
        guard let id = id(of: piece, in: value, at: range.lowerBound, tenant, key) else { continue }
        found.append(range)
        ids.append(id)
      }
      ContentRecipe.append(bytes, pieces: found, ids: ids, to: &recipe)
    }
  }

  /// A message that the batch has had before is found by a quick hash and compared; only others are worth a digest.
  private mutating func id(
    of bytes: UnsafeRawBufferPointer, in value: ArraySlice<UInt8>, at offset: Int, _ tenant: Int,
    _ key: ContentHasher.Key
  ) -> UInt64? {
    let quick = Quick(hash: ContentCut.quickHash(bytes), tenant: tenant)
    for place in places[quick] ?? [] where pieces[place].bytes.count == bytes.count {
      let isSame = pieces[place].bytes.withUnsafeBytes { ContentCut.areEqual($0, bytes) }
      if isSame { return pieces[place].id }
    }
    let digest = key.digest(bytes)
    guard let id = pool.id(digest) else { return nil }
    let start = value.startIndex + offset
    // A copy, so that nothing else of the batch is held until the pieces are in the log.
    let copy = Array(value[start..<start + bytes.count])[...]
    let piece = ContentPiece(id: id, digest: digest, bytes: copy)
    places[quick, default: []].append(pieces.count)
    pieces.append(piece)
    return piece.id
  }
}

/// A column that is being cut: its short values, and the recipes of the others.
private struct CutColumn {
  let kind: AttributeKind
  private let column: AttributeColumn
  private var lane = 0
  private var short: [UInt32] = []
  private var rows: [UInt32] = []
  private var recipes = ByteStrings()

  init(_ column: AttributeColumn) {
    self.column = column
    kind = column.key.kind.asContent ?? .textContent
  }

  /// The value of a row, if it has one that is long enough. To be asked for all rows in order.
  mutating func next(_ row: UInt32) -> ArraySlice<UInt8>? {
    guard lane < column.rows.count, column.rows[lane] == row else { return nil }
    defer { lane += 1 }
    if let value = column.values.bytes(at: lane), value.count >= ContentCut.minimumBytes { return value }
    short.append(UInt32(truncatingIfNeeded: lane))
    return nil
  }

  mutating func append(_ recipe: [UInt8], _ row: UInt32) {
    rows.append(row)
    recipes.append(recipe)
  }

  mutating func finish() -> [AttributeColumn] {
    guard !rows.isEmpty else { return [column] }
    let content = AttributeColumn(
      key: AttributeKey(column.key.name, kind), rows: rows, values: ColumnVector(.bytes(recipes)))
    if short.isEmpty { return [content] }
    let rest = AttributeColumn(
      key: column.key, rows: short.map { column.rows[Int($0)] },
      values: column.values.gather(short).withCodesByFirstUse())
    return [rest, content]
  }
}

/// The tenant of each row, numbered.
private struct TenantNumbers {
  /// Bytes: names that only look alike are different tenants.
  private(set) var names: [[UInt8]?] = []
  private var known: [[UInt8]?: Int] = [:]
  private var numbers: [Int] = []

  init(_ batch: Batch) {
    guard let column = batch.schema.tenantColumn else {
      names = [nil]
      return
    }
    let tenants = batch.columns[column]
    numbers.reserveCapacity(batch.rowCount)
    var last: (name: ArraySlice<UInt8>?, number: Int)?
    for row in 0..<batch.rowCount {
      let name = tenants.bytes(at: row)
      let number: Int
      if let last, last.name == name { number = last.number } else { number = self.number(of: name) }
      last = (name, number)
      numbers.append(number)
    }
  }

  private mutating func number(of name: ArraySlice<UInt8>?) -> Int {
    let name = name.map(Array.init)
    if let number = known[name] { return number }
    known[name] = names.count
    names.append(name)
    return names.count - 1
  }

  subscript(row: Int) -> Int { row < numbers.count ? numbers[row] : 0 }
}
