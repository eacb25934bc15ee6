import Foundation

/// A request's spans in one comparable form each: every field that was sent, the attributes of a list in sorted order.
/// User ids are left out on both sides: they don't come back.
enum Canonical {
  static let userKeys: Set = [
    "user.id", "enduser.id", "enduser.pseudo.id", "langfuse.user.id", "gen_ai.user", "llm.user",
    "ai.telemetry.metadata.userId", "traceloop.association.properties.user_id", "user.hash",
  ]

  // MARK: From the model

  static func spans(_ resources: [TestResource]) -> [String] {
    var lines: [String] = []
    for resource in resources {
      let entities = resource.entities.map { "\($0.schemaURL) \($0.type) \($0.idKeys) \($0.descriptionKeys)" }
      let outer = "\(attributes(resource.attributes)) \(resource.dropped) \(resource.schemaURL) \(entities)"
      for scope in resource.scopes {
        let inner =
          "\(scope.name) \(scope.version) \(attributes(scope.attributes)) \(scope.dropped) \(scope.schemaURL)"
        for each in scope.spans { lines.append("\(span(each)) | \(inner) | \(outer)") }
      }
    }
    return lines.sorted()
  }

  private static func span(_ span: TestSpan) -> String {
    let events = span.events.map { "\($0.time) \($0.name) \(attributes($0.attributes)) \($0.dropped)" }
    let links = span.links.map {
      "\(hex($0.traceID)) \(hex($0.spanID)) \($0.traceState) \($0.flags) \(attributes($0.attributes)) \($0.dropped)"
    }
    return [
      hex(span.traceID), hex(span.spanID), hex(span.parentID), span.traceState, "\(span.flags)", span.name,
      "\(span.kind)", "\(span.start)", "\(span.end)", "\(span.statusCode)", span.statusMessage,
      attributes(span.attributes), "\(span.droppedAttributes)", "\(events)", "\(span.droppedEvents)", "\(links)",
      "\(span.droppedLinks)",
    ].joined(separator: " ; ")
  }

  private static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

  private static func attributes(_ list: [TestAttribute]) -> String {
    "\(list.filter { !userKeys.contains($0.key) }.map { "\($0.key)=\(value($0.value))" }.sorted())"
  }

  private static func value(_ value: TestValue) -> String {
    switch value {
    case .empty: "empty"
    case .string(let text): "string \(text)"
    case .bool(let flag): "bool \(flag)"
    case .int(let number): "int \(number)"
    case .double(let number): double(number)
    case .bytes(let bytes): "bytes \(Data(bytes).base64EncodedString())"
    case .array(let items): "array \(items.map(Self.value))"
    case .map(let entries): "map \(attributes(entries))"
    }
  }

  private static func double(_ number: Double) -> String { "double \(String(number.bitPattern, radix: 16))" }

  // MARK: From OTLP JSON, by Foundation's parser

  static func spans(jsonLines: [UInt8]) throws -> [String] {
    var lines: [String] = []
    for line in jsonLines.split(separator: 0x0a) {
      let request = object(try JSONDecoder().decode(JSONTree.self, from: Data(line)))
      for resourceSpans in objects(request["resourceSpans"]) {
        let resource = object(resourceSpans["resource"])
        let outer =
          "\(attributes(resource["attributes"])) \(number(resource["droppedAttributesCount"])) "
          + "\(text(resourceSpans["schemaUrl"])) \(entities(resource["entityRefs"]))"
        for scopeSpans in objects(resourceSpans["scopeSpans"]) {
          let scope = object(scopeSpans["scope"])
          let inner =
            "\(text(scope["name"])) \(text(scope["version"])) \(attributes(scope["attributes"])) "
            + "\(number(scope["droppedAttributesCount"])) \(text(scopeSpans["schemaUrl"]))"
          for each in objects(scopeSpans["spans"]) { lines.append("\(span(each)) | \(inner) | \(outer)") }
        }
      }
    }
    return lines.sorted()
  }

  private static func span(_ span: [String: JSONTree]) -> String {
    let events = objects(span["events"]).map {
      "\(number($0["timeUnixNano"])) \(text($0["name"])) \(attributes($0["attributes"])) "
        + number($0["droppedAttributesCount"])
    }
    let links = objects(span["links"]).map {
      "\(text($0["traceId"])) \(text($0["spanId"])) \(text($0["traceState"])) \(number($0["flags"])) "
        + "\(attributes($0["attributes"])) \(number($0["droppedAttributesCount"]))"
    }
    let status = object(span["status"])
    return [
      text(span["traceId"]), text(span["spanId"]), text(span["parentSpanId"]), text(span["traceState"]),
      number(span["flags"]), text(span["name"]), number(span["kind"]), number(span["startTimeUnixNano"]),
      number(span["endTimeUnixNano"]), number(status["code"]), text(status["message"]),
      attributes(span["attributes"]), number(span["droppedAttributesCount"]), "\(events)",
      number(span["droppedEventsCount"]), "\(links)", number(span["droppedLinksCount"]),
    ].joined(separator: " ; ")
  }

  private static func entities(_ tree: JSONTree?) -> [String] {
    func texts(_ tree: JSONTree?) -> [String] { if case .array(let items) = tree { items.map(text) } else { [] } }
    return objects(tree).map {
      "\(text($0["schemaUrl"])) \(text($0["type"])) \(texts($0["idKeys"])) \(texts($0["descriptionKeys"]))"
    }
  }

  private static func object(_ tree: JSONTree?) -> [String: JSONTree] {
    if case .object(let members) = tree { members } else { [:] }
  }

  private static func objects(_ tree: JSONTree?) -> [[String: JSONTree]] {
    if case .array(let items) = tree { items.map(object) } else { [] }
  }

  private static func text(_ tree: JSONTree?) -> String {
    if case .string(let text) = tree { text } else { "" }
  }

  private static func number(_ tree: JSONTree?) -> String {
    switch tree {
    case .string(let text): text
    case .number(let number): "\(Int64(number))"
    default: "0"
    }
  }

  private static func attributes(_ any: JSONTree?) -> String {
    let list = objects(any).map { (text($0["key"]), value(object($0["value"]))) }
    return "\(list.filter { !userKeys.contains($0.0) }.map { "\($0.0)=\($0.1)" }.sorted())"
  }

  private static func value(_ value: [String: JSONTree]) -> String {
    if let text = value["stringValue"] { return "string \(Self.text(text))" }
    if case .bool(let flag) = value["boolValue"] { return "bool \(flag)" }
    if let integer = value["intValue"] { return "int \(number(integer))" }
    if let bytes = value["bytesValue"] { return "bytes \(text(bytes))" }
    if let array = value["arrayValue"] { return "array \(objects(object(array)["values"]).map(Self.value))" }
    if let map = value["kvlistValue"] { return "map \(attributes(object(map)["values"]))" }
    switch value["doubleValue"] {
    case nil: return "empty"
    case .number(let number): return double(number)
    case .string("Infinity"): return double(.infinity)
    case .string("-Infinity"): return double(-.infinity)
    default: return double(.nan)
    }
  }

  /// The part around the first character where two forms differ.
  static func difference(_ left: String, _ right: String) -> String {
    let same = zip(left, right).prefix { $0 == $1 }.count
    return [left, right].map { String($0.dropFirst(max(0, same - 60)).prefix(160)) }.joined(separator: "\n")
  }
}

/// JSON as Foundation's decoder reads it.
enum JSONTree: Decodable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONTree])
  case object([String: JSONTree])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let items = try? container.decode([JSONTree].self) {
      self = .array(items)
    } else {
      self = .object(try container.decode([String: JSONTree].self))
    }
  }
}
