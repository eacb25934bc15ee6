extension StoreDirectory {
  /// Loads the manifest; a writable open also makes the folder ready for the next one.
  ///
  /// `problem` tells when the newest manifest was unreadable and the one before stood in for it.
  public func loadManifest() throws(StorageError) -> ManifestStore.Loaded {
    let loaded = try manifests.load()
    guard loaded.manifest.shardCount == layout.shardCount else {
      throw StorageError(
        .corrupt,
        "lintel.json says \(layout.shardCount) shards and the manifest \(loaded.manifest.shardCount): restore lintel.json",
        path: path)
    }
    if !isReadOnly { try manifests.clean(current: loaded.manifest.sequence) }
    return loaded
  }

  /// Whether a file is a part or a content segment, by its name.
  static func isOurs(_ name: String) -> Bool { name.hasSuffix(".part") || name.hasSuffix(".content") }

  /// The folders of the files that manifests name, as they are called there and where they are.
  var fileFolders: [(name: String, path: String)] {
    Tier.allCases.map { ($0.folder, folder($0)) } + [(Self.contentFolder, "\(path)/\(Self.contentFolder)")]
  }

  /// Removes files of parts and of content that the manifest doesn't name and unfinished temporary files: what an interrupted
  /// flush, merge or move left. Only for a writable open, before anything new is written. Returns the names, relative to the data directory.
  public func removeUnreferenced(_ manifest: Manifest) throws(StorageError) -> [String] {
    guard !isReadOnly else { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    let named = manifest.fileNames
    var removed: [String] = []
    for (folder, directory) in fileFolders {
      let names = try fileSystem.list(directory).map { "\(folder)/\($0)" }
      let stray = names.filter { (Self.isOurs($0) && !named.contains($0)) || $0.hasSuffix(".tmp") }
      // One that comes back after a crash is removed again, unless its name has been given to a new part by then: the sync
      // that makes that one durable does the same for this removal.
      for name in stray { try fileSystem.remove(self.path(of: name)) }
      removed += stray
    }
    try SpillSpace(directory: spillDirectory, limit: 0, fileSystem: fileSystem).removeLeftovers()
    for shard in 0..<layout.shardCount {
      let directory = logDirectory(shard: shard)
      for name in try fileSystem.list(directory) where name.hasSuffix(".tmp") {
        try fileSystem.remove("\(directory)/\(name)")
        removed.append("\(directory)/\(name)")
      }
    }
    return removed
  }
}

extension Manifest {
  /// Every file that it names, relative to the data directory.
  var fileNames: Set<String> { Set(parts.map(\.fileName) + content.map(\.fileName)) }
}
