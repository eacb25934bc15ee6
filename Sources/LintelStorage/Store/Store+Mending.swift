internal import LintelColumns
internal import Synchronization

/// Taking files in again that were damaged or missing, and have been restored; or giving them up.
///
/// Until one or the other an erasure isn't finished, for that takes a look at every file that the manifest names, and a sweep
/// takes nothing away.
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

  /// Gives a part up that is damaged or missing and can't be had back: its rows are lost for good, and nothing waits for it
  /// any more. Blocks.
  ///
  /// - Parameter name: Its file, as ``problems`` names it.
  /// - Returns: What it held.
  /// - Throws: `.invalid` when no such part is set aside; `.diskFull`, `.failedStop`, `.closed`, `.readOnly`.
  public func giveUp(_ name: String) throws(StorageError) -> PartDescription {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    // Nobody merges, sweeps or erases meanwhile.
    let entry = try mergeTurn.withLock { (_) throws(StorageError) in
      guard let entry = state.withLock({ state in state.quarantined.first { $0.fileName == name } }) else {
        throw StorageError(
          .invalid,
          "no such part is set aside: only parts that are damaged or missing can be given up; SHOW PROBLEMS names them",
          path: name)
      }
      // Who took rows away, and which, is in the log before it happens.
      try changeRules { (_) throws(StorageError) in
        ((), [AuditEvent(.dropped, detail: "part=\(entry.fileName) table=\(entry.table) rows=\(entry.rowCount)")])
      }
      let mayRemove: Bool
      do throws(StorageError) {
        mayRemove = try publish { $0.parts.removeAll { $0.number == entry.number } }
      } catch {
        if error.code == .failedStop { throw failStop(error) }
        throw error
      }
      state.withLock { state in
        state.quarantined.removeAll { $0.number == entry.number }
        state.forgetProblems(of: entry.fileName)
        state.counters.droppedParts += 1
        state.counters.droppedRows += entry.rowCount
      }
      cache.forget(part: entry.number)
      noteRowsHaveGone()
      if mayRemove {
        do throws(StorageError) {
          try fileSystem.remove(directory.path(of: entry.fileName))
        } catch {
          // That may be why it was set aside.
          if !error.isMissingFile { report(error) }
        }
      }
      return entry
    }
    erasureRetry.withLock { $0 = 0 }
    startErasing()
    return Self.describe(entry)
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
