internal import LintelColumns

/// The layout of a part: one immutable file that holds the rows of one table, shard and stretch of time.
///
/// A part is written once from front to back, and read by ranges from its end. In the grammar `u32` and `u64` are
/// little-endian, `varint` is LEB128, `zigzag` a varint of `(n << 1) ^ (n >> 63)`, `string` a varint length and UTF-8.
///
///     part       := header chunk* directory trailer
///     header     := "LNTLPART" version:u32 0:u32                                                16 bytes
///     chunk      := block | dictionary | filters | index
///     trailer    := directory offset:u64, directory length:u64, version:u32, checksum:u32, "LNTLPEND"    32 bytes
///
/// The chunks of a column follow each other: its blocks in row order without gaps, then its dictionary and its filters, if
/// it has them, then its index. A reader takes nothing of that for granted: the directory says where each chunk lies.
///
/// `checksum` is the CRC32C of the directory and of the trailer's first 20 bytes. It also stands in the manifest, so
/// that a swapped, stale or zero-filled file is noticed. The directory holds the checksum of every dictionary, index
/// and column's filters, an index that of every block: what the manifest vouches for covers the whole file.
///
/// What a block and a dictionary contain is ``BlockCodec``'s and ``DictionaryCodec``'s; directory, index and filters are
/// described at ``PartDirectory``, ``BlockIndex`` and ``BlockFilters``.
enum PartFormat {
  // On-disk constants: never to change.
  static let headerMagic = Array("LNTLPART".utf8)
  static let trailerMagic = Array("LNTLPEND".utf8)
  static let version: UInt32 = 1
  static let headerLength = 16
  static let trailerLength = 32
  /// Bytes of the trailer that its checksum covers.
  static let trailerChecked = 20

  /// Above this many rows a part is not written: positions within a part are 32 bits wide.
  static let maximumRows = Int(UInt32.max)
  static let maximumBlockRows = 1 << 20
  static let maximumColumns = 1 << 16
  /// Dynamic columns with blocks of their own; the rarer keys share the tail column.
  static let maximumAttributeColumns = 1000

  static func header() -> [UInt8] {
    var writer = PartBytesWriter()
    writer.bytes = headerMagic
    writer.fixed(version)
    writer.fixed(UInt32(0))
    return writer.bytes
  }

  static func trailer(directory: [UInt8], at offset: Int) -> (bytes: [UInt8], checksum: UInt32) {
    var writer = PartBytesWriter()
    writer.fixed(UInt64(offset))
    writer.fixed(UInt64(directory.count))
    writer.fixed(version)
    let sum = checksum(directory: directory, trailerFields: writer.bytes)
    writer.fixed(sum)
    writer.bytes.append(contentsOf: trailerMagic)
    return (writer.bytes, sum)
  }

  static func checksum(directory: [UInt8], trailerFields: [UInt8]) -> UInt32 {
    let first = directory.withUnsafeBytes { Checksum.crc32c($0) }
    return trailerFields.withUnsafeBytes { Checksum.crc32c($0, seed: first) }
  }
}

/// Where a chunk lies in its file, and what its bytes must sum to.
struct PartChunk: Sendable, Hashable {
  var offset: Int
  var length: Int
  var checksum: UInt32

  var end: Int { offset + length }
}
