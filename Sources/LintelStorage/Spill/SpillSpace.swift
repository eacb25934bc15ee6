internal import LintelColumns
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Room on disk for what queries can't hold in memory.
///
/// Files have no name from before their first byte on: they are made, opened and removed at once, so that what is in them
/// goes with the query, or with the process, however that ends.
public final class SpillSpace: Sendable {
  /// The directory; made when it is first needed, for the owner's eyes alone.
  public let directory: String
  /// Bytes that all files together may take.
  public let limit: Int
  private let fileSystem: any FileSystem
  private let state = Mutex(State())

  /// So much stays free on the device: the log must have room, or the store takes no more spans.
  static let spareBytes = 256 << 20
  /// Bytes between two questions for the free space.
  private static let checkInterval = 16 << 20

  private struct State {
    var used = 0
    var total = 0
    var files = 0
    var isReady = false
    var checkedAt = Int.min
  }

  public init(directory: String, limit: Int, fileSystem: any FileSystem) {
    self.directory = directory
    self.limit = limit
    self.fileSystem = fileSystem
  }

  /// Bytes in files now.
  public var used: Int { state.withLock { $0.used } }

  /// Bytes written since the start.
  public var total: Int { state.withLock { $0.total } }

  /// Removes what the file system kept of a process that was killed. For the one that owns the directory alone.
  public func removeLeftovers() throws(StorageError) {
    for name in try fileSystem.list(directory) where name.hasSuffix(Self.suffix) {
      try fileSystem.removeIfPresent("\(directory)/\(name)")
    }
  }

  private static let suffix = ".spill"

  /// A new, empty file.
  public func makeFile() throws(StorageError) -> SpillFile {
    let number = try state.withLock { (state) throws(StorageError) in
      if !state.isReady { try fileSystem.createPrivateDirectory(directory) }
      state.isReady = true
      state.files += 1
      return state.files
    }
    // Several processes may read a store, each with files of its own.
    let path = "\(directory)/\(getpid())-\(number)-\(UInt32.random(in: .min ... .max))\(Self.suffix)"
    let writer = try fileSystem.create(path, isPrivate: true)
    do throws(StorageError) {
      let reader = try fileSystem.open(path)
      try fileSystem.remove(path)
      return SpillFile(self, writer, reader)
    } catch {
      try? fileSystem.removeIfPresent(path)
      throw error
    }
  }

  fileprivate func take(_ bytes: Int) throws(StorageError) {
    let mustCheck = try state.withLock { (state) throws(StorageError) in
      guard bytes <= limit - state.used else {
        throw StorageError(
          .overloaded, "queries have \(state.used >> 20) MiB on disk, of \(limit >> 20) MiB that they may",
          path: directory)
      }
      state.used += bytes
      state.total += bytes
      guard state.total &- Self.checkInterval >= state.checkedAt else { return false }
      state.checkedAt = state.total
      return true
    }
    guard mustCheck else { return }
    do throws(StorageError) {
      guard try fileSystem.freeSpace(directory) >= Self.spareBytes + bytes else {
        throw StorageError(
          .diskFull, "less than \(Self.spareBytes >> 20) MiB are free, which are kept for new spans", path: directory)
      }
    } catch {
      state.withLock { $0.checkedAt = .min }
      giveBack(bytes)
      throw error
    }
  }

  fileprivate func giveBack(_ bytes: Int) { state.withLock { $0.used -= bytes } }
}

/// A file of a query's. What is appended to it is read back by its extent, and checked.
public final class SpillFile: Sendable {
  public struct Extent: Sendable {
    let offset: Int
    let checksum: UInt32
    public let byteCount: Int
  }

  private let space: SpillSpace
  private let writer: any WritableFile
  private let reader: any ReadableFile
  /// Bytes taken of the space.
  private let taken = Mutex(0)

  fileprivate init(_ space: SpillSpace, _ writer: any WritableFile, _ reader: any ReadableFile) {
    self.space = space
    self.writer = writer
    self.reader = reader
  }

  deinit { space.giveBack(taken.withLock { $0 }) }

  /// May be called by several threads at one time.
  public func append(_ bytes: [UInt8]) throws(StorageError) -> Extent {
    let checksum = Checksum.crc32c(bytes)
    try space.take(bytes.count)
    return try taken.withLock { (taken) throws(StorageError) in
      taken += bytes.count
      // After a failed append the file may be longer than what was taken.
      let offset = writer.length
      try writer.append(bytes)
      return Extent(offset: offset, checksum: checksum, byteCount: bytes.count)
    }
  }

  public func read(_ extent: Extent) throws(StorageError) -> [UInt8] {
    let bytes = try reader.read(at: extent.offset, count: extent.byteCount)
    guard Checksum.crc32c(bytes) == extent.checksum else {
      throw StorageError(.corrupt, "\(extent.byteCount) bytes at \(extent.offset) of a query's file are damaged")
    }
    return bytes
  }
}
