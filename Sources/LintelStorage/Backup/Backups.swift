/// A directory of backups of one store: `BACKUPS/000000000008/` and so on, each of which is a data directory's files with a
/// listing, whole in itself. Files that two of them have in common, or that one has in common with the store, are one file with
/// several names where the device allows that; each may be removed without harm to the others.
///
///     BACKUPS/lock                         held by whoever makes, removes or restores one
///     BACKUPS/000000000008/backup.listing  what belongs to it; written last
///     BACKUPS/000000000008/lintel.json, secret, manifest/, hot/, content/, wal/, erasure/    as in the store
///
/// All calls block.
public struct Backups: Sendable {
  public let path: String
  let fileSystem: any FileSystem

  public init(_ path: String, fileSystem: any FileSystem = PosixFileSystem()) {
    self.path = StoreDirectory.trimmed(path)
    self.fileSystem = fileSystem
  }

  /// The backups that were finished, the oldest first. One whose listing can't be read is among them, with that as its damage.
  public func list() throws(StorageError) -> [BackupSummary] {
    try finished().map { backup in
      guard let listing = backup.listing else {
        return BackupSummary(
          number: backup.number, path: folder(backup.number), damages: backup.problem.map { [$0] } ?? [])
      }
      return BackupSummary(listing, path: folder(backup.number))
    }
  }
}

/// What is known of a backup without reading its files.
public struct BackupSummary: Sendable, Hashable {
  public var number: UInt64
  public var path: String
  /// When it was asked for, in nanoseconds since 1970: what was acknowledged before is in it.
  public var began: Int64 = 0
  public var fileCount = 0
  public var bytes = 0
  /// Number of the rules of erasure that it knows.
  public var rules: UInt64 = 0
  /// What of the store was damaged or missing when the backup was made, or why it can't be read.
  public var damages: [StorageError] = []
}

extension BackupSummary {
  init(_ listing: BackupListing, path: String) {
    self.init(
      number: listing.number, path: path, began: listing.began, fileCount: listing.files.count, bytes: listing.bytes,
      rules: listing.rules,
      damages: listing.damages.map { StorageError(.corrupt, "when it was backed up: \($0.reason)", path: $0.name) })
  }
}

extension Backups {
  /// A backup that was finished, with its listing or the reason why that can't be read.
  struct Finished: Sendable {
    var number: UInt64
    var listing: BackupListing?
    var problem: StorageError?
  }

  func folder(_ number: UInt64) -> String { "\(path)/\(LogFormat.padded(number))" }

  /// Of all backups, those that were never finished included; ascending.
  func numbers() throws(StorageError) -> [UInt64] {
    try fileSystem.list(path).compactMap { LogFormat.number($0, suffix: "") }.sorted()
  }

  func finished() throws(StorageError) -> [Finished] {
    var found: [Finished] = []
    for number in try numbers() {
      do throws(StorageError) {
        let listing = try Self.listing(folder(number), fileSystem)
        found.append(Finished(number: number, listing: listing))
      } catch {
        if error.isMissingFile { continue }
        guard error.code == .corrupt || error.code == .incompatible else { throw error }
        found.append(Finished(number: number, problem: error))
      }
    }
    return found
  }

  static func listing(_ folder: String, _ fileSystem: any FileSystem) throws(StorageError) -> BackupListing {
    let path = "\(folder)/\(BackupListing.fileName)"
    return try BackupListing(
      decoding: try fileSystem.readAll(path, limit: BackupListing.maximumBytes), path: path)
  }

  /// Keeps others from making, removing and restoring backups here.
  func lock() throws(StorageError) -> any FileLock {
    do throws(StorageError) {
      return try fileSystem.lock("\(path)/lock")
    } catch {
      guard error.code == .locked else { throw error }
      throw StorageError(
        .locked, "another process makes, removes or restores a backup here: try again when it is done", path: path)
    }
  }

  /// Makes the directory, durably. Only its owner may look into it: backups hold the store's secret.
  func create() throws(StorageError) {
    try fileSystem.createParentsDurably(of: path)
    if try !fileSystem.exists(path) { try fileSystem.createPrivateDirectory(path) }
    try fileSystem.syncDirectory(PosixFileSystem.parent(path))
  }

  /// Removes a backup. From the beginning on it is one that was never finished.
  func remove(_ number: UInt64) throws(StorageError) {
    let folder = folder(number)
    try fileSystem.removeIfPresent("\(folder)/\(BackupListing.fileName)")
    // A crash must not leave the listing and take what it lists.
    try fileSystem.syncDirectory(folder)
    try fileSystem.removeTree(folder)
  }

  /// Removes what interrupted backups and removals left.
  func removeUnfinished() throws(StorageError) {
    for number in try numbers() where try !fileSystem.exists("\(folder(number))/\(BackupListing.fileName)") {
      try remove(number)
    }
  }
}
