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
    case .select(let select):
      let query = try Binder.bind(select, text: text, catalog: catalog)
      return try run(query, cancellation)
    case .explain(let select, let isAnalyze):
      let query = try Binder.bind(select, text: text, catalog: catalog)
      return isAnalyze ? try analyze(query, cancellation) : ResultTable.lines(PlanDescription(query.plan).lines)
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

  private func run(
    _ query: Binder.BoundQuery, _ cancellation: CancellationToken
  ) throws(QueryError) -> QueryResult {
    try Executor.run(
      query.plan, on: query.snapshot, options: options, cancellation: cancellation, cache: cache,
      spillSpace: spillSpace)
  }

  private func analyze(
    _ query: Binder.BoundQuery, _ cancellation: CancellationToken
  ) throws(QueryError) -> QueryResult {
    let result = try run(query, cancellation)
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
