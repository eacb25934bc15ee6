/// The data directory: its layout, its lock, the secret, and what doesn't belong.
///
///     DATA/lintel.json   what the store is; written last when it is created
///     DATA/lock          held by the one process that may write
///     DATA/secret        32 random bytes, 0600: the key for hashing user ids
///     DATA/manifest/     ManifestStore
///     DATA/wal/shard-0000/   log segments
///     DATA/hot/          parts; DATA/warm/ and DATA/cold/ where these tiers have no other directory
///     DATA/content/      content segments; made when first needed
///     DATA/spill/        what queries can't hold in memory, 0700; made when first needed, its files have no names
public final class StoreDirectory: Sendable {
  /// The data directory as the caller named it.
  public let path: String
  public let fileSystem: any FileSystem
  public let isReadOnly: Bool
  public let layout: StoreLayout
  private let lock: (any FileLock)?
  let volumes = TierVolumes()

  static let contentFolder = "content"
  static let secretSize = 32

  private init(
    _ path: String, _ fileSystem: any FileSystem, isReadOnly: Bool, _ layout: StoreLayout, _ lock: (any FileLock)?
  ) {
    self.path = path
    self.fileSystem = fileSystem
    self.isReadOnly = isReadOnly
    self.layout = layout
    self.lock = lock
  }

  /// Opens the directory, creating the store if there is none. Blocking.
  ///
  /// - Parameter layout: for a new store. An existing one keeps its number of shards; another shard key is refused.
  /// - Throws: `.locked` when another process writes here; `.incompatible` when the directory holds something else or a
  ///   newer format; `.readOnly` when there is no store and none may be created.
  public static func open(
    _ path: String, layout: StoreLayout, fileSystem: any FileSystem, readOnly: Bool = false
  ) throws(StorageError) -> StoreDirectory {
    guard !path.isEmpty, 1...ManifestCodec.maximumShards ~= layout.shardCount, StoreLayout.isValidKey(layout.shardKey)
    else {
      throw StorageError(
        .invalid, "a store needs a path, 1 to \(ManifestCodec.maximumShards) shards and a plain shard key", path: path)
    }
    let path = trimmed(path)
    if readOnly {
      guard let found = try readLayout(path, fileSystem) else {
        try refuseUnfinishedRestore(path, fileSystem)
        throw StorageError(.readOnly, "there is no Lintel store here, and a read-only open creates none", path: path)
      }
      try check(found, layout, path)
      return StoreDirectory(path, fileSystem, isReadOnly: true, found, nil)
    }
    try fileSystem.createParentsDurably(of: path)
    if try !fileSystem.exists(path) { try fileSystem.createPrivateDirectory(path) }
    let lock = try fileSystem.lock("\(path)/lock")
    do throws(StorageError) {
      let found = try readLayout(path, fileSystem)
      if let found { try check(found, layout, path) } else { try refuseForeign(path, fileSystem) }
      let directory = StoreDirectory(path, fileSystem, isReadOnly: false, found ?? layout, lock)
      try directory.prepare(isNew: found == nil)
      return directory
    } catch {
      lock.release()
      throw error
    }
  }

  /// A store that is there, as it is found: for reading its files, not its tables.
  static func existing(_ path: String, fileSystem: any FileSystem) throws(StorageError) -> StoreDirectory {
    let path = trimmed(path)
    guard let found = try readLayout(path, fileSystem) else {
      throw StorageError(.invalid, "there is no Lintel store here: a data directory has a file lintel.json", path: path)
    }
    return StoreDirectory(path, fileSystem, isReadOnly: true, found, nil)
  }

  /// Gives up the lock. Called when nothing writes any more.
  public func release() {
    volumes.release()
    lock?.release()
  }

  /// Where the writer's queries put what memory can't hold.
  var spillDirectory: String { "\(path)/spill" }

  public var manifests: ManifestStore { ManifestStore("\(path)/manifest", fileSystem: fileSystem) }

  public func logDirectory(shard: Int) -> String { "\(path)/\(Self.logFolder(shard: shard))" }

  /// Relative to the data directory.
  static func logFolder(shard: Int) -> String {
    let digits = String(shard)
    return "wal/shard-\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits)"
  }

  /// The name that a part of this number gets, relative to the data directory.
  public func partFileName(_ number: UInt64, tier: Tier = .hot) -> String {
    "\(tier.folder)/\(LogFormat.padded(number)).part"
  }

  /// The name that a content segment of this number gets, relative to the data directory.
  public func contentFileName(_ number: UInt64) -> String {
    "\(Self.contentFolder)/\(LogFormat.padded(number)).content"
  }

  /// The path of a file that is named relative to the data directory. Parts of a tier that has a directory elsewhere lie
  /// there.
  public func path(of fileName: String) -> String {
    let tier = Tier(fileName: fileName)
    guard tier != .hot, let folder = volumes.directories[tier] else { return "\(path)/\(fileName)" }
    return "\(folder)/\(fileName.dropFirst(tier.folder.utf8.count + 1))"
  }
}

extension StoreDirectory {
  static func trimmed(_ path: String) -> String {
    var path = Substring(path)
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    return String(path)
  }

  private static func readLayout(
    _ path: String, _ fileSystem: any FileSystem
  ) throws(StorageError) -> StoreLayout? {
    let file = "\(path)/lintel.json"
    do throws(StorageError) {
      return try StoreLayout.decode(try fileSystem.readAll(file, limit: 1 << 16), path: file)
    } catch {
      if error.isMissingFile { return nil }
      throw error
    }
  }

  private static func check(_ found: StoreLayout, _ wanted: StoreLayout, _ path: String) throws(StorageError) {
    guard found.shardKey == wanted.shardKey else {
      throw StorageError(
        .incompatible,
        "the store's shard key is \(found.shardKey), not \(wanted.shardKey): open it with the settings it was made with",
        path: path)
    }
  }

  /// A directory without `lintel.json` may hold what an interrupted creation left, but no rows.
  private static func refuseForeign(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
    try refuseUnfinishedRestore(path, fileSystem)
    func refuse(_ name: String) -> StorageError {
      StorageError(
        .incompatible,
        "there is no lintel.json beside \(name): choose an empty directory, or restore the file from a backup",
        path: path)
    }
    for folder in Tier.allCases.map(\.folder) {
      if let part = try fileSystem.list("\(path)/\(folder)").first { throw refuse("\(folder)/\(part)") }
    }
    if let content = try fileSystem.list("\(path)/\(contentFolder)").first {
      throw refuse("\(contentFolder)/\(content)")
    }
    for shard in try fileSystem.list("\(path)/wal") {
      if let log = try fileSystem.list("\(path)/wal/\(shard)").first { throw refuse("wal/\(shard)/\(log)") }
    }
  }

  /// The name that `lintel.json` has while a backup is being restored.
  static let restoringName = "lintel.json.restoring"

  private static func refuseUnfinishedRestore(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) {
    guard try fileSystem.exists("\(path)/\(restoringName)") else { return }
    throw StorageError(
      .incompatible, "a backup is being restored here, or that was interrupted: run linteld restore again", path: path)
  }

  /// Makes the layout complete and durable. What the store builds on is synced again on every open: the last writer may have
  /// been killed between a change and its sync. Parts need no such thing: the manifest names those only whose folder was
  /// synced before.
  private func prepare(isNew: Bool) throws(StorageError) {
    for name in try fileSystem.list(path) where name.hasSuffix(".tmp") { try fileSystem.remove("\(path)/\(name)") }
    let logs = (0..<layout.shardCount).map(logDirectory(shard:))
    for directory in ["\(path)/manifest", "\(path)/hot", "\(path)/wal"] + logs {
      if try !fileSystem.exists(directory) { try fileSystem.createPrivateDirectory(directory) }
    }
    try fileSystem.syncDirectory("\(path)/wal")
    try fileSystem.syncDirectory("\(path)/manifest")
    if isNew {
      try createSecret()
      if try manifests.latestSequence() == 0 { _ = try manifests.publish(.empty(shardCount: layout.shardCount)) }
      let file = "\(path)/lintel.json"
      try fileSystem.writeDurably(layout.encoded(), to: file, temporary: file + ".tmp", in: path)
    }
    try fileSystem.syncDirectory(path)
    try fileSystem.syncDirectory(PosixFileSystem.parent(path))
    _ = try secret()
  }
}
