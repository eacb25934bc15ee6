/// Writes spans as OTLP's ExportTraceServiceRequest, grouped by resource and scope, with the attributes that OpenTelemetry's
/// GenAI and HTTP conventions ask for.
final class OTLPWriter {
  /// More than any span or header takes.
  private static let spanBytes = 2048

  private let catalogue: Catalogue
  private let fragments: SpanFragments
  /// The spans of each scope of the resource being written.
  private let scopeSpans = [ByteSink(capacity: 1 << 16), ByteSink(capacity: 1 << 16)]
  private let span = ByteSink(capacity: spanBytes)

  // Rows of the same resource, chained: first and last by the host's number, then the next one by row.
  private var first: [Int32]
  private var last: [Int32]
  private var next: [Int32] = []
  private var hosts: [Int] = []

  private let session = StringAttribute("session.id")
  private let user = StringAttribute("user.id")
  private let responseID = StringAttribute(AttributeName.responseID)
  private let inputDigest = StringAttribute(AttributeName.inputDigest)
  private let outputDigest = StringAttribute(AttributeName.outputDigest)
  private let inputTokens = IntAttribute("gen_ai.usage.input_tokens")
  private let outputTokens = IntAttribute("gen_ai.usage.output_tokens")
  private let cacheReadTokens = IntAttribute("gen_ai.usage.cache_read.input_tokens")
  private let reasoningTokens = IntAttribute("gen_ai.usage.reasoning.output_tokens")
  private let cost = DoubleAttribute("gen_ai.usage.cost")
  private let timeToFirstToken = DoubleAttribute("gen_ai.response.time_to_first_chunk")

  init(_ catalogue: Catalogue) {
    self.catalogue = catalogue
    fragments = SpanFragments(catalogue)
    first = Array(repeating: -1, count: catalogue.apps.count * 8)
    last = first
  }

  /// Appends one request with all the rows to `body`.
  func write(_ rows: [SpanRow], to body: ByteSink) {
    chain(rows)
    for host in hosts {
      for scope in scopeSpans { scope.removeAll() }
      var row = first[host]
      while row >= 0 {
        write(rows[Int(row)])
        row = next[Int(row)]
      }
      first[host] = -1
      closeResource(host, to: body)
    }
  }

  private func chain(_ rows: [SpanRow]) {
    hosts.removeAll(keepingCapacity: true)
    if next.count < rows.count { next = Array(repeating: -1, count: rows.count) }
    for index in rows.indices {
      let host = catalogue.hostNumber(app: rows[index].app, host: rows[index].host)
      next[index] = -1
      if first[host] < 0 {
        first[host] = Int32(index)
        hosts.append(host)
      } else {
        next[Int(last[host])] = Int32(index)
      }
      last[host] = Int32(index)
    }
  }

  private func closeResource(_ host: Int, to body: ByteSink) {
    let resource = fragments.resources[host]
    var length = resource.count
    for (scope, spans) in zip(fragments.scopes, scopeSpans) where spans.count > 0 {
      let inner = scope.count + spans.count
      length += 1 + ByteSink.varintLength(UInt64(inner)) + inner
    }
    body.reserve(length + 16)
    body.append(0x0A)
    body.append(varint: UInt64(length))
    body.append(resource)
    for (scope, spans) in zip(fragments.scopes, scopeSpans) where spans.count > 0 {
      body.append(0x12)
      body.append(varint: UInt64(scope.count + spans.count))
      body.append(scope)
      body.append(spans.bytes)
    }
  }

  // MARK: Spans

  private func write(_ row: SpanRow) {
    span.removeAll()
    writeIdentity(row)
    switch row.operation {
    case .chat, .embeddings: writeModelCall(row)
    case .tool: span.append(fragments.tools[Int(row.target)])
    case .agent: span.append(fragments.agents[Int(row.app)])
    case .retrieval: break
    case .request: span.append(fragments.requests[Int(row.target)])
    case .call: span.append(fragments.calls[Int(row.target)])
    }
    if row.isPlain { span.append(fragments.statusCodes[row.failure > 0 ? 1 : 0]) }
    writeStatus(row)
    let scope = scopeSpans[row.isPlain ? 1 : 0]
    scope.reserve(span.count + 8)
    scope.append(0x12)
    scope.append(varint: UInt64(span.count))
    scope.append(span.bytes)
  }

  private func writeIdentity(_ row: SpanRow) {
    span.append(0x0A)
    span.append(16)
    span.append(bigEndian: row.traceHigh)
    span.append(bigEndian: row.traceLow)
    span.append(0x12)
    span.append(8)
    span.append(bigEndian: row.spanID)
    if row.parentID != 0 {
      span.append(0x22)
      span.append(8)
      span.append(bigEndian: row.parentID)
    }
    span.append(fragments.names[SpanNames.number(row, appCount: catalogue.apps.count)])
    span.append(0x39)
    span.append(littleEndian: UInt64(bitPattern: row.start))
    span.append(0x41)
    span.append(littleEndian: UInt64(bitPattern: row.end))
    span.append(fragments.operations[Int(row.operation.rawValue)])
    session.begin(length: 21, to: span)
    span.append(session: row.session)
    let number = UInt64(row.user)
    user.begin(length: 5 + ByteSink.decimalLength(number), to: span)
    for byte: UInt8 in [0x75, 0x73, 0x65, 0x72, 0x2D] { span.append(byte) }
    span.append(decimal: number)
  }

  private func writeModelCall(_ row: SpanRow) {
    span.append(fragments.models[Int(row.model)])
    if row.operation == .chat { span.append(fragments.settings[Int(row.app)]) }
    guard row.hasUsage else { return }
    span.append(fragments.answers[Int(row.model)])
    inputTokens.write(UInt64(row.inputTokens), to: span)
    cost.write(Double(Catalogue.cost(row)) / 1e9, to: span)
    guard row.isAnswer else { return }
    span.append(fragments.finishReasons[Int(row.finish.rawValue)])
    outputTokens.write(UInt64(row.outputTokens), to: span)
    cacheReadTokens.write(UInt64(row.cacheReadTokens), to: span)
    if row.isReasoned { reasoningTokens.write(UInt64(row.reasoningTokens), to: span) }
    timeToFirstToken.write(Double(row.timeToFirstToken) / 1e9, to: span)
    let prefix = fragments.responsePrefixes[Int(row.model)]
    responseID.begin(length: prefix.count + 24, to: span)
    span.append(prefix)
    span.append(hex: row.responseHigh, digits: 16)
    span.append(hex: UInt64(row.responseLow), digits: 8)
    inputDigest.begin(length: 16, to: span)
    span.append(hex: row.inputDigest, digits: 16)
    outputDigest.begin(length: 16, to: span)
    span.append(hex: row.outputDigest, digits: 16)
  }

  /// SDKs send an empty status for "unset".
  private func writeStatus(_ row: SpanRow) {
    guard row.failure > 0 else {
      span.append(0x7A)
      span.append(0)
      return
    }
    let failure = Int(row.failure) - 1
    span.append(fragments.failureTypes[failure])
    let (start, end) = (fragments.messageStarts[failure], fragments.messageEnds[failure])
    let hasDetail = Catalogue.failures[failure].hasDetail
    let detail = UInt64(row.failureDetail)
    let length = start.count + end.count + (hasDetail ? ByteSink.decimalLength(detail) : 0)
    span.append(0x7A)
    span.append(UInt8(truncatingIfNeeded: length + 4))
    span.append(0x12)
    span.append(UInt8(truncatingIfNeeded: length))
    span.append(start)
    if hasDetail { span.append(decimal: detail) }
    span.append(end)
    span.append(0x18)
    span.append(2)
  }
}
