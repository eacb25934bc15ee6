/// The rules of erasure and retention as one place knows them, with what accounts for them.
///
/// A backup holds what was there when it was made. Who has been erased since is told by newer rules only: a restore takes the
/// newest that can be found, and they apply to the older files as they do to all (``StoreDirectory/loadExclusions(_:)``).
struct KnownRules {
  /// The directory that they lie in.
  var directory: String
  /// For messages.
  var origin: String
  var rules: StoreRules
  /// Files beside the rules: audit log, receipts, key. Relative to `directory`.
  var names: [String]
  /// What they must sum to, where a backup lists them.
  var listed: [String: BackupListing.File] = [:]

  /// Those in a backup.
  init(_ listing: BackupListing, folder: String, _ fileSystem: any FileSystem) throws(StorageError) {
    directory = "\(folder)/erasure"
    origin = folder
    names = []
    for file in listing.files where file.name.hasPrefix("erasure/") {
      let name = String(file.name.dropFirst("erasure/".utf8.count))
      listed[name] = file
      if !name.hasSuffix(".rules") { names.append(name) }
    }
    rules = try RulesStore(directory, fileSystem: fileSystem).load()
    guard rules.sequence == listing.rules else {
      throw StorageError(
        .corrupt, "the backup has rules of erasure number \(rules.sequence), its listing says \(listing.rules)",
        path: folder)
    }
  }

  /// Those in a data directory, or in its `erasure`; `nil` where nobody was ever erased or held, and nothing kept for a time.
  init?(_ path: String, secret: [UInt8], _ fileSystem: any FileSystem) throws(StorageError) {
    let path = StoreDirectory.trimmed(path)
    let hasSecret = try fileSystem.exists("\(path)/secret")
    let hasFolder = try fileSystem.isDirectory("\(path)/erasure")
    let isStore = hasSecret || hasFolder
    directory = isStore ? "\(path)/erasure" : path
    origin = directory
    let other = "\(PosixFileSystem.parent(directory))/secret"
    if try fileSystem.exists(other), try fileSystem.readAll(other, limit: 1 << 16) != secret {
      throw StorageError(
        .invalid, "these rules are another store's, which has another secret: they mean nobody in the backup",
        path: path)
    }
    rules = try RulesStore(directory, fileSystem: fileSystem).load()
    if rules.sequence == 0, isStore { return nil }
    guard rules.sequence > 0 else {
      throw StorageError(
        .invalid, "this is neither a data directory nor one with rules of erasure, such as 000000000042.rules",
        path: path)
    }
    names = ["audit.log", "key"]
    let receipts = try fileSystem.list("\(directory)/receipts").filter { $0.hasSuffix(".json") }
    names += receipts.sorted().map { "receipts/\($0)" }
    // The store may never have had one of them.
    var there: [String] = []
    for name in names where try fileSystem.exists("\(directory)/\(name)") { there.append(name) }
    names = there
  }

  /// Whether every erasure that others know is in these.
  func misses(_ other: KnownRules) -> Erasure? {
    let own = Dictionary(rules.erasures.map { ($0.number, $0.token) }, uniquingKeysWith: { first, _ in first })
    return other.rules.erasures.first { own[$0.number] != $0.token }
  }
}

extension KnownRules {
  /// The newest rules that are known of a backup's store: its own, those of other backups beside it, and those that whoever
  /// restores it has named.
  ///
  /// - Throws: `.corrupt` where newer ones are known to exist and can't be read; `.invalid` where two places know of different
  ///   erasures, as after a restore without the newest rules.
  static func newest(
    for own: KnownRules, _ listing: BackupListing, folder: String, named: KnownRules?, _ fileSystem: any FileSystem
  ) throws(StorageError) -> KnownRules {
    var known = [own] + (named.map { [$0] } ?? [])
    let unreadable = try addOthers(beside: folder, of: listing, to: &known, fileSystem)
    guard let newest = known.max(by: { $0.rules.sequence < $1.rules.sequence }) else { return own }
    for (other, problem) in unreadable where other > newest.rules.sequence {
      throw StorageError(
        problem.code,
        "a backup knows newer erasures (rules number \(other)) than can be read (\(newest.rules.sequence)): "
          + "\(problem.message); name the newest with --erasure, such as the former data directory's",
        path: problem.path)
    }
    for other in known {
      guard let erasure = newest.misses(other) else { continue }
      throw StorageError(
        .invalid,
        "\(newest.origin) has the newest rules of erasure and doesn't know erasure \(erasure.number), which \(other.origin) "
          + "knows: the store was once restored without its newest rules. Erase again in the restored store whom SHOW ERASURES "
          + "doesn't list, after restoring from a copy of the backup that lies by itself", path: folder)
    }
    return newest
  }

  /// Adds what other backups of the store know. Returns those whose rules can't be read.
  private static func addOthers(
    beside folder: String, of listing: BackupListing, to known: inout [KnownRules], _ fileSystem: any FileSystem
  ) throws(StorageError) -> [(rules: UInt64, problem: StorageError)] {
    let backups = Backups(PosixFileSystem.parent(folder), fileSystem: fileSystem)
    guard folder == backups.folder(listing.number) else { return [] }
    var unreadable: [(rules: UInt64, problem: StorageError)] = []
    for other in try backups.finished() {
      guard let found = other.listing, found.store == listing.store, found.rules > 0, found.number != listing.number
      else { continue }
      do throws(StorageError) {
        known.append(try KnownRules(found, folder: backups.folder(other.number), fileSystem))
      } catch {
        guard error.code == .corrupt || error.code == .incompatible || error.isMissingFile else { throw error }
        unreadable.append((found.rules, error))
      }
    }
    return unreadable
  }

  /// Puts erasures into force again that were finished and lifted after the backup: its rows are those that were erased. Lifted
  /// they would be back.
  /// - Parameters:
  ///   - own: The backup's own rules.
  ///   - erased: What its manifest says of them.
  /// - Returns: The erasures that are in force again.
  mutating func enforceLifted(own: StoreRules, erased: UInt64) -> [Erasure] {
    let former = Dictionary(own.erasures.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    var enforced: [Erasure] = []
    for index in rules.erasures.indices where rules.erasures[index].state == .lifted {
      let erasure = rules.erasures[index]
      let known = former[erasure.number]
      let isCleared = known.map { $0.state != .hidden && erased >= own.finished } ?? false
      // What a hold forbids to erase now is not erased.
      if isCleared || rules.hold(against: erasure.token, tenant: erasure.tenant) != nil { continue }
      rules.erasures[index].state = .hidden
      rules.erasures[index].finished = 0
      rules.erasures[index].lifted = 0
      enforced.append(rules.erasures[index])
    }
    if !enforced.isEmpty { rules.sequence += 1 }
    return enforced
  }
}
