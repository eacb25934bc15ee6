internal import LintelColumns

/// Gives values back from their recipes. For one thread: it keeps the group at hand.
struct ContentRebuilder {
  private let view: ContentView
  private let bounds: ReadBounds
  private var group: ContentGroup?

  init(_ view: ContentView, within bounds: ReadBounds = .most) {
    self.view = view
    self.bounds = bounds
  }

  /// - Throws: `.corrupt`, naming the file, when the piece can't be read.
  mutating func piece(_ id: UInt64) throws(StorageError) -> ArraySlice<UInt8> {
    if let found = group?.find(id) { return found }
    for memory in view.memories {
      if let found = memory.bytes(id) { return found }
    }
    var damage: StorageError?
    for segment in view.segments {
      guard let index = segment.group(of: id) else { continue }
      let key = ContentCache.Key(segment: segment.number, group: index)
      if let known = view.damage[key] {
        damage = known
        continue
      }
      do throws(StorageError) {
        try bounds.check()
        let holder = try segment.group(index)
        view.damage.addRead(key, segment.groups[index].length)
        guard let found = holder.find(id) else { continue }
        group = holder
        return found
      } catch {
        // Another segment may have it as well.
        guard error.code == .corrupt else { throw error }
        view.damage[key] = error
        damage = error
      }
    }
    if let damage { throw damage }
    let missing = Self.missing(lost: view.lost)
    view.damage.count(missing: id, missing)
    throw missing
  }

  /// The same for all pieces: a segment that is gone takes thousands along.
  private static func missing(lost: [String]) -> StorageError {
    StorageError(
      .corrupt, "pieces of content that rows refer to are in no segment: restore the folder 'content' from a backup",
      path: lost.isEmpty ? "content" : lost.joined(separator: ", "))
  }

  static var damagedRecipe: StorageError {
    StorageError(.corrupt, "a row's content can't be put together: its recipe is damaged", path: "content")
  }

  /// Whether a row's content can't be read: others can.
  static func isDamage(_ error: StorageError) -> Bool { error.code == .corrupt }

  /// Appends the value of a recipe.
  /// - Returns: Whether there was room for it; if not, the bytes mean nothing.
  private mutating func append(
    _ recipe: UnsafeRawBufferPointer, to strings: inout ByteStrings, limit: Int
  ) throws(StorageError) -> Bool {
    var hasRoom = true
    let isWhole = try ContentRecipe.forEachItem(recipe) { (item) throws(StorageError) in
      guard hasRoom else { return }
      switch item {
      case .literal(let range):
        hasRoom = range.count <= limit - strings.bytes.count
        if hasRoom { strings.bytes.append(contentsOf: recipe[range]) }
      case .piece(let id):
        let piece = try piece(id)
        hasRoom = piece.count <= limit - strings.bytes.count
        if hasRoom { strings.bytes.append(contentsOf: piece) }
      }
    }
    guard isWhole else { throw Self.damagedRecipe }
    return hasRoom
  }

  /// The values of recipes, and of rows that have none what `short` has, which is null for the others; `nil` when they take
  /// more than the bounds allow.
  /// - Parameter isLenient: Values that can't be read are null, and noted.
  mutating func values(
    _ recipes: ColumnVector, short: ColumnVector? = nil, isLenient: Bool
  ) throws(StorageError) -> ColumnVector? {
    let limit = min(max(0, bounds.bytes), Int(UInt32.max))
    var strings = ByteStrings()
    strings.offsets.reserveCapacity(recipes.count + 1)
    var validity = Bitmap(count: recipes.count)
    var rebuilt = 0
    for row in 0..<recipes.count {
      if row & 1023 == 0 { try bounds.check() }
      let start = strings.bytes.count
      if let value = short?.bytes(at: row) {
        guard value.count <= limit - start else { return nil }
        strings.bytes.append(contentsOf: value)
        validity[row] = true
      } else if let recipe = recipes.bytes(at: row) {
        var outcome: Result<Bool, StorageError> = .success(true)
        recipe.withUnsafeBytes { bytes in
          do throws(StorageError) {
            outcome = .success(try append(bytes, to: &strings, limit: limit))
          } catch {
            outcome = .failure(error)
          }
        }
        do throws(StorageError) {
          guard try outcome.get() else { return nil }
          validity[row] = true
          rebuilt += strings.bytes.count - start
        } catch {
          guard isLenient, Self.isDamage(error) else { throw error }
          view.damage.note(error)
          strings.bytes.removeSubrange(start...)
        }
      }
      strings.offsets.append(UInt32(truncatingIfNeeded: strings.bytes.count))
    }
    view.damage.addRebuilt(rebuilt)
    return ColumnVector(.bytes(strings), validity: validity.isAllSet ? nil : validity)
  }

  static var tooLarge: StorageError {
    StorageError(.invalid, "the content of a block's rows takes more than 4 GiB: ask for fewer of them at once")
  }
}

extension ContentRebuilder {
  /// A batch as clients sent it. Throws when a value can't be read.
  mutating func whole(_ batch: Batch) throws(StorageError) -> Batch {
    var columns: [AttributeKey: [AttributeColumn]] = [:]
    for column in batch.attributes {
      guard let kind = column.key.kind.ofContent else {
        columns[column.key, default: []].append(column)
        continue
      }
      let key = AttributeKey(column.key.name, kind)
      guard let values = try values(column.values, isLenient: false) else { throw Self.tooLarge }
      columns[key, default: []].append(
        AttributeColumn(key: key, rows: column.rows, values: values))
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
