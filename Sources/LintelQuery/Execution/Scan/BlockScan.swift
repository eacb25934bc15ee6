import LintelColumns
import LintelStorage
import Synchronization

/// Runs a scan's blocks on the query's threads: prepares segments, filters blocks, hands what is left to workers.
final class BlockScan: @unchecked Sendable {
  struct Task {
    let segment: PreparedSegment
    let block: Int
  }

  let query: QueryContext
  let plan: ScanPlan
  private(set) var tasks: [Task] = []
  private var pruning = QueryResult.Pruning()

  /// Numbers of the segments to scan; `nil` for all.
  private let chosen: Set<Int>?

  init(_ query: QueryContext, _ plan: ScanPlan, segments: Set<Int>? = nil) throws(ExecutionFailure) {
    self.query = query
    self.plan = plan
    chosen = segments
    try prepare()
  }

  private func isScanned(_ segment: Int) -> Bool {
    !query.excluded.contains(segment) && chosen.map { $0.contains(segment) } ?? true
  }

  private func prepare() throws(ExecutionFailure) {
    let segments = query.segments
    let pruning =
      query.options.usePruning ? BlockPruning(plan.filter?.conjuncts ?? [], subqueries: plan.subqueries) : nil
    let prepared = Mutex([PreparedSegment?](repeating: nil, count: segments.count))
    let left = Mutex(QueryResult.Pruning())
    try query.parallel(segments.count) { (_, index) throws(ExecutionFailure) in
      guard self.isScanned(index) else { return }
      var pruned = QueryResult.Pruning()
      let result = try self.plan.prepare(segments[index], index: index, pruning: pruning, query: self.query, &pruned)
      let own = pruned
      left.withLock { $0.add(own) }
      prepared.withLock { $0[index] = result }
    }
    var total = 0
    for (index, segment) in segments.enumerated() where isScanned(index) { total += segment.blockCount }
    for segment in prepared.withLock({ $0 }) {
      guard let segment else { continue }
      tasks += segment.blocks.map { Task(segment: segment, block: $0) }
    }
    let rows = tasks.reduce(0) { $0 + $1.segment.segment.rowCount(ofBlock: $1.block) }
    self.pruning = left.withLock { $0 }
    self.pruning.blocks = total
    query.note(blocks: total, pruned: total - tasks.count)
    query.cancellation.addProgress(total: rows)
  }

  /// Sorts the blocks by what `rank` says of them; the ranks, sorted.
  func visit(by rank: (Task) -> UInt64) -> [UInt64] {
    let ranked = tasks.map { (rank: rank($0), task: $0) }.enumerated().sorted {
      ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset)
    }
    tasks = ranked.map(\.element.task)
    return ranked.map(\.element.rank)
  }

  /// What a scan took, all threads together.
  struct Times: Sendable {
    var filter = Duration.zero
    var body = Duration.zero
    /// Rows in the blocks that were read, and those that passed the filter.
    var rowsIn = 0
    var rowsOut = 0
    /// Bytes that the filter read, and those that the body did.
    var filterBytes = 0
    var bodyBytes = 0
    var answered = 0
    /// Blocks that were not asked for any more.
    var unneeded = 0
  }

  /// Calls `body(worker, task number, task, context)` for every block that has rows left; the context selects them.
  /// `needsMore` is asked before each block; then `answer`, which is true where the block needs no reading. `narrow` may
  /// leave out rows before the filter.
  func run(
    needsMore: @Sendable @escaping (Int) -> Bool = { _ in true },
    answer: @Sendable @escaping (Int, Task) -> Bool = { _, _ in false },
    narrow: (@Sendable (Task, EvaluationContext) -> Void)? = nil,
    _ body: @Sendable @escaping (Int, Int, Task, EvaluationContext) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) -> Times {
    let contexts = query.makeContexts(slotCount: plan.slots.references.count)
    let times = Mutex(Times())
    try query.parallel(tasks.count) { (worker, number) throws(ExecutionFailure) in
      guard needsMore(number) else { return times.withLock { $0.unneeded += 1 } }
      let task = self.tasks[number]
      let rows = task.segment.segment.rowCount(ofBlock: task.block)
      defer { self.query.cancellation.addProgress(done: rows) }
      if answer(worker, task) { return times.withLock { $0.answered += 1 } }
      let bytesBefore = contexts[worker].meter.bytes
      contexts[worker].meter.rows += rows
      let context = contexts[worker].context
      let start = ContinuousClock.now
      self.begin(task, context, contexts[worker].meter)
      narrow?(task, context)
      for conjunct in task.segment.conjuncts where context.count > 0 {
        let rows = try conjunct.filter(context)
        if rows.count < context.count { context.select(rows) }
      }
      let filtered = ContinuousClock.now
      let bytesFiltered = contexts[worker].meter.bytes
      if context.count > 0 { try body(worker, number, task, context) }
      let passed = context.count
      let end = ContinuousClock.now
      times.withLock {
        $0.filter += filtered - start
        $0.body += end - filtered
        $0.rowsIn += rows
        $0.rowsOut += passed
        $0.filterBytes += bytesFiltered - bytesBefore
        $0.bodyBytes += contexts[worker].meter.bytes - bytesFiltered
      }
    }
    let all = times.withLock { $0 }
    pruning.byStatistics = all.answered
    pruning.byLimit = all.unneeded
    query.note(
      plan.name, all.filter, rowsIn: all.rowsIn, rowsOut: all.rowsOut, bytes: all.filterBytes, pruning: pruning)
    query.note(answered: all.answered)
    query.note(
      rows: contexts.reduce(0) { $0 + $1.meter.rows }, bytes: contexts.reduce(0) { $0 + $1.meter.bytes })
    return all
  }

  private func begin(_ task: Task, _ context: EvaluationContext, _ meter: ReadMeter) {
    let segment = task.segment.segment
    context.begin(
      rowCount: segment.rowCount(ofBlock: task.block),
      source: EvaluationContext.BlockSource(
        segment: segment, segmentIndex: task.segment.index, block: task.block, columns: plan.slots.references,
        types: plan.slots.types, meter: meter))
    if let kept = segment.mask?.kept(task.block) { context.select(kept) }
  }
}

extension QueryResult.Pruning {
  mutating func add(_ other: QueryResult.Pruning) {
    blocks += other.blocks
    byZoneMaps += other.byZoneMaps
    byFilters += other.byFilters
    byDictionaries += other.byDictionaries
    byStatistics += other.byStatistics
    byLimit += other.byLimit
  }
}
