internal import LintelColumns

/// One segment file being read, through a window of its bytes.
struct LogSegmentFile: Sendable {
  let file: any ReadableFile
  let path: String
  let segment: UInt64

  private var window: [UInt8] = []
  private var windowStart = 0
  /// Bytes read at once where the next record is likely to be small.
  private var readAhead = Self.windowSize
  private static let windowSize = 1 << 20
  /// Payloads from this length on are read by themselves, past the window: records of one log are much alike, so that
  /// after a long one only the next header is read ahead.
  private static let longPayload = 1 << 17

  init(file: any ReadableFile, path: String, segment: UInt64) {
    self.file = file
    self.path = path
    self.segment = segment
  }

  /// The file may have been cut and written anew since.
  mutating func forgetWindow() {
    window = []
    windowStart = 0
  }

  /// The record at an offset, if there is a whole and undamaged one.
  mutating func record(at offset: Int, shard: UInt32) throws(StorageError) -> LogRecord? {
    if let record = try parse(at: offset, shard: shard) { return record }
    // The window may be older than the file's present end.
    forgetWindow()
    return try parse(at: offset, shard: shard)
  }

  private mutating func parse(at offset: Int, shard: UInt32) throws(StorageError) -> LogRecord? {
    let position = LogPosition(segment: segment, offset: offset)
    guard let header = try header(at: offset, shard: shard) else { return nil }
    let start = offset + LogFormat.recordHeaderSize
    guard let payload = try payload(at: start, count: header.length) else { return nil }
    let checksum = payload.withUnsafeBytes { Checksum.crc32c($0, seed: header.headerChecksum) }
    guard checksum == header.payloadChecksum else { return nil }
    let end = LogPosition(segment: segment, offset: start + header.length)
    return LogRecord(kind: header.kind, payload: payload, position: position, end: end)
  }

  private mutating func payload(at start: Int, count: Int) throws(StorageError) -> [UInt8]? {
    if count >= Self.longPayload {
      readAhead = LogFormat.recordHeaderSize
      return start + count > (try file.size()) ? nil : try file.read(at: start, count: count)
    }
    readAhead = Self.windowSize
    guard try fill(start, count, ahead: readAhead) else { return nil }
    return Array(window[start - windowStart..<start - windowStart + count])
  }

  private mutating func header(at offset: Int, shard: UInt32) throws(StorageError) -> LogRecordHeader? {
    guard try fill(offset, LogFormat.recordHeaderSize, ahead: readAhead) else { return nil }
    let from = offset - windowStart
    return window.withUnsafeBytes { bytes in
      let bytes = UnsafeRawBufferPointer(rebasing: bytes[from..<from + LogFormat.recordHeaderSize])
      return LogRecordHeader(bytes, at: LogPosition(segment: segment, offset: offset), shard: shard)
    }
  }

  /// Whether the file ends before the record that begins at an offset does.
  mutating func isCutShort(at offset: Int, shard: UInt32) throws(StorageError) -> Bool {
    let size = try file.size()
    if offset + LogFormat.recordHeaderSize > size { return true }
    guard let header = try header(at: offset, shard: shard) else { return false }
    return offset + LogFormat.recordHeaderSize + header.length > size
  }

  /// The offset of the first whole record behind an offset where there is none.
  ///
  /// A header that is whole but reaches beyond the end of the file is what an interrupted write leaves: then nothing can
  /// follow it, and nothing is searched.
  mutating func recordOffset(after offset: Int, shard: UInt32) throws(StorageError) -> Int? {
    let size = try file.size()
    if let header = try header(at: offset, shard: shard),
      offset + LogFormat.recordHeaderSize + header.length > size
    {
      return nil
    }
    var candidate = offset + 1
    while let found = try headerOffset(from: candidate, size: size, shard: shard) {
      if try parse(at: found, shard: shard) != nil { return found }
      candidate = found + 1
    }
    return nil
  }

  /// The first offset at which a record's header stands.
  private mutating func headerOffset(from: Int, size: Int, shard: UInt32) throws(StorageError) -> Int? {
    var offset = from
    while offset + LogFormat.recordHeaderSize <= size {
      guard try fill(offset, LogFormat.recordHeaderSize, ahead: Self.windowSize) else { return nil }
      let first = offset - windowStart
      let last = window.count - LogFormat.recordHeaderSize
      let found = window.withUnsafeBytes { bytes -> Int? in
        for index in first...last {
          let header = UnsafeRawBufferPointer(rebasing: bytes[index..<index + LogFormat.recordHeaderSize])
          let position = LogPosition(segment: segment, offset: windowStart + index)
          if LogRecordHeader(header, at: position, shard: shard) != nil { return position.offset }
        }
        return nil
      }
      if let found { return found }
      offset = windowStart + last + 1
    }
    return nil
  }

  /// Makes the window hold a range of the file, and when it must be read, `ahead` bytes from its start on; false when the
  /// file ends before the range does.
  private mutating func fill(_ offset: Int, _ count: Int, ahead: Int) throws(StorageError) -> Bool {
    if offset >= windowStart, offset + count <= windowStart + window.count { return true }
    let size = try file.size()
    guard offset >= 0, offset + count <= size else { return false }
    window = try file.read(at: offset, count: min(max(count, ahead), size - offset))
    windowStart = offset
    return true
  }
}
