/// A log segment as far as it reached at one moment.
struct LogCut: Sendable {
  /// Relative to the data directory.
  var name: String
  var file: any ReadableFile
  var shard: Int
  var segment: UInt64
  /// Bytes at that moment.
  var size: Int
  /// Whether the writer may have been at work at its end.
  var isLast: Bool

  /// Whether a segment was begun here: a file without a whole header holds nothing.
  func isStarted() throws(StorageError) -> Bool {
    if size != LogFormat.segmentHeaderSize { return size > LogFormat.segmentHeaderSize }
    return try hasHeader()
  }

  private func hasHeader() throws(StorageError) -> Bool {
    let bytes = try file.read(at: 0, count: LogFormat.segmentHeaderSize)
    return try bytes.span.bytes.withUnsafeBytes { (bytes) throws(StorageError) in try LogSegmentHeader(bytes) } != nil
  }

  /// How many bytes are to be kept: without a record that the writer hadn't finished. Reads all records and says what is wrong
  /// with them.
  func examine() throws(StorageError) -> (bytes: Int, damage: String?) {
    // A writer whose disk was full may have cut back what it couldn't finish.
    let size = isLast ? min(size, try file.size()) : size
    let bounded = BoundedFile(file, size: size)
    var records = LogSegmentFile(file: bounded, path: name, segment: segment)
    let shard = UInt32(truncatingIfNeeded: shard)
    var damage: String? = try hasHeader() ? nil : "its header is damaged"
    var offset = LogFormat.segmentHeaderSize
    while true {
      while let record = try records.record(at: offset, shard: shard) { offset = record.end.offset }
      guard let next = try records.recordOffset(after: offset, shard: shard) else { break }
      damage = damage ?? "there is no record at offset \(offset)"
      offset = next
    }
    if offset == size { return (size, damage) }
    if isLast, try records.isCutShort(at: offset, shard: shard) { return (offset, damage) }
    // A recovery tells it apart from nothing, and reports it: what is restored does the same.
    return (size, damage ?? "there is no record at offset \(offset)")
  }
}

/// The beginning of a file, whatever comes behind it.
private final class BoundedFile: ReadableFile {
  private let file: any ReadableFile
  private let bound: Int

  init(_ file: any ReadableFile, size: Int) {
    self.file = file
    bound = size
  }

  func size() throws(StorageError) -> Int { bound }

  func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard !overflow, end <= bound else { throw Transfers.tooShort(offset, count, "the log") }
    return try file.read(at: offset, count: count)
  }
}
