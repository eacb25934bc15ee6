internal import LintelColumns

/// How a backup is made.
public struct BackupOptions: Sendable, Hashable {
  /// When the backup is finished and whole, older ones beyond so many are removed; `nil`: none.
  public var keep: Int?
  /// Takes nothing over from former backups: every file is read and checked again.
  public var isFull = false
  /// Whether files are shared with the store where the device allows it.
  package var isLinking = true

  public init() {}
}

/// What making a backup came to.
public struct BackupReport: Sendable, Hashable {
  public var summary: BackupSummary
  /// Bytes that were written.
  public var writtenBytes = 0
  /// Bytes that were read and compared to what the store says of them: of all files that no former backup had.
  public var readBytes = 0
  /// Older backups that were removed.
  public var removed: [UInt64] = []
  /// What didn't keep the backup from being whole: an older one that couldn't be removed, an unreadable newest manifest.
  public var problems: [StorageError] = []
}

extension Backups {
  /// Makes a backup of the store in a directory, whether or not a process writes it: everything that was acknowledged before
  /// the call is in it, and the store isn't kept from anything. Only what no former backup has is read; what can't be shared is
  /// written.
  ///
  /// Files that aren't what the store wrote are taken as they are, and named in the report (``BackupSummary/damages``); older
  /// backups, which may have them whole, stay then.
  ///
  /// - Throws: `.locked` when another backup is made here; `.invalid` when this directory has another store's backups;
  ///   `.diskFull`; `.corrupt` when the store wouldn't open either. What was begun is removed, now or by the next one.
  public func make(of data: String, _ options: BackupOptions = BackupOptions()) throws(StorageError) -> BackupReport {
    try make(of: data, options, clock: { WallClock.now() })
  }

  package func make(
    of data: String, _ options: BackupOptions, clock: @Sendable () -> Int64
  ) throws(StorageError) -> BackupReport {
    let began = clock()
    let source = try StoreDirectory.existing(data, fileSystem: fileSystem)
    guard path != source.path, !path.hasPrefix(source.path + "/") else {
      throw StorageError(.invalid, "backups can't lie in the store itself: choose another directory", path: path)
    }
    if let keep = options.keep, keep < 1 { throw StorageError(.invalid, "one backup must be kept at least") }
    let store = BackupListing.store(secret: try source.secret())
    try create()
    let lock = try lock()
    defer { lock.release() }
    let former = try finished()
    if let last = former.last(where: { $0.listing != nil })?.listing, last.store != store {
      throw StorageError(
        .invalid, "there are backups of another store here: give each store a directory of its own", path: path)
    }
    try removeUnfinished()
    let number = (try numbers().last ?? 0) + 1
    do throws(StorageError) {
      var making = BackupMaking(
        listing: BackupListing(number: number, store: store, began: began, manifest: 0, rules: 0),
        pins: try begin(number, source, options.isFull ? [] : former, isLinking: options.isLinking))
      try making.run()
      var report = making.report(folder(number))
      if let keep = options.keep, report.summary.damages.isEmpty { prune(former, keep: keep, &report) }
      return report
    } catch {
      // Room for the store, where they share a disk. What stays is removed by the next one.
      try? remove(number)
      throw error
    }
  }

  private func begin(
    _ number: UInt64, _ source: StoreDirectory, _ former: [Finished], isLinking: Bool
  ) throws(StorageError) -> BackupPins {
    let folder = folder(number)
    try fileSystem.createPrivateDirectory(folder)
    try fileSystem.syncDirectory(path)
    var base: BackupBase?
    if let last = former.last(where: { $0.listing != nil }), let listing = last.listing {
      base = try BackupBase(listing, folder: self.folder(last.number), fileSystem: fileSystem)
    }
    return BackupPins(source, folder: folder, base: base, isLinking: isLinking)
  }

  /// A backup whose listing can't be read is left to whoever wants to know what is in it.
  private func prune(_ former: [Finished], keep: Int, _ report: inout BackupReport) {
    for old in former.filter({ $0.listing != nil }).dropLast(keep - 1) {
      do throws(StorageError) {
        try remove(old.number)
        report.removed.append(old.number)
      } catch {
        report.problems.append(error)
      }
    }
  }
}

/// One backup being made.
struct BackupMaking {
  var listing: BackupListing
  var pins: BackupPins
  private var problems: [StorageError] = []
  private var writtenBytes = 0
  private var readBytes = 0

  init(listing: BackupListing, pins: BackupPins) {
    self.listing = listing
    self.pins = pins
  }

  private var fileSystem: any FileSystem { pins.source.fileSystem }

  mutating func run() throws(StorageError) {
    let snapshot = try BackupSnapshot.take(&pins)
    let manifest = snapshot.manifest
    problems = snapshot.problems
    listing.manifest = manifest.sequence
    listing.rules = snapshot.rules.sequence
    let logs = snapshot.logs.map(\.name)
    try pins.keep(Set(manifest.fileNames.union(logs)))
    for name in snapshot.missing.sorted() { listing.damages.append(.init(name: name, reason: "the file is missing")) }
    for entry in manifest.parts {
      // What is known to be damaged is no news.
      try add(entry.fileName) { (file) throws(StorageError) in
        if entry.isQuarantined { return [] }
        return try CheckedRange.ranges(of: file, entry)
      }
    }
    for entry in manifest.content {
      try add(entry.fileName) { (file) throws(StorageError) in try CheckedRange.ranges(of: file, entry) }
    }
    for cut in snapshot.logs { try add(cut) }
    for file in snapshot.smallFiles { try add(file) }
    listing.files.sort { $0.name < $1.name }
    try pins.syncFolders()
    try publish()
  }

  func report(_ path: String) -> BackupReport {
    BackupReport(
      summary: BackupSummary(listing, path: path), writtenBytes: writtenBytes, readBytes: readBytes, problems: problems)
  }

  // MARK: Files

  private mutating func add(
    _ name: String, ranges: (any ReadableFile) throws(StorageError) -> [CheckedRange]
  ) throws(StorageError) {
    switch pins.files[name] {
    case nil: return
    case .known(let file): listing.files.append(file)
    case .linked:
      let file = try fileSystem.open("\(pins.folder)/\(name)")
      try add(name, file, size: try file.size(), to: nil, ranges: ranges)
    case .open(let file):
      try add(name, file, size: try file.size(), to: try create(name), ranges: ranges)
    }
  }

  private mutating func add(_ cut: LogCut) throws(StorageError) {
    let (bytes, damage) = try cut.examine()
    if let damage { listing.damages.append(.init(name: cut.name, reason: damage)) }
    if case .linked? = pins.files[cut.name] {
      return try add(cut.name, cut.file, size: bytes, to: nil) { (_) throws(StorageError) in [] }
    }
    try pins.makeFolder(of: cut.name)
    if let known = pins.base?[cut.name], known.bytes == bytes {
      var copy = CheckedCopy(cut.file, to: nil)
      try copy.run(size: bytes)
      if copy.checksum == known.checksum, try pins.link(known) {
        listing.files.append(known)
        return
      }
    }
    try add(cut.name, cut.file, size: bytes, to: try create(cut.name)) { (_) throws(StorageError) in [] }
  }

  /// Reads a file to its end, or so many bytes of it, and copies it where it isn't there already.
  private mutating func add(
    _ name: String, _ file: any ReadableFile, size: Int, to target: (any WritableFile)?,
    ranges: (any ReadableFile) throws(StorageError) -> [CheckedRange]
  ) throws(StorageError) {
    var checked: [CheckedRange] = []
    do throws(StorageError) {
      checked = try ranges(file)
    } catch {
      guard error.code == .corrupt else { throw error }
      listing.damages.append(.init(name: name, reason: error.message))
    }
    var copy = CheckedCopy(file, to: target)
    try copy.run(size: size, ranges: checked)
    if let damage = copy.damage { listing.damages.append(.init(name: name, reason: damage)) }
    readBytes += size
    if let target {
      try target.sync()
      try target.close()
      writtenBytes += size
    }
    listing.files.append(.init(name: name, bytes: size, checksum: copy.checksum))
  }

  private mutating func add(_ file: BackupSnapshot.SmallFile) throws(StorageError) {
    try pins.makeFolder(of: file.name)
    try fileSystem.writeSynced(
      file.bytes, to: "\(pins.folder)/\(file.name)", isPrivate: BackupListing.isPrivate(file.name))
    writtenBytes += file.bytes.count
    listing.files.append(
      .init(name: file.name, bytes: file.bytes.count, checksum: Checksum.crc32c(file.bytes)))
  }

  private func create(_ name: String) throws(StorageError) -> any WritableFile {
    try fileSystem.create("\(pins.folder)/\(name)", isPrivate: BackupListing.isPrivate(name))
  }

  /// From here on it is a backup. Everything that the listing names is durable, so that it counts wherever it is found.
  private mutating func publish() throws(StorageError) {
    let bytes = listing.encoded()
    guard bytes.count <= BackupListing.maximumBytes else {
      throw StorageError(.invalid, "the store has more files than a backup can list", path: pins.folder)
    }
    let path = "\(pins.folder)/\(BackupListing.fileName)"
    try fileSystem.writeSynced(bytes, to: path + ".tmp")
    try fileSystem.rename(path + ".tmp", to: path)
    try fileSystem.syncDirectory(pins.folder)
    writtenBytes += bytes.count
  }
}
