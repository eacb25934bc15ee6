/// Whether bytes are well-formed UTF-8 (Unicode 16, table 3-7): no overlong forms, no surrogates, nothing past U+10FFFF.
package enum UTF8Check {
  @inlinable @inline(__always)
  package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    let count = bytes.count
    guard let base = bytes.baseAddress else { return true }
    while index &+ 8 <= count {
      let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      guard word & 0x8080_8080_8080_8080 == 0 else { return firstInvalid(base, from: index, count: count) == nil }
      index &+= 8
    }
    while index < count {
      guard base.load(fromByteOffset: index, as: UInt8.self) < 0x80 else {
        return firstInvalid(base, from: index, count: count) == nil
      }
      index &+= 1
    }
    return true
  }

  /// Offset of the first byte that is part of no well-formed sequence.
  package static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    return firstInvalid(base, from: 0, count: bytes.count)
  }

  @usableFromInline
  static func firstInvalid(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int? {
    var index = start
    while index < count {
      if index &+ 8 <= count,
        base.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        index &+= 8
        continue
      }
      let length = sequenceLength(base + index, available: count &- index)
      guard length > 0 else { return index }
      index &+= length
    }
    return nil
  }

  /// Length of the well-formed sequence at `p`, 0 when there is none.
  @inline(__always)
  static func sequenceLength(_ p: UnsafeRawPointer, available: Int) -> Int {
    let first = p.load(as: UInt8.self)
    if first < 0x80 { return 1 }
    let length: Int
    // The second byte carries the limits that rule out overlong forms, surrogates and what lies past U+10FFFF.
    var low: UInt8 = 0x80
    var high: UInt8 = 0xbf
    switch first {
    case 0xc2...0xdf: length = 2
    case 0xe0: (length, low) = (3, 0xa0)
    case 0xed: (length, high) = (3, 0x9f)
    case 0xe1...0xef: length = 3
    case 0xf0: (length, low) = (4, 0x90)
    case 0xf1...0xf3: length = 4
    case 0xf4: (length, high) = (4, 0x8f)
    default: return 0
    }
    guard length <= available else { return 0 }
    let second = p.load(fromByteOffset: 1, as: UInt8.self)
    guard second >= low, second <= high else { return 0 }
    var offset = 2
    while offset < length {
      guard p.load(fromByteOffset: offset, as: UInt8.self) & 0xc0 == 0x80 else { return 0 }
      offset &+= 1
    }
    return length
  }
}
