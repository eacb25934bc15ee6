import LintelColumns
import LintelStorage
import Synchronization

/// The rows that one thread keeps.
final class RowsWorker: @unchecked Sendable {
  var top: TopRows
  private var reserved = 0

  init(limit: Int?) { top = TopRows(limit: limit) }

  func reserve(_ query: QueryContext) throws(ExecutionFailure) {
    let more = top.byteCount - reserved
    reserved = top.byteCount
    try query.reserve(more)
  }
}

extension QueryContext {
  /// Rows without aggregation: first which rows (and in which order), then their outputs.
  func selectRows(_ plan: QueryPlan, _ filtered: ScanPlan) throws(ExecutionFailure) -> ResultRows {
    var scan = filtered
    scan.ordering = plan.ordering.map(\.expression)
    for expression in scan.ordering { try scan.slots.add(expression) }
    if plan.limit == 0 { return try materialize(plan, [], scan) }
    let blocks = try BlockScan(self, scan)
    let positions =
      plan.ordering.isEmpty ? try scannedRows(plan, blocks) : try orderedRows(plan, blocks)
    return try materialize(plan, plan.window(positions), scan)
  }

  private func orderedRows(_ plan: QueryPlan, _ blocks: BlockScan) throws(ExecutionFailure) -> [UInt64] {
    let workers = (0..<threads).map { _ in RowsWorker(limit: plan.neededRows) }
    let ordered = options.usePruning ? OrderedScan(plan, blocks.plan) : nil
    let best = ordered.flatMap { ordered in ordered.isBounded ? blocks.visit(by: ordered.best) : nil }
    let times = try blocks.run(
      needsMore: { number in
        guard let ordered, let best else { return true }
        return ordered.admits(best[number])
      }, narrow: { task, context in ordered?.narrow(task, context) }
    ) { (worker, _, task, context) throws(ExecutionFailure) in
      var columns: [SortColumn] = []
      for (node, order) in zip(task.segment.ordering, plan.ordering) {
        columns.append(
          SortColumn(
            try node.evaluate(context), order.expression.type, isDescending: order.isDescending,
            nullsFirst: order.nullsFirst))
      }
      workers[worker].top.add(columns, positions: context.positions())
      ordered?.exchange(&workers[worker].top)
      try workers[worker].reserve(self)
    }
    var top = TopRows(limit: plan.neededRows)
    let start = ContinuousClock.now
    for worker in workers { top.merge(worker.top) }
    let positions = top.finish()
    note("order", times.body + (ContinuousClock.now - start), rowsIn: times.rowsOut, rowsOut: positions.count)
    return positions
  }

  /// Rows in scan order; stops when enough are known from the first blocks on.
  private func scannedRows(_ plan: QueryPlan, _ blocks: BlockScan) throws(ExecutionFailure) -> [UInt64] {
    let progress = ScanProgress(taskCount: blocks.tasks.count, needed: plan.neededRows)
    _ = try blocks.run(needsMore: { !progress.isComplete(before: $0) }) {
      (_, number, _, context) throws(ExecutionFailure) in
      let positions = context.positions()
      try self.reserve(positions.count * 8)
      progress.put(positions, task: number)
    }
    return progress.positions
  }

  /// Evaluates the outputs for `positions`, in their order.
  private func materialize(
    _ plan: QueryPlan, _ positions: [UInt64], _ scan: ScanPlan
  ) throws(ExecutionFailure) -> ResultRows {
    let start = ContinuousClock.now
    let columns = try vectors(of: plan.outputs.map(\.expression), at: positions, scan.subqueries)
    note("project", ContinuousClock.now - start, rowsIn: positions.count, rowsOut: positions.count)
    return ResultRows(columns: columns, count: positions.count)
  }

  /// Evaluates expressions for `positions`, each of which occurs once, in their order; reads each block once.
  func vectors(
    of expressions: [Expression], at positions: [UInt64], _ subqueries: [MemberSet]
  ) throws(ExecutionFailure) -> [Vector] {
    let slots = try ColumnSlots(expressions)
    let runs = RowRun.make(positions, segments)
    let results = Mutex([[Vector]](repeating: [], count: runs.count))
    let contexts = makeContexts(slotCount: slots.references.count)
    let compilers = compilers(runs, slots, subqueries)
    try parallel(runs.count) { (worker, index) throws(ExecutionFailure) in
      let run = runs[index]
      let context = contexts[worker].context
      context.begin(
        rowCount: self.segments[run.segment].rowCount(ofBlock: run.block),
        source: EvaluationContext.BlockSource(
          segment: self.segments[run.segment], segmentIndex: run.segment, block: run.block,
          columns: slots.references, types: slots.types, meter: contexts[worker].meter))
      if run.rows.count < context.rowCount { context.select(run.rows) }
      guard let compiler = compilers[run.segment] else { return }
      var vectors: [Vector] = []
      var bytes = 0
      for expression in expressions {
        let vector = try compiler.compile(expression).evaluate(context)
        bytes += vector.byteCount
        vectors.append(vector)
      }
      try self.reserve(bytes)
      results.withLock { $0[index] = vectors }
    }
    note(bytes: contexts.reduce(0) { $0 + $1.meter.bytes })
    let parts = results.withLock { $0 }
    let permutation = RowRun.permutation(positions)
    return expressions.indices.map { number in
      let all = Vector.concatenate(parts.map { $0[number] }, expressions[number].type.physical)
      return permutation.map { all.gather($0) } ?? all
    }
  }

  private func compilers(
    _ runs: [RowRun], _ slots: ColumnSlots, _ subqueries: [MemberSet]
  ) -> [Int: ExpressionCompiler] {
    var result: [Int: ExpressionCompiler] = [:]
    for run in runs where result[run.segment] == nil {
      var compiler = ExpressionCompiler(slots: slots)
      compiler.subqueries = subqueries
      let present = Set(segments[run.segment].attributeKeys)
      for (slot, reference) in slots.references.enumerated() {
        if case .attribute(let key) = reference, !present.contains(key) { compiler.missing.insert(slot) }
      }
      result[run.segment] = compiler
    }
    return result
  }
}

/// Rows of one block that belong to the answer.
struct RowRun {
  let segment: Int
  let block: Int
  var rows: [UInt32]

  /// The positions by block, in scan order.
  static func make(_ positions: [UInt64], _ segments: [any Segment]) -> [RowRun] {
    var runs: [RowRun] = []
    for raw in positions.sorted() {
      let position = RowPosition(rawValue: raw)
      let blockRows = segments[position.segment].blockRows
      let block = position.row / blockRows
      let row = UInt32(truncatingIfNeeded: position.row - block * blockRows)
      if let last = runs.last, last.segment == position.segment, last.block == block {
        runs[runs.count - 1].rows.append(row)
      } else {
        runs.append(RowRun(segment: position.segment, block: block, rows: [row]))
      }
    }
    return runs
  }

  /// For each position, its rank in scan order; `nil` when they are in it already.
  static func permutation(_ positions: [UInt64]) -> [UInt32]? {
    let order = positions.indices.sorted { positions[$0] < positions[$1] }
    var ranks = Array(repeating: UInt32(0), count: positions.count)
    var isSorted = true
    for (rank, index) in order.enumerated() {
      ranks[index] = UInt32(truncatingIfNeeded: rank)
      if rank != index { isSorted = false }
    }
    return isSorted ? nil : ranks
  }
}

/// Positions found by tasks that finish in any order, and when the first ones suffice.
final class ScanProgress: Sendable {
  private let found: Mutex<[[UInt64]?]>
  private let needed: Int?

  init(taskCount: Int, needed: Int?) {
    found = Mutex(Array(repeating: nil, count: taskCount))
    self.needed = needed
  }

  /// Whether the tasks before `task` that have finished hold enough rows already.
  func isComplete(before task: Int) -> Bool {
    guard let needed else { return false }
    return found.withLock { found in
      var count = 0
      for positions in found.prefix(task) {
        count += positions?.count ?? 0
        if count >= needed { return true }
      }
      return needed == 0
    }
  }

  func put(_ positions: [UInt64], task: Int) { found.withLock { $0[task] = positions } }

  var positions: [UInt64] { found.withLock { $0.reduce(into: []) { $0 += $1 ?? [] } } }
}
