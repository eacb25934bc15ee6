/// A file of the store that a backup is to have, out of reach of whoever removes it from the store.
enum PinnedFile: Sendable {
  /// It has got a second name in the backup, and stands in a former backup with this checksum.
  case known(BackupListing.File)
  /// It has got a second name in the backup.
  case linked
  /// It is held open, to be copied.
  case open(any ReadableFile)
}

/// A former backup, from which files are taken over that the store still has.
struct BackupBase: Sendable {
  private struct Identity: Hashable {
    var name: String
    var bytes: Int
    var checksum: UInt32
  }

  let folder: String
  private var files: [String: BackupListing.File] = [:]
  /// Parts and content segments as its manifest has them: a store that was restored gives the numbers of files once more.
  private var identities: Set<Identity> = []

  /// `nil` when its manifest can't be read.
  init?(_ listing: BackupListing, folder: String, fileSystem: any FileSystem) throws(StorageError) {
    self.folder = folder
    let manifest: Manifest
    do throws(StorageError) {
      manifest = try ManifestStore("\(folder)/manifest", fileSystem: fileSystem).load().manifest
    } catch {
      guard error.code == .corrupt || error.isMissingFile else { throw error }
      return nil
    }
    for file in listing.files { files[file.name] = file }
    for damage in listing.damages { files[damage.name] = nil }
    for entry in manifest.parts where !entry.isQuarantined {
      identities.insert(Identity(name: entry.fileName, bytes: entry.fileBytes, checksum: entry.footerChecksum))
    }
    for entry in manifest.content {
      identities.insert(Identity(name: entry.fileName, bytes: entry.fileBytes, checksum: entry.checksum))
    }
  }

  func file(_ entry: PartEntry) -> BackupListing.File? {
    file(Identity(name: entry.fileName, bytes: entry.fileBytes, checksum: entry.footerChecksum))
  }

  func file(_ entry: ContentEntry) -> BackupListing.File? {
    file(Identity(name: entry.fileName, bytes: entry.fileBytes, checksum: entry.checksum))
  }

  private func file(_ identity: Identity) -> BackupListing.File? {
    guard identities.contains(identity), let file = files[identity.name], file.bytes == identity.bytes else {
      return nil
    }
    return file
  }

  /// The file of this name, for whoever has read the store's and compares.
  subscript(name: String) -> BackupListing.File? { files[name] }
}

/// The files that a backup has got hold of.
struct BackupPins {
  let source: StoreDirectory
  /// The backup's directory.
  let folder: String
  let base: BackupBase?
  /// Whether files of the store may be shared with it.
  let isLinking: Bool
  private(set) var files: [String: PinnedFile] = [:]
  /// Directories that have been made in the backup, relative to it.
  private(set) var folders: Set<String> = []

  private var fileSystem: any FileSystem { source.fileSystem }

  init(_ source: StoreDirectory, folder: String, base: BackupBase?, isLinking: Bool) {
    self.source = source
    self.folder = folder
    self.base = base
    self.isLinking = isLinking
  }

  /// Gets hold of a file that never changes. False when the store has it no more.
  /// - Parameter known: How a former backup lists it.
  mutating func pin(_ name: String, known: BackupListing.File?) throws(StorageError) -> Bool {
    guard BackupListing.isPlain(name) else {
      throw StorageError(
        .corrupt, "the manifest names a file outside of the data directory: \(name)", path: source.path)
    }
    if files[name] != nil { return true }
    try makeFolder(of: name)
    if let known, try link(known) {
      files[name] = .known(known)
      return true
    }
    let path = source.path(of: name)
    do throws(StorageError) {
      if isLinking, try fileSystem.link(path, to: "\(folder)/\(name)") {
        files[name] = .linked
      } else {
        files[name] = .open(try fileSystem.open(path))
      }
      return true
    } catch {
      guard error.isMissingFile else { throw error }
      return false
    }
  }

  /// Takes a file over from the former backup. False when that has lost it, or the device has no second names.
  func link(_ known: BackupListing.File) throws(StorageError) -> Bool {
    guard let base else { return false }
    let path = "\(base.folder)/\(known.name)"
    do throws(StorageError) {
      guard try fileSystem.open(path).size() == known.bytes else { return false }
      return try fileSystem.link(path, to: "\(folder)/\(known.name)")
    } catch {
      guard error.isMissingFile else { throw error }
      return false
    }
  }

  mutating func makeFolder(of name: String) throws(StorageError) {
    guard let slash = name.lastIndex(of: "/") else { return }
    let directory = String(name[..<slash])
    if folders.contains(directory) { return }
    // What lies above it first.
    try makeFolder(of: directory)
    try fileSystem.createPrivateDirectory("\(folder)/\(directory)")
    folders.insert(directory)
  }

  /// Lets go of everything else: files that the store had at an earlier attempt.
  mutating func keep(_ names: Set<String>) throws(StorageError) {
    for (name, file) in files where !names.contains(name) {
      switch file {
      case .known, .linked: try fileSystem.remove("\(folder)/\(name)")
      case .open: break
      }
      files[name] = nil
    }
  }

  /// Makes the names of all files durable.
  func syncFolders() throws(StorageError) {
    for directory in folders.sorted() { try fileSystem.syncDirectory("\(folder)/\(directory)") }
    try fileSystem.syncDirectory(folder)
  }
}
