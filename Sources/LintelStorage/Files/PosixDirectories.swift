#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension PosixFileSystem {
  public func list(_ directory: String) throws(StorageError) -> [String] {
    guard let stream = opendir(directory) else {
      let number = errno
      if number == ENOENT { return [] }
      throw .system("list", directory, number)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
          String(cString: $0)
        }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    let number = errno
    if number != 0 { throw .system("list", directory, number) }
    return names
  }

  public func createDirectory(_ path: String) throws(StorageError) { try createDirectory(path, mode: 0o755) }

  public func createPrivateDirectory(_ path: String) throws(StorageError) { try createDirectory(path, mode: 0o700) }

  private func createDirectory(_ path: String, mode: mode_t) throws(StorageError) {
    if mkdir(path, mode) == 0 { return }
    let number = errno
    switch number {
    case EEXIST:
      if try !isDirectory(path) { throw .system("create the directory", path, ENOTDIR) }
    case ENOENT:
      guard let parent = Self.above(path) else { throw .system("create the directory", path, number) }
      try createDirectory(parent)
      if mkdir(path, mode) != 0, errno != EEXIST { throw .system("create the directory", path, errno) }
    default:
      throw .system("create the directory", path, number)
    }
  }

  public func removeDirectory(_ path: String) throws(StorageError) {
    try check("remove the directory", path, Int(rmdir(path)))
  }

  public func isDirectory(_ path: String) throws(StorageError) -> Bool {
    try status(path, "look at").map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  public func syncDirectory(_ path: String) throws(StorageError) {
    let descriptor = try Descriptor(path, O_RDONLY | O_DIRECTORY, "open the directory")
    try check("sync the directory", path, retrying { Int(fsync(descriptor.number)) })
  }

  /// The directory above; `nil` for a root and for a bare name.
  private static func above(_ path: String) -> String? {
    var end = path.utf8.endIndex
    let bytes = path.utf8
    func back(while isSkipped: (UInt8) -> Bool) {
      while end > bytes.startIndex, isSkipped(bytes[bytes.index(before: end)]) { end = bytes.index(before: end) }
    }
    let slash = UInt8(ascii: "/")
    back { $0 == slash }
    back { $0 != slash }
    back { $0 == slash }
    return end == bytes.startIndex ? nil : String(path[..<end])
  }
}
