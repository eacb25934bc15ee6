internal import LintelColumns

/// Merges parts of one table, shard and window into one: the plan first, then column by column, block by block.
struct PartMerger {
  let sources: [PartReader]
  let schema: TableSchema
  let plan: MergePlan
  let writer: PartWriter
  /// Asked between blocks; a merge that is no longer wanted ends with `.closed`.
  let isCancelled: @Sendable () -> Bool

  static func merge(
    _ sources: [PartReader], schema: TableSchema, options: PartOptions, isCancelled: @escaping @Sendable () -> Bool
  ) throws(StorageError) -> WrittenPart {
    let plan = try MergePlan(sources, schema: schema)
    let blockRows = BlockSize.rows(
      configured: options.blockRows, rowCount: plan.rowCount, widestBytes: widestBytes(sources))
    let (number, path) = options.allocate()
    let writer = try PartWriter(
      fileSystem: options.fileSystem, path: path, table: schema.name, rowCount: plan.rowCount, blockRows: blockRows)
    let merger = PartMerger(sources: sources, schema: schema, plan: plan, writer: writer, isCancelled: isCancelled)
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

  /// The columns of all sources: the schema's in its order, then those that the schema doesn't know (any more).
  private func schemaColumns() -> [NamedColumn] {
    var names = schema.columns.map(\.name)
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
    var union = try MergedDictionary.union(of: &columns, physical: physical)
    var numbering = CodeNumbering(entryCount: union?.count ?? 0)
    let values = union?.finish()
    writer.beginColumn(role, typeName: typeName, physical: physical)
    try forEachBlock { (pieces, _) throws(StorageError) in
      var assembler = VectorAssembler(physical, dictionary: values != nil, capacity: writer.blockRows)
      for piece in pieces {
        let vector = try columns[piece.source].block(piece.block)
        assembler.append(vector, piece.rows, table: columns[piece.source].table)
      }
      var block = assembler.finish(values)
      if let values, case .codes(let codes, _) = block.storage {
        block = ColumnVector(
          .codes(numbering.renumber(codes, validity: block.validity), values), validity: block.validity)
      }
      try writer.write(block)
    }
    try writer.endColumn(dictionary: values.map { numbering.dictionary(from: $0) })
  }

  /// Calls `body` with the pieces and the number of rows of every output block.
  func forEachBlock(_ body: ([RunPiece], Int) throws(StorageError) -> Void) throws(StorageError) {
    var cursor = PlanCursor(plan, sources: sources)
    var pieces: [RunPiece] = []
    var start = 0
    while start < plan.rowCount {
      if isCancelled() { throw StorageError(.closed, "the merge was given up because the store is closing") }
      let count = min(writer.blockRows, plan.rowCount - start)
      cursor.next(count, into: &pieces)
      try body(pieces, count)
      start += count
    }
  }
}

/// The dictionary of a merged column.
enum MergedDictionary {
  /// Merges the sources' dictionaries and fills in their translation tables; `nil` when the column is to be plain.
  static func union(
    of columns: inout [SourceColumn], physical: PhysicalType
  ) throws(StorageError) -> DictionaryUnion? {
    guard physical == .bytes || physical == .id128 else { return nil }
    var union = DictionaryUnion(physical)
    var values = 0
    for index in columns.indices {
      guard let stored = columns[index].stored else {
        if columns[index].place != nil { return nil }
        continue
      }
      guard stored.dictionary != nil, let dictionary = try columns[index].loadDictionary() else { return nil }
      columns[index].table = union.add(dictionary)
      values += stored.valueCount
      if union.bytes > DictionaryPolicy.maximumBytes { break }
    }
    guard DictionaryPolicy.pays(distinct: union.count, values: values, bytes: union.bytes) else {
      for index in columns.indices { columns[index].table = [] }
      return nil
    }
    return union
  }
}
