/// Every call Lintel makes to the outside world's files. One implementation is POSIX; the tests have one that crashes.
///
/// Paths are absolute or relative to the process, `/`-separated. All calls block: the engine makes them on threads of its
/// own. Implementations retry `EINTR` and short reads and writes themselves.
public protocol FileSystem: Sendable {
  /// Creates a new file for appending. Fails when it exists. Files hold what people said: they are readable by their owner
  /// alone (0600, less what the process's mask takes away). Of a private one, a key, ``isPrivate(_:)`` makes sure.
  func create(_ path: String, isPrivate: Bool) throws(StorageError) -> any WritableFile
  /// Opens an existing file for reading.
  func open(_ path: String) throws(StorageError) -> any ReadableFile
  /// Opens an existing file for appending after cutting it to `length` bytes.
  func reopen(_ path: String, length: Int) throws(StorageError) -> any WritableFile
  /// Atomically gives a file a new name, replacing what had it. Durable after ``syncDirectory(_:)``.
  func rename(_ from: String, to: String) throws(StorageError)
  func remove(_ path: String) throws(StorageError)
  /// Gives a file a second name. Durable after ``syncDirectory(_:)``.
  /// - Returns: False where the device can't: it has no second names, no more of them, or isn't the same one. Nothing has changed
  ///   then, and the caller copies.
  func link(_ from: String, to: String) throws(StorageError) -> Bool
  /// Names of the entries, in no order. Empty when the directory doesn't exist.
  func list(_ directory: String) throws(StorageError) -> [String]
  func exists(_ path: String) throws(StorageError) -> Bool
  /// Whether nobody but the owner may read or write the file.
  func isPrivate(_ path: String) throws(StorageError) -> Bool
  /// Creates the directory and what is missing above it. Durable after ``syncDirectory(_:)`` on each directory above.
  func createDirectory(_ path: String) throws(StorageError)
  /// The same for a directory that only the owner may look into (0700), if it is new.
  func createPrivateDirectory(_ path: String) throws(StorageError)
  /// Removes an empty directory.
  func removeDirectory(_ path: String) throws(StorageError)
  func isDirectory(_ path: String) throws(StorageError) -> Bool
  /// Makes creations, renames and removals in a directory durable.
  func syncDirectory(_ path: String) throws(StorageError)
  /// Takes an exclusive advisory lock that dies with the process. Throws `.locked` when another holds it.
  func lock(_ path: String) throws(StorageError) -> any FileLock
  /// Free bytes on the device that holds `path`.
  func freeSpace(_ path: String) throws(StorageError) -> Int
}

extension FileSystem {
  public func createPrivateDirectory(_ path: String) throws(StorageError) { try createDirectory(path) }

  /// Creates a new file for appending. Fails when it exists.
  public func create(_ path: String) throws(StorageError) -> any WritableFile {
    try create(path, isPrivate: false)
  }

  /// Removes the file, if there is one.
  public func removeIfPresent(_ path: String) throws(StorageError) {
    do throws(StorageError) { try remove(path) } catch { if !error.isMissingFile { throw error } }
  }

  /// The whole content of a file, which must not be larger than `limit` bytes.
  public func readAll(_ path: String, limit: Int) throws(StorageError) -> [UInt8] {
    let file = try open(path)
    let size = try file.size()
    guard size <= limit else {
      throw StorageError(.corrupt, "has \(size) bytes, more than the \(limit) that such a file can have", path: path)
    }
    return try file.read(at: 0, count: size)
  }
}

/// A file that grows at its end.
public protocol WritableFile: AnyObject, Sendable {
  /// Bytes written so far, those before a ``FileSystem/reopen(_:length:)`` included. After a failed append it counts what
  /// reached the file; the caller cuts the file back before it goes on.
  var length: Int { get }
  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError)
  /// Returns when the content is on stable storage. After a failure nothing is known of the content, and a second call
  /// proves nothing: callers must stop.
  func sync() throws(StorageError)
  func close() throws(StorageError)
}

extension WritableFile {
  public func append(_ bytes: [UInt8]) throws(StorageError) {
    try bytes.span.bytes.withUnsafeBytes { (buffer) throws(StorageError) in try append(buffer) }
  }
}

/// A file that is read by ranges, from any thread.
public protocol ReadableFile: AnyObject, Sendable {
  func size() throws(StorageError) -> Int
  /// Reads exactly `count` bytes at `offset`; `.corrupt` when the file is shorter.
  func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8]
}

public protocol FileLock: AnyObject, Sendable {
  func release()
}
