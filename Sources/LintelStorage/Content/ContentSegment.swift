internal import LintelColumns

/// A segment whose content columns are read as the attributes that clients sent.
struct ContentSegment: CoveringSegment {
  let base: any Segment
  let view: ContentView
  let attributeKeys: [AttributeKey]
  let digestKeys: [AttributeKey]
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
    digestKeys = keys.filter { $0.kind.ofContent != nil }
    attributeKeys = Set(keys.map { AttributeKey($0.name, $0.kind.ofContent ?? $0.kind) }).sorted()
  }

  /// The column that holds the recipes of an attribute's values.
  private func recipes(_ column: ColumnReference) -> ColumnReference? {
    guard case .attribute(let key) = column, content.contains(key), let kind = key.kind.asContent else { return nil }
    return .attribute(AttributeKey(key.name, kind))
  }

  func isContent(_ column: ColumnReference) -> Bool { recipes(column) != nil }

  private func isDigests(_ column: ColumnReference) -> Bool {
    if case .attribute(let key) = column { key.kind.ofContent != nil } else { false }
  }

  func isChanged(_ column: ColumnReference) -> Bool { isContent(column) || isDigests(column) }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int {
    base.storedBytes(column, block: block) + (recipes(column).map { base.storedBytes($0, block: block) } ?? 0)
  }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    if isDigests(column) { return try view.digests.values(try base.read(column, block: block), view) }
    guard isContent(column) else { return try base.read(column, block: block) }
    guard let values = try content(column, block: block, rows: nil, within: .most) else {
      throw ContentRebuilder.tooLarge
    }
    return values
  }

  func content(
    _ column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? {
    guard let recipes = recipes(column) else {
      return try base.content(column, block: block, rows: rows, within: bounds)
    }
    // A row has a short value, or a recipe, or neither.
    let short = try stored(column, block, rows)
    var rebuilder = ContentRebuilder(view, within: bounds)
    return try rebuilder.values(
      try stored(recipes, block, rows), short: short.isAllNull ? nil : short, isLenient: true)
  }

  func contains(
    _ needle: [UInt8], in column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? {
    guard let recipes = recipes(column) else {
      return try base.contains(needle, in: column, block: block, rows: rows, within: bounds)
    }
    guard let search = view.searches.search(needle) else { return nil }
    var rebuilder = ContentRebuilder(view, within: bounds)
    return try search.flags(
      short: try stored(column, block, rows), recipes: try stored(recipes, block, rows), &rebuilder, view.damage)
  }

  private func stored(
    _ column: ColumnReference, _ block: Int, _ rows: [UInt32]?
  ) throws(StorageError) -> ColumnVector {
    let vector = try base.read(column, block: block)
    return rows.map(vector.gather) ?? vector
  }
}
