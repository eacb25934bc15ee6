/// What a store consists of at one moment, got hold of beside the process that writes it.
///
/// Nobody is asked to stand still. What the newest manifest names, and the log from there on, is everything that was
/// acknowledged; parts, content segments and finished log segments never change, and it takes moments to get hold of them. Was
/// the manifest the newest still when that was done, and were the rules, then it all belongs together: the writer removes a file
/// only when a newer manifest stands. Otherwise it is done again, and what has been got hold of needn't be.
struct BackupSnapshot {
  /// A file that is read whole.
  struct SmallFile {
    var name: String
    var bytes: [UInt8]
  }

  var manifest: Manifest
  var rules: StoreRules
  var smallFiles: [SmallFile] = []
  var logs: [LogCut] = []
  /// Files that the manifest names and the store doesn't have.
  var missing: Set<String> = []
  var problems: [StorageError] = []

  /// Attempts before the writer, which replaces files under our hands, is taken to be too fast.
  private static let attempts = 200

  static func take(_ pins: inout BackupPins) throws(StorageError) -> BackupSnapshot {
    let directory = pins.source
    for _ in 0..<attempts {
      do throws(StorageError) {
        let rulesNumber = try directory.rules.latest()
        let newest = try directory.manifests.latestSequence()
        let loaded = try directory.loadManifest()
        try directory.follow(loaded.manifest)
        var snapshot = BackupSnapshot(manifest: loaded.manifest, rules: StoreRules())
        if let problem = loaded.problem { snapshot.problems.append(problem) }
        try snapshot.pinFiles(&pins)
        try snapshot.cutLogs(&pins)
        // Who asked for an erasure is in the audit log before the rules count, and a receipt is there before they say so.
        snapshot.rules = try directory.rules.load()
        try snapshot.readSmallFiles(directory)
        if snapshot.rules.sequence == rulesNumber, try directory.rules.latest() == rulesNumber,
          try directory.manifests.latestSequence() == newest,
          snapshot.manifest.sequence == newest || loaded.problem != nil
        {
          return snapshot
        }
      } catch {
        // The writer has removed it: there is something newer, or will be in a moment.
        guard error.isMissingFile else { throw error }
      }
    }
    throw StorageError(
      .io, "the store replaces its files faster than they can be got hold of: try again when less is written",
      path: directory.path)
  }

  private mutating func pinFiles(_ pins: inout BackupPins) throws(StorageError) {
    for entry in manifest.parts {
      let isThere = try pins.pin(entry.fileName, known: pins.base?.file(entry))
      // One that was set aside may have been removed for good.
      if !isThere, !entry.isQuarantined { missing.insert(entry.fileName) }
    }
    for entry in manifest.content {
      if try !pins.pin(entry.fileName, known: pins.base?.file(entry)) { missing.insert(entry.fileName) }
    }
  }

  private mutating func cutLogs(_ pins: inout BackupPins) throws(StorageError) {
    let directory = pins.source
    for shard in manifest.logFloors.indices {
      let path = directory.logDirectory(shard: shard)
      let numbers = try directory.fileSystem.list(path).compactMap(LogFormat.segment).sorted()
      var cuts: [LogCut] = []
      for number in numbers where number >= manifest.logFloors[shard] {
        let file = try directory.fileSystem.open("\(path)/\(LogFormat.fileName(number))")
        let cut = LogCut(
          name: "\(StoreDirectory.logFolder(shard: shard))/\(LogFormat.fileName(number))", file: file, shard: shard,
          segment: number, size: try file.size(), isLast: false)
        if try cut.isStarted() { cuts.append(cut) }
      }
      // The others were finished before the next was begun.
      for cut in cuts.dropLast() where try !pins.pin(cut.name, known: nil) {
        throw .missingFile(cut.name, "the segment has been removed: read the manifest again")
      }
      if !cuts.isEmpty { cuts[cuts.count - 1].isLast = true }
      logs += cuts
    }
  }

  private mutating func readSmallFiles(_ directory: StoreDirectory) throws(StorageError) {
    let fileSystem = directory.fileSystem
    func add(_ name: String, limit: Int, isOptional: Bool = true) throws(StorageError) {
      do throws(StorageError) {
        let bytes = try fileSystem.readAll("\(directory.path)/\(name)", limit: limit)
        smallFiles.append(SmallFile(name: name, bytes: bytes))
      } catch {
        guard isOptional, error.isMissingFile else { throw error }
      }
    }
    smallFiles.append(SmallFile(name: "lintel.json", bytes: directory.layout.encoded()))
    // In a backup every tier lies in the folder of its name, and so it does in what is restored.
    manifest.volumes = [:]
    for tier in Set(manifest.parts.map(\.tier)).sorted() where tier != .hot {
      let mark = VolumeMark(secret: try directory.secret(), tier: tier)
      smallFiles.append(SmallFile(name: "\(tier.folder)/\(VolumeMark.fileName)", bytes: mark.encoded()))
    }
    smallFiles.append(
      SmallFile(
        name: "manifest/\(LogFormat.padded(manifest.sequence)).manifest", bytes: ManifestCodec.encode(manifest)))
    try add("secret", limit: 1 << 16, isOptional: false)
    if rules.sequence > 0 {
      smallFiles.append(
        SmallFile(name: "erasure/\(LogFormat.padded(rules.sequence)).rules", bytes: RulesCodec.encode(rules)))
    }
    for name in try fileSystem.list("\(directory.erasurePath)/receipts").sorted() where name.hasSuffix(".json") {
      try add("erasure/receipts/\(name)", limit: 256 << 20)
    }
    try add("erasure/key", limit: 1 << 16)
    try addAuditLog(directory)
  }

  /// Its whole lines: the writer may be at work at the last one.
  private mutating func addAuditLog(_ directory: StoreDirectory) throws(StorageError) {
    let path = "\(directory.erasurePath)/audit.log"
    guard try directory.fileSystem.exists(path) else { return }
    var length: Int?
    do throws(StorageError) {
      length = try AuditLog.tail(path, directory.fileSystem).length
    } catch {
      guard error.code == .corrupt else { throw error }
      problems.append(error)
    }
    let bytes = try directory.fileSystem.readAll(path, limit: 1 << 30)
    smallFiles.append(SmallFile(name: "erasure/audit.log", bytes: Array(bytes.prefix(length ?? bytes.count))))
  }
}
