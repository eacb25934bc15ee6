extension StoreDirectory {
  /// Tombstones, holds, retention; the audit log, receipts and the key that signs them.
  var erasurePath: String { "\(path)/erasure" }

  var rules: RulesStore { RulesStore(erasurePath, fileSystem: fileSystem) }

  /// The rules that apply to what a manifest lists.
  ///
  /// - Throws: `.corrupt` when they can't be read, or are older than the manifest: rows that were promised to be gone
  ///   might be taken in again.
  func loadExclusions(_ manifest: Manifest) throws(StorageError) -> CurrentExclusions {
    let loaded = try rules.load()
    guard manifest.erased <= loaded.sequence else {
      throw StorageError(
        .corrupt,
        "the rules of erasure are number \(loaded.sequence), and the manifest knows of number \(manifest.erased): "
          + "restore the newest files of this directory, which keep erased users from coming back", path: erasurePath)
    }
    if !isReadOnly { try rules.clean(current: loaded.sequence) }
    return CurrentExclusions(
      loaded, tokens: SubjectTokens(secret: try secret()), isDoubtful: manifest.erased < loaded.finished)
  }
}
