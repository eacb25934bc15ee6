internal import LintelColumns
internal import Synchronization

/// One file of a store that ``Store/check()`` has read.
public struct CheckedFile: Sendable, Hashable {
  /// Relative to the data directory where it is a part.
  public var name: String
  public var bytes: Int
  /// What is wrong with it; `nil` when nothing is.
  public var problem: StorageError?
}

extension Store {
  /// Reads everything that counts and compares it to its checksums: the manifest, every block of every part, the log.
  /// Blocks. Damage is reported and quarantined as if a query had met it.
  ///
  /// - Throws: `.closed`, or what keeps the directory from being read at all.
  public func check() throws(StorageError) -> [CheckedFile] {
    var files = try checkManifest()
    // Parts that were set aside are checked with it.
    let checked = Set(files.map(\.name))
    for table in tableNames {
      _ = try snapshot(table)
      for part in follower.map({ $0.parts(table) }) ?? state.withLock({ $0.parts[table] ?? [] })
      where !checked.contains(part.entry.fileName) {
        files.append(check(part, try schema(table)))
      }
    }
    files += try checkContent()
    for shard in 0..<directory.layout.shardCount { files += try checkLog(shard) }
    return files
  }

  /// Every piece of every content segment.
  private func checkContent() throws(StorageError) -> [CheckedFile] {
    var files: [CheckedFile] = []
    for entry in try directory.manifests.load().manifest.content {
      var file = CheckedFile(name: entry.fileName, bytes: entry.fileBytes)
      do throws(StorageError) {
        try directory.open(entry, cache: ContentCache(capacity: 0)).forEachPiece { (_) throws(StorageError) in }
        try takeIn(entry)
      } catch {
        // A merge or a sweep may have replaced it meanwhile.
        if error.isMissingFile, try !directory.manifests.load().manifest.content.contains(entry) { continue }
        file.problem = error
        reportOnce(error)
      }
      files.append(file)
    }
    return files
  }

  /// A part that was set aside, and is taken in again when it is whole.
  private func check(quarantined entry: PartEntry) -> CheckedFile {
    var file = CheckedFile(name: entry.fileName, bytes: entry.fileBytes, problem: Self.leftOut(entry))
    guard let schema = schemas[entry.table], !isReadOnly else { return file }
    do throws(StorageError) {
      try readWhole(entry, schema)
      try takeIn(entry)
      file.problem = nil
    } catch {
      // It is known to be damaged; what else there is to say of it is why.
      if error.code != .corrupt { file.problem = error }
    }
    return file
  }

  /// The manifest, and the parts that it says are left out.
  private func checkManifest() throws(StorageError) -> [CheckedFile] {
    var file = CheckedFile(name: "manifest", bytes: 0)
    var leftOut: [CheckedFile] = []
    do throws(StorageError) {
      let loaded = try directory.manifests.load()
      file.bytes = ManifestCodec.encode(loaded.manifest).count
      file.problem = loaded.problem
      leftOut = loaded.manifest.parts.filter(\.isQuarantined).map { check(quarantined: $0) }
    } catch {
      guard error.code == .corrupt else { throw error }
      file.problem = error
    }
    return [file] + leftOut
  }

  static func leftOut(_ entry: PartEntry) -> StorageError {
    StorageError(
      .corrupt,
      "the part was found damaged earlier and is left out: restore it from a backup, and CHECK takes it in again",
      path: entry.fileName)
  }

  /// Reads past the cache, which may hold what the disk no longer has.
  private func check(_ part: LivePart, _ schema: TableSchema) -> CheckedFile {
    let entry = part.entry
    var file = CheckedFile(name: entry.fileName, bytes: entry.fileBytes)
    do throws(StorageError) {
      let reader = try PartReader(
        file: try fileSystem.open(directory.path(of: entry.fileName)), name: entry.fileName, schema: schema,
        expectedChecksum: entry.footerChecksum, cache: BlockCache(capacity: 0), cacheID: entry.number,
        onDamage: { _ in })
      for (index, column) in reader.directory.columns.enumerated() {
        if let filters = column.filters {
          _ = try reader.bytes(filters, "the filters of column '\(column.displayName)'")
        }
        for block in 0..<reader.blockCount { _ = try reader.block(block, ofStored: index) }
      }
    } catch {
      // A merge may have replaced it meanwhile.
      if error.isMissingFile, !isLive(entry) { return file }
      file.problem = error
      if isReadOnly {
        report(error)
      } else if error.code == .corrupt {
        quarantine(entry, because: error)
      }
    }
    return file
  }

  func isLive(_ entry: PartEntry) -> Bool {
    state.withLock { $0.parts[entry.table]?.contains { $0.entry.number == entry.number } ?? false }
  }

  private func checkLog(_ shard: Int) throws(StorageError) -> [CheckedFile] {
    let path = directory.logDirectory(shard: shard)
    // The writer goes on meanwhile: what it removes was flushed, and a newer floor tells.
    for _ in 0..<20 {
      let floor = try directory.manifests.load().manifest.logFloors[shard]
      var reader = LogReader(path, shard: shard, fileSystem: fileSystem, from: LogPosition(segment: floor))
      var file = CheckedFile(name: path, bytes: 0)
      do throws(StorageError) {
        while let record = try reader.next() { file.bytes += record.payload.count + LogFormat.recordHeaderSize }
      } catch {
        if error.isMissingFile { continue }
        throw error
      }
      let damaged = reader.damages.map { CheckedFile(name: $0.path, bytes: $0.count, problem: $0.error) }
      return [file] + damaged
    }
    return []
  }
}
