import LintelColumns
import LintelStorage
import Synchronization

/// The rows that one thread keeps.
final class RowsWorker: @unchecked Sendable {
  var top: TopRows
  let memory: SortMemory

  init(limit: Int?, _ query: QueryContext) {
    top = TopRows(limit: limit, query.interrupt)
    memory = SortMemory(query)
  }

  func reserve() throws(ExecutionFailure) { try memory.reserve(&top) }
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
    let workers = (0..<threads).map { _ in RowsWorker(limit: plan.neededRows, self) }
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
      try workers[worker].top.add(columns, positions: context.positions())
      ordered?.exchange(&workers[worker].top)
      try workers[worker].reserve()
    }
    var top = TopRows(limit: plan.neededRows, interrupt)
    let start = ContinuousClock.now
    for worker in workers { try top.merge(worker.top) }
    let positions = try top.finish()
    for worker in workers { worker.memory.release() }
    try reserve(positions.count * 8)
    note(
      "order", times.body + (ContinuousClock.now - start), rowsIn: times.rowsOut, rowsOut: positions.count,
      bytes: times.bodyBytes)
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
    return try progress.positions(interrupt)
  }

  /// Evaluates the outputs for `positions`, in their order.
  private func materialize(
    _ plan: QueryPlan, _ positions: [UInt64], _ scan: ScanPlan
  ) throws(ExecutionFailure) -> ResultRows {
    let start = ContinuousClock.now
    let (columns, bytes) = try vectors(of: plan.outputs.map(\.expression), at: positions, scan.subqueries)
    note("project", ContinuousClock.now - start, rowsIn: positions.count, rowsOut: positions.count, bytes: bytes)
    return ResultRows(columns: columns, count: positions.count)
  }

  /// Evaluates expressions for `positions`, each of which occurs once, in their order; reads each block once. Tells the bytes
  /// read, too.
  func vectors(
    of expressions: [Expression], at positions: [UInt64], _ subqueries: [MemberSet]
  ) throws(ExecutionFailure) -> (columns: [Vector], bytes: Int) {
    let slots = try ColumnSlots(expressions)
    let (runs, permutation) = try RowRun.make(positions, segments, interrupt)
    try reserve(positions.count * 12)
    defer { _ = account(-positions.count * 12) }
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
      context.releaseContent()
      try self.reserve(bytes)
      results.withLock { $0[index] = vectors }
    }
    let bytes = contexts.reduce(0) { $0 + $1.meter.bytes }
    note(bytes: bytes)
    let parts = results.withLock { $0 }
    var columns: [Vector] = []
    for number in expressions.indices {
      if expressions[number].type.physical == .bytes, parts.reduce(0, { $0 + $1[number].byteCount }) > Int(UInt32.max) {
        throw .query(QueryError(.limitExceeded, "a column of the answer takes more than 4 GiB: use LIMIT"))
      }
      let all = try Vector.concatenate(parts.map { $0[number] }, expressions[number].type.physical, interrupt)
      columns.append(try permutation.map { (rows) throws(ExecutionFailure) in try all.gather(rows, interrupt) } ?? all)
    }
    return (columns, bytes)
  }

  private func compilers(
    _ runs: [RowRun], _ slots: ColumnSlots, _ subqueries: [MemberSet]
  ) -> [Int: ExpressionCompiler] {
    var result: [Int: ExpressionCompiler] = [:]
    for run in runs where result[run.segment] == nil {
      var compiler = ExpressionCompiler(slots: slots, interrupt)
      compiler.subqueries = subqueries
      compiler.content = Set(
        slots.references.indices.filter { segments[run.segment].isContent(slots.references[$0]) })
      let present = Set(segments[run.segment].attributeKeys + segments[run.segment].digestKeys)
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

  /// The positions by block, in scan order; and for each position its rank in that order, `nil` when they are in it already.
  static func make(
    _ positions: [UInt64], _ segments: [any Segment], _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> (runs: [RowRun], ranks: [UInt32]?) {
    // Blocks are numbered through all segments.
    var firstBlocks: [Int] = []
    var blockCount = 0
    for segment in segments {
      firstBlocks.append(blockCount)
      blockCount += segment.blockCount
    }
    func block(_ raw: UInt64) -> Int {
      let position = RowPosition(rawValue: raw)
      return firstBlocks[position.segment] + position.row / segments[position.segment].blockRows
    }
    let (numbers, starts) = try interrupt.byGroup(positions.count, groups: blockCount) {
      UInt32(truncatingIfNeeded: block(positions[$0]))
    }
    var runs: [RowRun] = []
    var ranks = Array(repeating: UInt32(0), count: positions.count)
    var isSorted = true
    for (number, segment) in segments.enumerated() {
      for block in 0..<segment.blockCount {
        let range = starts[firstBlocks[number] + block]..<starts[firstBlocks[number] + block + 1]
        guard !range.isEmpty else { continue }
        try interrupt.check()
        let base = RowPosition(segment: number, row: block * segment.blockRows).rawValue
        // Row and place in one number, to be sorted by the row.
        let members = numbers[range].map { (positions[Int($0)] &- base) << 32 | UInt64($0) }.sorted()
        for (index, member) in members.enumerated() {
          let place = Int(member & 0xFFFF_FFFF)
          ranks[place] = UInt32(truncatingIfNeeded: range.lowerBound + index)
          if place != range.lowerBound + index { isSorted = false }
        }
        runs.append(
          RowRun(segment: number, block: block, rows: mapLanes(members) { UInt32(truncatingIfNeeded: $0 >> 32) }))
      }
    }
    return (runs, isSorted ? nil : ranks)
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

  func positions(_ interrupt: Interrupt) throws(ExecutionFailure) -> [UInt64] {
    let parts = found.withLock { $0 }
    var all: [UInt64] = []
    all.reserveCapacity(parts.reduce(0) { $0 + ($1?.count ?? 0) })
    for part in parts {
      try interrupt.check()
      all += part ?? []
    }
    return all
  }
}
