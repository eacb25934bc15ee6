internal import LintelColumns

/// Collects the little-endian and variable-length fields of a part's metadata.
struct PartBytesWriter {
  var bytes: [UInt8] = []

  mutating func fixed<Field: FixedWidthInteger>(_ value: Field) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func wide(_ value: UInt128) {
    fixed(UInt64(truncatingIfNeeded: value >> 64))
    fixed(UInt64(truncatingIfNeeded: value))
  }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A count or length; negative ones don't exist.
  mutating func count(_ value: Int) { varint(UInt64(truncatingIfNeeded: Swift.max(0, value))) }

  mutating func signed(_ value: Int64) {
    varint(UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63))
  }

  /// As ``signed(_:)``, of up to 128 bits.
  mutating func wideSigned(_ value: Int128) {
    var rest = UInt128(bitPattern: value << 1) ^ UInt128(bitPattern: value >> 127)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func string(_ value: String) {
    count(value.utf8.count)
    bytes.append(contentsOf: value.utf8)
  }
}

/// Reads what ``PartBytesWriter`` wrote, from bytes that may be anything.
struct PartBytesReader {
  private let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int

  init(_ bytes: [UInt8], from position: Int = 0, to end: Int? = nil) {
    self.bytes = bytes
    self.end = Swift.max(0, Swift.min(end ?? bytes.count, bytes.count))
    self.position = Swift.max(0, position)
  }

  var remaining: Int { Swift.max(0, end - position) }

  mutating func byte() throws(ColumnError) -> UInt8 {
    guard position < end else { throw Self.truncated }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func fixed<Field: FixedWidthInteger & UnsignedInteger>(_ type: Field.Type) throws(ColumnError) -> Field {
    let width = Field.bitWidth / 8
    guard remaining >= width else { throw Self.truncated }
    var value: Field = 0
    for index in (0..<width).reversed() { value = value << 8 | Field(truncatingIfNeeded: bytes[position + index]) }
    position += width
    return value
  }

  mutating func wide() throws(ColumnError) -> UInt128 {
    let high = try fixed(UInt64.self)
    let low = try fixed(UInt64.self)
    return UInt128(high) << 64 | UInt128(low)
  }

  mutating func varint() throws(ColumnError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let next = try byte()
      if shift == 63, next > 1 { break }
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
    }
    throw ColumnError(.malformed, "a variable-length number is longer than 64 bits")
  }

  /// A length or position that must not exceed `limit`.
  mutating func count(limit: Int) throws(ColumnError) -> Int {
    let value = try varint()
    guard value <= UInt64(Swift.max(0, limit)) else {
      throw ColumnError(.limitExceeded, "a count of \(value) where at most \(limit) makes sense")
    }
    return Int(value)
  }

  mutating func signed() throws(ColumnError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// Where the bytes lie that follow their own length; the reader moves past them.
  mutating func run() throws(ColumnError) -> Range<Int> {
    let length = try varint()
    // Only now is it known how many bytes are left: the length itself took some.
    guard length <= UInt64(remaining) else { throw Self.truncated }
    let start = position
    position += Int(length)
    return start..<position
  }

  mutating func wideSigned() throws(ColumnError) -> Int128 {
    var value: UInt128 = 0
    for shift in stride(from: UInt128(0), to: 128, by: 7) {
      let next = try byte()
      if shift == 126, next > 3 { break }
      value |= UInt128(next & 0x7f) << shift
      if next < 0x80 { return Int128(bitPattern: value >> 1) ^ -Int128(bitPattern: value & 1) }
    }
    throw ColumnError(.malformed, "a variable-length number is longer than 128 bits")
  }

  mutating func string() throws(ColumnError) -> String { String(decoding: bytes[try run()], as: UTF8.self) }

  mutating func skip(_ length: Int) throws(ColumnError) {
    guard length >= 0, remaining >= length else { throw Self.truncated }
    position += length
  }

  private static let truncated = ColumnError(.truncated, "the bytes end within a field")
}
