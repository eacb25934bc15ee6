/// The few protobuf forms that an OTLP export needs, written as encoders do: lengths first, in as few bytes as they need.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  init() {}

  init(_ body: (inout ProtobufWriter) -> Void) { body(&self) }

  mutating func integer(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  mutating func string(_ field: UInt64, _ text: String) { raw(field, Array(text.utf8)) }

  mutating func message(_ field: UInt64, _ body: (inout ProtobufWriter) -> Void) {
    raw(field, ProtobufWriter(body).bytes)
  }

  /// A KeyValue whose value is a string.
  mutating func attribute(_ field: UInt64, _ key: String, _ value: String) {
    message(field) {
      $0.string(1, key)
      $0.message(2) { $0.string(1, value) }
    }
  }

  /// A KeyValue whose value is an array of one string.
  mutating func attribute(_ field: UInt64, _ key: String, array value: String) {
    message(field) {
      $0.string(1, key)
      $0.message(2) { $0.message(5) { $0.message(1) { $0.string(1, value) } } }
    }
  }

  private mutating func raw(_ field: UInt64, _ content: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
}
