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
    try Transfers.write(bytes, to: path) { rest in
      let written = write(descriptor.number, rest.baseAddress, rest.count)
      if written > 0 { state.withLock { $0.length &+= written } }
      return written
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
    guard offset >= 0, count >= 0, !overflow else { throw Transfers.tooShort(offset, count, path) }
    // The count may come from damaged bytes: nothing large is allocated before the file is known to have as much.
    if count > 1 << 16, try size() < end { throw Transfers.tooShort(offset, count, path) }
    var failure: StorageError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = 0
      do throws(StorageError) {
        try Transfers.read(UnsafeMutableRawBufferPointer(buffer), at: offset, of: path, &initialized) { rest, place in
          pread(descriptor.number, rest.baseAddress, rest.count, off_t(place))
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}
