internal import CLZ4
internal import CZstd

/// LZ4 and zstd, with lengths checked on both sides.
package enum Compression {
  /// No decoder believes in more than this many raw bytes a compressed one, and no encoder stores more.
  static let maximumRatio = 255

  /// The LZ4 block of `bytes`; `nil` where it would be longer than `limit`.
  static func lz4(_ bytes: UnsafeRawBufferPointer, limit: Int, acceleration: Int32 = 1) -> [UInt8]? {
    guard bytes.count > 0, bytes.count <= Int(LZ4_MAX_INPUT_SIZE), limit > 0 else { return nil }
    let capacity = min(limit, Int(LZ4_compressBound(Int32(bytes.count))))
    let out = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
      count = target.withMemoryRebound(to: CChar.self) { target in
        let source = bytes.assumingMemoryBound(to: CChar.self)
        let written = LZ4_compress_fast(
          source.baseAddress, target.baseAddress, Int32(bytes.count), Int32(capacity), acceleration)
        return max(0, Int(written))
      }
    }
    return out.isEmpty || bytes.count / out.count >= maximumRatio ? nil : out
  }

  /// The zstd frame of `bytes`; `nil` where it would be longer than `limit`.
  package static func zstd(_ bytes: UnsafeRawBufferPointer, level: Int32, limit: Int) -> [UInt8]? {
    guard bytes.count > 0, limit > 0 else { return nil }
    let capacity = min(limit, ZSTD_compressBound(bytes.count))
    let out = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
      let written = ZSTD_compress(target.baseAddress, capacity, bytes.baseAddress, bytes.count, level)
      count = ZSTD_isError(written) == 0 ? written : 0
    }
    return out.isEmpty || bytes.count / out.count >= maximumRatio ? nil : out
  }

  /// `rawCount` bytes out of an LZ4 block.
  static func lz4Decoded(_ bytes: UnsafeRawBufferPointer, rawCount: Int) throws(ColumnError) -> [UInt8] {
    try checkRatio(bytes.count, rawCount)
    guard rawCount > 0 else { return [] }
    guard bytes.count <= Int(Int32.max), rawCount <= Int(Int32.max) else { throw mismatch(rawCount) }
    var written: Int32 = -1
    let out = [UInt8](unsafeUninitializedCapacity: rawCount) { target, count in
      target.withMemoryRebound(to: CChar.self) { target in
        let source = bytes.assumingMemoryBound(to: CChar.self)
        written = LZ4_decompress_safe(source.baseAddress, target.baseAddress, Int32(bytes.count), Int32(rawCount))
      }
      count = max(0, Int(written))
    }
    guard out.count == rawCount else { throw mismatch(rawCount) }
    return out
  }

  /// `rawCount` bytes out of a zstd frame.
  package static func zstdDecoded(_ bytes: UnsafeRawBufferPointer, rawCount: Int) throws(ColumnError) -> [UInt8] {
    try checkRatio(bytes.count, rawCount)
    guard rawCount > 0 else { return [] }
    let out = [UInt8](unsafeUninitializedCapacity: rawCount) { target, count in
      let written = ZSTD_decompress(target.baseAddress, rawCount, bytes.baseAddress, bytes.count)
      count = ZSTD_isError(written) == 0 ? written : 0
    }
    guard out.count == rawCount else { throw mismatch(rawCount) }
    return out
  }

  private static func checkRatio(_ count: Int, _ rawCount: Int) throws(ColumnError) {
    guard rawCount >= 0, rawCount / (maximumRatio + 1) <= count else {
      throw ColumnError(.malformed, "\(count) compressed bytes claim to hold \(rawCount)")
    }
  }

  private static func mismatch(_ rawCount: Int) -> ColumnError {
    ColumnError(.malformed, "compressed bytes don't expand to the \(rawCount) bytes they should")
  }
}
