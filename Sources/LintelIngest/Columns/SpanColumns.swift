internal import Lintel
internal import LintelColumns

/// The rows of the spans table as they grow: one lane a column, whole rows only.
struct SpanColumns {
  // Lanes with a value in every row.
  var traceIDs: [UInt128] = []
  var spanIDs: [Int64] = []
  var traceStates = TextLane()
  var names = TextLane()
  var kinds: [Int64] = []
  var startTimes: [Int64] = []
  var durations: [Int64] = []
  var statuses: [Int64] = []
  var statusMessages = TextLane()
  /// Which of `scopes` a row belongs to.
  var scopeOfRow: [UInt32] = []
  var resourceMapOfRow: [UInt32] = []
  var originOfRow: [UInt32] = []

  // Lanes with a value in some rows.
  var parents = SparseInt()
  var flags = SparseInt()
  var anomalies = SparseInt()
  var reportedEnds = SparseInt()
  var droppedAttributes = SparseInt()
  var droppedEvents = SparseInt()
  var droppedLinks = SparseInt()
  var events = SparseText()
  var links = SparseText()
  var repeats = SparseText()
  var userRows: [UInt32] = []
  var userHashes: [UInt128] = []

  /// Columns that conventions fill: the first few (the span's sender) are coded, the rest sparse.
  var identities: [TextCodes]
  /// One of the two is in use for each convention.
  private var texts: [SparseText]
  private var numbers: [SparseInt]
  private let isText: [Bool]
  var dynamic = DynamicColumns()

  /// Values that a scope's spans share, as codes of the tables below.
  var scopes: [ScopeRecord] = []
  var resourceMaps = ByteTable()
  var scopeMaps = ByteTable()
  var scopeNames = ByteTable()
  var schemaURLs = ByteTable()
  var origins = Origins()

  struct ScopeRecord {
    var name: UInt32
    var version: UInt32
    var attributes: UInt32
    var schemaURL: UInt32
    var droppedAttributes: Int64
    var resourceSchemaURL: UInt32
    var resourceDroppedAttributes: Int64
  }

  init(known: KnownKeys) {
    let conventions = Conventions.table
    identities = Array(repeating: TextCodes(), count: known.identityCount)
    texts = Array(repeating: SparseText(), count: conventions.count)
    numbers = Array(repeating: SparseInt(), count: conventions.count)
    isText = conventions.map { convention in
      SpanSchema.table.index(of: convention.column).map { SpanSchema.table.columns[$0].type.physical } != .int64
    }
  }

  @inline(__always)
  mutating func append(_ value: SlotValue, slot: Int, row: UInt32) {
    if isText[slot] { texts[slot].append(value.text, row: row) } else { numbers[slot].append(value.number, row: row) }
  }

  var rowCount: Int { spanIDs.count }

  /// The finished rows.
  func batch(keyNames: ByteStrings) -> Batch {
    let schema = SpanSchema.table
    var columns: [String: ColumnVector] = [:]
    fillSpanColumns(&columns)
    fillScopeColumns(&columns)
    for (slot, convention) in Conventions.table.enumerated() {
      if slot < identities.count {
        columns[convention.column] = identities[slot].column()
      } else {
        columns[convention.column] =
          isText[slot] ? texts[slot].column(rowCount: rowCount) : numbers[slot].column(rowCount: rowCount)
      }
    }
    let vectors = schema.columns.map { columns[$0.name] ?? ColumnVector.nulls($0.type.physical, count: rowCount) }
    return Batch(schema: schema, rowCount: rowCount, columns: vectors, attributes: dynamic.columns(names: keyNames))
  }

  private func fillSpanColumns(_ columns: inout [String: ColumnVector]) {
    columns["trace_id"] = ColumnVector(.id128(traceIDs))
    columns["span_id"] = ColumnVector(.int64(spanIDs))
    columns["parent_span_id"] = parents.column(rowCount: rowCount)
    columns["trace_state"] = traceStates.finish()
    columns["flags"] = flags.columnOrZero(rowCount: rowCount)
    columns["name"] = names.finish()
    columns["kind"] = ColumnVector(.int64(kinds))
    columns["start_time"] = ColumnVector(.int64(startTimes))
    columns["duration"] = ColumnVector(.int64(durations))
    columns["time_anomaly"] = anomalies.columnOrZero(rowCount: rowCount)
    columns["reported_end_time"] = reportedEnds.column(rowCount: rowCount)
    columns["status"] = ColumnVector(.int64(statuses))
    columns["status_message"] = statusMessages.finish()
    columns["dropped_attributes_count"] = droppedAttributes.columnOrZero(rowCount: rowCount)
    columns["dropped_events_count"] = droppedEvents.columnOrZero(rowCount: rowCount)
    columns["dropped_links_count"] = droppedLinks.columnOrZero(rowCount: rowCount)
    columns["events"] = events.column(rowCount: rowCount)
    columns["links"] = links.column(rowCount: rowCount)
    columns["attribute_repeats"] = repeats.column(rowCount: rowCount)
    columns["user_hash"] = userColumn()
  }

  private func userColumn() -> ColumnVector {
    if userRows.count == rowCount { return ColumnVector(.id128(userHashes)) }
    var dense = [UInt128](repeating: 0, count: rowCount)
    for (row, hash) in zip(userRows, userHashes) { dense[Int(row)] = hash }
    return ColumnVector(.id128(dense), validity: validityBitmap(userRows, rowCount: rowCount))
  }

  private func fillScopeColumns(_ columns: inout [String: ColumnVector]) {
    func text(_ table: ByteTable, _ code: (ScopeRecord) -> UInt32) -> ColumnVector {
      let codes = scopes.map(code)
      return TextCodes.column(codes: scopeOfRow.map { codes[Int($0)] }, table: table)
    }
    func number(_ value: (ScopeRecord) -> Int64) -> ColumnVector {
      let values = scopes.map(value)
      return ColumnVector(.int64(scopeOfRow.map { values[Int($0)] }))
    }
    columns["scope_name"] = text(scopeNames) { $0.name }
    columns["scope_version"] = text(scopeNames) { $0.version }
    columns["scope_attributes"] = text(scopeMaps) { $0.attributes }
    columns["scope_schema_url"] = text(schemaURLs) { $0.schemaURL }
    columns["scope_dropped_attributes_count"] = number { $0.droppedAttributes }
    columns["resource_schema_url"] = text(schemaURLs) { $0.resourceSchemaURL }
    columns["resource_dropped_attributes_count"] = number { $0.resourceDroppedAttributes }
    columns["resource_attributes"] = TextCodes.column(codes: resourceMapOfRow, table: resourceMaps)
    columns["attribute_origins"] = TextCodes.column(codes: originOfRow, table: origins.table)
  }
}
