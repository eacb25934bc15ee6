internal import LintelColumns
internal import Synchronization

/// What a segment is written with.
struct ContentEffort: Sendable {
  /// A group is closed when it holds so many bytes.
  var groupBytes: Int
  /// zstd's.
  var level: Int32

  /// For what has just come, which is merged soon.
  static let flush = ContentEffort(groupBytes: 256 << 10, level: 1)
  /// For what stays. One message is had by reading one group, which takes less than 2 ms.
  static let merge = ContentEffort(groupBytes: 3 << 19, level: 19)
  /// For groups that lose some of their pieces, while somebody waits.
  static let sweep = ContentEffort(groupBytes: 3 << 19, level: 9)
}

/// Writing and opening content segments.
extension Store {
  /// Writes what a memtable's rows refer to; `nil` when that is nothing.
  func writeContent(_ memory: ContentMemory, shard: Int) throws(StorageError) -> LiveContent? {
    guard !memory.isEmpty else { return nil }
    return try writeContent(shard: shard, level: 0, since: memory.generation, .flush) {
      (writer) throws(StorageError) in
      for piece in memory.pieces { try writer.append(piece) }
    }
  }

  /// Writes a segment and opens it: what can't be read back isn't published.
  func writeContent(
    shard: Int, level: Int, since: UInt64, _ effort: ContentEffort,
    _ body: (inout ContentWriter) throws(StorageError) -> Void
  ) throws(StorageError) -> LiveContent {
    let (entry, reader) = try directory.writeContent(
      number: partNumbers.take(), shard: shard, level: level, effort, cache: contentCache, body)
    return LiveContent(entry: entry, reader: reader, since: since)
  }

  /// Opens the segments that the manifest names. One that can't be read is reported: rows that refer to it can't be read
  /// whole either.
  func openContent(_ manifest: Manifest) throws(StorageError) {
    for entry in manifest.content {
      do throws(StorageError) {
        let live = LiveContent(entry: entry, reader: try directory.open(entry, cache: contentCache), since: 0)
        state.withLock { $0.replaceContent([], shard: entry.shard, with: [live]) }
      } catch {
        guard error.code == .corrupt || error.isMissingFile else { throw error }
        state.withLock { $0.lostContent[entry.shard].append(entry.fileName) }
        reportOnce(error)
      }
    }
    for shard in shards { try rememberContent(shard) }
  }

  /// Has what is in a shard's segments count as stored: the newest first, as far as it is remembered. Not while a sweep takes
  /// pieces away.
  func rememberContent(_ shard: Shard) throws(StorageError) {
    let generation = shard.content.generation
    var count = 0
    for live in state.withLock({ $0.contentSegments[shard.index] }).reversed() where count < ContentPool.capacity {
      do throws(StorageError) {
        shard.content.remember(try live.reader.list(), generation: generation)
      } catch {
        guard error.code == .corrupt else { throw error }
        reportOnce(error)
      }
      count += live.entry.pieceCount
    }
  }

  /// Removes the files of segments that no manifest names any more. Snapshots that still read them hold them open.
  func removeContent(_ entries: [ContentEntry]) {
    for entry in entries {
      contentCache.forget(segment: entry.number)
      do throws(StorageError) {
        try fileSystem.remove(directory.path(of: entry.fileName))
      } catch {
        report(error)
      }
    }
  }

  /// Puts segments in the place of others, durably.
  func replaceContent(
    _ old: [LiveContent], shard: Int, with new: [LiveContent]
  ) throws(StorageError) {
    let numbers = Set(old.map(\.entry.number))
    let mayRemove: Bool
    do throws(StorageError) {
      mayRemove = try publish { manifest in
        manifest.content.removeAll { numbers.contains($0.number) }
        manifest.content += new.map(\.entry)
      }
    } catch {
      if error.code == .failedStop { throw failStop(error) }
      // They are in no manifest.
      for live in new { try? fileSystem.remove(directory.path(of: live.entry.fileName)) }
      throw error
    }
    state.withLock { $0.replaceContent(numbers, shard: shard, with: new) }
    if mayRemove { removeContent(old.map(\.entry)) }
  }
}

extension StoreDirectory {
  /// Writes a segment durably, but for the manifest, and opens it.
  func writeContent(
    number: UInt64, shard: Int, level: Int, _ effort: ContentEffort, cache: ContentCache,
    _ body: (inout ContentWriter) throws(StorageError) -> Void
  ) throws(StorageError) -> (entry: ContentEntry, reader: ContentReader) {
    let folder = "\(path)/\(Self.contentFolder)"
    try fileSystem.createFolderDurably(folder)
    let name = contentFileName(number)
    do throws(StorageError) {
      let file = try fileSystem.create(path(of: name))
      var writer = try ContentWriter(file, groupBytes: effort.groupBytes, level: effort.level)
      try body(&writer)
      let summary = try writer.finish()
      try fileSystem.syncDirectory(folder)
      let entry = ContentEntry(
        number: number, shard: shard, fileName: name, pieceCount: summary.pieces, fileBytes: summary.length,
        rawBytes: summary.rawBytes, level: level, checksum: summary.checksum)
      return (entry, try open(entry, cache: cache))
    } catch {
      try? fileSystem.remove(path(of: name))
      throw error
    }
  }

  func open(_ entry: ContentEntry, cache: ContentCache) throws(StorageError) -> ContentReader {
    let reader = try ContentReader(
      file: try fileSystem.open(path(of: entry.fileName)), name: entry.fileName, number: entry.number,
      expectedChecksum: entry.checksum, cache: cache)
    guard reader.pieceCount == entry.pieceCount else {
      throw StorageError(
        .corrupt, "has \(reader.pieceCount) pieces where the manifest says \(entry.pieceCount)", path: entry.fileName)
    }
    return reader
  }
}
