public import LintelColumns
internal import LintelStorage

/// An EXPORT, bound: which rows, and how to read them as batches with every column and attribute.
public struct ExportRequest: Sendable {
  /// Blocks that one batch covers at most, so that memory stays bounded.
  static let blocksPerBatch = 16

  public let table: String
  /// As written after TO.
  public let path: String
  public let schema: TableSchema
  private let snapshot: TableSnapshot
  private let filter: QueryPlan
  private let options: ExecutionOptions

  init(_ syntax: ExportSyntax, text: String, engine: QueryEngine) throws(QueryError) {
    let select = SelectSyntax(
      isDistinct: false, items: [], table: syntax.table, tableAlias: syntax.table.name, filter: syntax.filter,
      grouping: [], having: nil, ordering: [], limit: nil, offset: 0, range: 0..<0)
    let snapshot = try Binder.snapshot(of: syntax.table, catalog: engine.catalog)
    var binder = Binder(select, text: text, snapshot: snapshot, catalog: engine.catalog, now: engine.catalog.now)
    filter = try binder.plan(select)
    self.snapshot = snapshot
    schema = snapshot.schema
    table = snapshot.schema.name
    path = syntax.path
    options = engine.options
  }

  /// Calls `body` with the rows, a batch at a time, in scan order; batches without rows are left out.
  ///
  /// - Returns: what the reader should know, such as a part that was left out because it is corrupt.
  /// - Throws: what reading throws, and what `body` does.
  public func forEachBatch(
    cancellation: CancellationToken = CancellationToken(), _ body: (Batch) throws -> Void
  ) throws -> [String] {
    var warnings: [String] = []
    for slice in slices {
      let keys = Set(slice.segments.flatMap(\.attributeKeys)).sorted()
      let result = try Executor.run(plan(keys), on: slice, options: options, cancellation: cancellation)
      for warning in result.warnings where !warnings.contains(warning) { warnings.append(warning) }
      if result.rowCount > 0 { try body(batch(result, keys)) }
    }
    return warnings
  }

  /// The snapshot in pieces. A filter with subqueries needs all of it at once.
  private var slices: [TableSnapshot] {
    guard filter.subqueries.isEmpty else { return [snapshot] }
    return snapshot.segments.flatMap { segment in
      stride(from: 0, to: segment.blockCount, by: Self.blocksPerBatch).map { first in
        let last = min(first + Self.blocksPerBatch, segment.blockCount)
        return TableSnapshot(schema: schema, segments: [SegmentSlice(segment, blocks: first..<last)])
      }
    }
  }

  private func plan(_ keys: [AttributeKey]) -> QueryPlan {
    let columns = schema.columns.enumerated().map { index, column in
      QueryPlan.Output(name: column.name, expression: .column(index, column.type))
    }
    let attributes = keys.map { key in
      let read = AttributeRead(name: key.name, kinds: [key.kind], type: key.kind.type)
      return QueryPlan.Output(name: key.name, expression: .attribute(read))
    }
    return QueryPlan(
      table: table, schema: schema, filter: filter.filter, aggregation: nil, outputs: columns + attributes,
      isDistinct: false, ordering: [], limit: nil, offset: 0, subqueries: filter.subqueries)
  }

  private func batch(_ result: QueryResult, _ keys: [AttributeKey]) -> Batch {
    let columns = result.columns.prefix(schema.columns.count).map(\.values)
    var attributes: [AttributeColumn] = []
    for (key, column) in zip(keys, result.columns.dropFirst(schema.columns.count)) {
      let rows = (0..<result.rowCount).filter(column.values.isValid).map { UInt32(truncatingIfNeeded: $0) }
      guard !rows.isEmpty else { continue }
      var values = column.values.gather(rows)
      values.validity = nil
      attributes.append(AttributeColumn(key: key, rows: rows, values: values))
    }
    return Batch(schema: schema, rowCount: result.rowCount, columns: Array(columns), attributes: attributes)
  }
}

extension QueryEngine {
  /// Binds an EXPORT; whoever calls writes the file.
  ///
  /// - Parameter text: what `syntax` was parsed from.
  public func export(_ syntax: ExportSyntax, text: String) throws(QueryError) -> ExportRequest {
    try ExportRequest(syntax, text: text, engine: self)
  }
}

/// Some consecutive blocks of a segment, as a segment.
struct SegmentSlice: Segment {
  let segment: any Segment
  let blocks: Range<Int>

  init(_ segment: any Segment, blocks: Range<Int>) {
    self.segment = segment
    self.blocks = blocks
  }

  var name: String { segment.name }
  var blockRows: Int { segment.blockRows }
  var attributeKeys: [AttributeKey] { segment.attributeKeys }
  var rowCount: Int { min(segment.rowCount, blocks.upperBound * blockRows) - blocks.lowerBound * blockRows }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int {
    segment.storedBytes(column, block: blocks.lowerBound + block)
  }

  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? {
    segment.statistics(column, block: blocks.lowerBound + block)
  }

  func filters(_ column: ColumnReference) -> BlockFilters? { segment.filters(column)?.dropFirst(blocks.lowerBound) }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? {
    try segment.dictionary(column)
  }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    try segment.read(column, block: blocks.lowerBound + block)
  }
}
