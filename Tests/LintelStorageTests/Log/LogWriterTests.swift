import Testing

@testable import LintelStorage

@Suite struct LogWriterTests {
  @Test func aFailedSyncEndsTheWriterForGood() throws {
    let log = try LogFixture()
    let writer = try log.writer()
    try writer.append(LogFixture.payload(0))
    let next = log.fileSystem.calls.count
    log.fileSystem.setFault(.fail(at: next, errno: SimulatedFileSystem.inputOutput, lasting: false))
    #expect(code { try writer.sync() } == .failedStop)
    #expect(code { try writer.sync() } == .failedStop)
    #expect(code { try writer.append([1]) } == .failedStop)
    #expect(code { _ = try writer.rotate() } == .failedStop)
  }

  @Test func aFullDiskIsRetryableAndLeavesNoHole() throws {
    let log = try LogFixture()
    let writer = try log.writer()
    for index in 0..<5 {
      try writer.append(LogFixture.payload(index))
      let next = log.fileSystem.calls.count
      log.fileSystem.setFault(.fail(at: next, errno: SimulatedFileSystem.noSpace, lasting: false))
      #expect(code { try writer.append(LogFixture.payload(90)) } == .diskFull)
    }
    try writer.sync()
    var reader = log.reader()
    #expect(try reader.payloads() == (0..<5).map { LogFixture.payload($0) })
    #expect(reader.damages.isEmpty && reader.tail?.count == 0)
  }

  @Test func aFullDiskDuringRotationLeavesTheWriterAtItsSegment() throws {
    let log = try LogFixture()
    let writer = try log.writer()
    var rotations = 0
    // The sync of the old segment, then create, append, sync, syncDirectory of the new one.
    for offset in 1...4 {
      try writer.append(LogFixture.payload(offset))
      let next = log.fileSystem.calls.count + offset
      log.fileSystem.setFault(.fail(at: next, errno: SimulatedFileSystem.noSpace, lasting: false))
      #expect(code { _ = try writer.rotate() } == .diskFull, "call \(offset)")
      rotations += 1
      #expect(writer.segment == UInt64(rotations))
      #expect(try writer.rotate() == UInt64(rotations))
    }
    try writer.append(LogFixture.payload(5))
    var reader = log.reader()
    #expect(try reader.payloads() == (1...5).map { LogFixture.payload($0) })
    #expect(reader.damages.isEmpty)
  }

  @Test func refusesASegmentThatIsThere() throws {
    let log = try LogFixture()
    try log.write(segments: 2, records: 1)
    #expect(throws: StorageError.self) { try log.writer(2) }
    #expect(throws: StorageError.self) { try log.writer(1) }
    _ = try log.writer(3)
  }

  @Test func refusesKindZeroAndHugePayloads() throws {
    let writer = try LogFixture().writer()
    #expect(code { try writer.append(UnsafeRawBufferPointer(start: nil, count: 0), kind: 0) } == .invalid)
  }

  @Test func keepsDamagedSegmentsUnderAnotherName() throws {
    let log = try LogFixture()
    try log.write(segments: 3, records: 2)
    try LogRecovery.removeObsolete(LogFixture.directory, fileSystem: log.fileSystem, below: 3, damaged: [1])
    #expect(
      Set(try log.fileSystem.list(LogFixture.directory)) == ["000000000001.log.damaged", "000000000003.log"])
  }

}
