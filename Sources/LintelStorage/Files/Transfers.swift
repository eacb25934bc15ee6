#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The loops around reads and writes, which the system may interrupt, or do in part only.
package enum Transfers {
  /// Calls `write` with what is left until everything is taken. It returns the bytes taken, or -1 and sets `errno`.
  package static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String, _ write: (UnsafeRawBufferPointer) -> Int
  ) throws(StorageError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = retrying { write(rest) }
      try check("write \(bytes.count) bytes", path, written)
      guard written > 0 else { throw .system("write \(bytes.count) bytes", path, EIO) }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
    }
  }

  /// Calls `read` for what is missing, at its offset in the file, until the buffer is full. It returns the bytes read, 0
  /// at the end of the file, or -1 and sets `errno`.
  package static func read(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: Int, of path: String, _ filled: inout Int,
    _ read: (UnsafeMutableRawBufferPointer, Int) -> Int
  ) throws(StorageError) {
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer.dropFirst(filled))
      let place = offset &+ filled
      let got = retrying { read(rest, place) }
      try check("read \(buffer.count) bytes at \(offset)", path, got)
      guard got > 0 else { throw tooShort(offset, buffer.count, path) }
      filled += got
    }
  }

  package static func tooShort(_ offset: Int, _ count: Int, _ path: String) -> StorageError {
    StorageError(.corrupt, "the file ends before the \(count) bytes at \(offset) that should be there", path: path)
  }
}
