internal import LintelColumns

/// Looks for keys in bytes: as 16 bytes in either order, and in hexadecimal digits.
///
/// At each place the first four bytes are looked up in a table of bits, which lets few places pass however many keys there are;
/// for those the first eight tell which patterns to compare.
struct ByteScan {
  /// By their first eight bytes.
  private var patterns: [UInt64: [[UInt8]]] = [:]
  /// A bit for each hash of a pattern's first four bytes.
  private var starts: [UInt64] = []
  private static let shortest = 16
  private static let longest = 32
  private static let hashBits: UInt32 = 20
  private static let windowBytes = 4 << 20

  init(_ keys: [UInt128]) {
    guard !keys.isEmpty else { return }
    starts = Array(repeating: 0, count: 1 << (Self.hashBits - 6))
    for key in keys {
      let bytes = key.bigEndianBytes
      let digits = RulesCodec.hex(key)
      for pattern in [bytes, bytes.reversed(), Array(digits.utf8), Array(digits.uppercased().utf8)] { add(pattern) }
    }
  }

  private mutating func add(_ pattern: [UInt8]) {
    let (place, word) = pattern.withUnsafeBytes { (Self.place($0, 0), Self.word($0, 0)) }
    starts[place >> 6] |= 1 << UInt64(place & 63)
    if patterns[word]?.contains(pattern) ?? false { return }
    patterns[word, default: []].append(pattern)
  }

  func finds(in file: any ReadableFile, size: Int) throws(StorageError) -> Bool {
    guard !patterns.isEmpty else { return false }
    var offset = 0
    while offset < size {
      let count = min(Self.windowBytes, size - offset)
      let bytes = try file.read(at: offset, count: count)
      if finds(in: bytes) { return true }
      if offset + count >= size { break }
      // Patterns may lie over the seam.
      offset += count - Self.longest
    }
    return false
  }

  func finds(in bytes: [UInt8]) -> Bool {
    guard bytes.count >= Self.shortest, !patterns.isEmpty else { return false }
    return bytes.withUnsafeBytes { bytes in
      starts.withUnsafeBufferPointer { starts in
        for offset in 0...(bytes.count &- Self.shortest) {
          let place = Self.place(bytes, offset)
          if starts[place &>> 6] &>> UInt64(place & 63) & 1 != 0, isPattern(bytes, at: offset) { return true }
        }
        return false
      }
    }
  }

  /// - Parameter offset: At least 16 bytes from the end.
  private func isPattern(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    guard let candidates = patterns[Self.word(bytes, offset)] else { return false }
    return candidates.contains { pattern in
      offset + pattern.count <= bytes.count && bytes[offset..<offset + pattern.count].elementsEqual(pattern)
    }
  }

  @inline(__always)
  private static func place(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
    let start = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return Int(truncatingIfNeeded: (start &* 0x9E37_79B1) &>> (32 - hashBits))
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }
}
