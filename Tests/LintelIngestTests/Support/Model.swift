/// A request as plain values: what the tests send, and what they expect back.
struct TestResource: Sendable {
  var attributes: [TestAttribute] = []
  var dropped: UInt64 = 0
  var entities: [TestEntity] = []
  var schemaURL = ""
  var scopes: [TestScope] = []
}

struct TestEntity: Sendable {
  var schemaURL = ""
  var type = ""
  var idKeys: [String] = []
  var descriptionKeys: [String] = []
}

struct TestScope: Sendable {
  var name = ""
  var version = ""
  var attributes: [TestAttribute] = []
  var dropped: UInt64 = 0
  var schemaURL = ""
  var spans: [TestSpan] = []
}

struct TestSpan: Sendable {
  var traceID = [UInt8](repeating: 1, count: 16)
  var spanID = [UInt8](repeating: 2, count: 8)
  var parentID: [UInt8] = []
  var traceState = ""
  var flags: UInt32 = 0
  var name = "span"
  var kind: Int32 = 1
  var start: UInt64 = 1_700_000_000_000_000_000
  var end: UInt64 = 1_700_000_000_000_001_000
  var attributes: [TestAttribute] = []
  var droppedAttributes: UInt64 = 0
  var events: [TestEvent] = []
  var droppedEvents: UInt64 = 0
  var links: [TestLink] = []
  var droppedLinks: UInt64 = 0
  var statusCode: Int32 = 0
  var statusMessage = ""
}

struct TestEvent: Sendable {
  var time: UInt64 = 0
  var name = ""
  var attributes: [TestAttribute] = []
  var dropped: UInt64 = 0
}

struct TestLink: Sendable {
  var traceID: [UInt8] = []
  var spanID: [UInt8] = []
  var traceState = ""
  var flags: UInt32 = 0
  var attributes: [TestAttribute] = []
  var dropped: UInt64 = 0
}

struct TestAttribute: Sendable {
  var key: String
  var value: TestValue

  init(_ key: String, _ value: TestValue) {
    self.key = key
    self.value = value
  }
}

indirect enum TestValue: Sendable {
  case empty
  case string(String)
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case bytes([UInt8])
  case array([TestValue])
  case map([TestAttribute])
}

extension TestValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int64) { self = .int(value) }
  init(floatLiteral value: Double) { self = .double(value) }
}

// MARK: Encoding

extension ProtobufWriter {
  mutating func attributes(_ number: UInt64, _ attributes: [TestAttribute]) {
    for attribute in attributes {
      message(number) {
        $0.string(1, attribute.key)
        $0.message(2) { $0.value(attribute.value) }
      }
    }
  }

  mutating func value(_ value: TestValue) {
    switch value {
    case .empty: break
    case .string(let text): string(1, text)
    case .bool(let flag): int(2, flag ? 1 : 0)
    case .int(let number): int(3, UInt64(bitPattern: number))
    case .double(let number): fixed64(4, number.bitPattern)
    case .array(let items): message(5) { for item in items { $0.message(1) { $0.value(item) } } }
    case .map(let entries): message(6) { $0.attributes(1, entries) }
    case .bytes(let content): bytes(7, content)
    }
  }

  mutating func span(_ span: TestSpan) {
    if !span.traceID.isEmpty { bytes(1, span.traceID) }
    if !span.spanID.isEmpty { bytes(2, span.spanID) }
    if !span.traceState.isEmpty { string(3, span.traceState) }
    if !span.parentID.isEmpty { bytes(4, span.parentID) }
    string(5, span.name)
    int(6, UInt64(bitPattern: Int64(span.kind)))
    fixed64(7, span.start)
    fixed64(8, span.end)
    attributes(9, span.attributes)
    if span.droppedAttributes != 0 { int(10, span.droppedAttributes) }
    for event in span.events {
      message(11) {
        $0.fixed64(1, event.time)
        $0.string(2, event.name)
        $0.attributes(3, event.attributes)
        $0.int(4, event.dropped)
      }
    }
    if span.droppedEvents != 0 { int(12, span.droppedEvents) }
    for link in span.links {
      message(13) {
        $0.bytes(1, link.traceID)
        $0.bytes(2, link.spanID)
        $0.string(3, link.traceState)
        $0.attributes(4, link.attributes)
        $0.int(5, link.dropped)
        $0.fixed32(6, link.flags)
      }
    }
    if span.droppedLinks != 0 { int(14, span.droppedLinks) }
    message(15) {
      if !span.statusMessage.isEmpty { $0.string(2, span.statusMessage) }
      if span.statusCode != 0 { $0.int(3, UInt64(bitPattern: Int64(span.statusCode))) }
    }
    if span.flags != 0 { fixed32(16, span.flags) }
  }

  mutating func resource(_ resource: TestResource) {
    message(1) {
      $0.message(1) {
        $0.attributes(1, resource.attributes)
        $0.int(2, resource.dropped)
        for entity in resource.entities {
          $0.message(3) {
            $0.string(1, entity.schemaURL)
            $0.string(2, entity.type)
            for key in entity.idKeys { $0.string(3, key) }
            for key in entity.descriptionKeys { $0.string(4, key) }
          }
        }
      }
      for scope in resource.scopes {
        $0.message(2) {
          $0.message(1) {
            $0.string(1, scope.name)
            $0.string(2, scope.version)
            $0.attributes(3, scope.attributes)
            $0.int(4, scope.dropped)
          }
          for span in scope.spans { $0.message(2) { $0.span(span) } }
          $0.string(3, scope.schemaURL)
        }
      }
      $0.string(3, resource.schemaURL)
    }
  }
}

/// The protobuf bytes of a request.
func encoded(_ resources: [TestResource]) -> [UInt8] {
  ProtobufWriter { for resource in resources { $0.resource(resource) } }.bytes
}

/// A request with one resource, one scope and these spans.
func request(_ spans: TestSpan..., resource attributes: [TestAttribute] = []) -> [UInt8] {
  encoded([TestResource(attributes: attributes, scopes: [TestScope(spans: spans)])])
}
