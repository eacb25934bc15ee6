@testable import LintelStorage
import Glibc
import Synchronization

/// A file system in memory, as far as reading parts, logs and backups needs one. Directories are what files are in.
final class MemoryFiles: FileSystem {
  private let files: Mutex<[String: [UInt8]]>

  init(_ files: [String: [UInt8]]) { self.files = Mutex(files) }

  private func missing(_ path: String) -> StorageError {
    StorageError(.io, "no such file", path: path, errorNumber: ENOENT)
  }

  func create(_ path: String, isPrivate: Bool) throws(StorageError) -> any WritableFile {
    files.withLock { $0[path] = [] }
    return MemoryWriter(self, path)
  }

  func open(_ path: String) throws(StorageError) -> any ReadableFile {
    guard let bytes = files.withLock({ $0[path] }) else { throw missing(path) }
    return MemoryFile(bytes)
  }

  func reopen(_ path: String, length: Int) throws(StorageError) -> any WritableFile { throw missing(path) }

  func rename(_ from: String, to: String) throws(StorageError) {
    guard let bytes = files.withLock({ $0.removeValue(forKey: from) }) else { throw missing(from) }
    files.withLock { $0[to] = bytes }
  }

  func remove(_ path: String) throws(StorageError) {
    guard files.withLock({ $0.removeValue(forKey: path) }) != nil else { throw missing(path) }
  }

  func link(_ from: String, to: String) throws(StorageError) -> Bool { false }

  func removeDirectory(_ path: String) throws(StorageError) {}

  func isDirectory(_ path: String) throws(StorageError) -> Bool { false }

  func list(_ directory: String) throws(StorageError) -> [String] {
    let beginning = Array((directory + "/").utf8)
    let names = files.withLock { files in
      files.keys.filter { $0.utf8.starts(with: beginning) }.map { path in
        String(decoding: path.utf8.dropFirst(beginning.count).prefix { $0 != UInt8(ascii: "/") }, as: UTF8.self)
      }
    }
    return Array(Set(names))
  }

  func exists(_ path: String) throws(StorageError) -> Bool { files.withLock { $0[path] != nil } }

  func isPrivate(_ path: String) throws(StorageError) -> Bool { true }

  func createDirectory(_ path: String) throws(StorageError) {}

  func syncDirectory(_ path: String) throws(StorageError) {}

  func lock(_ path: String) throws(StorageError) -> any FileLock { throw missing(path) }

  func freeSpace(_ path: String) throws(StorageError) -> Int { 1 << 40 }

  fileprivate func append(_ bytes: UnsafeRawBufferPointer, to path: String) {
    files.withLock { $0[path, default: []] += Array(bytes) }
  }

  fileprivate func length(_ path: String) -> Int { files.withLock { $0[path]?.count ?? 0 } }
}

private final class MemoryWriter: WritableFile {
  private let files: MemoryFiles
  private let path: String

  init(_ files: MemoryFiles, _ path: String) {
    self.files = files
    self.path = path
  }

  var length: Int { files.length(path) }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) { files.append(bytes, to: path) }

  func sync() throws(StorageError) {}

  func close() throws(StorageError) {}
}

final class MemoryFile: ReadableFile {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func size() throws(StorageError) -> Int { bytes.count }

  func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw StorageError(.corrupt, "the file is shorter")
    }
    return Array(bytes[offset..<offset + count])
  }
}
