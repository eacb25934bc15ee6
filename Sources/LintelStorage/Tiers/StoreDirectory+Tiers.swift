extension StoreDirectory {
  /// The directory that holds a tier's parts.
  func folder(_ tier: Tier) -> String { volumes.directories[tier] ?? "\(path)/\(tier.folder)" }

  /// Finds the directories of the tiers that are wanted, or that the manifest names parts or directories of; makes those
  /// that are new. Only for a writable open, before files are removed that the manifest doesn't name.
  ///
  /// - Throws: `.invalid` when a directory isn't this tier's, or the parts of a tier aren't where they are looked for;
  ///   `.locked` when another process writes there.
  func openTiers(_ configuration: TierConfiguration, _ manifest: Manifest) throws(StorageError) {
    var directories: [Tier: String] = [:]
    for tier in Tier.allCases where tier != .hot {
      let named = manifest.parts.contains { $0.tier == tier }
      let recorded = manifest.volumes[tier]
      let settings = configuration.settings(tier)
      guard settings != nil || named || recorded != nil else { continue }
      let own = "\(path)/\(tier.folder)"
      let wanted = settings.map { $0.directory.map(Self.trimmed) ?? own } ?? recorded ?? own
      let isThere = try claim(wanted, tier, since: named ? recorded ?? own : nil, isWanted: settings != nil)
      if isThere, wanted != own { directories[tier] = wanted }
    }
    volumes.set(directories)
  }

  /// - Parameters:
  ///   - former: Where parts of this tier were written; `nil` where there are none.
  ///   - isWanted: Whether it is to be made where it isn't there.
  /// - Returns: Whether it is there.
  private func claim(
    _ folder: String, _ tier: Tier, since former: String?, isWanted: Bool
  ) throws(StorageError) -> Bool {
    let mark = VolumeMark(secret: try secret(), tier: tier)
    let file = "\(folder)/\(VolumeMark.fileName)"
    if let found = try readMark(file) {
      try Self.check(found, mark, folder)
      // A copy of the store, or a restored one, has parts of its own beside the tier of the one it was made of.
      if let former, former != folder, try readMark("\(former)/\(VolumeMark.fileName)") != nil {
        throw Self.unmoved(tier, folder, former: former)
      }
    } else if let former {
      throw Self.missing(tier, folder, former: former)
    } else if !isWanted {
      return false
    } else {
      try createVolume(folder, file, mark)
    }
    volumes.keep(try fileSystem.lock("\(folder)/\(VolumeMark.lockName)"))
    return true
  }

  private func createVolume(_ folder: String, _ file: String, _ mark: VolumeMark) throws(StorageError) {
    for store in [folder, PosixFileSystem.parent(folder), "\(folder)/.."] where folder != "\(path)/\(mark.tier.folder)"
    {
      // Two names for one folder, and what one doesn't know it would remove under the other.
      guard try fileSystem.exists("\(store)/lintel.json") else { continue }
      throw StorageError(
        .invalid, "can't become the \(mark.tier) tier, for it lies in a store's directory: choose one elsewhere",
        path: folder)
    }
    // What an attempt left that was interrupted.
    let others = try fileSystem.list(folder).filter { !$0.hasSuffix(".tmp") && !VolumeMark.isOwn($0) }
    if let name = others.first {
      throw StorageError(
        .invalid, "can't become the \(mark.tier) tier, for it isn't empty (\(name)): choose an empty directory",
        path: folder)
    }
    try fileSystem.createParentsDurably(of: folder)
    if try !fileSystem.exists(folder) { try fileSystem.createDirectory(folder) }
    try fileSystem.syncDirectory(PosixFileSystem.parent(folder))
    try fileSystem.writeDurably(mark.encoded(), to: file, temporary: file + ".tmp", in: folder)
  }

  /// The same for who only reads, of what a manifest says.
  func follow(_ manifest: Manifest) throws(StorageError) {
    guard manifest.volumes != volumes.directories else { return }
    for (tier, folder) in manifest.volumes.sorted(by: { $0.key < $1.key }) {
      guard let found = try readMark("\(folder)/\(VolumeMark.fileName)") else {
        // It may be new and empty, and where this process looks not be there.
        if !manifest.parts.contains(where: { $0.tier == tier }) { continue }
        throw Self.missing(tier, folder, former: folder)
      }
      try Self.check(found, VolumeMark(secret: try secret(), tier: tier), folder)
    }
    volumes.set(manifest.volumes)
  }

  private func readMark(_ file: String) throws(StorageError) -> VolumeMark? {
    do throws(StorageError) {
      return try VolumeMark.decode(try fileSystem.readAll(file, limit: 1 << 12), path: file)
    } catch {
      if error.isMissingFile { return nil }
      throw error
    }
  }

  private static func check(_ found: VolumeMark, _ wanted: VolumeMark, _ folder: String) throws(StorageError) {
    guard found != wanted else { return }
    let whose = found.store == wanted.store ? "this store's \(found.tier) tier" : "another store's \(found.tier) tier"
    throw StorageError(
      .invalid, "is \(whose), not the \(wanted.tier) tier of this one: choose another directory", path: folder)
  }

  private static func unmoved(_ tier: Tier, _ folder: String, former: String) -> StorageError {
    StorageError(
      .invalid,
      "can't become the \(tier) tier, whose parts lie in \(former): give that directory, or a new one once all that "
        + "\(former) holds has been moved there", path: folder)
  }

  private static func missing(_ tier: Tier, _ folder: String, former: String) -> StorageError {
    let advice =
      folder == former
      ? "mount its volume"
      : "its parts were written to \(former): give that directory, or move all that it holds"
    return StorageError(
      .invalid, "there is no \(VolumeMark.fileName), and so no \(tier) tier, whose parts the store needs: \(advice)",
      path: folder)
  }
}
