internal import LintelColumns
internal import Synchronization

/// Taking files in again that were damaged or missing, and have been restored.
///
/// Nothing waits for that: an erasure is finished only when every file that the manifest names has been read, whether it is
/// set aside or not; and a sweep takes nothing away while a part is.
extension Store {
  func isQuarantined(_ entry: PartEntry) -> Bool {
    state.withLock { $0.quarantined.contains { $0.number == entry.number } }
  }

  /// Takes in a part that was set aside, and has been read whole since.
  func takeIn(_ entry: PartEntry) throws(StorageError) {
    guard !isReadOnly, isQuarantined(entry), let schema = schemas[entry.table] else { return }
    var entry = entry
    entry.isQuarantined = false
    // What is kept of it may be what was damaged.
    cache.forget(part: entry.number)
    let part = LivePart(entry: entry, reader: try open(entry, schema: schema))
    do throws(StorageError) {
      try publish { manifest in
        guard let place = manifest.parts.firstIndex(where: { $0.number == entry.number }) else { return }
        manifest.parts[place].isQuarantined = false
      }
    } catch {
      if error.code == .failedStop { throw failStop(error) }
      throw error
    }
    state.withLock { state in
      guard state.quarantined.contains(where: { $0.number == entry.number }) else { return }
      state.quarantined.removeAll { $0.number == entry.number }
      state.add(part)
      state.forgetProblems(of: entry.fileName)
    }
    startErasing()
    startMerging()
  }

  /// Takes in a content segment of which something was damaged, or that was missing, and that has been read whole since.
  func takeIn(_ entry: ContentEntry) throws(StorageError) {
    let isConcerned = state.withLock { state in
      state.hasProblem(of: entry.fileName) || state.lostContent.joined().contains(entry.fileName)
    }
    guard !isReadOnly, isConcerned else { return }
    contentCache.forget(segment: entry.number)
    // Opened anew: the file that is open may be the damaged one.
    let reader = try directory.open(entry, cache: contentCache)
    let isNamed = manifest.withLock { $0.content.contains(entry) }
    guard isNamed else { return }
    state.withLock { state in
      let since = state.contentSegments[entry.shard].first { $0.entry.number == entry.number }?.since ?? 0
      state.replaceContent(
        [entry.number], shard: entry.shard, with: [LiveContent(entry: entry, reader: reader, since: since)])
      state.lostContent[entry.shard].removeAll { $0 == entry.fileName }
    }
    forgetDamage(of: entry.fileName)
  }

  /// Forgets what was wrong with a file that is whole again.
  func forgetDamage(of file: String) {
    state.withLock { $0.forgetProblems(of: file) }
    reportedDamage.withLock { reported in reported = reported.filter { !$0.isDamage(of: file) } }
  }

  /// Reads all of a part, past the cache.
  func readWhole(_ entry: PartEntry, _ schema: TableSchema) throws(StorageError) {
    var scan = try PartScan(
      entry, path: directory.path(of: entry.fileName), schema: schema, fileSystem: fileSystem)
    while try scan.next() != nil {
      if isClosing.load(ordering: .relaxed) { throw StorageError(.closed, "the store is closing") }
    }
  }
}

extension StorageError {
  /// Whether this says that a file, named relative to the data directory, is damaged or missing.
  func isDamage(of file: String) -> Bool {
    guard code == .corrupt || isMissingFile, let path else { return false }
    // Content that several segments may have had names all of them.
    return path.split(separator: ",").contains { name in
      let name = name.drop { $0 == " " }
      return name == file || name.hasSuffix("/" + file)
    }
  }
}
