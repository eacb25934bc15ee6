/// Writes the byte encoding of ``Variant`` (its grammar stands there) without a tree.
enum VariantBytes {
  static let empty: UInt8 = 0
  static let array: UInt8 = 7
  static let map: UInt8 = 8

  @inline(__always)
  static func varint(_ value: UInt64, into out: inout [UInt8]) {
    var value = value
    while value >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: value))
  }

  static func int(_ value: Int64, into out: inout [UInt8]) {
    out.append(3)
    varint(UInt64(bitPattern: value << 1 ^ value >> 63), into: &out)
  }

  static func double(_ bits: UInt64, into out: inout [UInt8]) {
    out.append(4)
    withUnsafeBytes(of: bits.littleEndian) { out.append(contentsOf: $0) }
  }

  static func bool(_ value: Bool, into out: inout [UInt8]) { out.append(value ? 2 : 1) }

  /// A length and bytes: a key, or what follows the tag of a string or of bytes.
  static func text(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    varint(UInt64(bytes.count), into: &out)
    out.append(contentsOf: bytes)
  }

  static func text(_ literal: StaticString, into out: inout [UInt8]) {
    text(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount), into: &out)
  }

  static func string(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    out.append(5)
    text(bytes, into: &out)
  }

  static func bytes(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    out.append(6)
    text(bytes, into: &out)
  }

  /// Starts an array or a map whose number of items isn't known yet; the answer goes to ``close(_:count:in:)``.
  static func open(_ tag: UInt8, into out: inout [UInt8]) -> Int {
    out.append(tag)
    out.append(0)
    return out.count - 1
  }

  /// Puts the number of items in its place, moving the items when it takes more than a byte.
  static func close(_ place: Int, count: Int, in out: inout [UInt8]) {
    guard count >= 0x80 else {
      out[place] = UInt8(truncatingIfNeeded: count)
      return
    }
    var header: [UInt8] = []
    varint(UInt64(count), into: &header)
    out.replaceSubrange(place...place, with: header)
  }
}
