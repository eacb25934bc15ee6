import Testing

@testable import LintelStorage

/// A log in a simulated file system, and the shorthand that its tests share.
struct LogFixture {
  static let directory = "/wal"
  var fileSystem = SimulatedFileSystem()

  init(_ fileSystem: SimulatedFileSystem = SimulatedFileSystem()) throws {
    self.fileSystem = fileSystem
    try fileSystem.createParentsDurably(of: Self.directory + "/log")
  }

  static func payload(_ index: Int, size: Int? = nil) -> [UInt8] {
    var generator = Dice(UInt64(index))
    if let size, size > 1 << 16 { return Array(repeating: UInt8.random(in: 0...255, using: &generator), count: size) }
    return (0..<(size ?? 3 + index * 7 % 40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  static func path(_ segment: UInt64) -> String { "\(directory)/\(LogFormat.fileName(segment))" }

  func writer(_ segment: UInt64 = 1) throws -> LogWriter {
    try LogWriter.open(Self.directory, shard: 0, fileSystem: fileSystem, startingAt: segment)
  }

  /// Segments of `records` records each, synced.
  func write(segments: Int, records: Int) throws {
    let writer = try writer()
    for index in 0..<segments * records {
      if index > 0, index % records == 0 { _ = try writer.rotate() }
      try writer.append(Self.payload(index))
    }
    try writer.sync()
    try writer.close()
  }

  func reader(from position: LogPosition = LogPosition(segment: 0)) -> LogReader {
    LogReader(Self.directory, shard: 0, fileSystem: fileSystem, from: position, isExclusive: true)
  }
}

extension LogWriter {
  func append(_ payload: [UInt8]) throws(StorageError) {
    try payload.span.bytes.withUnsafeBytes { (bytes) throws(StorageError) in try append(bytes, kind: 1) }
  }
}

extension LogReader {
  /// The payloads of all that can be read now.
  mutating func payloads() throws(StorageError) -> [[UInt8]] {
    var payloads: [[UInt8]] = []
    while let record = try next() { payloads.append(record.payload) }
    return payloads
  }
}
