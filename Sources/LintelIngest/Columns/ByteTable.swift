internal import LintelColumns

/// Distinct byte strings, numbered in order of first appearance. An open-addressing table over one run of bytes.
struct ByteTable {
  private(set) var values = ByteStrings()
  /// `hash << 32 | number + 1`, 0 where free; a power of two of them, at most half full. Empty until there are two values.
  private var slots: [UInt64] = []

  /// Chosen anew in each process, so that nobody can prepare keys that collide.
  private static let seed = UInt64.random(in: .min ... .max)

  var count: Int { values.count }

  /// The number of `bytes`, if it is in the table.
  @inline(__always)
  func find(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
    if slots.isEmpty { return count == 1 && isEqual(0, bytes) ? 0 : nil }
    return find(bytes, hash: Self.hash(bytes))
  }

  /// The number of `bytes`, which is added if need be.
  @inline(__always)
  mutating func code(for bytes: UnsafeRawBufferPointer) -> UInt32 {
    if slots.isEmpty {
      if count == 1, isEqual(0, bytes) { return 0 }
      if count == 0 {
        values.append(bytes)
        return 0
      }
      grow(to: 16)
    }
    let hash = Self.hash(bytes)
    if let known = find(bytes, hash: hash) { return known }
    return insert(bytes, hash: hash)
  }

  @inline(__always)
  private func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
    let mask = slots.count &- 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while true {
      let slot = slots[index]
      if slot == 0 { return nil }
      if slot >> 32 == hash >> 32 {
        let code = UInt32(truncatingIfNeeded: slot) &- 1
        if isEqual(Int(code), bytes) { return code }
      }
      index = (index &+ 1) & mask
    }
  }

  @inline(never)
  private mutating func insert(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32 {
    let code = UInt32(truncatingIfNeeded: count)
    values.append(bytes)
    if count * 2 > slots.count { grow(to: slots.count * 2) } else { place(code, hash: hash) }
    return code
  }

  private mutating func grow(to size: Int) {
    slots = [UInt64](repeating: 0, count: size)
    for code in 0..<count {
      let hash = values.bytes.withUnsafeBytes { Self.hash(UnsafeRawBufferPointer(rebasing: $0[values.range(code)])) }
      place(UInt32(truncatingIfNeeded: code), hash: hash)
    }
  }

  private mutating func place(_ code: UInt32, hash: UInt64) {
    let mask = slots.count &- 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index] != 0 { index = (index &+ 1) & mask }
    slots[index] = hash & 0xffff_ffff_0000_0000 | UInt64(code &+ 1)
  }

  @inline(__always)
  private func isEqual(_ code: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let range = values.range(code)
    guard range.count == bytes.count else { return false }
    return values.bytes.withUnsafeBytes { stored in
      guard let left = stored.baseAddress, let right = bytes.baseAddress else { return true }
      return equalBytes(left + range.lowerBound, right, range.count)
    }
  }

  /// Two multiplications for each sixteen bytes, folded (the scheme of wyhash).
  @inline(__always)
  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let count = bytes.count
    var state = seed ^ UInt64(truncatingIfNeeded: count)
    guard let base = bytes.baseAddress else { return fold(state, 0x9e37_79b9_7f4a_7c15) }
    var offset = 0
    while offset &+ 16 <= count {
      let a = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let b = base.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self)
      state = fold(a ^ 0xa076_1d64_78bd_642f, b ^ state)
      offset &+= 16
    }
    let rest = count &- offset
    var a: UInt64 = 0
    var b: UInt64 = 0
    if rest >= 8 {
      a = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      b = base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    } else if rest >= 4 {
      a = UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      b = UInt64(base.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
    } else if rest > 0 {
      a = UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
      b =
        UInt64(base.load(fromByteOffset: offset &+ rest >> 1, as: UInt8.self)) << 8
        | UInt64(base.load(fromByteOffset: count &- 1, as: UInt8.self))
    }
    return fold(fold(a ^ 0xe703_7ed1_a0b4_28db, b ^ state), 0x9e37_79b9_7f4a_7c15)
  }

  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}

/// Whether `count` bytes are the same at two places.
@inline(__always)
func equalBytes(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
  var offset = 0
  while offset &+ 8 <= count {
    let a = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    let b = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    if a != b { return false }
    offset &+= 8
  }
  while offset < count {
    if left.load(fromByteOffset: offset, as: UInt8.self) != right.load(fromByteOffset: offset, as: UInt8.self) {
      return false
    }
    offset &+= 1
  }
  return true
}
