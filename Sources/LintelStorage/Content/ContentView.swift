internal import LintelColumns

/// A content segment that queries see.
struct LiveContent: Sendable {
  var entry: ContentEntry
  let reader: ContentReader
  /// Of the pool when its pieces were logged; see ``ContentPool/forget()``.
  var generation: UInt64
}

/// Where the pieces of a shard are, as a snapshot found it.
struct ContentView: Sendable {
  var memories: [ContentMemory] = []
  var segments: [ContentReader] = []
  let searches = ContentSearch.Memo()
}

/// Gives values back from their recipes. For one thread: it keeps the group at hand.
struct ContentRebuilder {
  private let view: ContentView
  private var group: ContentGroup?

  init(_ view: ContentView) { self.view = view }

  mutating func piece(_ id: UInt64) throws(StorageError) -> ArraySlice<UInt8> {
    if let found = group?.find(id) { return found }
    for memory in view.memories {
      if let found = memory.bytes(id) { return found }
    }
    for segment in view.segments {
      guard let holder = try segment.groupHolding(id), let found = holder.find(id) else { continue }
      group = holder
      return found
    }
    throw Self.missing(id)
  }

  static func missing(_ id: UInt64) -> StorageError {
    StorageError(.corrupt, "piece \(id) of the content is in no segment: restore the folder 'content' from a backup")
  }

  static var damagedRecipe: StorageError {
    StorageError(.corrupt, "a row's content can't be put together: its recipe is damaged")
  }

  /// Appends the value of a recipe.
  mutating func append(_ recipe: UnsafeRawBufferPointer, to bytes: inout [UInt8]) throws(StorageError) {
    let isWhole = try ContentRecipe.forEachItem(recipe) { (item) throws(StorageError) in
      switch item {
      case .literal(let range): bytes.append(contentsOf: recipe[range])
      case .piece(let id): bytes.append(contentsOf: try piece(id))
      }
    }
    guard isWhole else { throw Self.damagedRecipe }
  }

  /// The values of recipes; rows that have none are null.
  mutating func values(_ recipes: ColumnVector) throws(StorageError) -> ColumnVector {
    var strings = ByteStrings()
    strings.offsets.reserveCapacity(recipes.count + 1)
    func room() throws(StorageError) {
      guard strings.bytes.count <= Int(UInt32.max) else {
        throw StorageError(.invalid, "the content of these rows takes more than 4 GiB: ask for fewer of them")
      }
    }
    for row in 0..<recipes.count {
      if let recipe = recipes.bytes(at: row) {
        var failure: StorageError?
        recipe.withUnsafeBytes { bytes in
          do throws(StorageError) { try append(bytes, to: &strings.bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        try room()
      }
      strings.offsets.append(UInt32(truncatingIfNeeded: strings.bytes.count))
    }
    return ColumnVector(.bytes(strings), validity: recipes.validity)
  }
}

extension ContentRebuilder {
  /// A batch as clients sent it.
  mutating func whole(_ batch: Batch) throws(StorageError) -> Batch {
    var columns: [AttributeKey: [AttributeColumn]] = [:]
    for column in batch.attributes {
      guard let kind = column.key.kind.ofContent else {
        columns[column.key, default: []].append(column)
        continue
      }
      let key = AttributeKey(column.key.name, kind)
      columns[key, default: []].append(
        AttributeColumn(key: key, rows: column.rows, values: try values(column.values)))
    }
    let attributes = columns.sorted { $0.key < $1.key }.map { key, parts in
      parts.count == 1 ? parts[0] : Self.united(key, parts)
    }
    return Batch(schema: batch.schema, rowCount: batch.rowCount, columns: batch.columns, attributes: attributes)
  }

  /// One column of several that have no row in common.
  private static func united(_ key: AttributeKey, _ columns: [AttributeColumn]) -> AttributeColumn {
    var places: [(row: UInt32, column: Int, lane: Int)] = []
    for (number, column) in columns.enumerated() {
      for (lane, row) in column.rows.enumerated() { places.append((row, number, lane)) }
    }
    places.sort { $0.row < $1.row }
    var strings = ByteStrings()
    for place in places { strings.append(columns[place.column].values.bytes(at: place.lane) ?? []) }
    return AttributeColumn(key: key, rows: places.map(\.row), values: ColumnVector(.bytes(strings)))
  }
}

/// A segment whose content columns are read as the attributes that clients sent.
struct ContentSegment: Segment {
  let base: any Segment
  let view: ContentView
  let attributeKeys: [AttributeKey]
  /// Attributes of which some values are content.
  private let content: Set<AttributeKey>

  /// `nil` when the segment has no content.
  init?(_ base: any Segment, _ view: ContentView) {
    let keys = base.attributeKeys
    let content = keys.compactMap { key in key.kind.ofContent.map { AttributeKey(key.name, $0) } }
    guard !content.isEmpty else { return nil }
    self.base = base
    self.view = view
    self.content = Set(content)
    attributeKeys = Set(keys.map { AttributeKey($0.name, $0.kind.ofContent ?? $0.kind) }).sorted()
  }

  var name: String { base.name }
  var rowCount: Int { base.rowCount }
  var blockRows: Int { base.blockRows }
  var isPart: Bool { base.isPart }
  var mask: RowMask? { base.mask }

  /// The column that holds the recipes of an attribute's values.
  private func recipes(_ column: ColumnReference) -> ColumnReference? {
    guard case .attribute(let key) = column, content.contains(key), let kind = key.kind.asContent else { return nil }
    return .attribute(AttributeKey(key.name, kind))
  }

  func isContent(_ column: ColumnReference) -> Bool { recipes(column) != nil }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int {
    base.storedBytes(column, block: block) + (recipes(column).map { base.storedBytes($0, block: block) } ?? 0)
  }

  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? {
    isContent(column) ? nil : base.statistics(column, block: block)
  }

  func blocks(_ blocks: [Int], of column: ColumnReference, _ admits: (BlockStatistics) -> Bool) -> [Int] {
    isContent(column) ? blocks : base.blocks(blocks, of: column, admits)
  }

  func filters(_ column: ColumnReference) -> BlockFilters? { isContent(column) ? nil : base.filters(column) }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? {
    isContent(column) ? nil : try base.dictionary(column)
  }

  func packed(_ column: ColumnReference, block: Int) -> PackedVector? {
    isContent(column) ? nil : base.packed(column, block: block)
  }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    guard let recipes = recipes(column) else { return try base.read(column, block: block) }
    return try values(try base.read(column, block: block), try base.read(recipes, block: block))
  }

  func read(_ column: ColumnReference, block: Int, rows: [UInt32]) throws(StorageError) -> ColumnVector {
    guard let recipes = recipes(column) else { return try base.read(column, block: block, rows: rows) }
    return try values(
      try base.read(column, block: block, rows: rows), try base.read(recipes, block: block, rows: rows))
  }

  func contains(
    _ needle: [UInt8], in column: ColumnReference, block: Int, rows: [UInt32]?
  ) throws(StorageError) -> ColumnVector? {
    guard let recipes = recipes(column) else {
      return try base.contains(needle, in: column, block: block, rows: rows)
    }
    guard let search = view.searches.search(needle) else { return nil }
    func read(_ column: ColumnReference) throws(StorageError) -> ColumnVector {
      guard let rows else { return try base.read(column, block: block) }
      return try base.read(column, block: block, rows: rows)
    }
    var rebuilder = ContentRebuilder(view)
    return try search.flags(short: try read(column), recipes: try read(recipes), &rebuilder)
  }

  /// A row has a short value, or a recipe, or neither.
  private func values(_ short: ColumnVector, _ recipes: ColumnVector) throws(StorageError) -> ColumnVector {
    var rebuilder = ContentRebuilder(view)
    let rebuilt = try rebuilder.values(recipes)
    guard !short.isAllNull, case .bytes(let strings) = rebuilt.storage else { return rebuilt }
    var merged = ByteStrings()
    var validity = Bitmap(count: recipes.count)
    for row in 0..<recipes.count {
      if let value = short.bytes(at: row) ?? (rebuilt.isValid(row) ? strings[row] : nil) {
        merged.bytes.append(contentsOf: value)
        validity[row] = true
      }
      merged.offsets.append(UInt32(truncatingIfNeeded: merged.bytes.count))
    }
    return ColumnVector(.bytes(merged), validity: validity.isAllSet ? nil : validity)
  }
}
