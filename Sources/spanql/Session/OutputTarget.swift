#if canImport(Glibc)
  import Glibc
#endif

/// Where results go: standard output, or the file that `.output` named.
struct OutputTarget {
  let descriptor: Int32
  /// `nil`: standard output.
  let path: String?

  static let standard = OutputTarget(descriptor: STDOUT_FILENO, path: nil)

  private init(descriptor: Int32, path: String?) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Creates the file, or empties it.
  init(path: String) throws(ShellError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .failed("cannot write to \(path): \(StandardStreams.reason(errno))") }
    self.init(descriptor: descriptor, path: path)
  }

  /// Cells of a line; `nil` for files and pipes.
  var columns: Int? { StandardStreams.columns(of: descriptor) }

  func write(_ bytes: [UInt8]) throws(ShellError) {
    let number = StandardStreams.write(bytes, to: descriptor)
    guard number == 0 else {
      throw .failed("writing to \(path ?? "standard output") failed: \(StandardStreams.reason(number))")
    }
  }

  func close() {
    if path != nil { _ = Glibc.close(descriptor) }
  }
}
