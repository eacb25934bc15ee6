/// What reading a whole backup came to.
public struct BackupVerification: Sendable, Hashable {
  public var summary: BackupSummary
  /// Files and bytes that were read.
  public var files = 0
  public var bytes = 0
  /// What is not as the backup lists it.
  public var problems: [StorageError] = []
}

extension Backups {
  /// The directory of a backup: `path`, or of the newest backup in it where it is a directory of backups.
  static func resolve(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) -> String {
    let path = StoreDirectory.trimmed(path)
    if try fileSystem.exists("\(path)/\(BackupListing.fileName)") { return path }
    let backups = Backups(path, fileSystem: fileSystem)
    if let newest = try backups.finished().last { return backups.folder(newest.number) }
    throw StorageError(
      .invalid,
      "there is no finished backup here: a backup's directory has a file \(BackupListing.fileName), which is written last",
      path: path)
  }

  /// Reads every file of a backup and compares it to its checksum.
  ///
  /// - Parameter path: A backup, or a directory of backups, of which the newest is read.
  /// - Throws: `.invalid` when there is no backup, `.corrupt` when its listing can't be read.
  public static func verify(
    _ path: String, fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StorageError) -> BackupVerification {
    let folder = try resolve(path, fileSystem)
    let listing = try listing(folder, fileSystem)
    var verification = BackupVerification(summary: BackupSummary(listing, path: folder))
    for file in listing.files {
      if let problem = try problem(file, folder, to: nil, fileSystem) { verification.problems.append(problem) }
      verification.files += 1
      verification.bytes &+= file.bytes
    }
    verification.problems += try Self.missing(listing, folder, fileSystem)
    return verification
  }

  /// Reads one file and copies it; what is wrong with it, or `nil`.
  static func problem(
    _ file: BackupListing.File, _ folder: String, to target: (any WritableFile)?, _ fileSystem: any FileSystem
  ) throws(StorageError) -> StorageError? {
    func damaged(_ what: String) -> StorageError {
      StorageError(.corrupt, "\(what): use another backup", path: "\(folder)/\(file.name)")
    }
    do throws(StorageError) {
      let source = try fileSystem.open("\(folder)/\(file.name)")
      let size = try source.size()
      var copy = CheckedCopy(source, to: target)
      try copy.run(size: size)
      if size != file.bytes { return damaged("the file has \(size) bytes where \(file.bytes) were backed up") }
      return copy.checksum == file.checksum ? nil : damaged("the file is not what was backed up, by its checksum")
    } catch {
      guard error.isMissingFile || error.code == .corrupt else { throw error }
      return damaged(error.isMissingFile ? "the file is missing" : error.message)
    }
  }

  /// What must be in a backup and isn't listed: what its manifest names, and what no store opens without.
  private static func missing(
    _ listing: BackupListing, _ folder: String, _ fileSystem: any FileSystem
  ) throws(StorageError) -> [StorageError] {
    let names = Set(listing.files.map(\.name)).union(listing.damages.map(\.name))
    var needed: Set<String> = ["lintel.json", "secret"]
    do throws(StorageError) {
      let manifest = try ManifestStore("\(folder)/manifest", fileSystem: fileSystem).load().manifest
      needed.formUnion(manifest.parts.filter { !$0.isQuarantined }.map(\.fileName))
      needed.formUnion(manifest.content.map(\.fileName))
    } catch {
      guard error.code == .corrupt || error.code == .incompatible || error.isMissingFile else { throw error }
      return [error]
    }
    return needed.subtracting(names).sorted().map {
      StorageError(.corrupt, "the backup doesn't list it: use another backup", path: "\(folder)/\($0)")
    }
  }
}
