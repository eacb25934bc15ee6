#if canImport(Glibc)
  import Glibc
#endif

/// The lines of a file or a pipe, as soon as they are there.
struct LineReader {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isAtEnd = false
  /// `errno` of the read that failed.
  private(set) var failure: Int32?

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// One or more whole lines without the last one's end; at the end of the file, what is left.
  mutating func next() -> String? {
    while !isAtEnd {
      var chunk = [UInt8](repeating: 0, count: 64 << 10)
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        failure = errno
        return nil
      }
      isAtEnd = count == 0
      let known = buffer.count
      buffer.append(contentsOf: chunk[..<count])
      guard let end = buffer[known...].lastIndex(of: UInt8(ascii: "\n")) else { continue }
      defer { buffer.removeSubrange(...end) }
      return String(decoding: buffer[..<end], as: UTF8.self)
    }
    guard !buffer.isEmpty else { return nil }
    defer { buffer = [] }
    return String(decoding: buffer, as: UTF8.self)
  }
}
