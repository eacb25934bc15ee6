import Testing

@testable import LintelStorage

/// Whatever is done to the bytes of a log: each record is read whole or not at all, and what is missing is told.
@Suite struct LogDamageTests {
  private let segments = 2
  private let records = 4
  private var all: [[UInt8]] { (0..<segments * records).map { LogFixture.payload($0) } }

  @Test func aCutAtEveryLengthOfTheLastSegmentLeavesTheWholeRecordsBefore() throws {
    let log = try LogFixture()
    try log.write(segments: segments, records: records)
    let whole = try #require(log.fileSystem.contents(LogFixture.path(2)))
    var ends: [Int] = []
    var reader = log.reader(from: LogPosition(segment: 2))
    while let record = try reader.next() { ends.append(record.end.offset) }
    for length in 0..<whole.count {
      log.fileSystem.corrupt(LogFixture.path(2)) { $0 = Array(whole[..<length]) }
      var reader = log.reader()
      let kept = records + ends.filter { $0 <= length }.count
      #expect(try reader.payloads() == Array(all[..<kept]), "cut at \(length)")
      #expect(reader.damages.isEmpty, "cut at \(length)")
    }
  }

  @Test func aFlippedBitAnywhereCostsAtMostItsRecordAndIsNoticed() throws {
    let log = try LogFixture()
    try log.write(segments: segments, records: records)
    for segment in 1...UInt64(segments) {
      let whole = try #require(log.fileSystem.contents(LogFixture.path(segment)))
      for offset in 0..<whole.count {
        log.fileSystem.corrupt(LogFixture.path(segment)) { $0[offset] ^= 1 << UInt8(offset % 8) }
        var reader = log.reader()
        let read = try reader.payloads()
        // Zero bytes at the end of the header belong to nothing.
        let isUnused = (36..<40).contains(offset)
        let isInHeader = offset < LogFormat.segmentHeaderSize
        let missing = all.filter { !read.contains($0) }
        #expect(missing.count == (isInHeader ? 0 : 1), "segment \(segment), byte \(offset)")
        #expect(read == all.filter { !missing.contains($0) }, "segment \(segment), byte \(offset)")
        let told = !reader.damages.isEmpty || (reader.tail?.count ?? 0) > 0
        #expect(told != isUnused, "segment \(segment), byte \(offset)")
        log.fileSystem.corrupt(LogFixture.path(segment)) { $0 = whole }
      }
    }
  }

  @Test func aZeroedRangeIsNoticedAndTheRestIsRead() throws {
    let log = try LogFixture()
    try log.write(segments: segments, records: 40)
    var reader = log.reader()
    let all = try reader.payloads()
    log.fileSystem.corrupt(LogFixture.path(1)) { bytes in for index in 300..<600 { bytes[index] = 0 } }
    reader = log.reader()
    let read = try reader.payloads()
    #expect(read.count < all.count && read.count > all.count - 20)
    #expect(read == all.filter { read.contains($0) })
    let damage = try #require(reader.damages.first)
    #expect(reader.damages.count == 1)
    #expect(damage.path == LogFixture.path(1) && damage.offset <= 300 && damage.offset + damage.count >= 600)
    #expect(damage.error.code == .corrupt && damage.error.path == LogFixture.path(1))
  }

  @Test func aSegmentUnderAnotherNumberIsNotTakenForIt() throws {
    let log = try LogFixture()
    try log.write(segments: segments, records: records)
    let first = try #require(log.fileSystem.contents(LogFixture.path(1)))
    log.fileSystem.corrupt(LogFixture.path(2)) { $0 = first }
    var reader = log.reader()
    #expect(try reader.payloads() == Array(all[..<records]))
    #expect(reader.damages.contains { $0.segment == 2 } || (reader.tail?.count ?? 0) > 0)
  }

  @Test func aLogOfAnotherShardIsNotRead() throws {
    let log = try LogFixture()
    try log.write(segments: 1, records: 2)
    var reader = LogReader(
      LogFixture.directory, shard: 3, fileSystem: log.fileSystem, from: LogPosition(segment: 0))
    #expect(try reader.payloads().isEmpty)
    #expect(!reader.damages.isEmpty)
  }

  @Test func aMissingSegmentIsNoticed() throws {
    for missing in 1...3 {
      let damaged = try LogFixture()
      try damaged.write(segments: 4, records: 2)
      try damaged.fileSystem.remove(LogFixture.path(UInt64(missing)))
      var reader = damaged.reader(from: LogPosition(segment: 1))
      #expect(try reader.payloads().count == 6)
      #expect(reader.damages.map(\.segment) == [UInt64(missing)])
      #expect(reader.damages.first?.reason == "the file is missing")
    }
    let log = try LogFixture()
    var reader = log.reader(from: LogPosition(segment: 4))
    #expect(try reader.payloads().isEmpty)
    #expect(reader.damages.count == 1)
  }

  @Test(arguments: 0..<200)
  func garbageNeverTraps(seed: UInt64) throws {
    var generator = Dice(seed)
    let log = try LogFixture()
    try log.write(segments: segments, records: records)
    for segment in 1...UInt64(segments) {
      log.fileSystem.corrupt(LogFixture.path(segment)) { bytes in
        for _ in 0..<Int.random(in: 1...20, using: &generator) {
          let offset = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<4, using: &generator) {
          case 0: bytes[offset] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes.remove(at: offset)
          case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: offset)
          default: bytes.append(contentsOf: bytes[offset...].prefix(50))
          }
        }
      }
    }
    var reader = log.reader()
    let all = all
    // A format from the future is the one thing that stops the reading; the checksum makes it all but impossible here.
    #expect(try reader.payloads().allSatisfy(all.contains))
  }
}
