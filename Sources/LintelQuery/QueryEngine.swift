internal import LintelColumns
package import LintelStorage

/// Runs statements over a catalog. Calls block; run them on threads that may.
///
///     let engine = QueryEngine(catalog: catalog)
///     let result = try engine.run("SELECT count(*) AS n FROM spans")
public struct QueryEngine: Sendable {
  public let catalog: any Catalog
  public let options: ExecutionOptions
  private let cache: QueryCache?
  private let spillSpace: SpillSpace?

  public init(catalog: any Catalog, options: ExecutionOptions = ExecutionOptions()) {
    self.init(catalog: catalog, options: options, spillSpace: nil)
  }

  /// - Parameter spillSpace: Where queries put what memory can't hold; `nil`: they fail instead.
  package init(catalog: any Catalog, options: ExecutionOptions, spillSpace: SpillSpace?) {
    self.spillSpace = spillSpace
    self.catalog = catalog
    self.options = options
    cache = options.cacheBytes > 0 ? QueryCache(capacity: options.cacheBytes) : nil
  }

  /// Parses and runs one statement.
  ///
  /// - Throws: ``QueryError``; `.unsupported` for EXPORT, which needs a place to write to (see ``export(_:)``).
  public func run(
    _ text: String, cancellation: CancellationToken = CancellationToken()
  ) throws(QueryError) -> QueryResult {
    try run(try SpanQL.parse(text), text: text, cancellation: cancellation)
  }

  /// Runs a statement that has been parsed.
  ///
  /// - Parameter text: what `statement` was parsed from; results are named after it.
  public func run(
    _ statement: Statement, text: String, cancellation: CancellationToken = CancellationToken()
  ) throws(QueryError) -> QueryResult {
    switch statement {
    case .select(let select): return try answer(select, text: text, cancellation)
    case .explain(let select, let isAnalyze):
      if isAnalyze { return try analyze(select, text: text, cancellation) }
      let query = try Binder.bind(select, text: text, catalog: catalog)
      return ResultTable.lines(PlanDescription(query.plan).lines)
    case .show(let show): return try self.show(show)
    case .describe(let table, let storage):
      return storage ? try describeStorage(table) : try describe(table)
    case .optimize(let table):
      let name = try Binder.snapshot(of: table, catalog: catalog).schema.name
      try storing(at: table.offset) { () throws(StorageError) in try catalog.optimize(name) }
      return ResultTable.done()
    case .flush:
      try storing(at: nil) { () throws(StorageError) in try catalog.flush() }
      return ResultTable.done()
    case .check: return try check()
    case .lifecycle(let command):
      do throws(StorageError) { return try catalog.lifecycle(command).result } catch {
        // A refusal is no failure of the store: asking again doesn't help.
        let isRefusal = error.code == .invalid || error.code == .readOnly
        throw QueryError(isRefusal ? .unsupported : .storage, error.description)
      }
    case .export:
      throw QueryError(
        .unsupported, "EXPORT writes a file and can't be run here", offset: nil,
        hint: "run it in spanql with --data")
    }
  }

  /// The plan a SELECT is bound to.
  public func plan(_ text: String) throws(QueryError) -> QueryPlan {
    guard case .select(let select) = try SpanQL.parse(text) else {
      throw QueryError(.unsupported, "only SELECT has a plan")
    }
    return try Binder.bind(select, text: text, catalog: catalog).plan
  }

  /// Answers a query. When rows were hidden while it ran, it runs again: what it has read may show some of them.
  private func answer(
    _ select: SelectSyntax, text: String, _ cancellation: CancellationToken
  ) throws(QueryError) -> QueryResult {
    let start = ContinuousClock.now
    for _ in 0..<Self.attempts {
      let before = try storing(at: nil) { () throws(StorageError) in try catalog.hidings() }
      let query = try Binder.bind(select, text: text, catalog: catalog)
      var result = try run(query, cancellation)
      if try storing(at: nil, { () throws(StorageError) in try catalog.hidings() }) == before {
        result.statistics.elapsedMilliseconds = (ContinuousClock.now - start).milliseconds
        return result
      }
    }
    throw QueryError(
      .storage, "users are erased faster than this query runs, so that its answer might show some: ask again")
  }

  private static let attempts = 20

  /// Lets go of answers and groups that are kept: rows that they were made of have gone.
  package func forgetAnswers() { cache?.forget() }

  private func run(
    _ query: Binder.BoundQuery, _ cancellation: CancellationToken
  ) throws(QueryError) -> QueryResult {
    try Executor.run(
      query.plan, on: query.snapshot, options: options, cancellation: cancellation, cache: cache,
      spillSpace: spillSpace)
  }

  private func analyze(
    _ select: SelectSyntax, text: String, _ cancellation: CancellationToken
  ) throws(QueryError) -> QueryResult {
    let start = ContinuousClock.now
    let query = try Binder.bind(select, text: text, catalog: catalog)
    var result = try run(query, cancellation)
    result.statistics.elapsedMilliseconds = (ContinuousClock.now - start).milliseconds
    var answer = ResultTable.lines(
      PlanDescription(query.plan).lines + PlanDescription.lines(result.statistics, rows: result.rowCount))
    answer.statistics = result.statistics
    answer.warnings = result.warnings
    return answer
  }

  /// Runs `body`, an error of the store becoming one of the query.
  func storing<T>(at offset: Int?, _ body: () throws(StorageError) -> T) throws(QueryError) -> T {
    do {
      return try body()
    } catch {
      throw QueryError(.storage, error.description, offset: offset)
    }
  }
}
