/// The manifests on disk: `manifest/000000000042.manifest`, the newest by number is the store.
///
/// A new one is written under a temporary name, synced, renamed, and the directory synced: from then on it counts. Then its
/// predecessor is removed, and only when that is durable too may the caller remove what only the predecessor named. So
/// where a predecessor is still there, everything it names is there too: if the newest turns out to be unreadable, going
/// back to it is right. Where it isn't there, nothing is guessed and the store doesn't open.
public struct ManifestStore: Sendable {
  /// What a load found.
  public struct Loaded: Sendable {
    public let manifest: Manifest
    /// Set when the newest manifest was unreadable and its predecessor stood in.
    public let problem: StorageError?
  }

  let directory: String
  let fileSystem: any FileSystem

  /// - Parameter directory: the folder `manifest`, which must exist.
  public init(_ directory: String, fileSystem: any FileSystem) {
    self.directory = directory
    self.fileSystem = fileSystem
  }

  /// The newest manifest's number, at the cost of a directory listing: read-only openers compare it to the one they have.
  /// 0 when there is none.
  public func latestSequence() throws(StorageError) -> UInt64 { try sequences().last ?? 0 }

  public func load() throws(StorageError) -> Loaded {
    // A writer may replace the manifest between the listing and the reading; then there is a newer one.
    var attempt = 0
    while true {
      attempt += 1
      let sequences = try sequences()
      guard let newest = sequences.last else {
        throw StorageError(
          .corrupt, "there is no manifest: restore the data directory from a backup", path: directory)
      }
      do throws(StorageError) {
        return Loaded(manifest: try read(newest), problem: nil)
      } catch {
        if error.isMissingFile, attempt < 100 { continue }
        guard error.code == .corrupt, newest > 1, sequences.contains(newest - 1) else { throw error }
        return Loaded(manifest: try read(newest - 1), problem: error)
      }
    }
  }

  /// Replaces the newest manifest by `manifest`, giving it the next sequence number. Returns it as published.
  ///
  /// Throws `.failedStop` when it is unknown which of the two is on disk: the store must be opened again. After any other
  /// error the former manifest stands, and the call can be repeated.
  public func publish(_ manifest: Manifest) throws(StorageError) -> Publication {
    var manifest = manifest
    let existing = try sequences()
    manifest.sequence = max(manifest.sequence, existing.last ?? 0) + 1
    let path = path(manifest.sequence)
    try fileSystem.writeDurably(ManifestCodec.encode(manifest), to: path, temporary: path + ".tmp", in: directory)
    return Publication(manifest: manifest, mayRemoveObsolete: removePredecessors(existing))
  }

  public struct Publication: Sendable {
    public let manifest: Manifest
    /// Files that only former manifests name may be removed now. When false (the device refused to remove the former
    /// manifest) they must stay; the next writable open removes them.
    public let mayRemoveObsolete: Bool
  }

  private func removePredecessors(_ sequences: [UInt64]) -> Bool {
    do throws(StorageError) {
      for sequence in sequences { try fileSystem.remove(path(sequence)) }
      if !sequences.isEmpty { try fileSystem.syncDirectory(directory) }
      return true
    } catch {
      return false
    }
  }

  /// Prepares for writing after a load: sets unreadable manifests aside as `<number>.manifest.damaged` and removes
  /// temporary files and those older than `current`, whose own name the opening has synced: who published it may have been
  /// killed before.
  func clean(current: UInt64) throws(StorageError) {
    let others = try fileSystem.list(directory).filter { name in
      name.hasSuffix(".tmp") || Self.sequence(name).map { $0 != current } ?? false
    }
    guard !others.isEmpty else { return }
    for name in others {
      let path = "\(directory)/\(name)"
      if let sequence = Self.sequence(name), sequence > current {
        try fileSystem.rename(path, to: path + ".damaged")
      } else {
        try fileSystem.remove(path)
      }
    }
    try fileSystem.syncDirectory(directory)
  }

  private func read(_ sequence: UInt64) throws(StorageError) -> Manifest {
    let path = path(sequence)
    let bytes = try fileSystem.readAll(path, limit: ManifestCodec.maximumBytes)
    let manifest = try ManifestCodec.decode(bytes, path: path)
    guard manifest.sequence == sequence else {
      throw StorageError(.corrupt, "the manifest is damaged: it says it is number \(manifest.sequence)", path: path)
    }
    return manifest
  }

  private func sequences() throws(StorageError) -> [UInt64] {
    try fileSystem.list(directory).compactMap(Self.sequence).sorted()
  }

  private func path(_ sequence: UInt64) -> String { "\(directory)/\(LogFormat.padded(sequence)).manifest" }

  private static func sequence(_ name: String) -> UInt64? { LogFormat.number(name, suffix: ".manifest") }
}
