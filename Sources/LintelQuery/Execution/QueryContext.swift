import LintelColumns
import LintelStorage
import Synchronization

/// One run of a query: its snapshot, limits and counters. Shared by the query's threads.
final class QueryContext: @unchecked Sendable {
  let segments: [any Segment]
  /// What couldn't be read of values in them.
  let damage: ContentDamage
  let options: ExecutionOptions
  let excluded: Set<Int>
  let cancellation: CancellationToken
  let interrupt: Interrupt
  private let start: ContinuousClock.Instant
  /// `nil` when it is off, and for rows that are made while the query runs.
  let cache: QueryCache?
  let memory: MemoryBudget
  /// Where intermediate results go that memory can't hold; `nil` where they can't.
  let spillSpace: SpillSpace?
  private let spilled: SharedCount
  private let operators: OperatorLog
  private let statistics = Mutex(QueryResult.Statistics())

  init(
    snapshot: TableSnapshot?, options: ExecutionOptions, cancellation: CancellationToken,
    start: ContinuousClock.Instant, excluded: Set<Int>, cache: QueryCache? = nil, spillSpace: SpillSpace? = nil
  ) {
    segments = snapshot?.segments ?? []
    damage = snapshot?.damage ?? ContentDamage()
    self.options = options
    self.cancellation = cancellation
    interrupt = Interrupt(cancellation, start: start, limit: options.timeoutSeconds)
    self.start = start
    self.excluded = excluded
    self.cache = cache
    self.spillSpace = spillSpace
    memory = MemoryBudget(limit: options.memoryLimitBytes)
    spilled = SharedCount()
    operators = OperatorLog()
  }

  /// The same run, under the same limits, over other segments.
  init(_ other: QueryContext, segments: [any Segment]) {
    self.segments = segments
    damage = other.damage
    options = other.options
    cancellation = other.cancellation
    interrupt = other.interrupt
    start = other.start
    excluded = []
    cache = nil
    memory = other.memory
    spilled = other.spilled
    spillSpace = other.spillSpace
    operators = other.operators
  }

  var threads: Int { min(max(options.threads, 1), WorkerPool.maximumThreads) }

  // MARK: Limits

  /// Throws when the query has been cancelled or has run too long.
  func check() throws(ExecutionFailure) { try interrupt.check() }

  /// Accounts for intermediate results: `bytes` more, or less where negative.
  func reserve(_ bytes: Int) throws(ExecutionFailure) {
    _ = account(bytes)
    try checkMemory(bytes)
  }

  /// The same without a look at the limit: true when memory has become scarce and what can go to disk should.
  func account(_ bytes: Int) -> Bool {
    let total = memory.add(bytes)
    return spillSpace != nil && total > options.spillAfterBytes
  }

  /// Whether so much is worth putting on disk when memory is scarce.
  func shouldSpill(_ bytes: Int) -> Bool { bytes >= options.spillAfterBytes / (4 * threads) }

  /// Throws past the limit, after `bytes` more.
  func checkMemory(_ bytes: Int) throws(ExecutionFailure) {
    if bytes > 0 { try memory.check() }
  }

  // MARK: Threads

  /// Calls `body(worker, index)` for every index on the query's threads and throws the first failure.
  func parallel(
    _ count: Int, _ body: @Sendable @escaping (Int, Int) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    let next = SharedCounter()
    let failure = Mutex<ExecutionFailure?>(nil)
    let work: @Sendable (Int) -> Void = { worker in
      do throws(ExecutionFailure) {
        while let index = next.take(below: count) {
          try self.check()
          try body(worker, index)
        }
      } catch {
        next.stop()
        failure.withLock { if $0 == nil { $0 = error } }
      }
    }
    let threads = min(threads, count)
    if threads <= 1 { work(0) } else { WorkerPool.shared.run(threads: threads, work) }
    if let failure = failure.withLock({ $0 }) { throw failure }
    try check()
  }

  struct WorkerContext: @unchecked Sendable {
    let context: EvaluationContext
    let meter: ReadMeter
  }

  func makeContexts(slotCount: Int) -> [WorkerContext] {
    (0..<threads).map { _ in
      WorkerContext(
        context: EvaluationContext(slotCount: slotCount, interrupt, memory: ContentMemoryUse(self)), meter: ReadMeter())
    }
  }

  // MARK: Counters

  /// Records a step for EXPLAIN ANALYZE.
  func note(
    _ step: String, _ time: Duration, rowsIn: Int, rowsOut: Int, bytes: Int = 0, pruning: QueryResult.Pruning? = nil
  ) {
    operators.append(
      QueryResult.OperatorRun(
        name: step, milliseconds: time.milliseconds, rowsIn: rowsIn, rowsOut: rowsOut, bytesRead: bytes,
        pruning: pruning))
  }

  /// Records bytes put on disk; all of one kind are one step.
  func note(spilled step: String, _ time: Duration, rows: Int, bytes: Int) {
    _ = spilled.add(bytes)
    operators.add(
      QueryResult.OperatorRun(
        name: step, milliseconds: time.milliseconds, rowsIn: rows, rowsOut: rows, bytesSpilled: bytes))
  }

  func note(
    blocks: Int = 0, pruned: Int = 0, filtered: Int = 0, rows: Int = 0, bytes: Int = 0, cached: Int = 0,
    answered: Int = 0
  ) {
    statistics.withLock {
      $0.blocksTotal += blocks
      $0.blocksPruned += pruned
      $0.blocksFiltered += filtered
      $0.rowsRead += rows
      $0.bytesRead += bytes
      $0.partsFromCache += cached
      $0.blocksAnswered += answered
    }
  }

  /// Bytes of column blocks read so far.
  var bytesRead: Int { statistics.withLock { $0.bytesRead } }

  func result(_ table: ResultRows, plan: QueryPlan, warnings: [String]) throws(ExecutionFailure) -> QueryResult {
    var columns: [QueryResult.Column] = []
    for (output, vector) in zip(plan.outputs, table.columns) {
      try check()
      var values = vector.columnVector
      // A few values of a part's dictionary mustn't hold all of it: answers are kept, and their bytes counted.
      if case .codes(let codes, let dictionary) = values.storage, dictionary.count > codes.count {
        values = values.plain()
      }
      columns.append(QueryResult.Column(name: output.name, type: output.expression.type, values: values))
    }
    var statistics = statistics.withLock { $0 }
    statistics.elapsedMilliseconds = (ContinuousClock.now - start).milliseconds
    statistics.bytesSpilled = spilled.current
    statistics.peakBytes = memory.peak
    statistics.operators = operators.all
    return QueryResult(columns: columns, rowCount: table.count, statistics: statistics, warnings: warnings)
  }
}

/// The steps of a query, its subqueries' and its join's included.
final class OperatorLog: Sendable {
  private let runs = Mutex([QueryResult.OperatorRun]())

  func append(_ run: QueryResult.OperatorRun) { runs.withLock { $0.append(run) } }

  /// Adds to the step of the same name.
  func add(_ run: QueryResult.OperatorRun) {
    runs.withLock { runs in
      guard let index = runs.firstIndex(where: { $0.name == run.name }) else { return runs.append(run) }
      runs[index].milliseconds += run.milliseconds
      runs[index].rowsIn += run.rowsIn
      runs[index].rowsOut += run.rowsOut
      runs[index].bytesSpilled += run.bytesSpilled
    }
  }

  var all: [QueryResult.OperatorRun] { runs.withLock { $0 } }
}

extension Duration {
  var milliseconds: Double { Double(components.attoseconds) / 1e15 + Double(components.seconds) * 1e3 }
}

/// A number that several runs of one query add to.
final class SharedCount: Sendable {
  private let value = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)

  /// The number afterwards.
  func add(_ count: Int) -> Int {
    let now = value.add(count, ordering: .relaxed).newValue
    if count > 0 { highest.max(now, ordering: .relaxed) }
    return now
  }

  /// The greatest that it has been.
  var peak: Int { highest.load(ordering: .relaxed) }

  var current: Int { value.load(ordering: .relaxed) }
}

/// Hands out indices to threads.
final class SharedCounter: Sendable {
  private let next = Atomic<Int>(0)

  func take(below count: Int) -> Int? {
    let index = next.add(1, ordering: .relaxed).oldValue
    return index < count ? index : nil
  }

  func stop() { next.store(Int.max / 2, ordering: .relaxed) }
}

/// Rows of an answer, one vector an output.
struct ResultRows {
  var columns: [Vector]
  var count: Int
}
