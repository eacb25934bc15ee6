internal import LintelStorage
import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

final class SimulatedWritableFile: WritableFile {
  private let fileSystem: SimulatedFileSystem
  // Touched only under the file system's lock.
  private nonisolated(unsafe) let inode: SimulatedInode
  private let path: String

  init(_ fileSystem: SimulatedFileSystem, _ inode: SimulatedInode, _ path: String) {
    self.fileSystem = fileSystem
    self.inode = inode
    self.path = path
  }

  var length: Int { fileSystem.state.withLock { _ in inode.visible.count } }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    let bytes = Array(bytes)
    // A write that fails has written a part.
    let half: (inout SimulatedFileSystem.State) -> Void = { [inode] state in
      inode.perform(.append(Array(bytes.prefix(bytes.count / 2))))
      state.disk.lastWritten = inode
    }
    try fileSystem.call(
      "append", path, isChange: true, needsSpace: true, onFailure: half
    ) { (state) throws(StorageError) in
      state.disk.lastWritten = inode
      try bytes.span.bytes.withUnsafeBytes { (all) throws(StorageError) in
        try Transfers.write(all, to: path) { rest in
          let count = state.part(of: rest.count)
          if count > 0 { inode.perform(.append(Array(rest.prefix(count)))) }
          return count
        }
      }
    }
  }

  func sync() throws(StorageError) {
    let fail: (inout SimulatedFileSystem.State) -> Void = { [inode] _ in inode.failSync() }
    let site = CallSite.caller()
    try fileSystem.call(
      "sync", path, isChange: true, needsSpace: true, site: site, onFailure: fail
    ) { (state) throws(StorageError) in
      if !state.ignoresSync(path, site) { inode.sync() }
    }
  }

  func close() throws(StorageError) {
    try fileSystem.call("close", path) { (_) throws(StorageError) in }
  }
}

final class SimulatedReadableFile: ReadableFile {
  private let fileSystem: SimulatedFileSystem
  // Touched only under the file system's lock.
  private nonisolated(unsafe) let inode: SimulatedInode
  private let path: String

  init(_ fileSystem: SimulatedFileSystem, _ inode: SimulatedInode, _ path: String) {
    self.fileSystem = fileSystem
    self.inode = inode
    self.path = path
  }

  func size() throws(StorageError) -> Int {
    try fileSystem.call("size", path) { (_) throws(StorageError) in inode.visible.count }
  }

  func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    try fileSystem.call("read", path) { (state) throws(StorageError) in
      guard offset >= 0, count >= 0, count <= inode.visible.count else {
        throw Transfers.tooShort(offset, count, path)
      }
      var bytes = [UInt8](repeating: 0, count: count)
      var filled = 0
      var span = bytes.mutableSpan
      var raw = span.mutableBytes
      try raw.withUnsafeMutableBytes { (buffer) throws(StorageError) in
        try Transfers.read(buffer, at: offset, of: path, &filled) { rest, place in
          guard place < inode.visible.count else { return 0 }
          let count = state.part(of: min(rest.count, inode.visible.count - place))
          if count > 0 { rest.copyBytes(from: inode.visible[place..<place + count]) }
          return count
        }
      }
      state.misread(&bytes, at: offset, path)
      return bytes
    }
  }
}

final class SimulatedLock: FileLock {
  private let fileSystem: SimulatedFileSystem
  private let path: String

  init(_ fileSystem: SimulatedFileSystem, _ path: String) {
    self.fileSystem = fileSystem
    self.path = path
  }

  func release() { fileSystem.state.withLock { _ = $0.locks.remove(path) } }

  deinit { release() }
}

extension SimulatedFileSystem.State {
  /// How much of a transfer is done this time; -1 when a signal came first.
  mutating func part(of count: Int) -> Int {
    guard case .interrupt(let seed) = fault else { return count }
    if calls.count == 1 { dice = Dice(seed) }
    switch dice.below(4) {
    case 0:
      errno = EINTR
      return -1
    case 1: return 1 + dice.below(count)
    default: return count
    }
  }

  /// What a failing device makes of bytes that were read.
  func misread(_ bytes: inout [UInt8], at offset: Int, _ path: String) {
    guard case .misread(let at, let misread) = fault, calls.count - 1 == at, !bytes.isEmpty else { return }
    switch misread {
    case .flippedBit(let seed):
      var dice = Dice(seed)
      bytes[dice.below(bytes.count)] ^= 1 << UInt8(dice.below(8))
    case .misdirected(let seed):
      // The same place of another file of the kind, if there is one; else another place of this one.
      var dice = Dice(seed)
      let kind = path.suffix(5)
      let others = disk.visible.filter { $0.key != path && $0.key.hasSuffix(kind) }.sorted { $0.key < $1.key }
      guard !others.isEmpty, case .file(let other) = others[dice.below(others.count)].value else {
        bytes.reverse()
        return
      }
      for index in bytes.indices {
        bytes[index] = offset + index < other.visible.count ? other.visible[offset + index] : 0
      }
    }
  }
}
