internal import LintelColumns

/// The layout of a content segment: one immutable file that holds pieces of one shard.
///
///     segment   := header group* list directory trailer
///     header    := "LNTLCNTS" version:u32 0:u32                                                   16 bytes
///     group     := table, bytes                   compressed where that pays; pieces ascending by id
///     table     := count:varint (id:varint length:varint)*      the first id, then each one's distance to the one before
///     list      := id:varint*, digest*            of all pieces in their order: the first id, then each one's distance to
///                                                 the one before; 16 bytes a digest, the highest first
///     directory := pieces:varint rawBytes:varint list length:varint groups:varint group*
///     group     := first id:varint, last id less that:varint, stored length:varint, raw length:varint, encoding:u8,
///                  checksum:u32                   in the order of the file; the first lies behind the header
///     trailer   := directory offset:u64, directory length:u64, the list's checksum:u32, version:u32, checksum:u32,
///                  "LNTLCNTE"                     36 bytes
///
/// `encoding` is 0 for bytes as they are and 1 for a zstd frame. `checksum` is a CRC32C: of a group's stored bytes; in the
/// trailer of the directory and of the trailer's first 24 bytes. The trailer's also stands in the manifest. A piece is
/// fetched by reading one group.
enum ContentFormat {
  // On-disk constants: never to change.
  static let headerMagic = Array("LNTLCNTS".utf8)
  static let trailerMagic = Array("LNTLCNTE".utf8)
  static let version: UInt32 = 1
  static let headerLength = 16
  static let trailerLength = 36
  static let trailerChecked = 24
  static let digestLength = 16

  static var header: [UInt8] {
    var header = PartBytesWriter()
    header.bytes = headerMagic
    header.fixed(version)
    header.fixed(UInt32(0))
    return header.bytes
  }

  enum Encoding: UInt8 {
    case plain = 0
    case zstd = 1
  }

  static let maximumPieces = 1 << 28

  /// A group as the directory lists it.
  struct Group: Sendable, Hashable {
    var first: UInt64
    var last: UInt64
    var offset: Int
    var length: Int
    var rawLength: Int
    var encoding: Encoding
    var checksum: UInt32
  }
}

/// What has been written of a segment.
struct ContentSummary: Sendable, Hashable {
  var pieces = 0
  /// Of the pieces, before compression.
  var rawBytes = 0
  var length = 0
  var checksum: UInt32 = 0
}

/// Writes a content segment from pieces that come ascending by id.
struct ContentWriter {
  private let file: any WritableFile
  private let groupBytes: Int
  private let level: Int32
  private var groups: [ContentFormat.Group] = []
  private var list = PartBytesWriter()
  private var digests: [UInt8] = []
  private var summary = ContentSummary()
  private var offset = ContentFormat.headerLength
  // The group at hand.
  private var table = PartBytesWriter()
  private var bytes: [UInt8] = []
  private var count = 0
  private var first: UInt64 = 0
  private var last: UInt64 = 0

  /// - Parameters:
  ///   - groupBytes: A group is closed when it holds so many.
  ///   - level: zstd's.
  init(_ file: any WritableFile, groupBytes: Int, level: Int32) throws(StorageError) {
    self.file = file
    self.groupBytes = groupBytes
    self.level = level
    try file.append(ContentFormat.header)
  }

  mutating func append(_ piece: ContentPiece) throws(StorageError) {
    precondition(summary.pieces == 0 || piece.id > last, "pieces are written in the order of their ids")
    if count == 0 { first = piece.id }
    table.varint(count == 0 ? piece.id : piece.id - last)
    table.count(piece.bytes.count)
    bytes.append(contentsOf: piece.bytes)
    list.varint(piece.id - last)
    digests += piece.digest.bigEndianBytes
    last = piece.id
    count += 1
    summary.pieces += 1
    summary.rawBytes += piece.bytes.count
    if bytes.count >= groupBytes { try closeGroup() }
  }

  /// Takes over a group of another segment as it is.
  /// - Parameter list: Its pieces' ids and digests.
  mutating func append(
    _ group: ContentFormat.Group, stored: [UInt8], of pieces: ArraySlice<(id: UInt64, digest: UInt128)>
  ) throws(StorageError) {
    try closeGroup()
    precondition(summary.pieces == 0 || group.first > last, "groups are written in the order of their ids")
    var copy = group
    copy.offset = offset
    groups.append(copy)
    for (id, digest) in pieces {
      list.varint(id - last)
      digests += digest.bigEndianBytes
      last = id
    }
    summary.pieces += pieces.count
    // The table's bytes count as pieces' here: it is what shows, not what is gone by.
    summary.rawBytes += group.rawLength
    try file.append(stored)
    offset += stored.count
  }

  private mutating func closeGroup() throws(StorageError) {
    guard count > 0 else { return }
    var raw = PartBytesWriter()
    raw.bytes.reserveCapacity(bytes.count + table.bytes.count + 8)
    raw.count(count)
    raw.bytes += table.bytes
    raw.bytes += bytes
    let compressed = raw.bytes.withUnsafeBytes { Compression.zstd($0, level: level, limit: $0.count - $0.count / 8) }
    let stored = compressed ?? raw.bytes
    groups.append(
      ContentFormat.Group(
        first: first, last: last, offset: offset, length: stored.count, rawLength: raw.bytes.count,
        encoding: compressed == nil ? .plain : .zstd, checksum: Checksum.crc32c(stored)))
    try file.append(stored)
    offset += stored.count
    table.bytes.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
    count = 0
  }

  /// Writes the rest and syncs.
  mutating func finish() throws(StorageError) -> ContentSummary {
    try closeGroup()
    list.bytes += digests
    try file.append(list.bytes)
    offset += list.bytes.count
    var directory = PartBytesWriter()
    directory.count(summary.pieces)
    directory.count(summary.rawBytes)
    directory.count(list.bytes.count)
    directory.count(groups.count)
    for group in groups {
      directory.varint(group.first)
      directory.varint(group.last - group.first)
      directory.count(group.length)
      directory.count(group.rawLength)
      directory.fixed(group.encoding.rawValue)
      directory.fixed(group.checksum)
    }
    var trailer = PartBytesWriter()
    trailer.fixed(UInt64(offset))
    trailer.fixed(UInt64(directory.bytes.count))
    trailer.fixed(Checksum.crc32c(list.bytes))
    trailer.fixed(ContentFormat.version)
    let checksum = PartFormat.checksum(directory: directory.bytes, trailerFields: trailer.bytes)
    trailer.fixed(checksum)
    trailer.bytes += ContentFormat.trailerMagic
    try file.append(directory.bytes)
    try file.append(trailer.bytes)
    try file.sync()
    summary.length = file.length
    summary.checksum = checksum
    try file.close()
    return summary
  }
}
