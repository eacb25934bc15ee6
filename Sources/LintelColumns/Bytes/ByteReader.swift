/// Reads little-endian fields off a buffer and throws where it ends too early.
struct ByteReader {
  private let base: UnsafeRawBufferPointer
  private(set) var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) { base = bytes }

  var remaining: Int { base.count &- offset }

  /// The next `count` bytes, not copied.
  @inline(__always)
  mutating func take(_ count: Int) throws(ColumnError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw ByteReader.truncated(count, remaining) }
    let slice = UnsafeRawBufferPointer(rebasing: base[offset..<offset &+ count])
    offset &+= count
    return slice
  }

  /// The next `count` fixed-width values, as raw bytes; the product is checked.
  mutating func take(_ count: Int, of width: Int) throws(ColumnError) -> UnsafeRawBufferPointer {
    let (size, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow else { throw ByteReader.truncated(.max, remaining) }
    return try take(size)
  }

  @inline(__always)
  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(ColumnError) -> Value {
    guard MemoryLayout<Value>.size <= remaining else {
      throw ByteReader.truncated(MemoryLayout<Value>.size, remaining)
    }
    let value = base.loadUnaligned(fromByteOffset: offset, as: Value.self)
    offset &+= MemoryLayout<Value>.size
    return Value(littleEndian: value)
  }

  @inline(__always)
  mutating func byte() throws(ColumnError) -> UInt8 { try integer(UInt8.self) }

  /// An unsigned LEB128 number of at most ten bytes.
  mutating func varint() throws(ColumnError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try byte()
      if shift == 63 && byte > 1 { throw ColumnError(.malformed, "a varint exceeds 64 bits") }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift &+= 7
    }
  }

  /// A varint that counts things still to come, each at least `minimumSize` bytes long.
  mutating func count(minimumSize: Int = 1) throws(ColumnError) -> Int {
    let value = try varint()
    guard value <= UInt64(remaining / max(1, minimumSize)) else {
      throw ColumnError(.truncated, "a count of \(value) exceeds the \(remaining) bytes that follow it")
    }
    return Int(value)
  }

  func expectEnd() throws(ColumnError) {
    guard remaining == 0 else { throw ColumnError(.malformed, "\(remaining) bytes follow the end of the value") }
  }

  private static func truncated(_ wanted: Int, _ remaining: Int) -> ColumnError {
    ColumnError(.truncated, "\(wanted) bytes are needed where \(remaining) are left")
  }
}
