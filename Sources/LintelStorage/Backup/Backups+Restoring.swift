internal import LintelColumns

/// How a backup is restored.
public struct RestoreOptions: Sendable, Hashable {
  /// The data directory that is replaced, or its folder `erasure`: who has been erased since the backup is known there.
  public var erasure: String?
  /// Takes over files that are damaged in the backup as they are. The store leaves out what it can't read, and says so.
  public var isTakingDamaged = false

  public init() {}
}

/// What restoring a backup came to.
public struct RestoreReport: Sendable, Hashable {
  public var summary: BackupSummary
  public var files = 0
  public var bytes = 0
  /// Number of the rules of erasure that are in force, and the directory that they come from.
  public var rules: UInt64 = 0
  public var rulesOrigin: String
  /// Numbers of erasures that had been lifted after the backup and are in force again: the rows that they erased are in it.
  public var enforced: [UInt64] = []
  /// Damaged files that were taken over (``RestoreOptions/isTakingDamaged``).
  public var damages: [StorageError] = []
}

extension Backups {
  /// Restores a backup into a directory that doesn't exist, or is empty, or holds what an interrupted restore left. Every file
  /// is compared to its checksum on the way. Until everything is durable the directory is none that a store opens in.
  ///
  /// Rules of erasure and retention are the newest that the backup, others beside it and `options` know; whoever they erase is
  /// hidden from the first opening on, and erased again.
  ///
  /// - Parameter path: A backup, or a directory of backups, of which the newest is restored.
  /// - Throws: `.invalid` when the directory isn't empty or there is no backup; `.corrupt` when a file is damaged, which names it;
  ///   `.locked`, `.diskFull`: it can be called again; `.failedStop` where only the last sync failed.
  public static func restore(
    _ path: String, to data: String, _ options: RestoreOptions = RestoreOptions(),
    fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StorageError) -> RestoreReport {
    let folder = try resolve(path, fileSystem)
    let listing = try listing(folder, fileSystem)
    let backups = Backups(PosixFileSystem.parent(folder), fileSystem: fileSystem)
    // Nobody removes it meanwhile.
    let isAmongOthers = folder == backups.folder(listing.number)
    let lock: (any FileLock)? = if isAmongOthers { try backups.lockForReading() } else { nil }
    defer { lock?.release() }
    var restore = try Restore(listing, folder: folder, to: data, options, fileSystem)
    return try restore.run()
  }

  /// `nil` where nothing can be written.
  private func lockForReading() throws(StorageError) -> (any FileLock)? {
    do throws(StorageError) { return try lock() } catch {
      if error.code == .locked { throw error }
      return nil
    }
  }
}

/// One backup being restored.
private struct Restore {
  let listing: BackupListing
  let folder: String
  let target: String
  let options: RestoreOptions
  let fileSystem: any FileSystem
  private let layout: StoreLayout
  private let own: KnownRules
  private var rules: KnownRules
  private let manifest: Manifest
  private var folders: Set<String> = []
  private var report: RestoreReport

  /// Reads what the rest depends on.
  init(
    _ listing: BackupListing, folder: String, to target: String, _ options: RestoreOptions,
    _ fileSystem: any FileSystem
  ) throws(StorageError) {
    self.listing = listing
    self.folder = folder
    self.options = options
    self.fileSystem = fileSystem
    self.target = StoreDirectory.trimmed(target)
    // The one file that isn't copied, but written anew.
    let path = "\(folder)/lintel.json"
    let bytes = try fileSystem.readAll(path, limit: 1 << 16)
    guard let listed = listing.files.first(where: { $0.name == "lintel.json" }), listed.bytes == bytes.count,
      listed.checksum == Checksum.crc32c(bytes)
    else { throw StorageError(.corrupt, "the file is not what was backed up: use another backup", path: path) }
    layout = try StoreLayout.decode(bytes, path: path)
    let secret = try fileSystem.readAll("\(folder)/secret", limit: 1 << 16)
    guard BackupListing.store(secret: Array(secret.prefix(StoreDirectory.secretSize))) == listing.store else {
      throw StorageError(
        .corrupt, "the secret isn't that of the store that was backed up: use another backup", path: "\(folder)/secret")
    }
    manifest = try ManifestStore("\(folder)/manifest", fileSystem: fileSystem).load().manifest
    own = try KnownRules(listing, folder: folder, fileSystem)
    let named: KnownRules? =
      if let path = options.erasure { try KnownRules(path, secret: secret, fileSystem) } else { nil }
    rules = try KnownRules.newest(for: own, listing, folder: folder, named: named, fileSystem)
    report = RestoreReport(
      summary: BackupSummary(listing, path: folder), rules: rules.rules.sequence, rulesOrigin: rules.origin)
  }

  mutating func run() throws(StorageError) -> RestoreReport {
    try fileSystem.createParentsDurably(of: target)
    if try !fileSystem.exists(target) { try fileSystem.createPrivateDirectory(target) }
    try fileSystem.syncDirectory(PosixFileSystem.parent(target))
    let lock = try fileSystem.lock("\(target)/lock")
    defer { lock.release() }
    try clear()
    try begin()
    for file in listing.files where file.name != "lintel.json" && !file.name.hasPrefix("erasure/") {
      try copy(file, as: file.name)
    }
    try restoreRules()
    for directory in folders.sorted() { try fileSystem.syncDirectory("\(target)/\(directory)") }
    // The secret's name, and those of the directories.
    try fileSystem.syncDirectory(target)
    // From here on it is a store.
    try fileSystem.rename("\(target)/\(StoreDirectory.restoringName)", to: "\(target)/lintel.json")
    do throws(StorageError) { try fileSystem.syncDirectory(target) } catch {
      throw StorageError(
        .failedStop,
        "everything is there, and it is unknown whether a power cut would leave it a store: open it, or remove it and "
          + "restore again; the cause: \(error.message)", path: target, errorNumber: error.errorNumber)
    }
    return report
  }

  /// Removes what an interrupted restore left; refuses a directory that holds anything else.
  private func clear() throws(StorageError) {
    let ignored: Set = ["lock", "lost+found"]
    let names = try fileSystem.list(target).filter { !ignored.contains($0) }.sorted()
    guard !names.isEmpty else { return }
    guard names.contains(StoreDirectory.restoringName), !names.contains("lintel.json") else {
      throw StorageError(
        .invalid, "the directory isn't empty (there is \(names[0])): restore into a new one", path: target)
    }
    // That name last: without it nothing tells that the rest may go.
    for name in names where name != StoreDirectory.restoringName {
      let path = "\(target)/\(name)"
      if try fileSystem.isDirectory(path) { try fileSystem.removeTree(path) } else { try fileSystem.remove(path) }
    }
    try fileSystem.syncDirectory(target)
    try fileSystem.remove("\(target)/\(StoreDirectory.restoringName)")
  }

  /// From here on nobody takes the directory for a store, or for a place for a new one.
  private func begin() throws(StorageError) {
    try fileSystem.writeSynced(layout.encoded(), to: "\(target)/\(StoreDirectory.restoringName)")
    try fileSystem.syncDirectory(target)
  }

  /// - Parameters:
  ///   - name: Relative to the data directory.
  ///   - source: Where it lies if not in the backup.
  private mutating func copy(
    _ file: BackupListing.File, as name: String, from source: String? = nil
  ) throws(StorageError) {
    try makeFolder(of: name)
    let copy = try fileSystem.create("\(target)/\(name)", isPrivate: BackupListing.isPrivate(name))
    if let problem = try Backups.problem(file, source ?? folder, to: copy, fileSystem) {
      // Without them there is no store; everything else may be damaged in one that goes on.
      let isNeeded = name == "secret" || name.hasPrefix("manifest/") || name.hasPrefix("erasure/")
      guard options.isTakingDamaged, !isNeeded else {
        let advice =
          isNeeded ? "" : ", or take it over as it is with --take-damaged, and the store leaves out what it can't read"
        throw StorageError(problem.code, "\(problem.message)\(advice)", path: problem.path)
      }
      report.damages.append(problem)
    }
    try copy.sync()
    try copy.close()
    report.files += 1
    report.bytes &+= file.bytes
  }

  private mutating func makeFolder(of name: String) throws(StorageError) {
    guard let slash = name.lastIndex(of: "/") else { return }
    let directory = String(name[..<slash])
    if folders.contains(directory) { return }
    // What lies above it first.
    try makeFolder(of: directory)
    try fileSystem.createPrivateDirectory("\(target)/\(directory)")
    folders.insert(directory)
  }

  // MARK: Rules

  private mutating func restoreRules() throws(StorageError) {
    let enforced = rules.enforceLifted(own: own.rules, erased: manifest.erased)
    report.rules = rules.rules.sequence
    report.enforced = enforced.map(\.number)
    for name in rules.names {
      if let file = rules.listed[name] {
        try copy(file, as: "erasure/\(name)", from: PosixFileSystem.parent(rules.directory))
      } else {
        try copyUnlisted(name)
      }
    }
    if rules.rules.sequence > 0 {
      let name = "erasure/\(LogFormat.padded(rules.rules.sequence)).rules"
      try makeFolder(of: name)
      try fileSystem.writeSynced(RulesCodec.encode(rules.rules), to: "\(target)/\(name)")
    }
    try noteInAuditLog(enforced)
  }

  /// Of a data directory, which may be a store's that goes on.
  private mutating func copyUnlisted(_ name: String) throws(StorageError) {
    let bytes = try fileSystem.readAll("\(rules.directory)/\(name)", limit: 1 << 30)
    try makeFolder(of: "erasure/\(name)")
    try fileSystem.writeSynced(
      bytes, to: "\(target)/erasure/\(name)", isPrivate: BackupListing.isPrivate("erasure/\(name)"))
    report.files += 1
    report.bytes &+= bytes.count
  }

  /// Whoever looks at the log sees that the store went back to what a backup had.
  private mutating func noteInAuditLog(_ enforced: [Erasure]) throws(StorageError) {
    let path = "\(target)/erasure/audit.log"
    var tail: AuditTail
    do throws(StorageError) {
      tail = try AuditLog.tail(path, fileSystem)
    } catch {
      // It was so when it was backed up, and the store says so.
      guard error.code == .corrupt, options.isTakingDamaged else { throw error }
      return
    }
    let length = tail.length
    let now = WallClock.now()
    var events = [AuditEvent(.restored, detail: "backup=\(listing.number) began=\(listing.began)")]
    events += enforced.map {
      AuditEvent(.requested, number: $0.number, token: $0.token, tenant: $0.tenant, detail: "again=restored")
    }
    var text = ""
    for event in events {
      let line = AuditLog.line(event, tail.entries + 1, time: now, after: tail.hash)
      text += line.text
      tail.entries += 1
      tail.hash = line.hash
    }
    try makeFolder(of: "erasure/audit.log")
    try AuditLog.append(text, to: path, after: length, in: "\(target)/erasure", fileSystem)
  }
}
