internal import LintelColumns

/// One record of a log.
public struct LogRecord: Sendable {
  public let kind: UInt8
  public let payload: [UInt8]
  public let position: LogPosition
  /// Where the record after this one begins.
  public let end: LogPosition
}

/// Bytes of a log that are not what was written.
public struct LogDamage: Sendable, Hashable {
  public let segment: UInt64
  public let path: String
  public let offset: Int
  /// Bytes that can't be used; 0 where the file is missing.
  public let count: Int
  public let reason: String

  public var error: StorageError {
    StorageError(
      .corrupt, "\(reason) at offset \(offset): \(count) bytes of the write-ahead log can't be used; the file is kept",
      path: path)
  }
}

/// Reads the records of a shard's log in order, from a floor on, while another thread or process may be appending.
///
/// ``next()`` returns `nil` at the end; called again later it goes on with what has been appended since, at the cost of
/// one directory listing. What is wrong is told apart like this:
///
/// - *Torn tail.* The last segment that was started ends in bytes that are no record, and no record follows them: the
///   writer was interrupted (or is at work). The log ends there; ``tail`` tells.
/// - *Damage.* Bytes that are no record, and a record or a later segment follows: a segment is only started when the one
///   before has been synced whole. ``damages`` lists file and range, and reading goes on with the next whole record, since
///   each stands for itself and its checksum ties it to its place.
public struct LogReader: Sendable {
  /// What follows the last record of the last segment.
  public struct Tail: Sendable, Hashable {
    public let path: String
    public let offset: Int
    /// Bytes that are no record.
    public let count: Int
    /// Whether the file ends before the record does, as an interrupted write leaves it. Otherwise a power cut has left
    /// zeros in rows that were never acknowledged, or acknowledged rows were damaged later: nothing tells which.
    public let isCutShort: Bool
  }

  let directory: String
  let fileSystem: any FileSystem
  let shard: UInt32
  let floor: UInt64

  /// Where the next record is expected.
  public private(set) var position: LogPosition
  public private(set) var damages: [LogDamage] = []
  /// Set when ``next()`` has returned `nil`, unless there is no segment at all.
  public private(set) var tail: Tail?

  private var current: LogSegmentFile?
  /// The last segment that was found whole or damaged, for noticing a missing one.
  private var lastSeen: UInt64 = 0
  /// The first segment after the current one whose header is whole, once seen: the current one won't grow any more.
  private var successor: UInt64?
  /// Whether nobody else writes: then what is missing is lost. Otherwise a writer may have removed it as obsolete.
  private let isExclusive: Bool
  /// Missing segments that the caller has been told of, so that it would read the manifest again.
  private var announced: Set<UInt64> = []

  /// - Parameters:
  ///   - position: the floor that the manifest gives (offset 0), or an earlier reader's ``position``.
  ///   - isExclusive: when nobody can be writing (at a recovery).
  public init(
    _ directory: String, shard: Int, fileSystem: any FileSystem, from position: LogPosition, isExclusive: Bool = false
  ) {
    self.directory = directory
    self.fileSystem = fileSystem
    self.shard = UInt32(truncatingIfNeeded: shard)
    self.position = position
    self.isExclusive = isExclusive
    floor = position.segment
  }

  /// The next record; `nil` at the present end of the log.
  ///
  /// Throws when the files can't be read. A follower gets ``StorageError/isMissingFile`` when the writer has meanwhile
  /// removed segments: their rows are in parts, and the manifest has to be read again.
  public mutating func next() throws(StorageError) -> LogRecord? {
    tail = nil
    while true {
      if current == nil, try !openNext() { return nil }
      if let record = try readRecord() { return record }
      if let successor {
        try finishSegment(movingTo: successor)
      } else if try findSuccessor() {
        continue
      } else {
        if try skipDamage() { continue }
        try noteTail()
        return nil
      }
    }
  }
}

extension LogReader {
  /// Opens the segment at ``position``, or the first after it. False when there is none yet.
  private mutating func openNext() throws(StorageError) -> Bool {
    let numbers = try segmentNumbers().filter { $0 >= position.segment }
    guard let number = try firstStarted(numbers) else {
      // A floor above 0 was published when its segment existed already.
      if numbers.isEmpty, position.segment > 0, lastSeen < position.segment, damages.isEmpty {
        try noteMissing(position.segment)
      }
      return false
    }
    if position.offset > 0, number != position.segment {
      throw .missingFile(path(position.segment), "the segment has been removed: read the manifest again")
    }
    for torn in numbers where torn < number { reportUnstarted(torn) }
    guard let (file, header) = try openSegment(number) else { return false }
    if position.offset == 0 { try checkHeader(file, header) }
    if position.segment != number || position.offset == 0 {
      position = LogPosition(segment: number, offset: LogFormat.segmentHeaderSize)
    }
    lastSeen = number
    current = file
    return true
  }

  private mutating func checkHeader(_ file: LogSegmentFile, _ header: LogSegmentHeader?) throws(StorageError) {
    guard let header else {
      let size = LogFormat.segmentHeaderSize
      let reason = "damaged segment header"
      damages.append(LogDamage(segment: file.segment, path: file.path, offset: 0, count: size, reason: reason))
      return
    }
    let previous = header.previous
    guard previous >= max(floor, 1), previous > lastSeen, !damages.contains(where: { $0.segment == previous }) else {
      return
    }
    try noteMissing(previous)
  }

  private mutating func readRecord() throws(StorageError) -> LogRecord? {
    guard var file = current else { return nil }
    defer { current = file }
    guard let record = try file.record(at: position.offset, shard: shard) else { return nil }
    position = record.end
    return record
  }

  /// Leaves a segment that won't grow any more, skipping what is damaged in it.
  private mutating func finishSegment(movingTo successor: UInt64) throws(StorageError) {
    if try skipDamage() { return }
    guard let file = current else { return }
    let size = try file.file.size()
    if size > position.offset { report(file, upTo: size, "no record") }
    current = nil
    self.successor = nil
    position = LogPosition(segment: successor)
  }

  /// Goes to the next whole record, behind bytes that are none. False when there is none in the rest of this segment.
  private mutating func skipDamage() throws(StorageError) -> Bool {
    guard var file = current else { return false }
    defer { current = file }
    guard let next = try file.recordOffset(after: position.offset, shard: shard) else { return false }
    // Read while the writer was at it, and whole by now: records are written one after the other.
    file.forgetWindow()
    if try file.record(at: position.offset, shard: shard) != nil { return true }
    report(file, upTo: next, "no record")
    position.offset = next
    return true
  }

  /// Looks whether a later segment has been started. The current one must then be read to its end once more.
  private mutating func findSuccessor() throws(StorageError) -> Bool {
    let segment = position.segment
    let later = try segmentNumbers().filter { $0 > segment }
    successor = try firstStarted(later)
    guard let successor else { return false }
    for torn in later where torn < successor { reportUnstarted(torn) }
    // Opened anew: a recovery may have put a copy without the torn tail in the place of the file that was followed.
    current = nil
    return true
  }

  private mutating func noteTail() throws(StorageError) {
    guard var file = current else { return }
    defer { current = file }
    let count = max(0, try file.file.size() - position.offset)
    let isCutShort = count == 0 ? true : try file.isCutShort(at: position.offset, shard: shard)
    tail = Tail(path: file.path, offset: position.offset, count: count, isCutShort: isCutShort)
  }
}

extension LogReader {
  private func segmentNumbers() throws(StorageError) -> [UInt64] {
    try fileSystem.list(directory).compactMap(LogFormat.segment).sorted()
  }

  private func path(_ segment: UInt64) -> String { "\(directory)/\(LogFormat.fileName(segment))" }

  /// The first of these segments that was started.
  private func firstStarted(_ numbers: [UInt64]) throws(StorageError) -> UInt64? {
    for number in numbers where try openSegment(number) != nil { return number }
    return nil
  }

  /// `nil` when the segment was never started: then it is no longer than a header and has none. In a longer file the
  /// header was durable before the first record was written, so a bad one is damage, and the records can still be read:
  /// their checksums know the place without it.
  private func openSegment(
    _ number: UInt64
  ) throws(StorageError) -> (file: LogSegmentFile, header: LogSegmentHeader?)? {
    let path = path(number)
    let file = try fileSystem.open(path)
    let segment = LogSegmentFile(file: file, path: path, segment: number)
    let size = try file.size()
    guard size >= LogFormat.segmentHeaderSize else { return nil }
    let bytes = try file.read(at: 0, count: LogFormat.segmentHeaderSize)
    let header = try bytes.span.bytes.withUnsafeBytes { (bytes) throws(StorageError) in try LogSegmentHeader(bytes) }
    if let header, header.segment == number, header.shard == shard { return (segment, header) }
    return size > LogFormat.segmentHeaderSize ? (segment, nil) : nil
  }

  private mutating func report(_ file: LogSegmentFile, upTo end: Int, _ reason: String) {
    damages.append(
      LogDamage(
        segment: file.segment, path: file.path, offset: position.offset, count: end - position.offset, reason: reason))
  }

  /// A segment whose header isn't whole although a later one was started.
  private mutating func reportUnstarted(_ segment: UInt64) {
    guard !damages.contains(where: { $0.segment == segment }) else { return }
    let size = (try? fileSystem.open(path(segment)).size()) ?? 0
    damages.append(
      LogDamage(segment: segment, path: path(segment), offset: 0, count: size, reason: "no segment header"))
  }

  /// A follower is told first: when the manifest that it then reads still needs the segment, the segment is lost.
  private mutating func noteMissing(_ segment: UInt64) throws(StorageError) {
    let path = path(segment)
    if !isExclusive, announced.insert(segment).inserted {
      throw .missingFile(path, "the segment has been removed: read the manifest again")
    }
    damages.append(LogDamage(segment: segment, path: path, offset: 0, count: 0, reason: "the file is missing"))
  }
}
