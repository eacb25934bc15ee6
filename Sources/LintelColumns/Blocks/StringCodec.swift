/// Blocks of byte strings, and dictionaries of them.
///
///     strings     := byteCount:u32, integers (the length of each value), bytes
///     stringsLZ4  := byteCount:u32, storedCount:u32, integers, LZ4 block of the bytes
///     stringsZstd := byteCount:u32, storedCount:u32, integers, zstd frame of the bytes
///     templates   := see ``TemplateCodec``
///     lists       := see ``ListCodec``
enum StringCodec {
  /// Appends the body for the given values (in a block those of the valid rows).
  static func encodeBody(
    _ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer, effort: EncodingEffort, mayBeLists: Bool = true,
    into out: inout [UInt8]
  ) -> BlockEncoding {
    guard !lengths.isEmpty else { return .empty }
    let start = out.count
    guard effort != .light, let structured = encodeStructured(lengths, bytes, mayBeLists, into: &out) else {
      return encodeBytes(lengths, bytes, effort, into: &out)
    }
    let end = out.count
    // Both are written faster than bytes are decompressed, and compressing well takes long.
    if staysBelow(end - start, bytes) { return structured }
    let encoding = encodeBytes(lengths, bytes, effort, into: &out)
    if out.count - end >= end - start {
      out.removeSubrange(end...)
      return structured
    }
    out.removeSubrange(start..<end)
    return encoding
  }

  /// Appends the body as what the values are made of, where they are made of anything.
  private static func encodeStructured(
    _ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer, _ mayBeLists: Bool, into out: inout [UInt8]
  ) -> BlockEncoding? {
    if mayBeLists, ListCodec.encodeBody(lengths, bytes, into: &out) { return .lists }
    return TemplateCodec.encodeBody(lengths, bytes, into: &out) ? .templates : nil
  }

  private static func encodeBytes(
    _ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer, _ effort: EncodingEffort, into out: inout [UInt8]
  ) -> BlockEncoding {
    let (encoding, stored) = compress(bytes, count: lengths.count, effort)
    out.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
    if let stored { out.append(littleEndian: UInt32(truncatingIfNeeded: stored.count)) }
    let wide = lengths.map { Int64($0) }
    wide.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: effort, into: &out) }
    if let stored { out.append(contentsOf: stored) } else { out.append(contentsOf: bytes) }
    return encoding
  }

  /// Reads the body of `lengths.count` values: their lengths into `lengths`, and their bytes, which the lengths add up to.
  static func decodeBody(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, lengths: UnsafeMutableBufferPointer<UInt32>
  ) throws(ColumnError) -> [UInt8] {
    if encoding == .empty, lengths.isEmpty { return [] }
    if encoding == .templates { return try TemplateCodec.decodeBody(&reader, lengths: lengths) }
    if encoding == .lists { return try ListCodec.decodeBody(&reader, lengths: lengths) }
    let byteCount = Int(try reader.integer(UInt32.self))
    switch encoding {
    case .strings:
      try IntegerDecoder.decode(&reader, into: lengths)
      try check(lengths, byteCount)
      return [UInt8](try reader.take(byteCount))
    case .stringsLZ4, .stringsZstd:
      let storedCount = Int(try reader.integer(UInt32.self))
      try IntegerDecoder.decode(&reader, into: lengths)
      try check(lengths, byteCount)
      let stored = try reader.take(storedCount)
      if encoding == .stringsLZ4 { return try Compression.lz4Decoded(stored, rawCount: byteCount) }
      return try Compression.zstdDecoded(stored, rawCount: byteCount)
    default: throw ColumnError(.malformed, "byte strings can't be encoded as \(encoding.name)")
    }
  }

  /// How many bytes a body, of which the rest of the reader is all, says its values have; what it can't hold is refused.
  static func claimedByteCount(_ reader: inout ByteReader, of what: String) throws(ColumnError) -> Int {
    let size = reader.remaining
    let byteCount = Int(try reader.integer(UInt32.self))
    guard byteCount / (Compression.maximumRatio + 1) <= size else {
      throw ColumnError(.malformed, "\(size) bytes of \(what) claim to hold \(byteCount)")
    }
    return byteCount
  }

  static func check(_ lengths: UnsafeMutableBufferPointer<UInt32>, _ byteCount: Int) throws(ColumnError) {
    var total: UInt64 = 0
    for length in lengths { total &+= UInt64(length) }
    guard total == UInt64(byteCount) else {
      throw ColumnError(.malformed, "lengths of \(total) bytes for \(byteCount) bytes of strings")
    }
  }

  /// Bytes that aren't worth compressing come back `nil`.
  private static func compress(
    _ bytes: UnsafeRawBufferPointer, count: Int, _ effort: EncodingEffort
  ) -> (BlockEncoding, [UInt8]?) {
    guard bytes.count >= 64 else { return (.strings, nil) }
    let limit = bytes.count - bytes.count / 8
    if effort == .dense, let stored = Compression.zstd(bytes, level: 12, limit: limit) { return (.stringsZstd, stored) }
    if effort == .compact, let stored = Compression.zstd(bytes, level: 3, limit: limit) {
      // LZ4 decompresses several times faster, and stays where it comes within an eighth.
      guard let faster = Compression.lz4(bytes, limit: stored.count + stored.count / 8) else {
        return (.stringsZstd, stored)
      }
      return (.stringsLZ4, faster)
    }
    if prefersZstd(bytes, count: count), let stored = Compression.zstd(bytes, level: 1, limit: limit) {
      return (.stringsZstd, stored)
    }
    if let stored = Compression.lz4(bytes, limit: limit) { return (.stringsLZ4, stored) }
    return (.strings, nil)
  }

  /// Whether zstd saves a third over LZ4 on a piece out of the middle; only asked of long text.
  private static func prefersZstd(_ bytes: UnsafeRawBufferPointer, count: Int) -> Bool {
    guard bytes.count >= 4096, bytes.count / count >= 32 else { return false }
    let sample = middle(bytes)
    let length = sample.count
    guard let zstd = Compression.zstd(sample, level: 1, limit: length) else { return false }
    guard let lz4 = Compression.lz4(sample, limit: length) else { return true }
    return zstd.count * 3 < lz4.count * 2
  }
  /// Whether zstd brings a piece out of the middle to a worse ratio than `size` is of all bytes.
  private static func staysBelow(_ size: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let sample = middle(bytes)
    let least = Compression.zstd(sample, level: 1, limit: sample.count)?.count ?? sample.count
    return size * sample.count <= least * bytes.count
  }

  private static func middle(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let length = min(bytes.count, 16384)
    let start = (bytes.count - length) / 2
    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
  }
}

extension ByteStrings {
  /// The lengths of the values.
  var lengths: [UInt32] {
    [UInt32](unsafeUninitializedCapacity: count) { out, initialized in
      offsets.withUnsafeBufferPointer { offsets in
        for index in 0..<offsets.count &- 1 { out[index] = offsets[index &+ 1] &- offsets[index] }
      }
      initialized = offsets.count &- 1
    }
  }

  /// Calls `body` with the lengths and the bytes of the valid rows' values.
  func withValid<Result>(_ validity: Bitmap?, _ body: ([UInt32], UnsafeRawBufferPointer) -> Result) -> Result {
    guard let validity else { return bytes.withUnsafeBytes { body(lengths, $0) } }
    var kept: [UInt32] = []
    kept.reserveCapacity(validity.setCount)
    var total = 0
    validity.forEachSet { row in
      kept.append(UInt32(truncatingIfNeeded: length(row)))
      total &+= length(row)
    }
    // Builders leave null rows empty: then the bytes are those of the valid rows as they stand.
    if total == bytes.count { return bytes.withUnsafeBytes { body(kept, $0) } }
    var compacted: [UInt8] = []
    compacted.reserveCapacity(total)
    validity.forEachSet { compacted.append(contentsOf: bytes[range($0)]) }
    return compacted.withUnsafeBytes { body(kept, $0) }
  }
}
