/// One part of the store, as the manifest lists it.
public struct PartEntry: Sendable, Hashable {
  /// Unique in the store, never used twice.
  public var number: UInt64
  public var table: String
  public var shard: Int
  /// How many merges made it: 0 for a flushed memtable.
  public var level: Int
  /// Path relative to the data directory, such as `hot/000000000017.part`; the folder is the part's ``tier``, and may be a
  /// directory elsewhere (``Manifest/volumes``).
  public var fileName: String
  public var rowCount: Int
  public var fileBytes: Int
  /// Bytes of the rows before encoding.
  public var rawBytes: Int
  /// Bounds of the time column.
  public var minTime: Int64
  public var maxTime: Int64
  /// When the newest row came, or a moment later, in nanoseconds since 1970.
  public var arrived: Int64
  /// CRC32C of the file's footer: a swapped, stale or zeroed file is noticed.
  public var footerChecksum: UInt32
  /// Found damaged: kept on disk, left out of snapshots and merges.
  public var isQuarantined: Bool

  public init(
    number: UInt64, table: String, shard: Int, level: Int, fileName: String, rowCount: Int, fileBytes: Int,
    rawBytes: Int, minTime: Int64, maxTime: Int64, arrived: Int64, footerChecksum: UInt32,
    isQuarantined: Bool = false
  ) {
    self.number = number
    self.table = table
    self.shard = shard
    self.level = level
    self.fileName = fileName
    self.rowCount = rowCount
    self.fileBytes = fileBytes
    self.rawBytes = rawBytes
    self.minTime = minTime
    self.maxTime = maxTime
    self.arrived = arrived
    self.footerChecksum = footerChecksum
    self.isQuarantined = isQuarantined
  }
}

/// One content segment of the store, as the manifest lists it.
public struct ContentEntry: Sendable, Hashable {
  /// Unique in the store, never used twice; parts are numbered with the same numbers.
  public var number: UInt64
  public var shard: Int
  /// Path relative to the data directory, such as `content/000000000017.content`.
  public var fileName: String
  public var pieceCount: Int
  public var fileBytes: Int
  /// Bytes of the pieces before compression.
  public var rawBytes: Int
  /// How many segments of the log's it was put together from, in how many steps: 0 for a flushed one.
  public var level: Int
  /// CRC32C of the file's trailer.
  public var checksum: UInt32

  public init(
    number: UInt64, shard: Int, fileName: String, pieceCount: Int, fileBytes: Int, rawBytes: Int, level: Int,
    checksum: UInt32
  ) {
    self.number = number
    self.shard = shard
    self.fileName = fileName
    self.pieceCount = pieceCount
    self.fileBytes = fileBytes
    self.rawBytes = rawBytes
    self.level = level
    self.checksum = checksum
  }
}

/// What the store consists of at one moment: the parts, the content that their rows refer to, and from where on the log is needed beside them.
///
/// Every row that was acknowledged is in exactly one live part, or in a log segment from its shard's floor on.
public struct Manifest: Sendable, Hashable {
  /// Grows by one with every published manifest.
  public var sequence: UInt64
  public var nextPartNumber: UInt64
  /// Per shard, the first log segment that is still needed; 0 as long as none has become obsolete.
  public var logFloors: [UInt64]
  public var parts: [PartEntry]
  /// Content segments. What rows of parts refer to is in one of them.
  public var content: [ContentEntry] = []
  /// Per shard, a number above every id that pieces of content have had; empty as long as there was none.
  public var nextContent: [UInt64] = []
  /// No part holds rows of erasures that were asked for up to this number of the rules (``StoreRules/sequence``).
  public var erased: UInt64 = 0
  /// Where the parts of a tier lie that has a directory outside the data directory.
  public var volumes: [Tier: String] = [:]

  public init(sequence: UInt64, nextPartNumber: UInt64, logFloors: [UInt64], parts: [PartEntry]) {
    self.sequence = sequence
    self.nextPartNumber = nextPartNumber
    self.logFloors = logFloors
    self.parts = parts
  }

  /// The manifest of a new store.
  public static func empty(shardCount: Int) -> Manifest {
    Manifest(sequence: 0, nextPartNumber: 1, logFloors: Array(repeating: 0, count: shardCount), parts: [])
  }

  public var shardCount: Int { logFloors.count }
}
