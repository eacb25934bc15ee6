internal import LintelColumns

/// Merges parts of one table, shard and window into one: the plan first, then column by column, block by block.
///
/// The columns that others take their keys from come first. The others depend on nothing but those, and are merged by as
/// many threads as there are; what is written is the same on any number of them.
struct PartMerger {
  let sources: MergeSources
  let schema: TableSchema
  let layout: MergeLayout
  let columns: MergedColumns
  let options: PartOptions
  /// Asked between blocks; a merge that is no longer wanted ends with `.closed`.
  let isCancelled: @Sendable () -> Bool
  private var relations: MergedRelations

  static func merge(
    _ readers: [PartReader], schema: TableSchema, options: PartOptions, isCancelled: @escaping @Sendable () -> Bool
  ) throws(StorageError) -> WrittenPart {
    let sources = MergeSources(readers)
    let blockRows = BlockSize.rows(
      configured: options.blockRows, rowCount: sources.rowCount, widestBytes: sources.widestBytes)
    let layout = MergeLayout(
      try MergePlan(sources, schema: schema), sourceBlockRows: readers.map(\.blockRows), blockRows: blockRows)
    let (number, path) = options.allocate()
    let writer = try PartWriter(
      fileSystem: options.fileSystem, path: path, table: schema.name, rowCount: sources.rowCount, blockRows: blockRows)
    var merger = PartMerger(
      sources: sources, schema: schema, layout: layout, options: options, isCancelled: isCancelled)
    do {
      return WrittenPart(number: number, path: path, summary: try merger.run(writer), rawBytes: 0)
    } catch {
      writer.discard()
      throw error
    }
  }

  private init(
    sources: MergeSources, schema: TableSchema, layout: MergeLayout, options: PartOptions,
    isCancelled: @escaping @Sendable () -> Bool
  ) {
    self.sources = sources
    self.schema = schema
    self.layout = layout
    self.options = options
    self.isCancelled = isCancelled
    columns = MergedColumns(sources, schema: schema)
    relations = MergedRelations(schema, rowCount: layout.rowCount, columns: columns.columns)
  }

  private mutating func run(_ part: PartWriter) throws(StorageError) -> PartSummary {
    let keyCount = columns.columns.prefix { isKeyColumn($0) }.count
    try mergeKeyColumns(keyCount, part)
    try mergeInParallel(keyCount..<columns.columns.count, part)
    let minTime = sources.readers.map(\.directory.minTime).min() ?? 0
    let maxTime = sources.readers.map(\.directory.maxTime).max() ?? 0
    return try part.finish(minTime: minTime, maxTime: maxTime, tailKeys: columns.tailKeys)
  }

  private func isKeyColumn(_ column: MergedColumn) -> Bool {
    guard case .schema(let name) = column.role else { return false }
    return MergedRelations.keyColumns(schema).contains { schema.columns[$0].name == name }
  }

  private mutating func mergeKeyColumns(_ count: Int, _ part: PartWriter) throws(StorageError) {
    for number in 0..<count {
      // Its turn throughout: each column may refer to the one before.
      let queue = ColumnQueue(number..<(number + 1), part: part)
      let (writer, collector) = try merge(columns.columns[number], number, queue)
      try queue.finish(writer, number)
      if let collector, collector.isWhole { relations.add(collector, number: number) }
    }
  }

  private func mergeInParallel(_ numbers: Range<Int>, _ part: PartWriter) throws(StorageError) {
    let queue = ColumnQueue(numbers, part: part)
    let helpers = layout.rowCount < options.parallelMergeRows ? 0 : options.mergeHelpers.count
    let merger = self
    options.mergeHelpers.together(helpers) { merger.mergeColumns(queue) }
    if let failure = queue.failure { throw failure }
  }

  /// Merges columns until there are no more.
  private func mergeColumns(_ queue: ColumnQueue) {
    do throws(StorageError) {
      while let number = queue.next() {
        let column = columns.columns[number]
        let writer =
          column.role == .tail ? try mergeTail(number, queue) : try merge(column, number, queue).writer
        try queue.finish(writer, number)
      }
    } catch {
      queue.fail(error)
    }
  }

  /// Merges one column that has a place of its own in the output.
  private func merge(
    _ column: MergedColumn, _ number: Int, _ queue: ColumnQueue
  ) throws(StorageError) -> (writer: ColumnWriter, collector: KeyCollector?) {
    var places: [SourceColumn] = []
    for (source, place) in zip(sources.readers, column.places) {
      places.append(SourceColumn(source, place, column.physical, .keys(sources.keys)))
    }
    for case let stored? in places.map(\.stored) where stored.physical != column.physical {
      throw StorageError(
        .incompatible, "column '\(stored.displayName)' has different types in the parts to be merged; they stay apart",
        path: sources.readers.first?.name)
    }
    var union = try MergedDictionary.union(
      of: &places, physical: column.physical, trialValues: options.dictionaryTrialValues)
    var numbering = CodeNumbering(entryCount: union?.count ?? 0)
    let values = union?.finish()
    var writer = writer(column)
    var encoder = BlockEncoder(relations.relations(of: column.role))
    var collector = relations.collector(column.role, dictionaryCount: values?.count)
    let related = ColumnRelations(relations, sources: sources, layout: layout)
    var gather = ColumnGather(column.physical, isCoded: values != nil)
    try forEachBlock(queue) { (index, block) throws(StorageError) in
      guard var vector = try gather.block(block, of: layout, from: &places, dictionary: values) else {
        collector?.add(nulls: block.rowCount)
        writer.skip(block.rowCount)
        return true
      }
      if let values, case .codes(let codes, _) = vector.storage {
        vector.storage = .codes(numbering.renumber(codes, validity: vector.validity), values)
      }
      collector?.add(vector)
      related.begin(block: index)
      writer.write(vector) { encoder.encode($0, related, into: &$1) }
      if let failure = related.failure { throw failure }
      return try queue.pass(&writer, number)
    }
    writer.finish(dictionary: values.map { numbering.dictionary(from: $0) }, effort: .compact)
    return (writer, collector)
  }

  func writer(_ column: MergedColumn) -> ColumnWriter {
    ColumnWriter(
      column.role, typeName: column.typeName, physical: column.physical, blockCount: layout.blocks.count)
  }

  /// Calls `body` with every output block in turn, until it answers that there is no use in more.
  func forEachBlock(
    _ queue: ColumnQueue, _ body: (Int, MergeLayout.Block) throws(StorageError) -> Bool
  ) throws(StorageError) {
    for (index, block) in layout.blocks.enumerated() {
      if isCancelled() { throw StorageError(.closed, "the merge was given up because the store is closing") }
      guard try body(index, block) else { throw queue.failure ?? StorageError(.closed, "the merge was given up") }
    }
  }
}
