internal import LintelColumns

/// The digests of the rows of finished log segments, kept in a file when the segments go: a batch that is retried after a
/// restart is still recognised.
///
/// `wal/shard-NNNN/recent-<segment>.ids`, little-endian:
///
///     file := magic (8 bytes "LINTLIDS") version u32 zero u32 segment u64 time i64 count u64 digest (16 bytes)* checksum u32
///
/// `segment` is the last finished segment that is covered, `time` when it was finished (nanoseconds since 1970), and the
/// checksum (CRC32C) covers everything before it.
public struct SealedDigests: Sendable, Hashable {
  public let segment: UInt64
  public let time: Int64
  public let digests: [UInt128]

  static let magic: [UInt8] = Array("LINTLIDS".utf8)
  static let version: UInt32 = 1
  static let headerSize = 40

  /// Joins what several finished segments of one flush hold.
  public func joined(with later: SealedDigests) -> SealedDigests {
    SealedDigests(segment: later.segment, time: later.time, digests: digests + later.digests)
  }

  /// Writes the file durably. To be called before the manifest is published that makes the segments obsolete.
  public func persist(to directory: String, fileSystem: any FileSystem) throws(StorageError) {
    let path = "\(directory)/\(Self.fileName(segment))"
    try fileSystem.writeDurably(encoded(), to: path, temporary: path + ".tmp", in: directory)
  }

  /// Reads the files of a log directory, oldest first, leaving out those older than the window.
  ///
  /// A damaged file costs no row, only the recognition of some retries: it is reported in `problems` and left out.
  public static func load(
    _ directory: String, fileSystem: any FileSystem, notBefore time: Int64
  ) throws(StorageError) -> (files: [SealedDigests], problems: [StorageError]) {
    var files: [SealedDigests] = []
    var problems: [StorageError] = []
    for segment in try segments(directory, fileSystem) {
      let path = "\(directory)/\(fileName(segment))"
      do throws(StorageError) {
        let file = try decode(try fileSystem.readAll(path, limit: 1 << 30), path: path)
        if file.time >= time { files.append(file) }
      } catch {
        guard error.code == .corrupt || error.code == .incompatible else { throw error }
        problems.append(error)
      }
    }
    return (files, problems)
  }

  /// Removes the files whose rows are older than the window, and unreadable ones.
  public static func removeExpired(
    _ directory: String, fileSystem: any FileSystem, before time: Int64
  ) throws(StorageError) {
    for segment in try segments(directory, fileSystem) {
      let path = "\(directory)/\(fileName(segment))"
      let file = try fileSystem.open(path)
      let header = try file.read(at: 0, count: min(headerSize, try file.size()))
      let written = header.count == headerSize ? header.withUnsafeBytes { $0.littleEndian(Int64.self, at: 24) } : .min
      if written < time { try fileSystem.remove(path) }
    }
  }

  private static func fileName(_ segment: UInt64) -> String { "recent-\(LogFormat.padded(segment)).ids" }

  private static func segments(
    _ directory: String, _ fileSystem: any FileSystem
  ) throws(StorageError) -> [UInt64] {
    try fileSystem.list(directory).compactMap { LogFormat.number($0, prefix: "recent-", suffix: ".ids") }.sorted()
  }
}

extension SealedDigests {
  func encoded() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.headerSize + digests.count * 16 + 4)
    bytes.withUnsafeMutableBytes { buffer in
      buffer.copyBytes(from: Self.magic)
      buffer.store(littleEndian: Self.version, at: 8)
      buffer.store(littleEndian: segment, at: 16)
      buffer.store(littleEndian: time, at: 24)
      buffer.store(littleEndian: UInt64(digests.count), at: 32)
      for (index, digest) in digests.enumerated() {
        buffer.store(littleEndian: digest, at: Self.headerSize + index * 16)
      }
      let covered = UnsafeRawBufferPointer(rebasing: buffer.dropLast(4))
      buffer.store(littleEndian: Checksum.crc32c(covered), at: covered.count)
    }
    return bytes
  }

  static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> SealedDigests {
    let damaged = StorageError(
      .corrupt, "the list of recent rows is damaged: retries of older batches may be stored twice", path: path)
    guard bytes.count >= headerSize + 4 else { throw damaged }
    return try bytes.span.bytes.withUnsafeBytes { (buffer) throws(StorageError) in
      let covered = UnsafeRawBufferPointer(rebasing: buffer.dropLast(4))
      guard buffer.starts(with: magic), buffer.littleEndian(UInt32.self, at: covered.count) == Checksum.crc32c(covered)
      else { throw damaged }
      guard buffer.littleEndian(UInt32.self, at: 8) == version else {
        throw StorageError(.incompatible, "the list of recent rows was written by a newer Lintel", path: path)
      }
      let count = (covered.count - headerSize) / 16
      guard buffer.littleEndian(UInt64.self, at: 32) == UInt64(count), covered.count == headerSize + count * 16 else {
        throw damaged
      }
      return SealedDigests(
        segment: buffer.littleEndian(UInt64.self, at: 16), time: buffer.littleEndian(Int64.self, at: 24),
        digests: (0..<count).map { buffer.littleEndian(UInt128.self, at: headerSize + $0 * 16) })
    }
  }
}
