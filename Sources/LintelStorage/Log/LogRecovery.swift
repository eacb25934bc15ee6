/// Takes up a log that was closed, crashed or damaged: replays it and makes it fit for a ``LogWriter``.
public struct LogRecovery: Sendable {
  /// The number to open the writer with.
  public let nextSegment: UInt64
  /// Records that were handed to the caller.
  public let recordCount: Int
  /// Bytes of an unfinished record that were cut off the end.
  public let cutBytes: Int
  /// What couldn't be read although it should have been there. Empty in a healthy log.
  public let damages: [LogDamage]
  /// Segments that hold damage: kept under another name when they aren't needed any more.
  public var damagedSegments: Set<UInt64> { Set(damages.map(\.segment)) }

  /// Reads every record from the floor on, in order; then cuts the torn tail off, makes what is left durable, and removes
  /// segments that were never started.
  ///
  /// When this throws, nothing has been lost and it can be called again.
  public static func recover(
    _ directory: String, shard: Int, fileSystem: any FileSystem, floor: UInt64,
    _ body: (LogRecord) throws(StorageError) -> Void
  ) throws(StorageError) -> LogRecovery {
    var reader = LogReader(
      directory, shard: shard, fileSystem: fileSystem, from: LogPosition(segment: floor), isExclusive: true)
    var count = 0
    while let record = try reader.next() {
      try body(record)
      count += 1
    }
    let tail = reader.tail
    var damages = reader.damages
    if let tail, !tail.isCutShort {
      damages.append(try keep(tail, segment: reader.position.segment, fileSystem))
    }
    if let tail { try rewrite(tail, directory, fileSystem) }
    let numbers = try fileSystem.list(directory).compactMap(LogFormat.segment)
    // Behind the last started segment there are only files whose header never got to the disk: no record was in them.
    let last = tail.map { _ in reader.position.segment } ?? 0
    let unstarted = numbers.filter { $0 > last && $0 >= floor }
    for segment in unstarted { try fileSystem.remove("\(directory)/\(LogFormat.fileName(segment))") }
    try fileSystem.syncDirectory(directory)
    return LogRecovery(
      nextSegment: max(numbers.max() ?? 0, floor) + 1, recordCount: count, cutBytes: tail?.count ?? 0,
      damages: damages)
  }

  /// Puts the end of a log that is no record beside it, for whoever wants to know what it was.
  private static func keep(
    _ tail: LogReader.Tail, segment: UInt64, _ fileSystem: any FileSystem
  ) throws(StorageError) -> LogDamage {
    let path = tail.path + ".tail"
    try fileSystem.removeIfPresent(path)
    let file = try fileSystem.create(path)
    let source = try fileSystem.open(tail.path)
    var offset = tail.offset
    while offset < tail.offset + tail.count {
      let count = min(tail.offset + tail.count - offset, 4 << 20)
      try file.append(try source.read(at: offset, count: count))
      offset += count
    }
    try file.sync()
    try file.close()
    return LogDamage(
      segment: segment, path: path, offset: tail.offset, count: tail.count,
      reason: "the log's end is no record: a power cut leaves rows so that were not acknowledged, damage any")
  }

  /// Replaces the last segment by a copy of itself that is on the disk for sure, without the torn tail.
  ///
  /// From now on its records count as stored, but the last writer may have died between writing and syncing, or of a
  /// failed sync. After that Linux takes the pages for clean: they can still be read, and a sync of the same file would
  /// succeed without writing them. Only new pages prove something.
  private static func rewrite(
    _ tail: LogReader.Tail, _ directory: String, _ fileSystem: any FileSystem
  ) throws(StorageError) {
    let temporary = tail.path + ".tmp"
    try fileSystem.removeIfPresent(temporary)
    let source = try fileSystem.open(tail.path)
    let copy = try fileSystem.create(temporary)
    do throws(StorageError) {
      var offset = 0
      while offset < tail.offset {
        let count = min(tail.offset - offset, 4 << 20)
        try copy.append(try source.read(at: offset, count: count))
        offset += count
      }
      try copy.sync()
      try copy.close()
    } catch {
      try? fileSystem.remove(temporary)
      throw error
    }
    try fileSystem.rename(temporary, to: tail.path)
    try fileSystem.syncDirectory(directory)
  }

  /// Removes the segments below the floor; those in `damaged` are kept as `<number>.log.damaged`.
  ///
  /// To be called when the manifest that names the floor is durable. What a failure leaves behind goes the next time.
  public static func removeObsolete(
    _ directory: String, fileSystem: any FileSystem, below floor: UInt64, damaged: Set<UInt64> = []
  ) throws(StorageError) {
    let obsolete = try fileSystem.list(directory).compactMap(LogFormat.segment).filter { $0 < floor }.sorted()
    for segment in obsolete {
      let path = "\(directory)/\(LogFormat.fileName(segment))"
      if damaged.contains(segment) {
        try fileSystem.rename(path, to: path + ".damaged")
      } else {
        try fileSystem.remove(path)
      }
    }
    if !obsolete.isEmpty { try fileSystem.syncDirectory(directory) }
  }
}
