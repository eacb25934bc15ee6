/// Hashes of byte strings, eight bytes at a time, by multiplying to 128 bits and folding the halves.
///
/// `hash` feeds hash tables: its seed is drawn at random a process, so that nobody can prepare keys that collide. With a
/// fixed seed it feeds the filters of parts (``FilterHash``) and must not change for that.
/// `digest` feeds stored content digests: its seeds are fixed and never change.
enum ByteHash {
  /// Drawn once a process.
  static let processSeed = UInt64.random(in: .min ... .max)

  private static let k0: UInt64 = 0x8BB8_4B93_962E_ACC9
  private static let k1: UInt64 = 0x4B33_A62E_D433_D4A3
  private static let k2: UInt64 = 0x2D35_8DCC_AA6C_78A5
  private static let k3: UInt64 = 0xC2B2_AE3D_27D4_EB4F

  @inline(__always)
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  @inline(__always)
  private static func load(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The two words that stand for at most sixteen bytes; with the length they determine them.
  @inline(__always)
  private static func short(_ bytes: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
    if count >= 8 { return (load(bytes, 0), load(bytes, count &- 8)) }
    if count >= 4 {
      let head = bytes.loadUnaligned(as: UInt32.self)
      let tail = bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
      return (UInt64(UInt32(littleEndian: head)), UInt64(UInt32(littleEndian: tail)))
    }
    if count == 0 { return (0, 0) }
    let first = UInt64(bytes.load(as: UInt8.self))
    let middle = UInt64(bytes.load(fromByteOffset: count &>> 1, as: UInt8.self))
    let last = UInt64(bytes.load(fromByteOffset: count &- 1, as: UInt8.self))
    return (first &<< 16 | middle &<< 8 | last, 0)
  }

  /// 64 bits for a hash table.
  @inline(__always)
  static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    // The empty string may come with an address or without one.
    guard let base = bytes.baseAddress, bytes.count > 0 else { return fold(seed ^ k0, k1) }
    let count = bytes.count
    var state = seed ^ k0
    var offset = 0
    while count &- offset > 16 {
      state = fold(load(base, offset) ^ seed ^ k1, load(base, offset &+ 8) ^ state)
      offset &+= 16
    }
    let words: (UInt64, UInt64)
    if count > 16 {
      words = (load(base, count &- 16), load(base, count &- 8))
    } else {
      words = short(base, count)
    }
    return fold(fold(words.0 ^ seed ^ k1, words.1 ^ state) ^ UInt64(count), k2)
  }

  /// 64 bits for a hash table.
  @inline(__always)
  static func hash(_ value: UInt128, seed: UInt64) -> UInt64 {
    let low = UInt64(truncatingIfNeeded: value)
    let high = UInt64(truncatingIfNeeded: value &>> 64)
    return fold(fold(low ^ seed ^ k1, high ^ seed ^ k0), k2)
  }

  /// 128 bits, the same on every machine and in every version.
  static func digest(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> (low: UInt64, high: UInt64) {
    let count = bytes.count
    var first = seed ^ k0
    var second = seed ^ k3
    var words: (UInt64, UInt64) = (0, 0)
    if let base = bytes.baseAddress {
      var offset = 0
      while count &- offset > 16 {
        let left = load(base, offset)
        let right = load(base, offset &+ 8)
        first = fold(left ^ k1, right ^ first)
        second = fold(left ^ second, right ^ k2)
        offset &+= 16
      }
      words = count > 16 ? (load(base, count &- 16), load(base, count &- 8)) : short(base, count)
    }
    let length = UInt64(count)
    let low = fold(fold(words.0 ^ k1, words.1 ^ first) ^ length, k2 ^ second)
    let high = fold(fold(words.0 ^ second, words.1 ^ k2) ^ length, k1 ^ first)
    return (low, high)
  }

  /// 128 bits, the same on every machine and in every version.
  @inline(__always)
  static func digest(_ value: UInt128, seed: UInt64) -> (low: UInt64, high: UInt64) {
    let left = UInt64(truncatingIfNeeded: value)
    let right = UInt64(truncatingIfNeeded: value &>> 64)
    let low = fold(left ^ seed ^ k1, right ^ k3)
    return (low, fold(left ^ k2, right ^ seed ^ k0) ^ low)
  }
}
