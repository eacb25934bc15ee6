internal import LintelColumns
internal import Synchronization

/// Where the background check of parts and content is.
struct ScrubTurn: Sendable {
  /// Bytes that may be read by now; below 0 after a chunk that was larger than what was left.
  private(set) var allowance = 0.0
  private var grantedAt: Int64?
  /// When the present pass began, monotonic nanoseconds.
  var passBegan: Int64?
  /// Parts of this pass that have not been looked at, the last one first.
  var waiting: [PartEntry] = []
  var current: PartScan?
  /// The same of content segments, which come behind the parts.
  var waitingContent: [ContentEntry] = []
  var currentContent: ContentScan?
  /// Whether this pass, or the lack of one, has been counted.
  var isOver = true

  /// What is not used is kept for so many seconds at most: a machine that slept, or a store without parts, reads no burst.
  private static let longestGap = 10.0

  mutating func grant(now: Int64, bytesPerSecond: Int) {
    defer { grantedAt = now }
    guard let grantedAt, now > grantedAt else { return }
    let seconds = Double(now - grantedAt) / 1e9
    let rate = Double(bytesPerSecond)
    allowance = min(allowance + seconds * rate, Self.longestGap * rate)
  }

  mutating func spend(_ bytes: Int) { allowance -= Double(bytes) }
}

/// Reads every chunk of a part, one at a time and past the cache, and compares it to its checksum.
struct PartScan: Sendable {
  let entry: PartEntry
  private let reader: PartReader
  private var column = 0
  /// What is left of the column at hand.
  private var chunks: [(chunk: PartChunk, name: String)]?

  init(_ entry: PartEntry, path: String, schema: TableSchema, fileSystem: any FileSystem) throws(StorageError) {
    self.entry = entry
    // Opening reads the footer and the directory.
    reader = try PartReader(
      file: try fileSystem.open(path), name: entry.fileName, schema: schema, expectedChecksum: entry.footerChecksum,
      cache: BlockCache(capacity: 0), cacheID: entry.number, onDamage: { _ in })
  }

  /// Returns the bytes read; `nil` at the end.
  mutating func next() throws(StorageError) -> Int? {
    while column < reader.directory.columns.count {
      guard var rest = chunks else {
        chunks = try list(column)
        return reader.directory.columns[column].index.length
      }
      guard let (chunk, name) = rest.popLast() else {
        chunks = nil
        column += 1
        continue
      }
      chunks = rest
      _ = try reader.bytes(chunk, name)
      return chunk.length
    }
    return nil
  }

  private func list(_ number: Int) throws(StorageError) -> [(PartChunk, String)] {
    let column = reader.directory.columns[number]
    let blocks = try reader.index(ofStored: number).entries.enumerated().map { block, entry in
      (entry.chunk, "block \(block) of column '\(column.displayName)'")
    }
    let others = [
      column.dictionary.map { ($0, "the dictionary of column '\(column.displayName)'") },
      column.filters.map { ($0, "the filters of column '\(column.displayName)'") },
    ]
    return others.compactMap { $0 } + blocks.reversed().filter { $0.0.length > 0 }
  }
}

/// Reads every group of a content segment, one at a time and past the cache.
struct ContentScan: Sendable {
  let entry: ContentEntry
  private let reader: ContentReader
  private var group = 0
  private var hasRead = false

  init(_ entry: ContentEntry, _ reader: ContentReader) {
    self.entry = entry
    self.reader = reader
  }

  /// Returns the bytes read; `nil` at the end.
  mutating func next() throws(StorageError) -> Int? {
    if !hasRead {
      hasRead = true
      return try reader.list().count * ContentFormat.digestLength
    }
    guard group < reader.groups.count else { return nil }
    defer { group += 1 }
    return try reader.stored(group).count
  }
}

extension Store {
  /// Goes on with the check of all parts and content, as far as the time since the last call allows. Doesn't wait.
  ///
  /// - Parameter now: Monotonic nanoseconds.
  package func scrub(now: Int64) {
    guard configuration.scrubBytesPerSecond > 0, !isReadOnly else { return }
    let isFirst = scrubIsScheduled.withLock { isScheduled in
      defer { isScheduled = true }
      return !isScheduled
    }
    guard isFirst else { return }
    let isAccepted = scrubber.start { [self] in
      scrubTurn.withLock { turn in
        turn.grant(now: now, bytesPerSecond: configuration.scrubBytesPerSecond)
        scrub(&turn, now)
      }
      scrubIsScheduled.withLock { $0 = false }
    }
    if !isAccepted { scrubIsScheduled.withLock { $0 = false } }
  }

  private func scrub(_ turn: inout ScrubTurn, _ now: Int64) {
    while turn.allowance > 0, !isClosing.load(ordering: .relaxed) {
      if let scan = turn.currentContent {
        scrub(scan, &turn)
        continue
      }
      if turn.current == nil, !startNextPart(&turn, now) { return }
      guard let entry = turn.current?.entry else { continue }
      do throws(StorageError) {
        if let bytes = try turn.current?.next() {
          turn.spend(bytes)
          state.withLock { $0.counters.scrubbedBytes += bytes }
        } else {
          turn.current = nil
          succeeded(.checking(entry.fileName))
          try takeIn(entry)
        }
      } catch {
        turn.current = nil
        found(error, in: entry)
      }
    }
  }

  private func scrub(_ scan: ContentScan, _ turn: inout ScrubTurn) {
    var scan = scan
    do throws(StorageError) {
      let bytes = try scan.next()
      turn.currentContent = bytes == nil ? nil : scan
      turn.spend(bytes ?? 0)
      state.withLock { $0.counters.scrubbedBytes += bytes ?? 0 }
      if bytes == nil {
        succeeded(.checking(scan.entry.fileName))
        try takeIn(scan.entry)
      }
    } catch {
      turn.currentContent = nil
      found(error, in: scan.entry)
    }
  }

  private func found(_ error: StorageError, in entry: ContentEntry) {
    let isLive = state.withLock { $0.contentSegments[entry.shard].contains { $0.entry.number == entry.number } }
    // A merge or a sweep may have replaced it meanwhile.
    if error.isMissingFile, !isLive { return }
    if error.code == .corrupt || error.isMissingFile {
      reportOnce(error)
    } else {
      report(error, by: .checking(entry.fileName))
    }
  }

  /// Opens the next part or content segment of this pass, or of the next pass when that is due. False when there is nothing
  /// to do.
  private func startNextPart(_ turn: inout ScrubTurn, _ now: Int64) -> Bool {
    if turn.waiting.isEmpty, turn.waitingContent.isEmpty {
      if !turn.isOver { state.withLock { $0.counters.scrubPasses += 1 } }
      turn.isOver = true
      let pause = Int64(min(max(configuration.scrubSeconds, 0), 1e9) * 1e9)
      if let began = turn.passBegan, now &- began < pause { return false }
      // Those that something is wrong with, too: they may have been restored.
      turn.waiting = state.withLock { $0.parts.values.joined().map(\.entry) + $0.quarantined }
        .sorted { $0.number > $1.number }
      turn.waitingContent = manifest.withLock { $0.content }
      // Without parts it hasn't begun.
      turn.isOver = turn.waiting.isEmpty && turn.waitingContent.isEmpty
      turn.passBegan = turn.isOver ? nil : now
    }
    guard let entry = turn.waiting.popLast() else { return startNextContent(&turn) }
    guard isLive(entry) || isQuarantined(entry), let schema = schemas[entry.table] else { return true }
    do throws(StorageError) {
      turn.current = try PartScan(
        entry, path: directory.path(of: entry.fileName), schema: schema, fileSystem: fileSystem)
    } catch {
      found(error, in: entry)
    }
    return true
  }

  private func startNextContent(_ turn: inout ScrubTurn) -> Bool {
    guard let entry = turn.waitingContent.popLast() else { return false }
    do throws(StorageError) {
      turn.currentContent = ContentScan(entry, try directory.open(entry, cache: ContentCache(capacity: 0)))
    } catch {
      found(error, in: entry)
    }
    return true
  }

  private func found(_ error: StorageError, in entry: PartEntry) {
    // A merge may have replaced it meanwhile.
    if error.isMissingFile, !isLive(entry) { return }
    if error.code == .corrupt || error.isMissingFile {
      quarantine(entry, because: error)
    } else {
      report(error, by: .checking(entry.fileName))
    }
  }
}
