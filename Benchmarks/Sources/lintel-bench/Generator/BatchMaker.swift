import Lintel
import LintelColumns

/// Makes batches of the spans table, as LintelIngest's decoder would from the same spans sent over OTLP.
///
/// Only `user_hash` differs from a server's: it is made from the user's number, not with a deployment's secret.
struct BatchMaker {
  private var names: LocalCodes
  private var organizations: LocalCodes
  private var teams = LocalCodes(Catalogue.teams)
  private var apps: LocalCodes
  private var services: LocalCodes
  private var environments = LocalCodes(Catalogue.environments)
  private var operations = LocalCodes(Operation.allCases.map { $0.name ?? "" })
  private var providers = LocalCodes(Catalogue.models.map(\.provider))
  private var models = LocalCodes(Catalogue.models.map(\.name))
  private var answeringModels = LocalCodes(Catalogue.models.map { Catalogue.answeringModel($0) })
  private var finishReasons = LocalCodes(FinishReason.allCases.map(\.name))
  private var tools = LocalCodes(Catalogue.tools)
  private var agents: LocalCodes
  private var scopes = LocalCodes(Catalogue.scopes)
  private var resources: LocalCodes
  private var origins = LocalCodes(OriginTexts.all)
  private var attributes = AttributeColumns()
  private let catalogue: Catalogue

  init(_ catalogue: Catalogue) {
    self.catalogue = catalogue
    names = LocalCodes(SpanNames.rows(catalogue).map(catalogue.spanName))
    organizations = LocalCodes(catalogue.organizations)
    apps = LocalCodes(catalogue.apps.map(\.name))
    services = LocalCodes(catalogue.services)
    agents = LocalCodes(catalogue.apps.map(\.agentName))
    resources = LocalCodes(encoded: Self.encodedResources(catalogue))
  }

  mutating func batch(_ rows: [SpanRow]) -> Batch {
    rows.withUnsafeBufferPointer { rows in
      let columns = SpanSchema.table.columns.map { column($0, rows) }
      return Batch(
        schema: SpanSchema.table, rowCount: rows.count, columns: columns,
        attributes: attributes.columns(rows, catalogue))
    }
  }

  private mutating func column(_ definition: ColumnDefinition, _ rows: Rows) -> ColumnVector {
    let apps = catalogue.apps
    return switch definition.name {
    case "trace_id":
      ColumnVector(.id128(rows.map { UInt128($0.traceHigh) << 64 | UInt128($0.traceLow) }))
    case "user_hash": ColumnVector(.id128(rows.map { Self.userHash($0.user) }))
    case "span_id": ColumnVector(.int64(rows.map { Int64(bitPattern: $0.spanID) }))
    case "parent_span_id":
      lanes(rows, where: { $0.parentID != 0 }) { Int64(bitPattern: $0.parentID) }
    case "name": names.column(rows) { SpanNames.number($0, appCount: apps.count) }
    case "kind": ColumnVector(.int64(rows.map(\.operation.kind)))
    case "start_time": ColumnVector(.int64(rows.map(\.start)))
    case "duration": ColumnVector(.int64(rows.map(\.duration)))
    case "status": ColumnVector(.int64(rows.map { $0.failure > 0 ? 2 : 0 }))
    case "status_message": messages(rows)
    case "service_name": services.column(rows) { apps[Int($0.app)].service }
    case "org_id": organizations.column(rows) { apps[Int($0.app)].organization }
    case "team_id": teams.column(rows) { apps[Int($0.app)].team }
    case "app_id": self.apps.column(rows) { Int($0.app) }
    case "environment": environments.column(rows) { apps[Int($0.app)].environment }
    case "session_id": sessions(rows)
    case "operation": operations.column(rows, where: { !$0.isPlain }) { Int($0.operation.rawValue) }
    case "provider": providers.column(rows, where: \.operation.hasModel) { Int($0.model) }
    case "request_model": models.column(rows, where: \.operation.hasModel) { Int($0.model) }
    case "response_model": answeringModels.column(rows, where: \.hasUsage) { Int($0.model) }
    case "finish_reason": finishReasons.column(rows, where: \.isAnswer) { Int($0.finish.rawValue) }
    case "tool_name": tools.column(rows, where: { $0.operation == .tool }) { Int($0.target) }
    case "agent_name": agents.column(rows, where: { $0.operation == .agent }) { Int($0.app) }
    case "input_tokens": lanes(rows, where: \.hasUsage) { Int64($0.inputTokens) }
    case "output_tokens": lanes(rows, where: \.isAnswer) { Int64($0.outputTokens) }
    case "cache_read_tokens": lanes(rows, where: \.isAnswer) { Int64($0.cacheReadTokens) }
    case "reasoning_tokens": lanes(rows, where: \.isReasoned) { Int64($0.reasoningTokens) }
    case "time_to_first_token": lanes(rows, where: \.isAnswer, \.timeToFirstToken)
    case "reported_cost": lanes(rows, where: \.hasUsage, Catalogue.cost)
    case "scope_name": scopes.column(rows) { $0.isPlain ? 1 : 0 }
    case "scope_version": constant(Array(Catalogue.scopeVersion.utf8), rows.count)
    case "resource_attributes":
      resources.column(rows) { catalogue.hostNumber(app: $0.app, host: $0.host) }
    case "scope_attributes": constant(VariantWriter.map([]).bytes, rows.count)
    case "attribute_origins": origins.column(rows) { OriginTexts.number($0) }
    case _ where definition.isNullable:
      ColumnVector.nulls(definition.type.physical, count: rows.count)
    case _ where definition.type.physical == .int64:
      ColumnVector(.int64(Array(repeating: 0, count: rows.count)))
    default: constant([], rows.count)
    }
  }

  // MARK: Forms of columns

  @inline(__always)
  private func lanes(
    _ rows: Rows, where isPresent: (SpanRow) -> Bool, _ value: (SpanRow) -> Int64
  ) -> ColumnVector {
    ColumnVector(
      .int64(rows.map { isPresent($0) ? value($0) : 0 }), validity: Bitmap.of(rows, isPresent))
  }

  private func messages(_ rows: Rows) -> ColumnVector {
    var builder = BytesColumnBuilder()
    builder.reserveCapacity(rows.count)
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    for row in rows {
      if row.failure > 0 { builder.append(catalogue.message(row)) } else { builder.append(empty) }
    }
    return builder.finish()
  }

  private func sessions(_ rows: Rows) -> ColumnVector {
    var builder = BytesColumnBuilder()
    builder.reserveCapacity(rows.count)
    let text = ByteSink(capacity: 64)
    for row in rows {
      text.removeAll()
      text.append(session: row.session)
      builder.append(text.bytes)
    }
    return builder.finish()
  }

  private func constant(_ value: [UInt8], _ count: Int) -> ColumnVector {
    var values = ByteStrings()
    values.append(value)
    return ColumnVector(.codes(Array(repeating: 0, count: count), ValueDictionary(.bytes(values))))
  }

  private static func userHash(_ user: UInt32) -> UInt128 {
    let high = SplitMix64.mix(UInt64(user) &+ 0x5EED)
    return UInt128(high) << 64 | UInt128(SplitMix64.mix(high))
  }

  private static func encodedResources(_ catalogue: Catalogue) -> ByteStrings {
    var encoded = ByteStrings()
    for app in catalogue.apps.indices {
      for host in 0..<8 {
        encoded.append(VariantWriter.map(catalogue.resourceAttributes(app: app, host: host)).bytes)
      }
    }
    return encoded
  }
}

extension VariantWriter {
  /// A map of strings.
  static func map(_ entries: [(key: String, value: String)]) -> VariantWriter {
    var writer = VariantWriter()
    writer.beginMap(count: entries.count)
    for entry in entries {
      writer.append(key: entry.key)
      writer.append(string: entry.value)
    }
    return writer
  }
}

extension SpanRow {
  /// A span that no GenAI convention speaks of.
  @inline(__always) var isPlain: Bool { operation == .request || operation == .call }
  /// Whether a model was asked and answered: then there are tokens.
  @inline(__always) var hasUsage: Bool { operation.hasModel && failure == 0 }
  @inline(__always) var isAnswer: Bool { operation == .chat && failure == 0 }
  /// Whether the model thought before it answered.
  @inline(__always) var isReasoned: Bool { reasoningTokens > 0 }
}
