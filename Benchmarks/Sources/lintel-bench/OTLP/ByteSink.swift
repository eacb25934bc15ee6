/// Bytes that are written to the end of, without a check a byte: whoever writes has asked for room before.
final class ByteSink {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = max(64, capacity)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  func removeAll() { count = 0 }

  /// Makes room for `more` bytes.
  @inline(__always)
  func reserve(_ more: Int) {
    if count &+ more > capacity { grow(more) }
  }

  @inline(never)
  private func grow(_ more: Int) {
    capacity = 2 * (capacity + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }

  @inline(__always)
  func append(_ byte: UInt8) {
    base[count] = byte
    count &+= 1
  }

  @inline(__always)
  func append(_ fragment: Fragment) {
    UnsafeMutableRawPointer(base + count).copyMemory(
      from: fragment.start, byteCount: fragment.count)
    count &+= fragment.count
  }

  /// Makes room for the bytes itself.
  func append(_ other: UnsafeRawBufferPointer) {
    guard let start = other.baseAddress else { return }
    reserve(other.count)
    UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: other.count)
    count &+= other.count
  }

  @inline(__always)
  func append(littleEndian word: UInt64) {
    UnsafeMutableRawPointer(base + count).storeBytes(of: word.littleEndian, as: UInt64.self)
    count &+= 8
  }

  @inline(__always)
  func append(bigEndian word: UInt64) {
    UnsafeMutableRawPointer(base + count).storeBytes(of: word.bigEndian, as: UInt64.self)
    count &+= 8
  }

  @inline(__always)
  func append(varint value: UInt64) {
    var value = value
    while value > 0x7F {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value &>>= 7
    }
    append(UInt8(truncatingIfNeeded: value))
  }

  /// Lower-case hexadecimal.
  @inline(__always)
  func append(hex value: UInt64, digits: Int) {
    var shift = UInt64(digits) &* 4
    while shift > 0 {
      shift &-= 4
      let nibble = UInt8(truncatingIfNeeded: value &>> shift) & 15
      append(nibble < 10 ? 48 &+ nibble : 87 &+ nibble)
    }
  }

  /// A session's id, of 21 bytes.
  @inline(__always)
  func append(session: UInt64) {
    for byte: UInt8 in [0x73, 0x65, 0x73, 0x73, 0x2D] { append(byte) }
    append(hex: session, digits: 16)
  }

  @inline(__always)
  func append(decimal value: UInt64) {
    var power: UInt64 = 1
    while value / power >= 10 { power &*= 10 }
    while power > 0 {
      append(48 &+ UInt8(truncatingIfNeeded: value / power % 10))
      power /= 10
    }
  }

  @inline(__always)
  static func varintLength(_ value: UInt64) -> Int { (70 &- (value | 1).leadingZeroBitCount) / 7 }

  @inline(__always)
  static func decimalLength(_ value: UInt64) -> Int {
    var (length, rest) = (1, value)
    while rest >= 10 {
      rest /= 10
      length &+= 1
    }
    return length
  }
}

/// Bytes made once and copied often. Never freed, so that copying one touches no reference count.
struct Fragment: @unchecked Sendable {
  let start: UnsafeRawPointer
  let count: Int

  init(_ bytes: [UInt8]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
    copy.copyBytes(from: bytes)
    start = UnsafeRawPointer(copy.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1)!)
    count = bytes.count
  }
}
