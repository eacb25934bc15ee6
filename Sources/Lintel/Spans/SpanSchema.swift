public import LintelColumns

/// The spans table: what Lintel stores of a span, and under which names SpanQL shows it.
public enum SpanSchema {
  public static let kind = Enumeration(
    name: "kind", labels: ["unspecified", "internal", "server", "client", "producer", "consumer"])
  public static let status = Enumeration(name: "status", labels: ["unset", "ok", "error"])
  /// What was odd about a span's times; such a span has duration 0.
  public static let timeAnomaly = Enumeration(
    name: "time_anomaly", labels: ["none", "end_missing", "end_before_start"])

  /// Stands in `attribute_origins`, after the moves, where a client sent a parent id of all zeros for a root span.
  public static let zeroParentOrigin = "parent_span_id:zero"

  public static let table = TableSchema(
    name: "spans",
    columns: columns,
    computed: [ComputedColumn("end_time", "start_time + duration", documentation: "When the span ended.")],
    hasAttributes: true,
    sortKey: ["org_id", "start_time"],
    shardKey: "org_id",
    timeColumn: "start_time",
    clusterColumn: "trace_id",
    movedAttributes: Conventions.moves,
    originsColumn: "attribute_origins",
    predictors: ["name", "request_model", "app_id"],
    derivations: [
      "parent_span_id": .reference(of: "span_id"),
      "reported_cost": .weightedSum(of: ["input_tokens", "output_tokens", "cache_read_tokens"]),
    ])

  static let columns: [ColumnDefinition] = [
    ColumnDefinition("trace_id", .id16),
    ColumnDefinition("span_id", .id8),
    ColumnDefinition("parent_span_id", .id8, nullable: true),
    ColumnDefinition("trace_state", .string),
    ColumnDefinition("flags", .uint32),
    ColumnDefinition("name", .string),
    ColumnDefinition("kind", .enumeration(kind)),
    ColumnDefinition("start_time", .timestamp),
    ColumnDefinition("duration", .duration),
    ColumnDefinition("time_anomaly", .enumeration(timeAnomaly)),
    ColumnDefinition("status", .enumeration(status)),
    ColumnDefinition("status_message", .string),
    ColumnDefinition("service_name", .string, nullable: true),
    ColumnDefinition("scope_name", .string),
    ColumnDefinition("scope_version", .string),
    ColumnDefinition("org_id", .string, nullable: true),
    ColumnDefinition("team_id", .string, nullable: true),
    ColumnDefinition("app_id", .string, nullable: true),
    ColumnDefinition("environment", .string, nullable: true),
    ColumnDefinition("user_hash", .id16, nullable: true),
    ColumnDefinition("session_id", .string, nullable: true),
    ColumnDefinition("operation", .string, nullable: true),
    ColumnDefinition("provider", .string, nullable: true),
    ColumnDefinition("request_model", .string, nullable: true),
    ColumnDefinition("response_model", .string, nullable: true),
    ColumnDefinition("finish_reason", .string, nullable: true),
    ColumnDefinition("tool_name", .string, nullable: true),
    ColumnDefinition("agent_name", .string, nullable: true),
    ColumnDefinition("input_tokens", .uint32, nullable: true),
    ColumnDefinition("output_tokens", .uint32, nullable: true),
    ColumnDefinition("cache_read_tokens", .uint32, nullable: true),
    ColumnDefinition("cache_write_tokens", .uint32, nullable: true),
    ColumnDefinition("reasoning_tokens", .uint32, nullable: true),
    ColumnDefinition("time_to_first_token", .duration, nullable: true),
    ColumnDefinition("reported_cost", .money, nullable: true),
    ColumnDefinition("events", .variant, nullable: true),
    ColumnDefinition("links", .variant, nullable: true),
    ColumnDefinition("dropped_attributes_count", .uint32),
    ColumnDefinition("dropped_events_count", .uint32),
    ColumnDefinition("dropped_links_count", .uint32),
    ColumnDefinition("resource_attributes", .map),
    ColumnDefinition("resource_dropped_attributes_count", .uint32),
    ColumnDefinition("resource_schema_url", .string),
    ColumnDefinition("resource_entity_refs", .variant, nullable: true),
    ColumnDefinition("scope_attributes", .map),
    ColumnDefinition("scope_dropped_attributes_count", .uint32),
    ColumnDefinition("scope_schema_url", .string),
    ColumnDefinition("reported_end_time", .timestamp, nullable: true, hidden: true),
    ColumnDefinition("attribute_origins", .string, hidden: true),
    ColumnDefinition("attribute_repeats", .map, nullable: true, hidden: true),
  ]
}
