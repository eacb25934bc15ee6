/// The rules on disk: `erasure/000000000042.rules`, the newest by number counts.
///
/// A new one is written beside the old one, synced, renamed, and the directory synced: from then on it counts, and the
/// older ones are removed. Where the newest can't be read the store doesn't open: an older one might bring back rows that
/// were promised to be gone.
struct RulesStore: Sendable {
  let directory: String
  let fileSystem: any FileSystem

  init(_ directory: String, fileSystem: any FileSystem) {
    self.directory = directory
    self.fileSystem = fileSystem
  }

  /// The number of the newest, at the cost of a directory listing; 0 when there is none.
  func latest() throws(StorageError) -> UInt64 { try numbers().last ?? 0 }

  /// The newest rules; empty ones where there are none.
  func load() throws(StorageError) -> StoreRules {
    // A writer may replace them between the listing and the reading; then there are newer ones.
    for attempt in 1... {
      guard let newest = try numbers().last else { return StoreRules() }
      let path = path(newest)
      do throws(StorageError) {
        let rules = try RulesCodec.decode(
          try fileSystem.readAll(path, limit: RulesCodec.maximumBytes), path: path)
        guard rules.sequence == newest else {
          throw StorageError(.corrupt, "the rules say that they are number \(rules.sequence)", path: path)
        }
        return rules
      } catch {
        guard error.isMissingFile, attempt < 100 else { throw error }
      }
    }
    return StoreRules()
  }

  /// Replaces the newest rules, giving these the next number. Returns them as published.
  ///
  /// Throws `.failedStop` when it is unknown which are on disk; after any other error the former ones stand.
  func publish(_ rules: StoreRules) throws(StorageError) -> StoreRules {
    var rules = rules
    try fileSystem.createFolderDurably(directory)
    let existing = try numbers()
    rules.sequence = max(rules.sequence, existing.last ?? 0) + 1
    let path = path(rules.sequence)
    try fileSystem.writeDurably(RulesCodec.encode(rules), to: path, temporary: path + ".tmp", in: directory)
    removeOlder(existing)
    return rules
  }

  /// What stays, because the device refuses, or comes back after a crash, goes with the next change or opening: nobody reads
  /// it meanwhile.
  private func removeOlder(_ numbers: [UInt64]) {
    for number in numbers { try? fileSystem.remove(path(number)) }
  }

  /// Removes what an interrupted change left. For a writable opening.
  ///
  /// What is removed here may come back after a crash, and goes with the next opening then.
  func clean(current: UInt64) throws(StorageError) {
    let names = try fileSystem.list(directory)
    // First of all: a process that was killed while it changed the rules may not have come to sync the newest one's name,
    // and a crash could take that and leave what is removed below removed.
    if current > 0 { try fileSystem.syncDirectory(directory) }
    for name in names {
      let isOlder = Self.number(name).map { $0 < current } ?? false
      if name.hasSuffix(".tmp") || isOlder { try fileSystem.remove("\(directory)/\(name)") }
    }
  }

  private func numbers() throws(StorageError) -> [UInt64] {
    try fileSystem.list(directory).compactMap(Self.number).sorted()
  }

  private func path(_ number: UInt64) -> String { "\(directory)/\(LogFormat.padded(number)).rules" }

  private static func number(_ name: String) -> UInt64? { LogFormat.number(name, suffix: ".rules") }
}

extension FileSystem {
  /// Creates a folder for its owner alone, if there is none, in one that is there.
  func createFolderDurably(_ path: String) throws(StorageError) {
    if try !exists(path) { try createPrivateDirectory(path) }
    // Also where it is there: an interrupted attempt may not have come to this.
    try syncDirectory(Self.parent(path))
  }
}
