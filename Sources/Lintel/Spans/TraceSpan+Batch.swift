internal import LintelColumns
internal import LintelStorage

extension Batch {
  /// The spans as rows of the spans table.
  ///
  /// - Throws: `.invalid` when a trace id or span id is zero.
  init(_ spans: [TraceSpan], hasher: UserHasher) throws(LintelError) {
    for (row, span) in spans.enumerated() where span.traceID == 0 || span.spanID == 0 {
      throw .storage(StorageError(.invalid, "span \(row) (\(span.name)) has an id of zero; ids must be random"))
    }
    let schema = SpanSchema.table
    var columns: [ColumnVector] = []
    for definition in schema.columns { columns.append(SpanColumns.vector(definition, spans, hasher)) }
    self.init(schema: schema, rowCount: spans.count, columns: columns, attributes: SpanColumns.attributes(spans))
  }
}

/// How each column of the spans table is filled from ``TraceSpan`` values.
private enum SpanColumns {
  static func vector(_ definition: ColumnDefinition, _ spans: [TraceSpan], _ hasher: UserHasher) -> ColumnVector {
    switch definition.type.physical {
    case .int64:
      return lanes(spans, zero: 0, definition) {
        int64($0, definition.name)
      } wrap: {
        .int64($0)
      }
    case .id128:
      return lanes(spans, zero: 0, definition) { span in
        definition.name == "trace_id" ? span.traceID : span.userID.map(hasher.hash)
      } wrap: {
        .id128($0)
      }
    case .bytes:
      return lanes(spans, zero: "", definition) {
        text($0, definition.name)
      } wrap: { values in
        // Maps of a span that Swift code made are empty, and an empty map is two bytes, not none.
        guard definition.type == .map, !definition.isNullable else { return .bytes(ByteStrings(values)) }
        var empty: [UInt8] = []
        Variant.map([]).encode(into: &empty)
        var strings = ByteStrings()
        for _ in values { strings.append(empty) }
        return .bytes(strings)
      }
    case .float64, .bool: return .nulls(definition.type.physical, count: spans.count)
    }
  }

  private static func lanes<Lane>(
    _ spans: [TraceSpan], zero: Lane, _ definition: ColumnDefinition, value: (TraceSpan) -> Lane?,
    wrap: ([Lane]) -> ColumnVector.Storage
  ) -> ColumnVector {
    var lanes: [Lane] = []
    lanes.reserveCapacity(spans.count)
    var validity = Bitmap(count: 0)
    for span in spans {
      let lane = value(span)
      lanes.append(lane ?? zero)
      validity.append(lane != nil || !definition.isNullable)
    }
    return ColumnVector(wrap(lanes), validity: validity.setCount == lanes.count ? nil : validity)
  }

  private static func int64(_ span: TraceSpan, _ column: String) -> Int64? {
    switch column {
    case "span_id": Int64(bitPattern: span.spanID)
    case "parent_span_id": span.parentSpanID.map { Int64(bitPattern: $0) }
    case "kind": span.kind.rawValue
    case "start_time": span.start.nanoseconds
    case "duration": max(0, span.duration.clampedNanoseconds)
    case "status": span.status.rawValue
    case "input_tokens": span.inputTokens.map(Int64.init)
    case "output_tokens": span.outputTokens.map(Int64.init)
    case "cache_read_tokens": span.cacheReadTokens.map(Int64.init)
    case "cache_write_tokens": span.cacheWriteTokens.map(Int64.init)
    case "reasoning_tokens": span.reasoningTokens.map(Int64.init)
    case "time_to_first_token": span.timeToFirstToken?.clampedNanoseconds
    case "reported_cost": span.reportedCost
    default: nil
    }
  }

  private static func text(_ span: TraceSpan, _ column: String) -> String? {
    switch column {
    case "name": span.name
    case "status_message": span.statusMessage
    case "service_name": span.serviceName
    case "org_id": span.orgID
    case "team_id": span.teamID
    case "app_id": span.appID
    case "environment": span.environment
    case "session_id": span.sessionID
    case "operation": span.operation
    case "provider": span.provider
    case "request_model": span.requestModel
    case "response_model": span.responseModel
    case "finish_reason": span.finishReason
    case "tool_name": span.toolName
    case "agent_name": span.agentName
    case "attribute_origins": origins(span)
    default: nil
    }
  }

  /// Under which attribute each column is exported: its first candidate, as if a client of today had sent it.
  private static let exported: [String: MovedAttribute] = Dictionary(
    Conventions.moves.map { ($0.column, $0) }, uniquingKeysWith: { first, _ in first })

  private static func origins(_ span: TraceSpan) -> String {
    SpanSchema.table.columns.compactMap { column in
      guard let move = exported[column.name] else { return nil }
      let isSet = column.type.physical == .bytes ? text(span, column.name) != nil : int64(span, column.name) != nil
      return isSet ? move.originEntry : nil
    }.joined(separator: ";")
  }

  static func attributes(_ spans: [TraceSpan]) -> [AttributeColumn] {
    var cells: [AttributeKey: (rows: [UInt32], values: [Variant])] = [:]
    for (row, span) in spans.enumerated() {
      for (name, value) in span.attributes {
        cells[AttributeKey(name, kind(of: value)), default: ([], [])].rows.append(UInt32(truncatingIfNeeded: row))
        cells[AttributeKey(name, kind(of: value)), default: ([], [])].values.append(value)
      }
    }
    return cells.keys.sorted().map { key in
      let (rows, values) = cells[key] ?? ([], [])
      return AttributeColumn(key: key, rows: rows, values: vector(values, key.kind))
    }
  }

  private static func kind(of value: Variant) -> AttributeKind {
    switch value {
    case .string: .string
    case .int: .int
    case .double: .double
    case .bool: .bool
    case .empty, .bytes, .array, .map: .variant
    }
  }

  private static func vector(_ values: [Variant], _ kind: AttributeKind) -> ColumnVector {
    switch kind {
    case .int: return ColumnVector(.int64(values.map { if case .int(let lane) = $0 { lane } else { 0 } }))
    case .double: return ColumnVector(.float64(values.map { if case .double(let lane) = $0 { lane } else { 0 } }))
    case .bool: return ColumnVector(.bool(values.map { if case .bool(let lane) = $0 { lane } else { false } }))
    case .string:
      return ColumnVector(.bytes(ByteStrings(values.map { if case .string(let text) = $0 { text } else { "" } })))
    case .variant, .textContent, .variantContent:
      var strings = ByteStrings()
      for value in values {
        var bytes: [UInt8] = []
        value.encode(into: &bytes)
        strings.append(bytes)
      }
      return ColumnVector(.bytes(strings))
    }
  }
}
