import LintelStorage
import Synchronization

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
      inode.perform(.append(bytes))
      state.disk.lastWritten = inode
    }
  }

  func sync() throws(StorageError) {
    let fail: (inout SimulatedFileSystem.State) -> Void = { [inode] _ in inode.failSync() }
    try fileSystem.call(
      "sync", path, isChange: true, needsSpace: true, onFailure: fail
    ) { (state) throws(StorageError) in
      if !state.ignoresSync(path) { inode.sync() }
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
    try fileSystem.call("read", path) { (_) throws(StorageError) in
      let (end, overflow) = offset.addingReportingOverflow(count)
      guard offset >= 0, count >= 0, !overflow, end <= inode.visible.count else {
        throw StorageError(.corrupt, "the file ends before \(offset) + \(count)", path: path)
      }
      return Array(inode.visible[offset..<end])
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
