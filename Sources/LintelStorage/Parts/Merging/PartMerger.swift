internal import LintelColumns

/// Merges parts of one table, shard and window into one: the plan first, then column by column, block by block.
struct PartMerger {
  let sources: [PartReader]
  let schema: TableSchema
  let layout: MergeLayout
  let writer: PartWriter
  let related: MergedRelations
  let options: PartOptions
  /// Asked between blocks; a merge that is no longer wanted ends with `.closed`.
  let isCancelled: @Sendable () -> Bool

  static func merge(
    _ sources: [PartReader], schema: TableSchema, options: PartOptions, isCancelled: @escaping @Sendable () -> Bool
  ) throws(StorageError) -> WrittenPart {
    let rowCount = sources.reduce(0) { $0 + $1.rowCount }
    let blockRows = BlockSize.rows(
      configured: options.blockRows, rowCount: rowCount, widestBytes: widestBytes(sources))
    let layout = MergeLayout(
      try MergePlan(sources, schema: schema), sourceBlockRows: sources.map(\.blockRows), blockRows: blockRows)
    let (number, path) = options.allocate()
    let writer = try PartWriter(
      fileSystem: options.fileSystem, path: path, table: schema.name, rowCount: rowCount, blockRows: blockRows)
    let merger = PartMerger(
      sources: sources, schema: schema, layout: layout, writer: writer,
      related: MergedRelations(schema, sources: sources, layout: layout), options: options,
      isCancelled: isCancelled)
    do {
      return WrittenPart(number: number, path: path, summary: try merger.run(), rawBytes: 0)
    } catch {
      writer.discard()
      throw error
    }
  }

  private static func widestBytes(_ sources: [PartReader]) -> Int {
    var bytes: [PartColumnRole: Int] = [:]
    for source in sources {
      for column in source.directory.columns { bytes[column.role, default: 0] += column.rawLength }
    }
    return bytes.values.max() ?? 0
  }

  private func run() throws(StorageError) -> PartSummary {
    for column in schemaColumns() {
      try merge(.schema(column.name), column.places, typeName: column.typeName, physical: column.physical)
    }
    let tailKeys = try mergeAttributes()
    let minTime = sources.map(\.directory.minTime).min() ?? 0
    let maxTime = sources.map(\.directory.maxTime).max() ?? 0
    return try writer.finish(minTime: minTime, maxTime: maxTime, tailKeys: tailKeys)
  }

  private struct NamedColumn {
    var name: String
    var typeName: String
    var physical: PhysicalType
    var places: [PartReader.Place?]
  }

  /// The columns of all sources: the schema's, those first that others are derived from, then those that the schema
  /// doesn't know (any more).
  private func schemaColumns() -> [NamedColumn] {
    var names = related.columnOrder.map { schema.columns[$0].name }
    var found: [String: NamedColumn] = [:]
    for (number, source) in sources.enumerated() {
      for (index, column) in source.directory.columns.enumerated() {
        guard case .schema(let name) = column.role else { continue }
        var entry =
          found[name]
          ?? NamedColumn(
            name: name, typeName: column.typeName, physical: column.physical,
            places: Array(repeating: nil, count: sources.count))
        entry.places[number] = .column(index)
        if found[name] == nil, schema.index(of: name) == nil { names.append(name) }
        found[name] = entry
      }
    }
    return names.compactMap { found[$0] }
  }

  /// Merges one column that has a place of its own in the output.
  func merge(
    _ role: PartColumnRole, _ places: [PartReader.Place?], typeName: String, physical: PhysicalType
  ) throws(StorageError) {
    var columns: [SourceColumn] = []
    for (source, place) in zip(sources, places) { columns.append(SourceColumn(source, place, physical)) }
    for case let stored? in columns.map(\.stored) where stored.physical != physical {
      throw StorageError(
        .incompatible, "column '\(stored.displayName)' has different types in the parts to be merged; they stay apart",
        path: writer.path)
    }
    var union = try MergedDictionary.union(
      of: &columns, physical: physical, trialValues: options.dictionaryTrialValues)
    var numbering = CodeNumbering(entryCount: union?.count ?? 0)
    let values = union?.finish()
    writer.beginColumn(role, typeName: typeName, physical: physical)
    var encoder = BlockEncoder(related.relations(of: role))
    related.beginColumn(role, dictionaryCount: values?.count)
    var gather = ColumnGather(physical, isCoded: values != nil)
    try forEachBlock { (block) throws(StorageError) in
      guard var vector = try gather.block(block, of: layout, from: &columns, dictionary: values) else {
        related.add(nulls: block.rowCount)
        return writer.skip(block.rowCount)
      }
      if let values, case .codes(let codes, _) = vector.storage {
        vector.storage = .codes(numbering.renumber(codes, validity: vector.validity), values)
      }
      related.add(vector)
      try writer.write(vector) { encoder.encode($0, related, into: &$1) }
      if let failure = related.failure { throw failure }
    }
    related.endColumn(number: try writer.endColumn(dictionary: values.map { numbering.dictionary(from: $0) }))
  }

  /// Calls `body` with every output block in turn.
  func forEachBlock(_ body: (MergeLayout.Block) throws(StorageError) -> Void) throws(StorageError) {
    for (number, block) in layout.blocks.enumerated() {
      if isCancelled() { throw StorageError(.closed, "the merge was given up because the store is closing") }
      related.begin(block: number)
      try body(block)
    }
  }
}
