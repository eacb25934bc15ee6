public import LintelStorage

import Synchronization

/// How a query may run.
public struct ExecutionOptions: Sendable, Hashable {
  /// Skip segments and blocks by statistics and dictionaries. Answers are the same without; tests switch it off.
  public var usePruning = true
  /// Threads that work on one query, the calling one included.
  public var threads: Int
  /// Bytes of intermediate results (groups, sort buffers) after which a query fails with `.limitExceeded`.
  public var memoryLimitBytes = 1 << 30
  /// Bytes of intermediate results after which groups and rows to be sorted go to disk, where there is room for them; `nil`:
  /// half of the memory limit, which leaves the other half to what is put together of them.
  public var spillThresholdBytes: Int?
  var spillAfterBytes: Int { spillThresholdBytes ?? memoryLimitBytes / 2 }
  /// Seconds after which a query fails with `.limitExceeded`.
  public var timeoutSeconds: Double?
  /// Bytes of answers, and of groups of parts, that an engine keeps for queries that come again; 0 keeps none.
  public var cacheBytes = 0
  /// Give the segments of a key a common dictionary wherever there are several, for tests.
  var alwaysSharesDictionaries = false

  public init() {
    threads = WorkerPool.processorCount
  }
}

/// Lets another thread stop a running query; it ends with `.cancelled` within milliseconds.
public final class CancellationToken: Sendable {
  private let flag = Atomic<Bool>(false)
  private let rowsDone = Atomic<Int>(0)
  private let rowsToRead = Atomic<Int>(0)
  private let polls = Atomic<Int>(0)
  private let lastPoll: Int

  public init() { lastPoll = .max }

  /// Cancels itself at a poll, for tests.
  init(cancellingAtPoll poll: Int) { lastPoll = poll }

  public func cancel() { flag.store(true, ordering: .relaxed) }

  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  /// How often a query has asked whether it is cancelled.
  var pollCount: Int { polls.load(ordering: .relaxed) }

  /// ``isCancelled``, asked by the query itself.
  func poll() -> Bool {
    if polls.wrappingAdd(1, ordering: .relaxed).newValue >= lastPoll { cancel() }
    return isCancelled
  }

  /// Rows that the query has been through, and rows it is known to read in all, 0 before that is known. Both grow while
  /// the query runs: a subquery has its own.
  public var progress: (done: Int, total: Int) {
    (rowsDone.load(ordering: .relaxed), rowsToRead.load(ordering: .relaxed))
  }

  func addProgress(done: Int = 0, total: Int = 0) {
    if done > 0 { rowsDone.add(done, ordering: .relaxed) }
    if total > 0 { rowsToRead.add(total, ordering: .relaxed) }
  }
}

/// Runs bound plans over snapshots: blocks are the unit of work, vectors the unit of computation.
public enum Executor {
  /// Runs `plan` and returns all of its rows.
  ///
  /// - Parameter snapshot: what is scanned; `nil` only for plans without a table.
  /// - Throws: ``QueryError``: `.overflow`, `.limitExceeded`, `.cancelled`, `.storage`, `.binding` (a malformed pattern).
  public static func run(
    _ plan: QueryPlan, on snapshot: TableSnapshot?, options: ExecutionOptions, cancellation: CancellationToken
  ) throws(QueryError) -> QueryResult {
    try run(plan, on: snapshot, options: options, cancellation: cancellation, cache: nil)
  }

  /// What an answer from a snapshot lacks in any case.
  static func omissions(of snapshot: TableSnapshot?) -> [String] {
    (snapshot?.omitted ?? []).map {
      "part \($0) was found damaged and is left out of this answer: restore it from a backup, and CHECK takes it in again"
    }
  }

  /// - Parameters:
  ///   - cache: Only for snapshots of one store: it goes by the names of parts.
  ///   - spillSpace: Where groups and rows go that memory can't hold; `nil`: then the query fails.
  static func run(
    _ plan: QueryPlan, on snapshot: TableSnapshot?, options: ExecutionOptions, cancellation: CancellationToken,
    cache: QueryCache?, spillSpace: SpillSpace? = nil
  ) throws(QueryError) -> QueryResult {
    let start = ContinuousClock.now
    let key = cache == nil ? nil : QueryCache.AnswerKey(plan, snapshot)
    if let key, var known = cache?.answers[key] {
      known.statistics = QueryResult.Statistics(elapsedMilliseconds: (ContinuousClock.now - start).milliseconds)
      known.statistics.isFromCache = true
      return known
    }
    var excluded: [Int: String] = [:]
    while true {
      let query = QueryContext(
        snapshot: snapshot, options: options, cancellation: cancellation, start: start, excluded: Set(excluded.keys),
        cache: cache, spillSpace: spillSpace)
      do throws(ExecutionFailure) {
        let table = try query.run(plan)
        if let content = snapshot?.damage.readBytes { query.note(bytes: content) }
        // A value that can't be read is null; everything else of its row is there.
        let unread = (snapshot?.damage.notes ?? []).map { "content that can't be read is NULL in this answer: \($0)" }
        let result = try query.result(
          table, plan: plan,
          warnings: omissions(of: snapshot) + excluded.sorted { $0.key < $1.key }.map(\.value) + unread)
        if let key, result.warnings.isEmpty { cache?.answers.insert(result, byteCount: result.byteCount, for: key) }
        return result
      } catch {
        switch error {
        case .query(let error): throw error
        case .tooMuchAtOnce: throw QueryError(.limitExceeded, EvaluationContext.tooMuchContent)
        case .corrupt(let segment, let message):
          guard excluded[segment] == nil else { throw QueryError(.storage, message) }
          let name = snapshot?.segments[segment].name ?? ""
          excluded[segment] = "part \(name) is corrupt and was left out of this answer: \(message)"
        }
      }
    }
  }
}
