#if canImport(Glibc)
  import Glibc
#endif

/// Unbuffered writing, so that results and messages keep their order.
enum StandardStreams {
  /// For messages: what can't be written is lost.
  static func error(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }

  static func output(_ text: String) { _ = write(Array(text.utf8), to: STDOUT_FILENO) }

  /// Writes all bytes. Returns `errno` of the call that failed, or 0.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 {
          if errno == EINTR { continue }
          if errno == EAGAIN {
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&ready, 1, -1)
            continue
          }
          return errno
        }
        rest = rest.dropFirst(written)
      }
      return 0
    }
  }

  /// Cells in a line of the terminal behind `descriptor`; `nil` when it is none.
  static func columns(of descriptor: Int32) -> Int? {
    guard isatty(descriptor) != 0 else { return nil }
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// What `errno` means.
  static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
}
