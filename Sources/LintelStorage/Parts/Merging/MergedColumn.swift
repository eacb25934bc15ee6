internal import LintelColumns

/// The parts that go into a merge, and the keys that are kept of them meanwhile.
struct MergeSources {
  let readers: [PartReader]
  /// Rows of each that are left out.
  let masks: [RowMask?]
  /// Attributes that are left out.
  let isLeftOut: @Sendable (AttributeKey) -> Bool
  let keys: KeptKeys

  /// A byte or two a row and predictor, for some sixteen million rows.
  private static let maximumKeyBytes = 64 << 20

  init(
    _ readers: [PartReader], masks: [RowMask?] = [], leavingOut isLeftOut: @escaping @Sendable (AttributeKey) -> Bool
  ) {
    self.isLeftOut = isLeftOut
    self.readers = readers
    self.masks = readers.indices.map { $0 < masks.count ? masks[$0] : nil }
    keys = KeptKeys(maximumBytes: Self.maximumKeyBytes)
  }

  /// Rows that are merged.
  var rowCount: Int {
    zip(readers, masks).reduce(0) { $0 + $1.0.rowCount - ($1.1?.removedCount ?? 0) }
  }

  /// Plain bytes of the column that has most.
  var widestBytes: Int {
    var bytes: [PartColumnRole: Int] = [:]
    for reader in readers {
      for column in reader.directory.columns { bytes[column.role, default: 0] += column.rawLength }
    }
    return bytes.values.max() ?? 0
  }
}

/// A column that a merge writes: what it is, and where each source has it.
struct MergedColumn {
  let role: PartColumnRole
  let typeName: String
  let physical: PhysicalType
  var places: [PartReader.Place?]
  /// Values in all sources.
  var valueCount: Int

  /// Bytes that the sources take for strings and ids: these are united and compressed, which is most of a merge's work.
  func textBytes(_ sources: MergeSources) -> Int {
    guard physical == .bytes || physical == .id128 else { return 0 }
    return zip(sources.readers, places).reduce(0) { sum, source in
      guard case .column(let index) = source.1 else { return sum }
      let stored = source.0.directory.columns[index]
      return sum + stored.dataLength + (stored.dictionary?.length ?? 0)
    }
  }
}

/// What a merge writes, in the order of the directory: the schema's columns, those first that others are derived from, then
/// those that the schema doesn't know (any more), then the dynamic columns and at last the tail.
struct MergedColumns {
  private(set) var columns: [MergedColumn] = []
  private(set) var tailKeys: [TailKey] = []
  /// Columns at the beginning from which others may be derived.
  private(set) var keyCount = 0

  init(_ sources: MergeSources, schema: TableSchema, _ density: PartDensity) throws(StorageError) {
    try addSchemaColumns(sources, schema, density)
    try addAttributes(sources)
    // What has no value leaves no trace.
    columns.removeAll { $0.valueCount == 0 }
    let names = Set(MergedRelations.keyColumns(schema, density).map { schema.columns[$0].name })
    keyCount = columns.prefix { if case .schema(let name) = $0.role { names.contains(name) } else { false } }.count
  }

  /// The order in which the other columns are merged: the longest work first, lest it be left to one thread at the end;
  /// then those of numbers, as they stand.
  func order(_ sources: MergeSources) -> [Int] {
    (keyCount..<columns.count).map { (number: $0, bytes: columns[$0].textBytes(sources)) }
      .sorted { ($1.bytes, $0.number) < ($0.bytes, $1.number) }
      .map(\.number)
  }

  private mutating func addSchemaColumns(
    _ sources: MergeSources, _ schema: TableSchema, _ density: PartDensity
  ) throws(StorageError) {
    var names = MergedRelations.columnOrder(schema, density).map { schema.columns[$0].name }
    var found: [String: MergedColumn] = [:]
    for (number, source) in sources.readers.enumerated() {
      for (index, column) in source.directory.columns.enumerated() {
        guard case .schema(let name) = column.role else { continue }
        var entry =
          found[name]
          ?? MergedColumn(
            role: column.role, typeName: column.typeName, physical: column.physical,
            places: Array(repeating: nil, count: sources.readers.count), valueCount: 0)
        entry.places[number] = .column(index)
        entry.valueCount += try sources.valuesLeft(number, column: index)
        if found[name] == nil, schema.index(of: name) == nil { names.append(name) }
        found[name] = entry
      }
    }
    columns += names.compactMap { found[$0] }
  }

  /// The most frequent keys get columns, the others go into the tail.
  private mutating func addAttributes(_ sources: MergeSources) throws(StorageError) {
    let keys = try Self.attributeCounts(sources)
    let chosen = AttributeChoice.columns(counts: keys.map(\.count))
    for (index, key) in keys.enumerated() {
      guard chosen[index] else {
        tailKeys.append(TailKey(key: key.key, valueCount: key.count))
        continue
      }
      let places = sources.readers.map { $0.place(.attribute(key.key)) }
      columns.append(
        MergedColumn(
          role: .attribute(key.key), typeName: "", physical: key.key.kind.physical, places: places,
          valueCount: key.count))
    }
    let values = tailKeys.reduce(0) { $0 + $1.valueCount }
    columns.append(MergedColumn(role: .tail, typeName: "", physical: .bytes, places: [], valueCount: values))
  }

  /// Values of each dynamic column over all sources, sorted by key.
  private static func attributeCounts(
    _ sources: MergeSources
  ) throws(StorageError) -> [(key: AttributeKey, count: Int)] {
    var counts: [AttributeKey: Int] = [:]
    for (number, source) in sources.readers.enumerated() {
      for (index, column) in source.directory.columns.enumerated() {
        guard case .attribute(let key) = column.role else { continue }
        counts[key, default: 0] += try sources.valuesLeft(number, column: index)
      }
      let removed = try sources.removedTailValues(number)
      for (index, tail) in source.directory.tailKeys.enumerated() {
        counts[tail.key, default: 0] += max(0, tail.valueCount - (index < removed.count ? removed[index] : 0))
      }
    }
    for (key, count) in counts where count == 0 || sources.isLeftOut(key) { counts[key] = nil }
    return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
