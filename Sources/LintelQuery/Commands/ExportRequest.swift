public import LintelColumns
internal import LintelStorage

/// An EXPORT, bound: which rows, and how to read them as batches with every column and attribute.
public struct ExportRequest: Sendable {
  /// Blocks that one batch covers at most.
  static let blocksPerBatch = 16
  /// Bytes that a value of a run may take, its validity and the copies on its way included.
  private static let bytesPerCell = 64

  public let table: String
  /// As written after TO.
  public let path: String
  public let schema: TableSchema
  private let snapshot: TableSnapshot
  private let filter: QueryPlan
  private let options: ExecutionOptions
  private let catalog: any Catalog
  private let hidings: UInt64

  init(_ syntax: ExportSyntax, text: String, engine: QueryEngine) throws(QueryError) {
    let select = SelectSyntax(
      isDistinct: false, items: [], table: syntax.table, tableAlias: syntax.table.name, join: nil,
      filter: syntax.filter, grouping: [], having: nil, ordering: [], limit: nil, offset: 0, range: 0..<0)
    let catalog = engine.catalog
    self.catalog = catalog
    hidings = try engine.storing(at: nil) { () throws(StorageError) in try catalog.hidings() }
    let snapshot = try Binder.snapshot(of: syntax.table, catalog: engine.catalog)
    var binder = Binder(select, text: text, snapshot: snapshot, catalog: engine.catalog, now: engine.catalog.now)
    filter = try binder.plan(select)
    self.snapshot = snapshot
    schema = snapshot.schema
    table = snapshot.schema.name
    path = syntax.path
    options = engine.options
  }

  /// What is known to be missing before anything is read: parts that were found damaged.
  public var omissions: [String] { Executor.omissions(of: snapshot) }

  /// Calls `body` with the rows, a batch at a time, in scan order; batches without rows are left out.
  ///
  /// - Returns: what isn't as it was stored, ``omissions`` among it: parts that were left out, values that can't be read.
  ///   Where there is any of it, the export isn't complete.
  /// - Throws: what reading throws, and what `body` does.
  public func forEachBatch(
    cancellation: CancellationToken = CancellationToken(), _ body: (Batch) throws -> Void
  ) throws -> [String] {
    var warnings = omissions
    for slice in slices {
      let keys = Set(slice.segments.flatMap(\.attributeKeys)).sorted()
      var rowCount = 0
      var columns: [ColumnVector] = []
      var attributes: [AttributeColumn] = []
      for (number, group) in groups(of: keys, in: slice).enumerated() where number == 0 || rowCount > 0 {
        let plan = plan(group, withColumns: number == 0)
        let result = try Executor.run(plan, on: slice, options: options, cancellation: cancellation)
        for warning in result.warnings where !warnings.contains(warning) { warnings.append(warning) }
        if number == 0 {
          rowCount = result.rowCount
          columns = result.columns.prefix(schema.columns.count).map(\.values)
        } else if result.rowCount != rowCount {
          // Damage among these attributes alone: the slice is left out as a whole.
          rowCount = 0
        }
        attributes += sparse(group, result.columns.suffix(group.count), rowCount)
      }
      guard rowCount > 0 else { continue }
      guard try catalog.hidings() == hidings else {
        throw QueryError(
          .storage,
          "users were erased while this export ran, and it might show some: throw away what came, and run it again")
      }
      try body(Batch(schema: schema, rowCount: rowCount, columns: columns, attributes: attributes))
    }
    return warnings
  }

  /// Values that one run may read without passing the memory limit.
  private var cellsPerRun: Int { options.memoryLimitBytes / Self.bytesPerCell }

  /// The snapshot in pieces; fewer rows in each where there are many attributes. A filter with subqueries needs all of it
  /// at once.
  private var slices: [TableSnapshot] {
    guard filter.subqueries.isEmpty else { return [snapshot] }
    return snapshot.segments.flatMap { segment in
      let cellsPerBlock = max(1, segment.blockRows) * (schema.columns.count + segment.attributeKeys.count)
      let blocks = min(max(1, cellsPerRun / cellsPerBlock), Self.blocksPerBatch)
      return stride(from: 0, to: segment.blockCount, by: blocks).map { first in
        let last = min(first + blocks, segment.blockCount)
        return TableSnapshot(
          schema: schema, segments: [SegmentSlice(segment, blocks: first..<last)], damage: snapshot.damage)
      }
    }
  }

  /// The attributes in groups, each of which is read in a run of its own: a run's columns are dense, so that thousands of
  /// rare attributes would need memory for values that aren't there.
  private func groups(of keys: [AttributeKey], in slice: TableSnapshot) -> [ArraySlice<AttributeKey>] {
    guard filter.subqueries.isEmpty else { return [keys[...]] }
    let count = max(16, cellsPerRun / max(1, slice.rowCount) - schema.columns.count)
    return keys.count <= count
      ? [keys[...]]
      : stride(from: 0, to: keys.count, by: count).map { keys[$0..<min($0 + count, keys.count)] }
  }

  private func plan(_ keys: ArraySlice<AttributeKey>, withColumns: Bool) -> QueryPlan {
    let columns =
      !withColumns
      ? []
      : schema.columns.enumerated().map { index, column in
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

  /// The rows' values of some attributes, from dense columns.
  private func sparse(
    _ keys: ArraySlice<AttributeKey>, _ columns: ArraySlice<QueryResult.Column>, _ rowCount: Int
  ) -> [AttributeColumn] {
    var attributes: [AttributeColumn] = []
    for (key, column) in zip(keys, columns) {
      let rows = (0..<rowCount).filter(column.values.isValid).map { UInt32(truncatingIfNeeded: $0) }
      guard !rows.isEmpty else { continue }
      var values = column.values.gather(rows)
      values.validity = nil
      attributes.append(AttributeColumn(key: key, rows: rows, values: values))
    }
    return attributes
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
  var digestKeys: [AttributeKey] { segment.digestKeys }
  var mask: RowMask? { segment.mask?.slice(blocks) }
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

  func isContent(_ column: ColumnReference) -> Bool { segment.isContent(column) }

  func content(
    _ column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? {
    try segment.content(column, block: blocks.lowerBound + block, rows: rows, within: bounds)
  }

  func contains(
    _ needle: [UInt8], in column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? {
    try segment.contains(needle, in: column, block: blocks.lowerBound + block, rows: rows, within: bounds)
  }
}
