#if canImport(Glibc)
  import Glibc
#endif

/// A file that appears under its name only when it is complete.
///
/// What is no regular file (a terminal, a pipe, `/dev/null`) is written to directly: replacing it would be wrong.
final class AtomicFile {
  private let path: String
  private let temporary: String?
  private let descriptor: Int32
  private var isCommitted = false

  init(path: String) throws(ShellError) {
    let isReplaceable = try Self.isReplaceable(path)
    let temporary = isReplaceable ? "\(path).\(getpid()).partial" : nil
    let descriptor =
      temporary.map { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) } ?? open(path, O_WRONLY | O_CLOEXEC)
    let number = errno
    self.path = path
    self.temporary = temporary
    self.descriptor = descriptor
    guard descriptor >= 0 else { throw .failed("cannot write to \(path): \(StandardStreams.reason(number))") }
  }

  /// Whether nothing or a regular file stands there.
  private static func isReplaceable(_ path: String) throws(ShellError) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return true }
    let kind = status.st_mode & S_IFMT
    guard kind != S_IFDIR else { throw .failed("cannot write to \(path): it is a directory") }
    return kind == S_IFREG
  }

  func write(_ bytes: [UInt8]) throws(ShellError) {
    let number = StandardStreams.write(bytes, to: descriptor)
    guard number == 0 else { throw .failed("writing to \(path) failed: \(StandardStreams.reason(number))") }
  }

  /// Makes the content durable and gives the file its name.
  func commit() throws(ShellError) {
    guard let temporary else { return }
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw .failed("writing to \(path) failed: \(StandardStreams.reason(errno))")
    }
    isCommitted = true
  }

  /// Without ``commit()`` nothing remains.
  deinit {
    guard descriptor >= 0 else { return }
    _ = close(descriptor)
    if let temporary, !isCommitted { _ = unlink(temporary) }
  }
}
