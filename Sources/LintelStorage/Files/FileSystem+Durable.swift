extension FileSystem {
  /// Writes a whole file so that after a crash there is either all of it or what was there before.
  ///
  /// Both names must lie in `directory`. Throws `.failedStop` when it is unknown which of the two is on disk; after any
  /// other error nothing has changed.
  func writeDurably(
    _ bytes: [UInt8], to path: String, temporary: String, in directory: String, isPrivate: Bool = false
  ) throws(StorageError) {
    // What an interrupted attempt left.
    try removeIfPresent(temporary)
    do throws(StorageError) {
      let file = try create(temporary, isPrivate: isPrivate)
      try file.append(bytes)
      // A failed sync leaves this file's content unknown, not the store's: it is given up, not tried again.
      try file.sync()
      try file.close()
    } catch {
      try? removeIfPresent(temporary)
      throw error
    }
    do throws(StorageError) {
      try rename(temporary, to: path)
      try syncDirectory(directory)
    } catch {
      throw StorageError(
        .failedStop, "it is unknown whether the new file is on disk: open the store again; the cause: \(error.message)",
        path: path, errorNumber: error.errorNumber)
    }
  }

  /// Writes a whole new file and syncs it. Its name is the caller's to sync, as is what a crash leaves of it.
  func writeSynced(_ bytes: [UInt8], to path: String, isPrivate: Bool = false) throws(StorageError) {
    let file = try create(path, isPrivate: isPrivate)
    try file.append(bytes)
    try file.sync()
    try file.close()
  }

  /// Creates what is missing above a path, durably. To create the path itself, and to sync its parent, is the caller's.
  func createParentsDurably(of path: String) throws(StorageError) {
    var missing: [String] = []
    var deepest = Self.parent(path)
    while deepest != "/", deepest != ".", try !exists(deepest) {
      missing.append(deepest)
      deepest = Self.parent(deepest)
    }
    // The deepest directory that is there may come from an attempt that was interrupted before it was synced.
    if try !exists(path) { try? syncDirectory(Self.parent(deepest)) }
    for directory in missing.reversed() {
      try createDirectory(directory)
      try syncDirectory(Self.parent(directory))
    }
  }

  /// Removes a directory and everything in it, if it is there.
  func removeTree(_ path: String) throws(StorageError) {
    for name in try list(path).sorted() {
      let entry = "\(path)/\(name)"
      if try isDirectory(entry) { try removeTree(entry) } else { try remove(entry) }
    }
    if try exists(path) { try removeDirectory(path) }
  }

  /// The directory that holds the entry of a path.
  static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
