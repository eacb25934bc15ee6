internal import Lintel
internal import LintelColumns

/// Where the columns that make up a span stand in the schema.
struct SpanColumnIndex {
  /// Of the spans table.
  static let spans = SpanColumnIndex(SpanSchema.table)

  let traceID, spanID, parentSpanID, traceState, flags, name, kind, startTime, duration, timeAnomaly, reportedEnd: Int
  let status, statusMessage, userHash, events, links, droppedAttributes, droppedEvents, droppedLinks: Int
  let resourceAttributes, resourceDroppedAttributes, resourceSchemaURL, resourceEntityRefs: Int
  let scopeName, scopeVersion, scopeAttributes, scopeDroppedAttributes, scopeSchemaURL: Int
  let attributeOrigins, attributeRepeats: Int
  /// The columns that conventions fill, in the order of ``Conventions/table``.
  let conventions: [Int]

  private init(_ schema: TableSchema) {
    func at(_ name: String) -> Int {
      guard let index = schema.index(of: name) else { preconditionFailure("the spans table has no column \(name)") }
      return index
    }
    traceID = at("trace_id")
    spanID = at("span_id")
    parentSpanID = at("parent_span_id")
    traceState = at("trace_state")
    flags = at("flags")
    name = at("name")
    kind = at("kind")
    startTime = at("start_time")
    duration = at("duration")
    timeAnomaly = at("time_anomaly")
    reportedEnd = at("reported_end_time")
    status = at("status")
    statusMessage = at("status_message")
    userHash = at("user_hash")
    events = at("events")
    links = at("links")
    droppedAttributes = at("dropped_attributes_count")
    droppedEvents = at("dropped_events_count")
    droppedLinks = at("dropped_links_count")
    resourceAttributes = at("resource_attributes")
    resourceDroppedAttributes = at("resource_dropped_attributes_count")
    resourceSchemaURL = at("resource_schema_url")
    resourceEntityRefs = at("resource_entity_refs")
    scopeName = at("scope_name")
    scopeVersion = at("scope_version")
    scopeAttributes = at("scope_attributes")
    scopeDroppedAttributes = at("scope_dropped_attributes_count")
    scopeSchemaURL = at("scope_schema_url")
    attributeOrigins = at("attribute_origins")
    attributeRepeats = at("attribute_repeats")
    conventions = Conventions.table.map { at($0.column) }
  }
}
