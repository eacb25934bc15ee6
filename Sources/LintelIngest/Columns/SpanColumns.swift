internal import Lintel
internal import LintelColumns

/// The rows of the spans table as they grow: one builder a column, whole rows only.
struct SpanColumns {
  // Columns with a value in every row.
  var traceIDs = Id128ColumnBuilder()
  var spanIDs = Int64ColumnBuilder()
  var traceStates = BytesColumnBuilder()
  var names = BytesColumnBuilder()
  var kinds = Int64ColumnBuilder()
  var startTimes = Int64ColumnBuilder()
  var durations = Int64ColumnBuilder()
  var statuses = Int64ColumnBuilder()
  var statusMessages = BytesColumnBuilder()
  var flags = Int64ColumnBuilder()
  var anomalies = Int64ColumnBuilder()
  var droppedAttributes = Int64ColumnBuilder()
  var droppedEvents = Int64ColumnBuilder()
  var droppedLinks = Int64ColumnBuilder()

  // Columns that are padded with nulls when a row has a value, and at the end.
  var parents = Int64ColumnBuilder()
  var reportedEnds = Int64ColumnBuilder()
  var events = BytesColumnBuilder()
  var links = BytesColumnBuilder()
  var repeats = BytesColumnBuilder()
  var users = Id128ColumnBuilder()
  /// Columns that conventions fill from the span alone; one of the two is in use for each.
  private var texts: [BytesColumnBuilder]
  private var numbers: [Int64ColumnBuilder]
  private let isText: [Bool]

  /// Columns that say who sent a span, which conventions fill from the resource as well.
  var identities: [CodedColumn]
  var dynamic = DynamicColumns()

  // What the spans of a resource or a scope share is kept once, under a number.
  var scopes: [ScopeRecord] = []
  var scopeOfRow: [UInt32] = []
  var resourceMaps = CodedColumn()
  var scopeMaps = DictionaryBuilder()
  var scopeNames = DictionaryBuilder()
  var scopeVersions = DictionaryBuilder()
  var scopeSchemaURLs = DictionaryBuilder()
  var resourceSchemaURLs = DictionaryBuilder()
  var entityRefs = CodedColumn()
  var origins = Origins()
  var originOfRow: [UInt32] = []

  /// The codes and counts that every span of a scope gets.
  struct ScopeRecord {
    var name: UInt32
    var version: UInt32
    var attributes: UInt32
    var schemaURL: UInt32
    var droppedAttributes: Int64
    var resourceSchemaURL: UInt32
    var resourceDroppedAttributes: Int64
    /// `CodedColumn.null` where the resource refers to no entity.
    var entityRefs: UInt32
  }

  /// - Parameter rows: about how many there will be.
  init(known: KnownKeys, rows: Int) {
    let count = Conventions.table.count
    identities = Array(repeating: CodedColumn(), count: known.identityCount)
    texts = Array(repeating: BytesColumnBuilder(), count: count)
    numbers = Array(repeating: Int64ColumnBuilder(), count: count)
    isText = SpanColumnIndex.spans.conventions.map { SpanSchema.table.columns[$0].type.physical == .bytes }
    traceIDs.reserveCapacity(rows)
    spanIDs.reserveCapacity(rows)
    names.reserveCapacity(rows)
    startTimes.reserveCapacity(rows)
    durations.reserveCapacity(rows)
    scopeOfRow.reserveCapacity(rows)
    originOfRow.reserveCapacity(rows)
  }

  var rowCount: Int { spanIDs.count }

  /// Appends a value to a column that conventions fill from the span alone.
  @inline(__always)
  mutating func append(_ value: SlotValue, slot: Int, row: Int) {
    if isText[slot] {
      texts[slot].pad(to: row)
      texts[slot].append(value.text)
    } else {
      numbers[slot].pad(to: row)
      numbers[slot].append(value.number)
    }
  }

  /// The finished rows. Nothing is left here afterwards.
  mutating func finish(keyNames: ByteStrings) -> Batch {
    let rows = rowCount
    var columns = SpanSchema.table.columns.map { ColumnVector.nulls($0.type.physical, count: 0) }
    fillSpanColumns(&columns, SpanColumnIndex.spans)
    fillScopeColumns(&columns, SpanColumnIndex.spans)
    for (slot, index) in SpanColumnIndex.spans.conventions.enumerated() {
      columns[index] = finishSlot(slot, rows: rows)
    }
    return Batch(
      schema: SpanSchema.table, rowCount: rows, columns: columns, attributes: dynamic.finish(names: keyNames))
  }

  private mutating func finishSlot(_ slot: Int, rows: Int) -> ColumnVector {
    if slot < identities.count { return identities[slot].finish() }
    guard isText[slot] else { return Self.finish(&numbers[slot], rows: rows) }
    return Self.finish(&texts[slot], rows: rows)
  }

  private static func finish(_ builder: inout BytesColumnBuilder, rows: Int) -> ColumnVector {
    guard builder.count > 0 else { return ColumnVector.nulls(.bytes, count: rows) }
    builder.pad(to: rows)
    return builder.finish()
  }

  private static func finish<Lane>(_ builder: inout LaneColumnBuilder<Lane>, rows: Int) -> ColumnVector {
    builder.pad(to: rows)
    return builder.finish()
  }

  private mutating func fillSpanColumns(_ columns: inout [ColumnVector], _ index: SpanColumnIndex) {
    let rows = rowCount
    columns[index.parentSpanID] = Self.finish(&parents, rows: rows)
    columns[index.reportedEnd] = Self.finish(&reportedEnds, rows: rows)
    columns[index.events] = Self.finish(&events, rows: rows)
    columns[index.links] = Self.finish(&links, rows: rows)
    columns[index.attributeRepeats] = Self.finish(&repeats, rows: rows)
    columns[index.userHash] = Self.finish(&users, rows: rows)
    columns[index.traceID] = traceIDs.finish()
    columns[index.spanID] = spanIDs.finish()
    columns[index.traceState] = traceStates.finish()
    columns[index.name] = names.finish()
    columns[index.kind] = kinds.finish()
    columns[index.startTime] = startTimes.finish()
    columns[index.duration] = durations.finish()
    columns[index.status] = statuses.finish()
    columns[index.statusMessage] = statusMessages.finish()
    columns[index.flags] = flags.finish()
    columns[index.timeAnomaly] = anomalies.finish()
    columns[index.droppedAttributes] = droppedAttributes.finish()
    columns[index.droppedEvents] = droppedEvents.finish()
    columns[index.droppedLinks] = droppedLinks.finish()
  }

  private mutating func fillScopeColumns(_ columns: inout [ColumnVector], _ index: SpanColumnIndex) {
    func codes(_ dictionary: inout DictionaryBuilder, _ code: (ScopeRecord) -> UInt32) -> ColumnVector {
      let codes = scopes.map(code)
      return ColumnVector(.codes(scopeOfRow.map { codes[Int($0)] }, dictionary.finish()))
    }
    func numbers(_ value: (ScopeRecord) -> Int64) -> ColumnVector {
      let values = scopes.map(value)
      return ColumnVector(.int64(scopeOfRow.map { values[Int($0)] }))
    }
    columns[index.scopeName] = codes(&scopeNames) { $0.name }
    columns[index.scopeVersion] = codes(&scopeVersions) { $0.version }
    columns[index.scopeAttributes] = codes(&scopeMaps) { $0.attributes }
    columns[index.scopeSchemaURL] = codes(&scopeSchemaURLs) { $0.schemaURL }
    columns[index.scopeDroppedAttributes] = numbers { $0.droppedAttributes }
    columns[index.resourceSchemaURL] = codes(&resourceSchemaURLs) { $0.resourceSchemaURL }
    columns[index.resourceDroppedAttributes] = numbers { $0.resourceDroppedAttributes }
    for row in scopeOfRow { entityRefs.append(scopes[Int(row)].entityRefs) }
    columns[index.resourceEntityRefs] = entityRefs.finish()
    columns[index.resourceAttributes] = resourceMaps.finish()
    columns[index.attributeOrigins] = ColumnVector(.codes(originOfRow, origins.finish()))
  }
}

/// A column whose values are few and shared by many rows.
///
/// Kept in dictionary form whatever the counts: a resource's attributes stand here once, however many spans it has.
struct CodedColumn {
  /// The code of a row without a value.
  static let null = UInt32.max

  var values = DictionaryBuilder()
  private var codes: [UInt32] = []
  private var nullCount = 0

  @inline(__always)
  mutating func append(_ code: UInt32) {
    codes.append(code)
    if code == Self.null { nullCount &+= 1 }
  }

  mutating func finish() -> ColumnVector {
    defer { self = CodedColumn() }
    guard nullCount < codes.count else { return ColumnVector.nulls(.bytes, count: codes.count) }
    guard nullCount > 0 else { return ColumnVector(.codes(codes, values.finish())) }
    var lanes = codes
    var validity = Bitmap(repeating: true, count: codes.count)
    for row in lanes.indices where lanes[row] == Self.null {
      lanes[row] = 0
      validity[row] = false
    }
    return ColumnVector(.codes(lanes, values.finish()), validity: validity)
  }
}
