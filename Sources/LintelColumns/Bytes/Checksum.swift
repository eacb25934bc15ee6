internal import CLintelKernels

/// CRC32C (Castagnoli), which guards every block, footer and log record.
public enum Checksum {
  private static let hasInstructions = lintel_has_crc32c() != 0

  /// The CRC32C of `bytes`; with `seed` the CRC of what came before, that of both together.
  public static func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    guard hasInstructions else { return crc32cPortable(bytes, seed: seed) }
    guard let base = bytes.baseAddress else { return seed }
    return lintel_crc32c(seed, base, bytes.count)
  }

  /// The same for an array.
  public static func crc32c(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { crc32c($0, seed: seed) }
  }

  /// Eight table look-ups for eight bytes; for machines without the instructions, and to test the kernel against.
  static func crc32cPortable(_ bytes: UnsafeRawBufferPointer, seed: UInt32) -> UInt32 {
    tables.withUnsafeBufferPointer { table in
      var crc = ~seed
      var offset = 0
      while bytes.count &- offset >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for index in 0..<8 {
          let byte = Int(truncatingIfNeeded: word &>> UInt64(8 &* index) & 0xFF)
          crc ^= table[(7 &- index) &* 256 &+ byte]
        }
        offset &+= 8
      }
      while offset < bytes.count {
        crc = crc &>> 8 ^ table[Int(truncatingIfNeeded: (crc ^ UInt32(bytes[offset])) & 0xFF)]
        offset &+= 1
      }
      return ~crc
    }
  }

  /// Eight tables of 256: `tables[256 * k + b]` is the CRC of byte `b` followed by `k` zero bytes.
  private static let tables: [UInt32] = {
    let polynomial: UInt32 = 0x82F6_3B78
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ polynomial : crc >> 1 }
      tables[byte] = crc
    }
    for index in 256..<tables.count {
      let previous = tables[index - 256]
      tables[index] = previous >> 8 ^ tables[Int(previous & 0xFF)]
    }
    return tables
  }()
}
