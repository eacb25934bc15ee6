public import LintelColumns
internal import Lintel

/// Rebuilds what clients sent: rows of the spans table as OTLP JSON, one `ExportTraceServiceRequest` a line.
///
/// Lossless but for what is deliberate: user ids come back as `user.hash`, attributes in another order, NaN as the one NaN
/// that JSON has. Spans that share resource and scope share a line, up to ``spansPerLine`` of them.
public struct SpanExporter: Sendable {
  /// Lines stay short enough to be read one at a time.
  public static let spansPerLine = 1000

  public init() {}

  /// The rows of a batch as whole lines, each ended by a newline.
  ///
  /// - Parameter batch: Rows of the spans table with every column and attribute.
  /// - Throws: ``ColumnError`` when a stored value can't be read: damage, or data of a newer version.
  public func lines(_ batch: Batch) throws(ColumnError) -> [UInt8] {
    var writer = BatchWriter(batch)
    return try writer.run()
  }
}

/// One batch on its way out.
private struct BatchWriter {
  private let batch: Batch
  private let columns: SpanColumnIndex
  private var out = OTLPJSONWriter()
  private var origins: [[UInt8]: RowOrigins] = [:]
  private let values: ValuesByRow

  init(_ batch: Batch) {
    self.batch = batch
    columns = SpanColumnIndex.spans
    values = ValuesByRow(batch)
  }

  /// Spans of one resource and scope, as JSON texts.
  private struct Group {
    var head: [UInt8]
    var tail: [UInt8]
    var spans: [UInt8] = []
    var count = 0
  }

  mutating func run() throws(ColumnError) -> [UInt8] {
    var groups: [Group] = []
    var indices: [[UInt8]: Int] = [:]
    var lines: [UInt8] = []
    for row in 0..<batch.rowCount {
      let moves = try origins(of: row)
      let head = try group(row, moves)
      let tail = schemaURLs(row)
      let key = head + [0] + tail
      let index = indices[key] ?? groups.count
      if index == groups.count {
        indices[key] = index
        groups.append(Group(head: head, tail: tail))
      }
      out.text.bytes.removeAll(keepingCapacity: true)
      try span(row, moves)
      if groups[index].count > 0 { groups[index].spans.append(UInt8(ascii: ",")) }
      groups[index].spans.append(contentsOf: out.text.bytes)
      groups[index].count += 1
      if groups[index].count == SpanExporter.spansPerLine {
        Self.finish(&groups[index], into: &lines)
      }
    }
    for index in groups.indices where groups[index].count > 0 { Self.finish(&groups[index], into: &lines) }
    return lines
  }

  private static func finish(_ group: inout Group, into lines: inout [UInt8]) {
    lines.append(contentsOf: group.head)
    lines.append(contentsOf: group.spans)
    lines.append(contentsOf: group.tail)
    lines.append(0x0A)
    group.spans.removeAll(keepingCapacity: true)
    group.count = 0
  }

  private mutating func origins(of row: Int) throws(ColumnError) -> RowOrigins {
    let text = Array(batch.columns[columns.attributeOrigins].bytes(at: row) ?? [])
    if let known = origins[text] { return known }
    let parsed = try RowOrigins(String(decoding: text, as: UTF8.self))
    origins[text] = parsed
    return parsed
  }

  // MARK: Resource and scope

  /// Everything of the line before its spans.
  private mutating func group(_ row: Int, _ origins: RowOrigins) throws(ColumnError) -> [UInt8] {
    out.text.bytes.removeAll(keepingCapacity: true)
    out.raw("{\"resourceSpans\":[{\"resource\":{\"attributes\":[")
    // What was moved comes first: of a repeated key it is the first occurrence.
    for move in origins.moves where move.isResource {
      out.attribute(move, from: batch.columns[move.column], row: row)
    }
    for entry in try map(columns.resourceAttributes, row) { out.attribute(entry) }
    out.raw("]")
    count("droppedAttributesCount", columns.resourceDroppedAttributes, row)
    try entityRefs(row)
    out.raw("},\"scopeSpans\":[{\"scope\":{")
    text("name", columns.scopeName, row)
    text("version", columns.scopeVersion, row)
    let attributes = try map(columns.scopeAttributes, row)
    if !attributes.isEmpty {
      out.key("attributes")
      out.raw("[")
      for entry in attributes { out.attribute(entry) }
      out.raw("]")
    }
    count("droppedAttributesCount", columns.scopeDroppedAttributes, row)
    out.raw("},\"spans\":[")
    return out.text.bytes
  }

  /// Everything of the line behind its spans.
  private mutating func schemaURLs(_ row: Int) -> [UInt8] {
    out.text.bytes.removeAll(keepingCapacity: true)
    out.raw("]")
    text("schemaUrl", columns.scopeSchemaURL, row)
    out.raw("}]")
    text("schemaUrl", columns.resourceSchemaURL, row)
    out.raw("}]}")
    return out.text.bytes
  }

  private func map(_ column: Int, _ row: Int) throws(ColumnError) -> [Variant.Entry] {
    guard let bytes = batch.columns[column].bytes(at: row), !bytes.isEmpty else { return [] }
    guard case .map(let entries) = try Variant(decoding: bytes) else { return [] }
    return entries
  }

  /// A text field; left out when empty, as protobuf's JSON does.
  private mutating func text(_ name: StaticString, _ column: Int, _ row: Int) {
    guard let bytes = batch.columns[column].bytes(at: row), !bytes.isEmpty else { return }
    out.key(name)
    out.string(bytes)
  }

  private mutating func count(_ name: StaticString, _ column: Int, _ row: Int) {
    guard let value = batch.columns[column].int64(at: row), value != 0 else { return }
    out.key(name)
    out.number(value)
  }

  // MARK: Span

  private mutating func span(_ row: Int, _ origins: RowOrigins) throws(ColumnError) {
    out.raw("{\"traceId\":")
    out.id(batch.columns[columns.traceID].id128(at: row) ?? 0)
    out.key("spanId")
    out.id(UInt64(bitPattern: batch.columns[columns.spanID].int64(at: row) ?? 0))
    text("traceState", columns.traceState, row)
    if let parent = batch.columns[columns.parentSpanID].int64(at: row) ?? (origins.hasZeroParent ? 0 : nil) {
      out.key("parentSpanId")
      out.id(UInt64(bitPattern: parent))
    }
    count("flags", columns.flags, row)
    text("name", columns.name, row)
    count("kind", columns.kind, row)
    times(row)
    out.key("attributes")
    out.raw("[")
    try attributes(row, origins)
    out.raw("]")
    count("droppedAttributesCount", columns.droppedAttributes, row)
    try events(row)
    count("droppedEventsCount", columns.droppedEvents, row)
    try links(row)
    count("droppedLinksCount", columns.droppedLinks, row)
    out.key("status")
    out.raw("{")
    text("message", columns.statusMessage, row)
    count("code", columns.status, row)
    out.raw("}}")
  }

  private mutating func times(_ row: Int) {
    let start = batch.columns[columns.startTime].int64(at: row) ?? 0
    let duration = batch.columns[columns.duration].int64(at: row) ?? 0
    let isOdd = (batch.columns[columns.timeAnomaly].int64(at: row) ?? 0) != 0
    let end = isOdd ? batch.columns[columns.reportedEnd].int64(at: row) ?? 0 : start &+ duration
    out.key("startTimeUnixNano")
    out.quoted(UInt64(bitPattern: start))
    out.key("endTimeUnixNano")
    out.quoted(UInt64(bitPattern: end))
  }

  private mutating func attributes(_ row: Int, _ origins: RowOrigins) throws(ColumnError) {
    for move in origins.moves where !move.isResource {
      out.attribute(move, from: batch.columns[move.column], row: row)
    }
    for place in values[row] { try value(batch.attributes[Int(place.column)], Int(place.position)) }
    for entry in try map(columns.attributeRepeats, row) { out.attribute(entry) }
    if let hash = batch.columns[columns.userHash].id128(at: row) {
      out.attribute(Array("user.hash".utf8)[...]) {
        $0.raw("\"stringValue\":")
        $0.id(hash)
      }
    }
  }

  private mutating func value(_ attribute: AttributeColumn, _ position: Int) throws(ColumnError) {
    let key = Array(attribute.key.name.utf8)[...]
    let values = attribute.values
    switch attribute.key.kind {
    case .string:
      let text = values.bytes(at: position) ?? []
      out.attribute(key) { $0.stringValue(text) }
    case .int:
      let value = values.int64(at: position) ?? 0
      out.attribute(key) { $0.intValue(value) }
    case .double:
      let value = values.float64(at: position) ?? 0
      out.attribute(key) { $0.doubleValue(value) }
    case .bool:
      let value = values.bool(at: position) ?? false
      out.attribute(key) { $0.boolValue(value) }
    case .variant, .textContent, .variantContent:
      let value = try Variant(decoding: values.bytes(at: position) ?? [])
      out.attribute(key) { $0.value(value) }
    }
  }

  // MARK: Entities, events and links

  private mutating func entityRefs(_ row: Int) throws(ColumnError) {
    try objects("entityRefs", columns.resourceEntityRefs, row) { out, field in
      switch (field.key, field.value) {
      case ("schema_url", .string(let url)):
        out.key("schemaUrl")
        out.string(url)
      case ("type", .string(let type)):
        out.key("type")
        out.string(type)
      case ("id_keys", .array(let keys)):
        out.key("idKeys")
        out.strings(keys)
      case ("description_keys", .array(let keys)):
        out.key("descriptionKeys")
        out.strings(keys)
      default: return false
      }
      return true
    }
  }

  private mutating func events(_ row: Int) throws(ColumnError) {
    try objects("events", columns.events, row) { out, field in
      guard case ("time", .int(let time)) = (field.key, field.value) else { return false }
      out.key("timeUnixNano")
      out.quoted(UInt64(bitPattern: time))
      return true
    }
  }

  private mutating func links(_ row: Int) throws(ColumnError) {
    try objects("links", columns.links, row) { out, field in
      switch (field.key, field.value) {
      case ("trace_id", .string(let id)):
        out.key("traceId")
        out.string(id)
      case ("span_id", .string(let id)):
        out.key("spanId")
        out.string(id)
      case ("trace_state", .string(let state)):
        out.key("traceState")
        out.string(state)
      case ("flags", .int(let flags)):
        out.key("flags")
        out.number(flags)
      default: return false
      }
      return true
    }
  }

  /// Writes a list of maps as an array of objects, unless it is empty.
  /// - Parameter ownField: Writes a field that only this kind of object has, or says that it is none.
  private mutating func objects(
    _ name: StaticString, _ column: Int, _ row: Int,
    _ ownField: (inout OTLPJSONWriter, Variant.Entry) -> Bool
  ) throws(ColumnError) {
    guard let bytes = batch.columns[column].bytes(at: row), !bytes.isEmpty,
      case .array(let items) = try Variant(decoding: bytes), !items.isEmpty
    else { return }
    out.key(name)
    out.raw("[")
    for item in items {
      out.separate()
      out.raw("{")
      if case .map(let fields) = item {
        for field in fields where !ownField(&out, field) { commonField(field) }
      }
      out.raw("}")
    }
    out.raw("]")
  }

  private mutating func commonField(_ field: Variant.Entry) {
    switch (field.key, field.value) {
    case ("name", .string(let name)):
      out.key("name")
      out.string(name)
    case ("attributes", .map(let entries)):
      out.key("attributes")
      out.raw("[")
      for entry in entries { out.attribute(entry) }
      out.raw("]")
    case ("dropped_attributes_count", .int(let count)):
      out.key("droppedAttributesCount")
      out.number(count)
    default: break
    }
  }
}
