/// A 3-wise binary fuse filter with fingerprints of 8 bits, or fewer.
///
/// From Thomas Mueller Graf and Daniel Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters", ACM Journal of
/// Experimental Algorithmics 27 (2022). The fingerprints lie in segments of equal, power-of-two length. A key owns one
/// place in each of three neighbouring segments; the fingerprints there, combined by exclusive or, are the key's own.
/// The segments are shorter than the paper's for less than a million keys, and the array starts tighter and grows with
/// each try: that costs a retry now and then and saves two to five parts in a hundred.
///
///     fuse         := seed:u64 segment shift:u8 fingerprints:u8*     (segments + 2) << segment shift of them
///     mixed        := fold(key ^ seed, 0x9E3779B97F4A7C15)           fold: see ``ByteHash``
///     place 0      := high half of the 128-bit product of mixed and (segments << segment shift)
///     place 1      := (place 0 + length) ^ (mixed >> 18 & (length - 1))       length := 1 << segment shift
///     place 2      := (place 0 + 2 length) ^ (mixed & (length - 1))
///     fingerprint  := low 8 bits of mixed ^ mixed >> 32
///
/// The low bits of the fingerprints are a filter themselves: all are combined bit by bit.
///
/// A segment starts at a multiple of its length, so that the exclusive or stays inside it.
struct BinaryFuseFilter: Sendable, Hashable {
  /// How a key's places and fingerprint come about; the same for building and for asking.
  struct Geometry: Sendable, Hashable {
    let seed: UInt64
    let segmentShift: UInt64
    /// Segments in which a key's first place may lie; there are two more.
    let segmentCount: Int

    var placeCount: Int { (segmentCount &+ 2) &<< Int(segmentShift) }

    @inline(__always)
    func mixed(_ key: UInt64) -> UInt64 { ByteHash.fold(key ^ seed, 0x9E37_79B9_7F4A_7C15) }

    @inline(__always)
    func places(_ mixed: UInt64) -> (Int, Int, Int) {
      let length = UInt64(1) &<< segmentShift
      let first = mixed.multipliedFullWidth(by: UInt64(truncatingIfNeeded: segmentCount) &<< segmentShift).high
      let second = (first &+ length) ^ (mixed &>> 18 & (length &- 1))
      let third = (first &+ length &+ length) ^ (mixed & (length &- 1))
      return (Int(truncatingIfNeeded: first), Int(truncatingIfNeeded: second), Int(truncatingIfNeeded: third))
    }

    @inline(__always)
    static func fingerprint(_ mixed: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: mixed ^ mixed &>> 32) }
  }

  let geometry: Geometry
  /// Of a fingerprint, 1 to 8.
  let bits: Int
  /// `geometry.placeCount` of them: that keeps every place within bounds.
  let fingerprints: [UInt8]

  init(geometry: Geometry, bits: Int = 8, fingerprints: [UInt8]) {
    precondition(fingerprints.count == geometry.placeCount, "a filter's places don't match its geometry")
    self.geometry = geometry
    self.bits = bits
    self.fingerprints = fingerprints
  }

  /// The same with so many bits a fingerprint.
  func narrowed(to bits: Int) -> BinaryFuseFilter {
    guard 1..<self.bits ~= bits else { return self }
    let mask = UInt8(truncatingIfNeeded: (1 &<< bits) &- 1)
    return BinaryFuseFilter(geometry: geometry, bits: bits, fingerprints: fingerprints.map { $0 & mask })
  }

  /// False when the key is surely not among those put in.
  @inline(__always)
  func mayContain(_ key: UInt64) -> Bool {
    let mixed = geometry.mixed(key)
    let (first, second, third) = geometry.places(mixed)
    let found = fingerprints[first] ^ fingerprints[second] ^ fingerprints[third]
    return (found ^ Geometry.fingerprint(mixed)) &<< UInt8(truncatingIfNeeded: 8 &- bits) == 0
  }
}

extension BinaryFuseFilter {
  /// Longer segments are never built.
  private static let maximumShift = 16

  /// Appends the bits where they are fewer than 8, and all else.
  func encode(into out: inout [UInt8]) {
    if bits < 8 { out.append(UInt8(truncatingIfNeeded: bits)) }
    out.append(littleEndian: geometry.seed)
    out.append(UInt8(truncatingIfNeeded: geometry.segmentShift))
    if bits == 8 { return out.append(contentsOf: fingerprints) }
    var word: UInt = 0
    var filled = 0
    for fingerprint in fingerprints {
      word |= UInt(fingerprint) &<< UInt(filled)
      filled &+= bits
      if filled >= 8 {
        out.append(UInt8(truncatingIfNeeded: word))
        word &>>= 8
        filled &-= 8
      }
    }
    if filled > 0 { out.append(UInt8(truncatingIfNeeded: word)) }
  }

  /// Takes all that the reader has left.
  init(_ reader: inout ByteReader, bits: Int) throws(ColumnError) {
    guard 1...8 ~= bits else { throw ColumnError(.malformed, "a fuse filter of \(bits) bits") }
    let seed = try reader.integer(UInt64.self)
    let shift = Int(try reader.byte())
    guard shift <= BinaryFuseFilter.maximumShift else {
      throw ColumnError(.malformed, "a fuse filter's segments are 2^\(shift) long")
    }
    let bytes = try reader.take(reader.remaining)
    let segments = (bytes.count &* 8 / bits) &>> shift
    let places = segments &<< shift
    // No byte more than the places need: what was written fills its last byte at most in part.
    guard segments >= 3, (places &* bits &+ 7) / 8 == bytes.count else {
      throw ColumnError(.malformed, "\(bytes.count) bytes don't make segments of 2^\(shift) fingerprints")
    }
    self.init(
      geometry: Geometry(seed: seed, segmentShift: UInt64(shift), segmentCount: segments &- 2), bits: bits,
      fingerprints: bits == 8 ? [UInt8](bytes) : Self.unpack(bytes, bits, places))
  }

  private static func unpack(_ bytes: UnsafeRawBufferPointer, _ bits: Int, _ places: Int) -> [UInt8] {
    let mask = UInt((1 &<< bits) &- 1)
    var word: UInt = 0
    var filled = 0
    var next = 0
    return (0..<places).map { _ in
      if filled < bits {
        word |= UInt(bytes[next]) &<< UInt(filled)
        next &+= 1
        filled &+= 8
      }
      defer {
        word &>>= UInt(bits)
        filled &-= bits
      }
      return UInt8(truncatingIfNeeded: word & mask)
    }
  }
}
