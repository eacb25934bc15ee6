import Glibc
import LintelColumns

/// Reads the encoding of ``Variant`` in place: kind and scalar payload, members of maps, without building a tree.
///
/// Malformed bytes read as `.malformed`; nothing traps, and skipping nested values is bounded by ``Variant/maximumDepth``.
enum EncodedVariant {
  enum Scalar {
    case empty
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(UnsafeBufferPointer<UInt8>)
    case bytes(UnsafeBufferPointer<UInt8>)
    /// Arrays (7) and maps (8): the whole encoding stands for the value.
    case composite(tag: UInt8)
    case malformed
  }

  static let arrayTag: UInt8 = 7
  static let mapTag: UInt8 = 8

  static func scalar(_ encoded: UnsafeBufferPointer<UInt8>) -> Scalar {
    var cursor = Cursor(encoded)
    guard let tag = cursor.byte() else { return .malformed }
    switch tag {
    case 0: return .empty
    case 1: return .bool(false)
    case 2: return .bool(true)
    case 3:
      guard let raw = cursor.varint() else { return .malformed }
      return .int(unzigzag(raw))
    case 4:
      guard let bits = cursor.fixed64() else { return .malformed }
      return .double(Double(bitPattern: bits))
    case 5, 6:
      guard let length = cursor.varint(), let content = cursor.take(length) else { return .malformed }
      return tag == 5 ? .string(content) : .bytes(content)
    case arrayTag, mapTag: return .composite(tag: tag)
    default: return .malformed
    }
  }

  /// The encoded value under `key`, the last one where it repeats; `nil` when `encoded` is no map or has no such key.
  static func element(
    _ encoded: UnsafeBufferPointer<UInt8>, key: UnsafeBufferPointer<UInt8>
  ) -> UnsafeBufferPointer<UInt8>? {
    var cursor = Cursor(encoded)
    guard cursor.byte() == mapTag, let count = cursor.varint() else { return nil }
    var found: UnsafeBufferPointer<UInt8>?
    var remaining = count
    while remaining > 0 {
      guard let length = cursor.varint(), let name = cursor.take(length) else { return found }
      let start = cursor.position
      guard cursor.skip(depth: 0) else { return found }
      if equalBytes(name, key) { found = UnsafeBufferPointer(rebasing: encoded[start..<cursor.position]) }
      remaining -= 1
    }
    return found
  }

  /// The encoded element of an array at `position`, from 0.
  static func element(_ encoded: UnsafeBufferPointer<UInt8>, at position: Int64) -> UnsafeBufferPointer<UInt8>? {
    var cursor = Cursor(encoded)
    guard cursor.byte() == arrayTag, let count = cursor.varint(), position >= 0, UInt64(position) < count else {
      return nil
    }
    for _ in 0..<position { guard cursor.skip(depth: 0) else { return nil } }
    let start = cursor.position
    guard cursor.skip(depth: 0) else { return nil }
    return UnsafeBufferPointer(rebasing: encoded[start..<cursor.position])
  }

  static func unzigzag(_ raw: UInt64) -> Int64 { Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1) }

  // Writing scalars: the same grammar.

  static func appendInt(_ value: Int64, to out: inout [UInt8]) {
    out.append(3)
    appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63), to: &out)
  }

  static func appendDouble(_ value: Double, to out: inout [UInt8]) {
    out.append(4)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { out.append(contentsOf: $0) }
  }

  static func appendBytes(_ value: some Collection<UInt8>, tag: UInt8, to out: inout [UInt8]) {
    out.append(tag)
    appendVarint(UInt64(value.count), to: &out)
    out.append(contentsOf: value)
  }

  static func appendVarint(_ value: UInt64, to out: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: rest))
  }

  struct Cursor {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func byte() -> UInt8? {
      guard position < bytes.count else { return nil }
      defer { position += 1 }
      return bytes[position]
    }

    mutating func varint() -> UInt64? {
      var result: UInt64 = 0
      var shift: UInt64 = 0
      while shift < 64, let next = byte() {
        result |= UInt64(next & 0x7F) << shift
        if next < 0x80 { return result }
        shift += 7
      }
      return nil
    }

    mutating func fixed64() -> UInt64? {
      guard bytes.count - position >= 8 else { return nil }
      defer { position += 8 }
      return UInt64(
        littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    mutating func take(_ length: UInt64) -> UnsafeBufferPointer<UInt8>? {
      guard length <= UInt64(bytes.count - position) else { return nil }
      let start = position
      position += Int(length)
      return UnsafeBufferPointer(rebasing: bytes[start..<position])
    }

    /// Moves past one value. False when the bytes are malformed or nested too deeply.
    mutating func skip(depth: Int) -> Bool {
      guard depth <= Variant.maximumDepth, let tag = byte() else { return false }
      switch tag {
      case 0, 1, 2: return true
      case 3: return varint() != nil
      case 4: return fixed64() != nil
      case 5, 6:
        guard let length = varint() else { return false }
        return take(length) != nil
      case arrayTag, mapTag:
        guard var count = varint() else { return false }
        while count > 0 {
          if tag == mapTag { guard let length = varint(), take(length) != nil else { return false } }
          guard skip(depth: depth + 1) else { return false }
          count -= 1
        }
        return true
      default: return false
      }
    }
  }
}

/// Comparison of encoded variants.
enum VariantOrder {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// The comparison functions' order: `nil` where the kinds don't compare, or NaN does.
  /// `equalityOnly` admits arrays, maps and empty.
  static func compare(_ left: Bytes, _ right: Bytes, equalityOnly: Bool) -> Comparison? {
    switch (EncodedVariant.scalar(left), EncodedVariant.scalar(right)) {
    case (.string(let a), .string(let b)), (.bytes(let a), .bytes(let b)): return Comparison(compareBytes(a, b))
    case (.bool(let a), .bool(let b)): return Comparison((a ? 1 : 0) - (b ? 1 : 0))
    case (.int(let a), .int(let b)): return Comparison(a < b ? -1 : a == b ? 0 : 1)
    case (.double(let a), .double(let b)):
      return a.isNaN || b.isNaN ? .unordered : Comparison(a < b ? -1 : a == b ? 0 : 1)
    case (.int(let a), .double(let b)): return b.isNaN ? .unordered : Comparison(compare(a, b))
    case (.double(let a), .int(let b)): return a.isNaN ? .unordered : Comparison(-compare(b, a))
    case (.empty, .empty): return equalityOnly ? .equal : nil
    case (.composite(let a), .composite(let b)) where a == b && equalityOnly:
      return equalBytes(left, right) ? .equal : .less
    default: return nil
    }
  }

  enum Comparison {
    case less, equal, greater, unordered

    init(_ order: Int) { self = order < 0 ? .less : order == 0 ? .equal : .greater }
  }

  /// Exact order of an integer and a double that is no NaN.
  static func compare(_ integer: Int64, _ number: Double) -> Int {
    if number >= 0x1p63 { return -1 }
    if number < -0x1p63 { return 1 }
    let whole = Int64(number.rounded(.towardZero))
    if integer != whole { return integer < whole ? -1 : 1 }
    let fraction = number - number.rounded(.towardZero)
    return fraction > 0 ? -1 : fraction < 0 ? 1 : 0
  }
}
