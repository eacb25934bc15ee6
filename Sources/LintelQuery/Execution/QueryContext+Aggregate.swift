import LintelColumns
import LintelStorage

extension QueryContext {
  /// Groups the rows that pass the filter and answers from the groups.
  func aggregate(
    _ plan: QueryPlan, _ aggregation: QueryPlan.Aggregation, _ filtered: ScanPlan
  ) throws(ExecutionFailure) -> ResultRows {
    var scan = filtered
    scan.keys = aggregation.keys
    scan.calls = aggregation.calls
    for key in scan.keys { try scan.slots.add(key) }
    for call in scan.calls {
      for operand in call.operands { try scan.slots.add(operand) }
      if let filter = call.filter { try scan.slots.add(filter) }
    }
    let groups = try groups(scan)
    let start = ContinuousClock.now
    let rows = try answer(plan, aggregation, groups, subqueries: scan.subqueries)
    note("finish groups", ContinuousClock.now - start, rowsIn: groups.count, rowsOut: rows.count)
    return rows
  }

  /// The groups of all rows; those of whole parts from the cache, where there is one and it has them.
  private func groups(_ scan: ScanPlan) throws(ExecutionFailure) -> AllGroups {
    let spill = GroupSpill(self, AggregationShape(keys: scan.keys, calls: scan.calls))
    let parts = segments.indices.filter { segments[$0].isPart && !excluded.contains($0) }
    guard let cache = cache?.groups, scan.dependsOnRowsAlone, !parts.isEmpty else {
      return try together(try groups(scan, of: nil, spill), spill)
    }
    let rest = Set(segments.indices).subtracting(parts)
    let all = try groups(scan, of: rest, spill)
    for part in parts {
      let key = scan.cacheKey(segments[part])
      if let known = cache[key] {
        note(cached: 1)
        try all.merge(known)
      } else {
        let before = spill.byteCount
        let own = try groups(scan, of: [part], spill)
        own.settle()
        // Of a query that is over it may be anything.
        try check()
        // What went to disk is not in it, nor what can't be read just now.
        if spill.byteCount == before, damage.notes.isEmpty { cache.insert(own, byteCount: own.byteCount, for: key) }
        try all.merge(own)
        own.release(self)
      }
      try all.reserve(self, spill)
      try check()
    }
    return try together(all, spill)
  }

  /// The groups in memory, unless some are on disk: then all of them there.
  private func together(
    _ worker: AggregationWorker, _ spill: GroupSpill
  ) throws(ExecutionFailure) -> AllGroups {
    guard spill.isUsed else { return .memory(worker) }
    try worker.spill(to: spill, self)
    return .disk(spill)
  }

  /// The groups of the rows of some segments, or of all; without those that are in `spill`.
  private func groups(
    _ scan: ScanPlan, of chosen: Set<Int>?, _ spill: GroupSpill
  ) throws(ExecutionFailure) -> AggregationWorker {
    let blocks = try BlockScan(self, scan, segments: chosen)
    let shape = AggregationShape(keys: scan.keys, calls: scan.calls)
    let dictionaries = try commonDictionaries(scan, blocks)
    var workers: [AggregationWorker] = []
    for _ in 0..<min(threads, max(1, blocks.tasks.count)) {
      workers.append(
        try AggregationWorker(shape, blockCount: blocks.tasks.count, dictionaries: dictionaries, interrupt))
    }
    let all = workers
    let answer = options.usePruning ? BlockAnswer(scan) : nil
    let times = try blocks.run(answer: { worker, task in
      guard let known = answer?.statistics(task.segment.segment, block: task.block) else { return false }
      all[worker].absorb(known)
      return true
    }) { (worker, _, task, context) throws(ExecutionFailure) in
      try all[worker].consume(task.segment, context)
      try all[worker].reserve(self, spill)
    }
    let start = ContinuousClock.now
    for other in all.dropFirst() {
      // What is on disk of some groups belongs to what is left of them here: all go there in the end.
      if spill.isUsed { try other.spill(to: spill, self) } else { try all[0].merge(other) }
      other.release(self)
    }
    note(
      "aggregate", times.body + (ContinuousClock.now - start), rowsIn: times.rowsOut, rowsOut: all[0].presentCount,
      bytes: times.bodyBytes)
    return all[0]
  }

  /// For each key that is a column, what stands for the dictionaries of its segments, where that pays.
  private func commonDictionaries(
    _ scan: ScanPlan, _ blocks: BlockScan
  ) throws(ExecutionFailure) -> [CommonDictionary?] {
    guard let first = blocks.tasks.first, blocks.tasks.contains(where: { $0.segment !== first.segment }) else {
      return []
    }
    var dictionaries: [CommonDictionary?] = []
    for key in scan.keys {
      guard case .column(let index, let type) = key, type.physical == .bytes || type.physical == .id128 else {
        dictionaries.append(nil)
        continue
      }
      let sources = try sources(of: .column(index), blocks)
      dictionaries.append(
        try CommonDictionary(sources, self) { (segment, block) throws(ExecutionFailure) in
          do throws(StorageError) {
            return Vector(try segments[segment].read(.column(index), block: block))
          } catch {
            throw ExecutionFailure(error, segment: segment)
          }
        })
    }
    return dictionaries
  }

  private func sources(
    of column: ColumnReference, _ blocks: BlockScan
  ) throws(ExecutionFailure) -> CommonDictionary.Sources {
    var sources = CommonDictionary.Sources()
    var last: PreparedSegment?
    var isPlain = false
    for task in blocks.tasks {
      if task.segment !== last {
        last = task.segment
        do {
          let dictionary = try task.segment.segment.dictionary(column)
          if let dictionary { sources.dictionaries.append(dictionary) }
          isPlain = dictionary == nil
        } catch {
          throw ExecutionFailure(error, segment: task.segment.index)
        }
      }
      let rows = task.segment.segment.rowCount(ofBlock: task.block)
      sources.rows += rows
      if isPlain {
        sources.plain.append((task.segment.index, task.block))
        sources.plainRows += rows
      }
    }
    return sources
  }

  /// HAVING, outputs, DISTINCT, ORDER BY and LIMIT over the groups.
  private func answer(
    _ plan: QueryPlan, _ aggregation: QueryPlan.Aggregation, _ groups: AllGroups, subqueries: [MemberSet]
  ) throws(ExecutionFailure) -> ResultRows {
    let answer = try GroupedAnswer(self, plan, aggregation, subqueries)
    return plan.isDistinct ? try distinct(plan, answer, groups) : try answer.rows(groups)
  }

  /// DISTINCT above an aggregation: the outputs of all groups are grouped once more.
  private func distinct(
    _ plan: QueryPlan, _ answer: GroupedAnswer, _ groups: AllGroups
  ) throws(ExecutionFailure) -> ResultRows {
    let keys = plan.outputs.map(\.expression)
    let shape = AggregationShape(keys: keys, calls: [])
    let worker = try AggregationWorker(shape, blockCount: 1, interrupt)
    let spill = GroupSpill(self, shape)
    try answer.forEachOutput(groups) { (vectors, _) throws(ExecutionFailure) in
      worker.consume(keys: vectors)
      try worker.reserve(self, spill)
    }
    let grouped = try plan.groupedByOutputs()
    let aggregation = QueryPlan.Aggregation(keys: keys, calls: [], having: nil)
    return try GroupedAnswer(self, grouped, aggregation, []).rows(try together(worker, spill))
  }
}

extension QueryPlan {
  /// SELECT DISTINCT as a grouping by all outputs.
  func groupedByOutputs() throws(ExecutionFailure) -> QueryPlan {
    let keys = outputs.map(\.expression)
    var ordering: [Ordering] = []
    for order in self.ordering {
      guard let key = keys.firstIndex(of: order.expression) else {
        throw .query(QueryError(.binding, "ORDER BY of SELECT DISTINCT must name selected columns"))
      }
      ordering.append(
        Ordering(
          .groupKey(key, order.expression.type), isDescending: order.isDescending, nullsFirst: order.nullsFirst))
    }
    return QueryPlan(
      table: table, schema: schema, filter: filter, aggregation: Aggregation(keys: keys, calls: [], having: nil),
      outputs: outputs.enumerated().map { Output(name: $1.name, expression: .groupKey($0, $1.expression.type)) },
      isDistinct: false, ordering: ordering, limit: limit, offset: offset, subqueries: [])
  }
}
