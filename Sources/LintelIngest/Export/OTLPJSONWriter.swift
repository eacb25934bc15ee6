internal import LintelColumns

/// Appends OTLP JSON to a text: the few forms that spans need, exact to the bit.
struct OTLPJSONWriter {
  var text = TextBuffer()

  mutating func raw(_ literal: StaticString) { text.append(literal) }

  /// A comma, unless an object or array has just been opened.
  mutating func separate() {
    guard let last = text.bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") else { return }
    raw(",")
  }

  mutating func key(_ name: StaticString) {
    separate()
    raw("\"")
    raw(name)
    raw("\":")
  }

  mutating func string(_ utf8: ArraySlice<UInt8>) {
    utf8.withUnsafeBufferPointer { text.append(jsonString: $0) }
  }

  mutating func string(_ value: String) { text.append(jsonString: value) }

  /// An array of those values that are strings.
  mutating func strings(_ values: [Variant]) {
    raw("[")
    for case .string(let value) in values {
      separate()
      string(value)
    }
    raw("]")
  }

  mutating func number(_ value: Int64) { text.append(decimal: value) }

  /// 64-bit integers are strings in OTLP JSON.
  mutating func quoted(_ value: Int64) { inQuotes { $0.append(decimal: value) } }

  mutating func quoted(_ value: UInt64) { inQuotes { $0.append(decimal: value) } }

  mutating func id(_ bits: UInt64) { inQuotes { $0.append(hex: bits) } }

  mutating func id(_ bits: UInt128) { inQuotes { $0.append(hex: bits) } }

  private mutating func inQuotes(_ body: (inout TextBuffer) -> Void) {
    raw("\"")
    body(&text)
    raw("\"")
  }

  // MARK: Attributes

  mutating func attribute(_ key: ArraySlice<UInt8>, _ value: (inout OTLPJSONWriter) -> Void) {
    openAttribute()
    string(key)
    raw(",\"value\":{")
    value(&self)
    raw("}}")
  }

  mutating func attribute(_ entry: Variant.Entry) {
    openAttribute()
    string(entry.key)
    raw(",\"value\":{")
    value(entry.value)
    raw("}}")
  }

  private mutating func openAttribute() {
    separate()
    raw("{\"key\":")
  }

  mutating func stringValue(_ utf8: ArraySlice<UInt8>) {
    raw("\"stringValue\":")
    string(utf8)
  }

  mutating func intValue(_ value: Int64) {
    raw("\"intValue\":")
    quoted(value)
  }

  mutating func doubleValue(_ value: Double) {
    raw("\"doubleValue\":")
    text.append(jsonDouble: value)
  }

  mutating func boolValue(_ value: Bool) {
    raw("\"boolValue\":")
    raw(value ? "true" : "false")
  }

  /// The inside of an AnyValue object. Nesting is bounded by ``Variant/maximumDepth``.
  mutating func value(_ value: Variant) {
    switch value {
    case .empty: break
    case .bool(let value): boolValue(value)
    case .int(let value): intValue(value)
    case .double(let value): doubleValue(value)
    case .string(let value):
      raw("\"stringValue\":")
      string(value)
    case .bytes(let content):
      raw("\"bytesValue\":")
      content.withUnsafeBytes { text.append(jsonBase64: $0) }
    case .array(let items):
      raw("\"arrayValue\":{\"values\":[")
      for item in items {
        separate()
        raw("{")
        self.value(item)
        raw("}")
      }
      raw("]}")
    case .map(let entries):
      raw("\"kvlistValue\":{\"values\":[")
      for entry in entries { attribute(entry) }
      raw("]}")
    }
  }
}
