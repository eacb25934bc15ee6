internal import LintelColumns

/// Merges parts of one table, shard and window into one: the plan first, then column by column, block by block.
///
/// The columns that others take their keys from come first, on one thread, while the others unite dictionaries ahead of time.
/// What is left depends on nothing but the key columns, and is merged by as many threads as there are, the longest work
/// first; what is written is the same on any number of them.
struct PartMerger {
  let sources: MergeSources
  let schema: TableSchema
  let layout: MergeLayout
  /// Bounds of the time column.
  let times: ClosedRange<Int64>
  let blockRows: Int
  let columns: MergedColumns
  let options: PartOptions
  /// Asked between blocks; a merge that is no longer wanted ends with `.closed`.
  let isCancelled: @Sendable () -> Bool
  private var relations: MergedRelations
  private let ahead: UnitedAhead

  /// - Parameters:
  ///   - masks: The rows of each that are taken; `nil` for all.
  ///   - isLeftOut: Attributes that no row keeps.
  static func merge(
    _ readers: [PartReader], masks: [RowMask?] = [], schema: TableSchema, options: PartOptions,
    leavingOut isLeftOut: @escaping @Sendable (AttributeKey) -> Bool = { _ in false },
    isCancelled: @escaping @Sendable () -> Bool
  ) throws(StorageError) -> WrittenPart {
    let sources = MergeSources(readers, masks: masks, leavingOut: isLeftOut)
    let columns = try MergedColumns(sources, schema: schema, options.density)
    let helpers = sources.rowCount < options.parallelMergeRows ? 0 : options.mergeHelpers.count
    let ahead = UnitedAhead(helpers == 0 ? [] : columns.order(sources))
    let started = Monitor<(merger: PartMerger, queue: ColumnQueue)?>(nil)
    var output: (number: UInt64, part: PartWriter, times: ClosedRange<Int64>)?
    do throws(StorageError) {
      let queue = try options.mergeHelpers.together(
        helpers,
        helping: {
          ahead.unite { (number) throws(StorageError) in
            try UnitedColumn(columns.columns[number], sources, trialValues: options.dictionaryTrialValues)
          }
          if let (merger, queue) = started.read({ $0 }) { merger.mergeColumns(queue) }
        },
        { () throws(StorageError) -> ColumnQueue in
          // Nobody may wait for what doesn't come any more.
          defer { ahead.end() }
          var merger = try PartMerger(sources, columns, schema: schema, options, ahead, isCancelled: isCancelled)
          let (number, path) = options.allocate()
          let part = try PartWriter(
            fileSystem: options.fileSystem, path: path, table: schema.name, rowCount: sources.rowCount,
            blockRows: merger.blockRows)
          output = (number, part, merger.times)
          try merger.mergeKeyColumns(part)
          let queue = ColumnQueue(columns.order(sources), part: part)
          started.change { [merger] in $0 = (merger, queue) }
          ahead.end()
          merger.mergeColumns(queue)
          return queue
        })
      // Only now are the helpers done with the part.
      if let failure = queue.failure { throw failure }
      guard let output else { throw StorageError(.invalid, "a merge made no part") }
      return WrittenPart(
        number: output.number, path: output.part.path, summary: try finish(output.part, output.times, columns),
        rawBytes: 0)
    } catch {
      output?.part.discard()
      throw error
    }
  }

  private static func finish(
    _ part: PartWriter, _ times: ClosedRange<Int64>, _ columns: MergedColumns
  ) throws(StorageError) -> PartSummary {
    try part.finish(minTime: times.lowerBound, maxTime: times.upperBound, tailKeys: columns.tailKeys)
  }

  /// Plans the merge.
  private init(
    _ sources: MergeSources, _ columns: MergedColumns, schema: TableSchema, _ options: PartOptions,
    _ ahead: UnitedAhead, isCancelled: @escaping @Sendable () -> Bool
  ) throws(StorageError) {
    self.sources = sources
    self.columns = columns
    self.schema = schema
    self.options = options
    self.ahead = ahead
    self.isCancelled = isCancelled
    blockRows = BlockSize.rows(
      configured: options.blockRows, rowCount: sources.rowCount, widestBytes: sources.widestBytes)
    let plan = try MergePlan(sources, schema: schema)
    times = plan.minTime...plan.maxTime
    layout = MergeLayout(
      plan, sourceBlockRows: sources.readers.map(\.blockRows), blockRows: blockRows)
    relations = MergedRelations(schema, options.density, rowCount: layout.rowCount, columns: columns.columns)
  }

  private mutating func mergeKeyColumns(_ part: PartWriter) throws(StorageError) {
    for number in 0..<columns.keyCount {
      // Its turn throughout: each column may refer to the one before.
      let queue = ColumnQueue([number], part: part)
      let (writer, collector) = try merge(columns.columns[number], number, queue)
      try queue.finish(writer, number)
      if let collector, collector.isWhole { relations.add(collector, number: number) }
    }
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
    var united: UnitedColumn
    if let ready = ahead.take(number) {
      united = ready
    } else {
      united = try UnitedColumn(column, sources, trialValues: options.dictionaryTrialValues)
    }
    var numbering = CodeNumbering(entryCount: united.values?.count ?? 0)
    let values = united.values
    var writer = writer(column)
    var encoder = BlockEncoder(relations.relations(of: column.role), effort: options.density.effort)
    var collector = relations.collector(column.role, dictionaryCount: values?.count)
    let related = ColumnRelations(relations, sources: sources, layout: layout)
    var gather = ColumnGather(column.physical, isCoded: values != nil)
    try forEachBlock(queue) { (index, block) throws(StorageError) in
      guard var vector = try gather.block(block, of: layout, from: &united.places, dictionary: values) else {
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
    writer.finish(dictionary: values.map { numbering.dictionary(from: $0) }, effort: options.density.effort)
    return (writer, collector)
  }

  func writer(_ column: MergedColumn) -> ColumnWriter {
    ColumnWriter(
      column.role, typeName: column.typeName, physical: column.physical, blockCount: layout.blocks.count,
      fingerprintBits: options.density.fingerprintBits(column.role))
  }

  /// Calls `body` with every output block in turn, until it answers that there is no use in more.
  func forEachBlock(
    _ queue: ColumnQueue, _ body: (Int, MergeLayout.Block) throws(StorageError) -> Bool
  ) throws(StorageError) {
    for (index, block) in layout.blocks.enumerated() {
      if isCancelled() { throw StorageError(.closed, "the merge was given up: something else comes first") }
      guard try body(index, block) else { throw queue.failure ?? StorageError(.closed, "the merge was given up") }
    }
  }
}
