#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension Store {
  /// Where queries of this store put what memory can't hold.
  ///
  /// - Parameters:
  ///   - directory: `nil`: the folder `spill` of the store, or where the store is only read, which leaves it as it is, a
  ///     folder below `TMPDIR` or `/var/tmp`.
  ///   - limit: bytes that all queries together may put there.
  package func spillSpace(_ directory: String?, limit: Int) -> SpillSpace {
    let own = isReadOnly ? "\(Self.temporaryDirectory)/lintel-spill-\(getuid())" : self.directory.spillDirectory
    return SpillSpace(directory: directory ?? own, limit: limit, fileSystem: fileSystem)
  }

  private static var temporaryDirectory: String {
    // A file system in memory, as /tmp often is, would be no help.
    guard let named = getenv("TMPDIR"), named.pointee != 0 else { return "/var/tmp" }
    return String(cString: named)
  }
}
