/// The few protobuf forms that an OTLP export needs.
struct ProtobufWriter {
  var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var value = value
    while value > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  mutating func integer(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  mutating func fixed64(_ field: UInt64, _ value: UInt64) {
    varint(field << 3 | 1)
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func string(_ field: UInt64, _ text: String) {
    varint(field << 3 | 2)
    varint(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func raw(_ field: UInt64, _ content: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// A message of at most 2^28 bytes; its length is written as a padded four-byte varint and filled in afterwards.
  mutating func message(_ field: UInt64, _ body: (inout ProtobufWriter) -> Void) {
    varint(field << 3 | 2)
    let at = bytes.count
    bytes.append(contentsOf: [0x80, 0x80, 0x80, 0])
    body(&self)
    let length = bytes.count - at - 4
    for position in 0..<4 {
      bytes[at + position] = UInt8(length >> (7 * position) & 0x7F) | (position < 3 ? 0x80 : 0)
    }
  }

  mutating func attribute(_ field: UInt64, _ key: String, _ value: String) {
    message(field) {
      $0.string(1, key)
      $0.message(2) { $0.string(1, value) }
    }
  }

  mutating func attribute(_ field: UInt64, _ key: String, _ value: Int) {
    message(field) {
      $0.string(1, key)
      $0.message(2) { $0.integer(3, UInt64(bitPattern: Int64(value))) }
    }
  }

  mutating func attribute(_ field: UInt64, _ key: String, _ value: Double) {
    message(field) {
      $0.string(1, key)
      $0.message(2) { $0.fixed64(4, value.bitPattern) }
    }
  }
}
