internal import LintelColumns

/// Where a record of a shard's log begins, or the next one will.
public struct LogPosition: Sendable, Hashable, Comparable {
  public var segment: UInt64
  /// Bytes from the start of the segment file. 0 stands for its first record.
  public var offset: Int

  public init(segment: UInt64, offset: Int = 0) {
    self.segment = segment
    self.offset = offset
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.segment, left.offset) < (right.segment, right.offset)
  }
}

/// The bytes of the write-ahead log. Integers are little-endian.
///
///     segment := header record*
///     header  := magic (8 bytes "LINTLWAL") version u32 shard u32 segment u64 previous u64 checksum u32 zero u32
///     record  := headerChecksum u32, payloadChecksum u32, length u32, kind u8 (not 0), zero 3 bytes, payload (length bytes)
///
/// - `previous` is the number of the segment before this one, 0 for the first: a lost file is noticed.
/// - The header's checksum covers its first 32 bytes.
/// - `headerChecksum` covers length, kind, segment number, offset of the record in its file, and shard. So a length can be
///   trusted before the payload has been seen, and a record that belongs elsewhere (a stale block of the disk, a copied
///   file) isn't taken for one of this log.
/// - `payloadChecksum` covers the payload, seeded with `headerChecksum`.
///
/// Zero bytes are never a record: neither a hole nor a preallocated tail can be mistaken for one.
/// Segments are numbered from 1 upwards, in the order of writing; a number is never used twice.
enum LogFormat {
  static let magic: [UInt8] = Array("LINTLWAL".utf8)
  static let version: UInt32 = 1
  static let segmentHeaderSize = 40
  static let recordHeaderSize = 16
  /// A batch is far smaller. Keeps every length well inside what a file and an allocation can have.
  static let maximumPayload = 1 << 30

  static func fileName(_ segment: UInt64) -> String { padded(segment) + ".log" }

  /// The segment that a file of this name holds, if it is one.
  static func segment(_ fileName: String) -> UInt64? { number(fileName, suffix: ".log") }

  /// Twelve digits, so that names sort as numbers do.
  static func padded(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
  }

  /// The number in `<digits><suffix>`, if the name has exactly that form.
  static func number(_ name: String, prefix: String = "", suffix: String) -> UInt64? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count > prefix.utf8.count + suffix.utf8.count
    else { return nil }
    let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
    guard digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    guard let value = StoredNumber.counter(Substring(digits)), padded(value).utf8.elementsEqual(digits) else {
      return nil
    }
    return value
  }
}

/// The first bytes of a segment file.
struct LogSegmentHeader: Hashable {
  var shard: UInt32
  var segment: UInt64
  var previous: UInt64

  func encoded() -> [UInt8] {
    var bytes = LogFormat.magic
    bytes.append(contentsOf: repeatElement(0, count: LogFormat.segmentHeaderSize - bytes.count))
    bytes.withUnsafeMutableBytes { buffer in
      buffer.store(littleEndian: LogFormat.version, at: 8)
      buffer.store(littleEndian: shard, at: 12)
      buffer.store(littleEndian: segment, at: 16)
      buffer.store(littleEndian: previous, at: 24)
      let covered = UnsafeRawBufferPointer(rebasing: buffer.prefix(32))
      buffer.store(littleEndian: Checksum.crc32c(covered), at: 32)
    }
    return bytes
  }

  /// `nil` when the bytes aren't a whole and undamaged header.
  init?(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    guard bytes.count >= LogFormat.segmentHeaderSize, bytes.prefix(8).elementsEqual(LogFormat.magic) else { return nil }
    let covered = UnsafeRawBufferPointer(rebasing: bytes.prefix(32))
    guard bytes.littleEndian(UInt32.self, at: 32) == Checksum.crc32c(covered) else { return nil }
    let version = bytes.littleEndian(UInt32.self, at: 8)
    guard version == LogFormat.version else {
      throw StorageError(
        .incompatible, "the log has format \(version), this Lintel knows \(LogFormat.version): use a newer Lintel")
    }
    shard = bytes.littleEndian(UInt32.self, at: 12)
    segment = bytes.littleEndian(UInt64.self, at: 16)
    previous = bytes.littleEndian(UInt64.self, at: 24)
  }

  init(shard: UInt32, segment: UInt64, previous: UInt64) {
    self.shard = shard
    self.segment = segment
    self.previous = previous
  }
}

/// The fixed part of a record. Valid only at one offset of one segment.
struct LogRecordHeader {
  var headerChecksum: UInt32
  var payloadChecksum: UInt32
  var length: Int
  var kind: UInt8

  /// For writing: computes both checksums.
  init(_ payload: UnsafeRawBufferPointer, kind: UInt8, at position: LogPosition, shard: UInt32) {
    length = payload.count
    self.kind = kind
    headerChecksum = Self.checksum(length: UInt32(truncatingIfNeeded: length), kind: kind, position, shard)
    payloadChecksum = Checksum.crc32c(payload, seed: headerChecksum)
  }

  /// For reading: `nil` unless the bytes (at least ``LogFormat/recordHeaderSize``) are a header made for this place.
  init?(_ bytes: UnsafeRawBufferPointer, at position: LogPosition, shard: UInt32) {
    let word = bytes.littleEndian(UInt32.self, at: 12)
    // The cheap test first: looking for records behind damage comes here for every offset.
    guard word > 0, word <= 0xFF else { return nil }
    let length = bytes.littleEndian(UInt32.self, at: 8)
    guard length <= LogFormat.maximumPayload else { return nil }
    kind = UInt8(truncatingIfNeeded: word)
    self.length = Int(length)
    headerChecksum = bytes.littleEndian(UInt32.self, at: 0)
    payloadChecksum = bytes.littleEndian(UInt32.self, at: 4)
    guard headerChecksum == Self.checksum(length: length, kind: kind, position, shard) else { return nil }
  }

  func encode(into bytes: UnsafeMutableRawBufferPointer) {
    bytes.store(littleEndian: headerChecksum, at: 0)
    bytes.store(littleEndian: payloadChecksum, at: 4)
    bytes.store(littleEndian: UInt32(truncatingIfNeeded: length), at: 8)
    bytes.store(littleEndian: UInt32(kind), at: 12)
  }

  private static func checksum(length: UInt32, kind: UInt8, _ position: LogPosition, _ shard: UInt32) -> UInt32 {
    withUnsafeTemporaryAllocation(byteCount: 28, alignment: 8) { bytes in
      bytes.store(littleEndian: length, at: 0)
      bytes.store(littleEndian: UInt32(kind), at: 4)
      bytes.store(littleEndian: position.segment, at: 8)
      bytes.store(littleEndian: UInt64(truncatingIfNeeded: position.offset), at: 16)
      bytes.store(littleEndian: shard, at: 24)
      return Checksum.crc32c(UnsafeRawBufferPointer(bytes))
    }
  }
}
