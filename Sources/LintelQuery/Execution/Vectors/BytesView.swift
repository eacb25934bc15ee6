import Glibc
import LintelColumns

/// Borrowed access to byte strings, plain or behind codes. Valid inside the closure that lends it.
struct BytesView {
  let base: UnsafePointer<UInt8>?
  let offsets: UnsafeBufferPointer<UInt32>
  let codes: UnsafeBufferPointer<UInt32>?

  /// The bytes of lane `index`; empty for codes out of range.
  @inline(__always)
  subscript(index: Int) -> UnsafeBufferPointer<UInt8> {
    let position: Int
    if let codes { position = Int(codes[index]) } else { position = index }
    guard position &+ 1 < offsets.count, let base else { return UnsafeBufferPointer(start: nil, count: 0) }
    let start = Int(offsets[position])
    return UnsafeBufferPointer(start: base + start, count: Int(offsets[position &+ 1]) &- start)
  }
}

extension ByteStrings {
  func withView<R, E: Error>(
    codes: UnsafeBufferPointer<UInt32>? = nil, _ body: (BytesView) throws(E) -> R
  ) throws(E) -> R {
    try bytes.withUnsafeBufferPointer { (bytes) throws(E) -> R in
      try offsets.withUnsafeBufferPointer { (offsets) throws(E) -> R in
        try body(BytesView(base: bytes.baseAddress, offsets: offsets, codes: codes))
      }
    }
  }
}

extension Vector {
  /// Lends the byte strings of this vector; one without bytes reads as empty strings.
  func withBytes<R, E: Error>(_ body: (BytesView) throws(E) -> R) throws(E) -> R {
    switch lanes {
    case .bytes(let values): return try values.withView(body)
    case .codes(let codes, let dictionary):
      if case .bytes(let values) = dictionary.values {
        return try codes.withUnsafeBufferPointer { (codes) throws(E) -> R in
          try values.withView(codes: codes, body)
        }
      }
      return try Self.withNoBytes(codes.count, body)
    default: return try Self.withNoBytes(count, body)
    }
  }

  private static func withNoBytes<R, E: Error>(_ count: Int, _ body: (BytesView) throws(E) -> R) throws(E) -> R {
    try body(BytesView(base: nil, offsets: UnsafeBufferPointer(start: nil, count: 0), codes: nil))
  }
}

/// Order of two byte strings, as memcmp has it, the shorter first when one begins the other.
@inline(__always)
func compareBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
  let common = min(left.count, right.count)
  if common > 0, let first = left.baseAddress, let second = right.baseAddress {
    let order = memcmp(first, second, common)
    if order != 0 { return Int(order) }
  }
  return left.count &- right.count
}

@inline(__always)
func equalBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  guard left.count > 0, let first = left.baseAddress, let second = right.baseAddress else { return true }
  return memcmp(first, second, left.count) == 0
}
