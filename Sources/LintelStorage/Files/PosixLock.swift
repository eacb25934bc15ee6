#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif
internal import Synchronization

extension PosixFileSystem {
  /// `flock` belongs to the open file, so it also keeps a second store of the same process out, and the kernel releases it
  /// however the process ends.
  public func lock(_ path: String) throws(StorageError) -> any FileLock {
    let descriptor = try Descriptor(path, O_RDWR | O_CREAT, mode: 0o600, "open the lock")
    if retrying({ Int(flock(descriptor.number, LOCK_EX | LOCK_NB)) }) < 0 {
      let number = errno
      guard number == EWOULDBLOCK else { throw .system("lock", path, number) }
      throw StorageError(
        .locked,
        "the store is open for writing in \(Self.holder(descriptor)); close it there, or open it read-only here",
        path: path, errorNumber: number)
    }
    Self.note(descriptor)
    return PosixFileLock(descriptor)
  }

  /// Writes the process id into the lock file, for the message that others get. A failure costs only that.
  private static func note(_ descriptor: Descriptor) {
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor.number, 0)
    _ = pwrite(descriptor.number, text, text.count, 0)
  }

  private static func holder(_ descriptor: Descriptor) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor.number, &bytes, bytes.count, 0)
    guard count > 0, let process = Int(String(decoding: bytes.prefix(count).prefix { $0 != 10 }, as: UTF8.self)) else {
      return "another process"
    }
    return process == Int(getpid()) ? "this process" : "process \(process)"
  }
}

final class PosixFileLock: FileLock {
  private let descriptor: Mutex<Descriptor?>

  init(_ descriptor: Descriptor) { self.descriptor = Mutex(descriptor) }

  func release() { descriptor.withLock { $0 = nil } }
}
