#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif
internal import Synchronization

/// An open file descriptor, closed with the last reference.
final class Descriptor: Sendable {
  let number: Int32

  init(_ path: String, _ flags: Int32, mode: mode_t = 0, _ operation: String) throws(StorageError) {
    let result = retrying { Int(open(path, flags | O_CLOEXEC, mode)) }
    try check(operation, path, result)
    number = Int32(result)
  }

  // The result is of no use: whoever needs to know has called sync() before. On Linux the descriptor is gone in any case.
  deinit { _ = close(number) }

  func size(_ path: String) throws(StorageError) -> Int {
    var status = stat()
    try check("look at", path, retrying { Int(fstat(number, &status)) })
    return Int(status.st_size)
  }
}

final class PosixWritableFile: WritableFile {
  private struct State {
    /// `nil` after ``close()``.
    var descriptor: Descriptor?
    var length: Int
  }

  private let path: String
  private let state: Mutex<State>

  init(_ descriptor: Descriptor, path: String, length: Int) {
    self.path = path
    state = Mutex(State(descriptor: descriptor, length: length))
  }

  var length: Int { state.withLock { $0.length } }

  func append(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
    guard !bytes.isEmpty else { return }
    let descriptor = try openDescriptor()
    var rest = bytes
    while !rest.isEmpty {
      let written = retrying { write(descriptor.number, rest.baseAddress, rest.count) }
      try check("write \(bytes.count) bytes", path, written)
      guard written > 0 else { throw .system("write \(bytes.count) bytes", path, EIO) }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
      state.withLock { $0.length &+= written }
    }
  }

  func sync() throws(StorageError) {
    let descriptor = try openDescriptor()
    #if canImport(Darwin)
      // fsync on Darwin leaves the data in the drive's cache.
      try check("sync", path, retrying { Int(fcntl(descriptor.number, F_FULLFSYNC)) })
    #else
      try check("sync", path, retrying { Int(fdatasync(descriptor.number)) })
    #endif
  }

  func close() throws(StorageError) {
    state.withLock { $0.descriptor = nil }
  }

  private func openDescriptor() throws(StorageError) -> Descriptor {
    guard let descriptor = state.withLock({ $0.descriptor }) else {
      throw StorageError(.closed, "the file has been closed", path: path)
    }
    return descriptor
  }
}

final class PosixReadableFile: ReadableFile {
  private let path: String
  private let descriptor: Descriptor

  init(_ descriptor: Descriptor, path: String) {
    self.path = path
    self.descriptor = descriptor
  }

  func size() throws(StorageError) -> Int { try descriptor.size(path) }

  func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard offset >= 0, count >= 0, !overflow else { throw tooShort(offset, count) }
    // The count may come from damaged bytes: nothing large is allocated before the file is known to have as much.
    if count > 1 << 16, try size() < end { throw tooShort(offset, count) }
    var failure: StorageError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = 0
      do throws(StorageError) {
        try fill(UnsafeMutableRawBufferPointer(buffer), at: offset, &initialized)
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  private func fill(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: Int, _ filled: inout Int
  ) throws(StorageError) {
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer.dropFirst(filled))
      let got = retrying { pread(descriptor.number, rest.baseAddress, rest.count, off_t(offset &+ filled)) }
      try check("read \(buffer.count) bytes at \(offset)", path, got)
      guard got > 0 else { throw tooShort(offset, buffer.count) }
      filled += got
    }
  }

  private func tooShort(_ offset: Int, _ count: Int) -> StorageError {
    StorageError(.corrupt, "the file ends before the \(count) bytes at \(offset) that should be there", path: path)
  }
}
