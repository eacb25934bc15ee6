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

  private let directory: String
  private let fileSystem: any FileSystem
  private let floor: UInt64
  private let tail: LogReader.Tail?
  /// The last segment that was started; 0 when there is none.
  private let lastStarted: UInt64

  /// ``read(_:shard:fileSystem:floor:_:)``, then ``settle()``.
  public static func recover(
    _ directory: String, shard: Int, fileSystem: any FileSystem, floor: UInt64,
    _ body: (LogRecord) throws(StorageError) -> Void
  ) throws(StorageError) -> LogRecovery {
    let recovery = try read(directory, shard: shard, fileSystem: fileSystem, floor: floor, body)
    try recovery.settle()
    return recovery
  }

  /// Reads every record from the floor on, in order. Changes nothing.
  static func read(
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
    if let tail, !tail.isCutShort { damages.append(damage(tail, segment: reader.position.segment)) }
    let numbers = try fileSystem.list(directory).compactMap(LogFormat.segment)
    return LogRecovery(
      nextSegment: max(numbers.max() ?? 0, floor) + 1, recordCount: count, cutBytes: tail?.count ?? 0,
      damages: damages, directory: directory, fileSystem: fileSystem, floor: floor, tail: tail,
      lastStarted: tail == nil ? 0 : reader.position.segment)
  }

  /// Cuts the torn tail off, makes what is left durable, and removes segments that were never started. Until this has
  /// succeeded the records that were read may not be on the disk: none may be taken for stored.
  ///
  /// When this throws, nothing has been lost and it can be called again.
  func settle() throws(StorageError) {
    if let tail {
      if !tail.isCutShort { try Self.keep(tail, fileSystem) }
      try Self.rewrite(tail, directory, fileSystem)
    }
    // Behind the last started segment there are only files whose header never got to the disk: no record was in them.
    let numbers = try fileSystem.list(directory).compactMap(LogFormat.segment)
    let unstarted = numbers.filter { $0 > lastStarted && $0 >= floor }
    for segment in unstarted { try fileSystem.remove("\(directory)/\(LogFormat.fileName(segment))") }
    // Were one of them to come back before a segment that is started next, it would be taken for a damaged one.
    if !unstarted.isEmpty { try fileSystem.syncDirectory(directory) }
  }

  private static func damage(_ tail: LogReader.Tail, segment: UInt64) -> LogDamage {
    LogDamage(
      segment: segment, path: tail.path + ".tail", offset: tail.offset, count: tail.count,
      reason: "the log's end is no record: a power cut leaves rows so that were not acknowledged, damage any")
  }

  /// Puts the end of a log that is no record beside it, for whoever wants to know what it was.
  private static func keep(_ tail: LogReader.Tail, _ fileSystem: any FileSystem) throws(StorageError) {
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
  /// To be called when the manifest that names the floor is durable. What a failure leaves behind, or a crash brings back,
  /// lies below the floor and goes the next time.
  public static func removeObsolete(
    _ directory: String, fileSystem: any FileSystem, below floor: UInt64, damaged: Set<UInt64> = []
  ) throws(StorageError) {
    let obsolete = try fileSystem.list(directory).compactMap(LogFormat.segment).filter { $0 < floor }.sorted()
    var hasKept = false
    for segment in obsolete {
      let path = "\(directory)/\(LogFormat.fileName(segment))"
      if damaged.contains(segment) {
        try fileSystem.rename(path, to: path + ".damaged")
        hasKept = true
      } else {
        try fileSystem.remove(path)
      }
    }
    if hasKept { try fileSystem.syncDirectory(directory) }
  }
}
