import Testing

@testable import LintelStorage

@Suite struct SealedDigestsTests {
  private let sealed = SealedDigests(segment: 7, time: 1000, digests: [1, .max, 0, 1 << 100])

  @Test func survivesPersistAndLoad() throws {
    let log = try LogFixture()
    let later = SealedDigests(segment: 9, time: 2000, digests: [])
    try later.persist(to: LogFixture.directory, fileSystem: log.fileSystem)
    try sealed.persist(to: LogFixture.directory, fileSystem: log.fileSystem)
    // Written again by a repeated flush.
    try sealed.persist(to: LogFixture.directory, fileSystem: log.fileSystem)
    let loaded = try SealedDigests.load(LogFixture.directory, fileSystem: log.fileSystem, notBefore: 1000)
    #expect(loaded.files == [sealed, later] && loaded.problems.isEmpty)
    #expect(try SealedDigests.load(LogFixture.directory, fileSystem: log.fileSystem, notBefore: 1001).files == [later])
    try SealedDigests.removeExpired(LogFixture.directory, fileSystem: log.fileSystem, before: 1001)
    #expect(try log.fileSystem.list(LogFixture.directory) == ["recent-000000000009.ids"])
  }

  @Test func everyDamagedByteIsNoticed() throws {
    let log = try LogFixture()
    try sealed.persist(to: LogFixture.directory, fileSystem: log.fileSystem)
    let path = "\(LogFixture.directory)/recent-000000000007.ids"
    let whole = try #require(log.fileSystem.contents(path))
    for offset in whole.indices {
      log.fileSystem.corrupt(path) { $0[offset] ^= 0x10 }
      let loaded = try SealedDigests.load(LogFixture.directory, fileSystem: log.fileSystem, notBefore: .min)
      #expect(loaded.files.isEmpty && loaded.problems.map(\.code) == [.corrupt], "byte \(offset)")
      log.fileSystem.corrupt(path) { $0 = Array(whole[..<offset]) }
      #expect(
        try SealedDigests.load(LogFixture.directory, fileSystem: log.fileSystem, notBefore: .min).files.isEmpty)
      log.fileSystem.corrupt(path) { $0 = whole }
    }
  }
}
