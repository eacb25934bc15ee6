internal import LintelColumns
internal import Synchronization

/// Appends records to a shard's write-ahead log. Used by one thread at a time; every call blocks.
///
/// A record is durable once a later ``sync()`` has returned. After a failed write or sync the writer is dead: what reached
/// the disk is unknown, a second try could succeed without proving anything, so every later call throws `.failedStop` and
/// the log is taken up again by the next open. The one exception is a full disk while appending or rotating: the unfinished
/// bytes are cut off again and the call may be retried (`.diskFull`).
public final class LogWriter: Sendable {
  private struct State {
    /// `nil` as long as there is no room for a segment.
    var file: (any WritableFile)?
    /// What is to be done before the first segment is started.
    var recovery: LogRecovery?
    var segment: UInt64
    /// End of the last whole record.
    var length: Int
    var failure: StorageError?
    var scratch: [UInt8] = []
  }

  private let directory: String
  private let fileSystem: any FileSystem
  private let shard: UInt32
  private let state: Mutex<State>

  /// The number of the segment being written.
  public var segment: UInt64 { state.withLock { $0.segment } }
  /// Length of the segment being written, its header included.
  public var bytes: Int { state.withLock { $0.length } }
  /// Where the next record will begin.
  public var position: LogPosition { state.withLock { LogPosition(segment: $0.segment, offset: $0.length) } }

  /// Starts segment `startingAt` in a directory that exists and has been recovered (``LogRecovery``), which tells the number.
  public static func open(
    _ directory: String, shard: Int, fileSystem: any FileSystem, startingAt segment: UInt64
  ) throws(StorageError) -> LogWriter {
    let numbers = try fileSystem.list(directory).compactMap(LogFormat.segment)
    let previous = numbers.filter { $0 < segment }.max() ?? 0
    guard segment > 0, !numbers.contains(where: { $0 >= segment }) else {
      throw StorageError(.corrupt, "segment \(segment) is not the next of this log", path: directory)
    }
    let header = LogSegmentHeader(shard: UInt32(truncatingIfNeeded: shard), segment: segment, previous: previous)
    let file = try startSegment(header, directory, fileSystem)
    return LogWriter(directory, fileSystem, header, file)
  }

  /// Settles a recovery and starts the next segment. On a full disk neither is done yet: the log is open all the same, and
  /// ``start()`` does it when there is room.
  static func open(
    _ directory: String, shard: Int, fileSystem: any FileSystem, after recovery: LogRecovery
  ) throws(StorageError) -> LogWriter {
    let header = LogSegmentHeader(
      shard: UInt32(truncatingIfNeeded: shard), segment: recovery.nextSegment, previous: 0)
    let writer = LogWriter(directory, fileSystem, header, nil, recovery)
    do throws(StorageError) { try writer.start() } catch { if error.code != .diskFull { throw error } }
    return writer
  }

  private init(
    _ directory: String, _ fileSystem: any FileSystem, _ header: LogSegmentHeader, _ file: (any WritableFile)?,
    _ recovery: LogRecovery? = nil
  ) {
    self.directory = directory
    self.fileSystem = fileSystem
    shard = header.shard
    state = Mutex(
      State(file: file, recovery: recovery, segment: header.segment, length: LogFormat.segmentHeaderSize))
  }

  /// Makes the log ready, where a full disk has kept it from that. Until then nothing may be taken for stored, what the
  /// recovery has read included.
  ///
  /// - Throws: `.diskFull` as long as there is no room; it can be called again.
  func start() throws(StorageError) { try withState { (state) throws(StorageError) in _ = try file(&state) } }

  /// The segment's file; starts it first, if need be.
  private func file(_ state: inout State) throws(StorageError) -> any WritableFile {
    if let file = state.file { return file }
    do throws(StorageError) {
      try state.recovery?.settle()
      state.recovery = nil
      let previous = try fileSystem.list(directory).compactMap(LogFormat.segment).filter { $0 < state.segment }.max()
      let header = LogSegmentHeader(shard: shard, segment: state.segment, previous: previous ?? 0)
      let file = try Self.startSegment(header, directory, fileSystem)
      state.file = file
      return file
    } catch {
      guard error.code == .diskFull else { throw die(error, &state) }
      throw error
    }
  }

  /// Writes one record and hands it to the operating system.
  public func append(_ payload: UnsafeRawBufferPointer, kind: UInt8) throws(StorageError) {
    guard kind != 0, payload.count <= LogFormat.maximumPayload else {
      throw StorageError(.invalid, "a log record of kind \(kind) and \(payload.count) bytes is not allowed")
    }
    try withState { (state) throws(StorageError) in
      _ = try file(&state)
      let position = LogPosition(segment: state.segment, offset: state.length)
      let header = LogRecordHeader(payload, kind: kind, at: position, shard: shard)
      do throws(StorageError) {
        try write(header, payload, &state)
        state.length += LogFormat.recordHeaderSize + payload.count
      } catch {
        guard error.code == .diskFull else { throw die(error, &state) }
        try cutBack(&state, after: error)
        throw error
      }
    }
  }

  /// Makes every record appended so far durable.
  public func sync() throws(StorageError) {
    try withState { (state) throws(StorageError) in
      do throws(StorageError) { try state.file?.sync() } catch { throw die(error, &state) }
    }
  }

  /// Finishes the segment, durably, and starts the next one. Returns the number of the finished one.
  public func rotate() throws(StorageError) -> UInt64 {
    try withState { (state) throws(StorageError) in
      let finished = try file(&state)
      do throws(StorageError) { try finished.sync() } catch { throw die(error, &state) }
      let sealed = state.segment
      let header = LogSegmentHeader(shard: shard, segment: sealed + 1, previous: sealed)
      let file: any WritableFile
      do throws(StorageError) {
        file = try Self.startSegment(header, directory, fileSystem)
      } catch {
        guard error.code == .diskFull else { throw die(error, &state) }
        throw error
      }
      try? finished.close()
      state.file = file
      state.segment = header.segment
      state.length = LogFormat.segmentHeaderSize
      return sealed
    }
  }

  /// Closes the file. The writer takes nothing afterwards. What was not synced is as durable as it was: whoever closes a
  /// store has put the rows into parts by then.
  public func close() throws(StorageError) {
    try withState { (state) throws(StorageError) in
      state.failure = StorageError(.closed, "the log has been closed", path: directory)
      try state.file?.close()
    }
  }
}

extension LogWriter {
  /// Records up to this size are written by a single call.
  private static let scratchLimit = 4 << 20

  private func withState<T: Sendable>(
    _ body: (inout State) throws(StorageError) -> T
  ) throws(StorageError) -> T {
    try state.withLock { (state) throws(StorageError) in
      if let failure = state.failure { throw failure }
      return try body(&state)
    }
  }

  private func write(
    _ header: LogRecordHeader, _ payload: UnsafeRawBufferPointer, _ state: inout State
  ) throws(StorageError) {
    let joined = payload.count <= Self.scratchLimit
    state.scratch.removeAll(keepingCapacity: true)
    state.scratch.append(contentsOf: repeatElement(0, count: LogFormat.recordHeaderSize))
    state.scratch.withUnsafeMutableBytes { header.encode(into: $0) }
    if joined { state.scratch.append(contentsOf: payload) }
    let file = try file(&state)
    try file.append(state.scratch)
    if !joined { try file.append(payload) }
  }

  /// Removes what a failed append left behind the last whole record. When that fails too, the writer is dead.
  private func cutBack(_ state: inout State, after cause: StorageError) throws(StorageError) {
    let path = "\(directory)/\(LogFormat.fileName(state.segment))"
    do throws(StorageError) {
      state.file = try fileSystem.reopen(path, length: state.length)
    } catch {
      throw die(cause, &state)
    }
  }

  private func die(_ cause: StorageError, _ state: inout State) -> StorageError {
    let failure = StorageError(
      .failedStop,
      "the write-ahead log failed and takes no more until the store is opened again; the cause: \(cause.message)",
      path: cause.path, errorNumber: cause.errorNumber)
    state.failure = failure
    return failure
  }

  /// Creates a segment file with its header, durably. Leaves nothing behind when the disk is full.
  ///
  /// The header is on the disk before there is a record: so a longer file without one is damaged, not torn.
  private static func startSegment(
    _ header: LogSegmentHeader, _ directory: String, _ fileSystem: any FileSystem
  ) throws(StorageError) -> any WritableFile {
    let path = "\(directory)/\(LogFormat.fileName(header.segment))"
    let file = try fileSystem.create(path)
    do throws(StorageError) {
      try file.append(header.encoded())
      try file.sync()
      try fileSystem.syncDirectory(directory)
      return file
    } catch {
      guard error.code == .diskFull else { throw error }
      // The next try creates the same name, so this one has to be gone.
      do throws(StorageError) { try fileSystem.remove(path) } catch let second {
        throw StorageError(.io, "\(error.message); and \(second.message)", path: path, errorNumber: second.errorNumber)
      }
      throw error
    }
  }
}
