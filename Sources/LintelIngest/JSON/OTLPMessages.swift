/// The messages of an OTLP trace export as their JSON form names them: what the transcoder goes by.
///
/// Source: opentelemetry-proto 1.11, collector/trace/v1, trace/v1, resource/v1 and common/v1.
struct OTLPMessage: Sendable {
  /// How a field's JSON value becomes protobuf.
  enum Form: Sendable {
    case message(Name)
    case messages(Name)
    case string, strings
    /// Hex digits of either case; damage is passed on as an id of impossible length, so that the span is refused.
    case id
    case fixed64, fixed32, uint32
    /// Numbers; names are accepted too.
    case enumeration([String])
    // The kinds of an AnyValue.
    case stringValue, boolValue, intValue, doubleValue, bytesValue
  }

  enum Name: Sendable {
    case request, resourceSpans, resource, entityRef, scopeSpans, scope, span, event, link, status, keyValue, anyValue,
      array,
      keyValueList
  }

  struct Field: Sendable {
    let name: String
    let number: UInt64
    let form: Form
  }

  let fields: [Field]
  /// At most one field may be present.
  let isOneOf: Bool

  private init(_ fields: [(String, UInt64, Form)], isOneOf: Bool = false) {
    self.fields = fields.map { Field(name: $0.0, number: $0.1, form: $0.2) }
    self.isOneOf = isOneOf
  }

  static func named(_ name: Name) -> OTLPMessage {
    switch name {
    case .request: request
    case .resourceSpans: resourceSpans
    case .resource: resource
    case .entityRef: entityRef
    case .scopeSpans: scopeSpans
    case .scope: scope
    case .span: span
    case .event: event
    case .link: link
    case .status: status
    case .keyValue: keyValue
    case .anyValue: anyValue
    case .array: array
    case .keyValueList: keyValueList
    }
  }

  private static let request = OTLPMessage([("resourceSpans", 1, .messages(.resourceSpans))])
  private static let resourceSpans = OTLPMessage([
    ("resource", 1, .message(.resource)), ("scopeSpans", 2, .messages(.scopeSpans)), ("schemaUrl", 3, .string),
  ])
  private static let resource = OTLPMessage([
    ("attributes", 1, .messages(.keyValue)), ("droppedAttributesCount", 2, .uint32),
    ("entityRefs", 3, .messages(.entityRef)),
  ])
  private static let entityRef = OTLPMessage([
    ("schemaUrl", 1, .string), ("type", 2, .string), ("idKeys", 3, .strings), ("descriptionKeys", 4, .strings),
  ])
  private static let scopeSpans = OTLPMessage([
    ("scope", 1, .message(.scope)), ("spans", 2, .messages(.span)), ("schemaUrl", 3, .string),
  ])
  private static let scope = OTLPMessage([
    ("name", 1, .string), ("version", 2, .string), ("attributes", 3, .messages(.keyValue)),
    ("droppedAttributesCount", 4, .uint32),
  ])
  private static let span = OTLPMessage([
    ("traceId", 1, .id), ("spanId", 2, .id), ("traceState", 3, .string), ("parentSpanId", 4, .id), ("name", 5, .string),
    ("kind", 6, .enumeration(spanKinds)), ("startTimeUnixNano", 7, .fixed64), ("endTimeUnixNano", 8, .fixed64),
    ("attributes", 9, .messages(.keyValue)), ("droppedAttributesCount", 10, .uint32), ("events", 11, .messages(.event)),
    ("droppedEventsCount", 12, .uint32), ("links", 13, .messages(.link)), ("droppedLinksCount", 14, .uint32),
    ("status", 15, .message(.status)), ("flags", 16, .fixed32),
  ])
  private static let spanKinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].map {
    "SPAN_KIND_\($0)"
  }
  private static let event = OTLPMessage([
    ("timeUnixNano", 1, .fixed64), ("name", 2, .string), ("attributes", 3, .messages(.keyValue)),
    ("droppedAttributesCount", 4, .uint32),
  ])
  private static let link = OTLPMessage([
    ("traceId", 1, .id), ("spanId", 2, .id), ("traceState", 3, .string), ("attributes", 4, .messages(.keyValue)),
    ("droppedAttributesCount", 5, .uint32), ("flags", 6, .fixed32),
  ])
  private static let status = OTLPMessage([
    ("message", 2, .string), ("code", 3, .enumeration(["UNSET", "OK", "ERROR"].map { "STATUS_CODE_\($0)" })),
  ])
  private static let keyValue = OTLPMessage([("key", 1, .string), ("value", 2, .message(.anyValue))])
  private static let anyValue = OTLPMessage(
    [
      ("stringValue", 1, .stringValue), ("boolValue", 2, .boolValue), ("intValue", 3, .intValue),
      ("doubleValue", 4, .doubleValue), ("arrayValue", 5, .message(.array)),
      ("kvlistValue", 6, .message(.keyValueList)),
      ("bytesValue", 7, .bytesValue),
    ], isOneOf: true)
  private static let array = OTLPMessage([("values", 1, .messages(.anyValue))])
  private static let keyValueList = OTLPMessage([("values", 1, .messages(.keyValue))])
}
