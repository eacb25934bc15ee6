/// Hashes that depend on values alone: not on the process, nor on how a column is coded. For sketches and hash tables.
enum ValueHash {
  /// The finalizer of SplitMix64.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var hash = value &+ 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
    return hash ^ hash >> 31
  }

  @inline(__always)
  static func hash(_ lane: Int64) -> UInt64 { mix(UInt64(bitPattern: lane)) }

  @inline(__always)
  static func hash(_ number: Double) -> UInt64 { mix(canonical(number).bitPattern) }

  @inline(__always)
  static func hash(_ id: UInt128) -> UInt64 {
    mix(UInt64(truncatingIfNeeded: id) ^ mix(UInt64(truncatingIfNeeded: id >> 64)))
  }

  /// Eight bytes at a time, multiplied and folded.
  @inline(__always)
  static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    let raw = UnsafeRawBufferPointer(bytes)
    var hash = UInt64(truncatingIfNeeded: raw.count) &* 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset &+ 8 <= raw.count {
      hash = fold(hash ^ UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset &+= 8
    }
    var rest: UInt64 = 0
    var shift: UInt64 = 0
    while offset < raw.count {
      rest |= UInt64(raw[offset]) << shift
      shift &+= 8
      offset &+= 1
    }
    return mix(fold(hash ^ rest))
  }

  @inline(__always)
  private static func fold(_ value: UInt64) -> UInt64 {
    let (high, low) = (value ^ 0x2545_F491_4F6C_DD1D).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return high ^ low
  }

  /// One zero, one NaN.
  @inline(__always)
  static func canonical(_ number: Double) -> Double { number == 0 ? 0 : number.isNaN ? .nan : number }
}
