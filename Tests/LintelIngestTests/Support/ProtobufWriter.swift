/// Writes protobuf fields, well-formed or as broken as a test needs them.
struct ProtobufWriter {
  var bytes: [UInt8] = []

  init() {}

  /// A message made by `build`.
  init(_ build: (inout ProtobufWriter) -> Void) { build(&self) }

  mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  mutating func tag(_ number: UInt64, _ type: UInt64) { varint(number << 3 | type) }

  mutating func int(_ number: UInt64, _ value: UInt64) {
    tag(number, 0)
    varint(value)
  }

  mutating func fixed64(_ number: UInt64, _ value: UInt64) {
    tag(number, 1)
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func fixed32(_ number: UInt64, _ value: UInt32) {
    tag(number, 5)
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func bytes(_ number: UInt64, _ value: [UInt8]) {
    tag(number, 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func string(_ number: UInt64, _ value: String) { bytes(number, Array(value.utf8)) }

  mutating func message(_ number: UInt64, _ build: (inout ProtobufWriter) -> Void) {
    bytes(number, ProtobufWriter(build).bytes)
  }
}
