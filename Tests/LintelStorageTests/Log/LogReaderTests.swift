import LintelColumns
import Testing

@testable import LintelStorage

@Suite struct LogReaderTests {
  @Test func readsWhatWasWrittenInOrderAcrossSegments() throws {
    let log = try LogFixture()
    try log.write(segments: 3, records: 4)
    var reader = log.reader()
    #expect(try reader.payloads() == (0..<12).map { LogFixture.payload($0) })
    #expect(reader.damages.isEmpty)
    #expect(reader.tail?.count == 0)
  }

  @Test func resumesFromAnyPosition() throws {
    let log = try LogFixture()
    try log.write(segments: 3, records: 3)
    var reader = log.reader()
    for index in 0..<9 {
      var resumed = log.reader(from: reader.position)
      #expect(try resumed.payloads() == (index..<9).map { LogFixture.payload($0) })
      #expect(try reader.next()?.payload == LogFixture.payload(index))
    }
  }

  @Test func readsLargeAndEmptyRecords() throws {
    let log = try LogFixture()
    let writer = try log.writer()
    let payloads = [3 << 20, 0, 5 << 20, 1, 1 << 20].enumerated().map { LogFixture.payload($0, size: $1) }
    for payload in payloads { try writer.append(payload) }
    var reader = log.reader()
    #expect(try reader.payloads() == payloads)
  }

  @Test func followsAWriterThroughRotations() throws {
    let log = try LogFixture()
    let writer = try log.writer()
    var reader = LogReader(
      LogFixture.directory, shard: 0, fileSystem: log.fileSystem, from: LogPosition(segment: 1))
    #expect(try reader.next() == nil)
    var expected = 0
    for index in 0..<40 {
      try writer.append(LogFixture.payload(index))
      if index % 7 == 6 { _ = try writer.rotate() }
      guard index % 3 == 0 else { continue }
      while let record = try reader.next() {
        #expect(record.payload == LogFixture.payload(expected))
        expected += 1
      }
      #expect(expected == index + 1)
    }
    #expect(reader.damages.isEmpty)
  }

  @Test func aFollowerStopsBeforeAnUnfinishedRecordAndTakesItLater() throws {
    let log = try LogFixture()
    try log.write(segments: 1, records: 3)
    let whole = try #require(log.fileSystem.contents(LogFixture.path(1)))
    var whereTheLastBegins = log.reader()
    _ = try whereTheLastBegins.next()
    _ = try whereTheLastBegins.next()
    let end = whereTheLastBegins.position.offset
    log.fileSystem.corrupt(LogFixture.path(1)) { $0 = Array(whole[..<end]) }
    var follower = log.reader()
    #expect(try follower.payloads().count == 2)
    for length in end..<whole.count {
      log.fileSystem.corrupt(LogFixture.path(1)) { $0 = Array(whole[..<length]) }
      #expect(try follower.next() == nil)
      #expect(follower.position.offset == end)
      #expect(follower.tail?.count == length - end)
    }
    log.fileSystem.corrupt(LogFixture.path(1)) { $0 = whole }
    #expect(try follower.next()?.payload == LogFixture.payload(2))
    #expect(follower.damages.isEmpty)
  }

  @Test func tellsAFollowerThatItsSegmentIsGone() throws {
    let log = try LogFixture()
    try log.write(segments: 3, records: 3)
    var reader = log.reader()
    _ = try reader.next()
    let position = reader.position
    try LogRecovery.removeObsolete(LogFixture.directory, fileSystem: log.fileSystem, below: 3)
    var resumed = log.reader(from: position)
    do {
      _ = try resumed.next()
      Issue.record("a removed segment was passed over")
    } catch {
      #expect(error.isMissingFile)
    }
  }

  @Test func aFollowerIsToldOnceThatASegmentIsMissingAndThenTakesItForLost() throws {
    let log = try LogFixture()
    try log.write(segments: 1, records: 1)
    var follower = LogReader(
      LogFixture.directory, shard: 0, fileSystem: log.fileSystem, from: LogPosition(segment: 1))
    #expect(try follower.payloads().count == 1)
    for segment in 2...4 as ClosedRange<UInt64> {
      let writer = try log.writer(segment)
      try writer.append(LogFixture.payload(Int(segment)))
      try writer.close()
    }
    try log.fileSystem.remove(LogFixture.path(3))
    #expect(try follower.next()?.payload == LogFixture.payload(2))
    #expect(thrown { _ = try follower.next() }?.isMissingFile == true)
    #expect(try follower.next()?.payload == LogFixture.payload(4))
    #expect(follower.damages.map(\.segment) == [3])
  }

  @Test func refusesANewerFormat() throws {
    let log = try LogFixture()
    try log.write(segments: 1, records: 1)
    log.fileSystem.corrupt(LogFixture.path(1)) { bytes in
      bytes[8] = 9
      let checksum = bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[..<32])) }
      withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(32..<36, with: $0) }
    }
    var reader = log.reader()
    #expect(throws: StorageError.self) { try reader.next() }
  }
}
