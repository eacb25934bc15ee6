#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Files as the operating system has them. Every descriptor is closed on `exec`.
public struct PosixFileSystem: FileSystem {
  public init() {}

  public func create(_ path: String, isPrivate: Bool) throws(StorageError) -> any WritableFile {
    let descriptor = try Descriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, mode: 0o600, "create")
    return PosixWritableFile(descriptor, path: path, length: 0)
  }

  public func open(_ path: String) throws(StorageError) -> any ReadableFile {
    PosixReadableFile(try Descriptor(path, O_RDONLY, "open"), path: path)
  }

  public func reopen(_ path: String, length: Int) throws(StorageError) -> any WritableFile {
    let descriptor = try Descriptor(path, O_WRONLY | O_APPEND, "open for writing")
    let size = try descriptor.size(path)
    guard length >= 0, length <= size else {
      throw StorageError(.corrupt, "has \(size) bytes where \(length) were expected", path: path)
    }
    if length < size { try check("cut", path, retrying { Int(ftruncate(descriptor.number, off_t(length))) }) }
    return PosixWritableFile(descriptor, path: path, length: length)
  }

  public func rename(_ from: String, to: String) throws(StorageError) {
    #if canImport(Glibc)
      try check("rename to \(to)", from, Int(Glibc.rename(from, to)))
    #elseif canImport(Musl)
      try check("rename to \(to)", from, Int(Musl.rename(from, to)))
    #else
      try check("rename to \(to)", from, Int(Darwin.rename(from, to)))
    #endif
  }

  public func remove(_ path: String) throws(StorageError) {
    try check("remove", path, Int(unlink(path)))
  }

  public func link(_ from: String, to: String) throws(StorageError) -> Bool {
    #if canImport(Glibc)
      let result = Glibc.link(from, to)
    #elseif canImport(Musl)
      let result = Musl.link(from, to)
    #else
      let result = Darwin.link(from, to)
    #endif
    if result == 0 { return true }
    let number = errno
    switch number {
    // Another device, a file system without second names or one that keeps other people's files from getting one, or a file
    // with as many as it may have.
    case EXDEV, EPERM, EMLINK, EOPNOTSUPP, ENOSYS: return false
    default: throw .system("link to \(to)", from, number)
    }
  }

  public func exists(_ path: String) throws(StorageError) -> Bool {
    try status(path, "look at") != nil
  }

  public func isPrivate(_ path: String) throws(StorageError) -> Bool {
    guard let status = try status(path, "look at") else { throw .system("look at", path, ENOENT) }
    return status.st_mode & 0o077 == 0
  }

  public func freeSpace(_ path: String) throws(StorageError) -> Int {
    var status = statvfs()
    try check("ask for the free space", path, retrying { Int(statvfs(path, &status)) })
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? Int.max : Int(clamping: bytes)
  }

  /// `nil` when there is nothing of that name.
  func status(_ path: String, _ operation: String) throws(StorageError) -> stat? {
    var status = stat()
    let result = retrying { Int(stat(path, &status)) }
    if result == 0 { return status }
    let number = errno
    if number == ENOENT { return nil }
    throw .system(operation, path, number)
  }
}

/// Repeats a call that a signal interrupted.
@inline(__always)
func retrying(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

/// Throws what `errno` says when the call's result is negative.
@inline(__always)
func check(_ operation: String, _ path: String, _ result: Int) throws(StorageError) {
  if result < 0 {
    let number = errno
    throw .system(operation, path, number)
  }
}
