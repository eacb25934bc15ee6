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
    computed: [
      ComputedColumn("end_time", "start_time + duration", documentation: "when it ended"),
      Conventions.contentColumn("input", Conventions.inputs, documentation: "what was said to a model or tool"),
      Conventions.contentColumn("output", Conventions.outputs, documentation: "what it answered"),
      Conventions.digestColumn("input_digests", Conventions.inputs, documentation: "digests of the messages in input"),
      Conventions.digestColumn(
        "output_digests", Conventions.outputs, documentation: "digests of the messages in output"),
    ],
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
    ],
    correlations: ["duration": ["output_tokens"], "cache_read_tokens": ["input_tokens"]],
    durationColumn: "duration",
    subjectColumn: "user_hash",
    tenantColumn: "org_id",
    content: Conventions.content)

  static let columns: [ColumnDefinition] = [
    ColumnDefinition("trace_id", .id16, documentation: "trace that the span belongs to, as 32 hex digits"),
    ColumnDefinition("span_id", .id8, documentation: "the span within its trace, as 16 hex digits"),
    ColumnDefinition("parent_span_id", .id8, nullable: true, documentation: "span that caused it; NULL for a root"),
    ColumnDefinition("trace_state", .string, documentation: "W3C trace state as sent"),
    ColumnDefinition("flags", .uint32, documentation: "W3C trace flags and OTLP's bits"),
    ColumnDefinition("name", .string, documentation: "what was done"),
    ColumnDefinition("kind", .enumeration(kind)),
    ColumnDefinition("start_time", .timestamp, documentation: "when it began, in UTC"),
    ColumnDefinition("duration", .duration, documentation: "how long it took; 0 where time_anomaly is not none"),
    ColumnDefinition("time_anomaly", .enumeration(timeAnomaly)),
    ColumnDefinition("status", .enumeration(status)),
    ColumnDefinition("status_message", .string, documentation: "what went wrong, in the client's words"),
    ColumnDefinition("service_name", .string, nullable: true, documentation: "service.name of the resource"),
    ColumnDefinition("scope_name", .string, documentation: "library that made the span"),
    ColumnDefinition("scope_version", .string, documentation: "version of that library"),
    ColumnDefinition(
      "org_id", .string, nullable: true, documentation: "organisation; X-Scope-OrgID of the request wins"),
    ColumnDefinition("team_id", .string, nullable: true, documentation: "team"),
    ColumnDefinition(
      "app_id", .string, nullable: true, documentation: "application; the service's name where none is given"),
    ColumnDefinition(
      "environment", .string, nullable: true, documentation: "deployment environment, such as production"),
    ColumnDefinition(
      "user_hash", .id16, nullable: true,
      documentation: "keyed hash of the user id, which is not stored; ask with hash_user('..')"),
    ColumnDefinition("session_id", .string, nullable: true, documentation: "conversation or session"),
    ColumnDefinition(
      "operation", .string, nullable: true,
      documentation: "what an LLM application did: chat, embeddings, execute_tool, invoke_agent .."),
    ColumnDefinition("provider", .string, nullable: true, documentation: "who serves the model, such as openai"),
    ColumnDefinition("request_model", .string, nullable: true, documentation: "model that was asked for"),
    ColumnDefinition("response_model", .string, nullable: true, documentation: "model that answered"),
    ColumnDefinition("finish_reason", .string, nullable: true, documentation: "why the model stopped"),
    ColumnDefinition("tool_name", .string, nullable: true, documentation: "tool that was called"),
    ColumnDefinition("agent_name", .string, nullable: true, documentation: "agent that acted"),
    ColumnDefinition("input_tokens", .uint32, nullable: true, documentation: "tokens of the prompt"),
    ColumnDefinition("output_tokens", .uint32, nullable: true, documentation: "tokens of the answer"),
    ColumnDefinition(
      "cache_read_tokens", .uint32, nullable: true, documentation: "prompt tokens read from the provider's cache"),
    ColumnDefinition("cache_write_tokens", .uint32, nullable: true, documentation: "prompt tokens written to it"),
    ColumnDefinition("reasoning_tokens", .uint32, nullable: true, documentation: "output tokens spent on reasoning"),
    ColumnDefinition(
      "time_to_first_token", .duration, nullable: true, documentation: "from the request to the first token"),
    ColumnDefinition("reported_cost", .money, nullable: true, documentation: "cost as the client reports it"),
    ColumnDefinition(
      "events", .variant, nullable: true, documentation: "events, in the order sent: [{time, name, attributes}, ..]"),
    ColumnDefinition(
      "links", .variant, nullable: true, documentation: "links to other spans: [{trace_id, span_id, attributes}, ..]"),
    ColumnDefinition("dropped_attributes_count", .uint32, documentation: "attributes that the client dropped"),
    ColumnDefinition("dropped_events_count", .uint32, documentation: "events that the client dropped"),
    ColumnDefinition("dropped_links_count", .uint32, documentation: "links that the client dropped"),
    ColumnDefinition("resource_attributes", .map, documentation: "who sent the span, but for what has a column"),
    ColumnDefinition(
      "resource_dropped_attributes_count", .uint32, documentation: "attributes of the resource that the client dropped"),
    ColumnDefinition("resource_schema_url", .string, documentation: "schema of the resource's attributes"),
    ColumnDefinition(
      "resource_entity_refs", .variant, nullable: true, documentation: "entities that the resource refers to"),
    ColumnDefinition("scope_attributes", .map, documentation: "about the library"),
    ColumnDefinition(
      "scope_dropped_attributes_count", .uint32, documentation: "attributes of the scope that the client dropped"),
    ColumnDefinition("scope_schema_url", .string, documentation: "schema of the span's attributes"),
    ColumnDefinition("reported_end_time", .timestamp, nullable: true, hidden: true),
    ColumnDefinition("attribute_origins", .string, hidden: true),
    ColumnDefinition("attribute_repeats", .map, nullable: true, hidden: true),
  ]
}
