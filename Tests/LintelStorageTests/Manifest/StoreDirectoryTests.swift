import Testing

@testable import LintelStorage

@Suite struct StoreDirectoryTests {
  private let fileSystem = SimulatedFileSystem()
  private let layout = StoreLayout(shardCount: 2, shardKey: "org_id")

  private func open(
    _ layout: StoreLayout? = nil, on fileSystem: SimulatedFileSystem? = nil, readOnly: Bool = false
  ) throws(StorageError) -> StoreDirectory {
    try StoreDirectory.open(
      "/srv/data/", layout: layout ?? self.layout, fileSystem: fileSystem ?? self.fileSystem, readOnly: readOnly)
  }

  @Test func createsTheLayoutOnce() throws {
    let directory = try open()
    let secret = try directory.secret()
    #expect(secret.count == 32 && Set(secret).count > 8)
    #expect(try directory.loadManifest().manifest.shardCount == 2)
    #expect(directory.logDirectory(shard: 1) == "/srv/data/wal/shard-0001")
    #expect(fileSystem.contents("/srv/data/lintel.json") == layout.encoded())
    directory.release()
    let again = try open(StoreLayout(shardCount: 9, shardKey: "org_id"))
    #expect(again.layout == layout)
    #expect(try again.secret() == secret)
  }

  @Test func aSecondWriterIsRefusedAndAReaderIsNot() throws {
    #expect(code { _ = try open(readOnly: true) } == .readOnly)
    let writer = try open()
    #expect(code { _ = try open() } == .locked)
    let reader = try open(readOnly: true)
    #expect(try reader.loadManifest().manifest == writer.loadManifest().manifest)
    #expect(code { _ = try reader.removeUnreferenced(.empty(shardCount: 2)) } == .readOnly)
    writer.release()
    try open().release()
  }

  @Test func refusesOtherSettingsAndFormats() throws {
    try open().release()
    #expect(code { _ = try open(StoreLayout(shardCount: 2, shardKey: "trace_id")) } == .incompatible)
    let path = "/srv/data/lintel.json"
    for (text, expected) in [
      ("{\"format\": 2, \"shards\": 2, \"shard_key\": \"org_id\"}", StorageError.Code.incompatible),
      ("{\"format\": 1, \"shards\": 3, \"shard_key\": \"org_id\"}", .corrupt),
      ("{\"format\": 1, \"shards\": 0, \"shard_key\": \"org_id\"}", .corrupt),
      ("{\"format\": 1, \"shards\": 2}", .corrupt), ("", .corrupt), ("{", .corrupt), ("[]", .corrupt),
      ("{\"format\": 99999999999999999999, \"shards\": 2, \"shard_key\": \"org_id\"}", .corrupt),
      ("{\"format\": 1, \"format\": 1, \"shards\": 2, \"shard_key\": \"org_id\"}", .corrupt),
    ] {
      fileSystem.corrupt(path) { $0 = Array(text.utf8) }
      let found = code {
        let directory = try open()
        defer { directory.release() }
        _ = try directory.loadManifest()
      }
      #expect(found == expected, "\(text)")
    }
  }

  @Test func refusesADirectoryWithRowsButWithoutSettings() throws {
    try open().release()
    try fileSystem.remove("/srv/data/lintel.json")
    try open().release()
    try fileSystem.remove("/srv/data/lintel.json")
    _ = try fileSystem.create("/srv/data/hot/000000000001.part")
    #expect(code { _ = try open() } == .incompatible)
  }

  @Test func aLostOrPublicSecretIsRefusedAndNeverReplaced() throws {
    try open().release()
    fileSystem.makePublic("/srv/data/secret")
    #expect(code { _ = try open() } == .invalid)
    fileSystem.corrupt("/srv/data/secret") { $0.removeLast() }
    #expect(code { _ = try open() } == .corrupt)
    try fileSystem.remove("/srv/data/secret")
    #expect(code { _ = try open() } == .corrupt)
    #expect(fileSystem.contents("/srv/data/secret") == nil)
  }

  @Test func removesWhatNobodyNames() throws {
    let directory = try open()
    var manifest = Manifest.sample(parts: 1)
    manifest.parts[0].fileName = directory.partFileName(1)
    for name in ["hot/000000000001.part", "hot/000000000002.part", "hot/x.tmp", "wal/shard-0001/y.tmp"] {
      _ = try fileSystem.create("/srv/data/\(name)")
    }
    #expect(try directory.removeUnreferenced(manifest).count == 3)
    #expect(try fileSystem.list("/srv/data/hot") == ["000000000001.part"])
  }

  @Test func everyCrashOfTheCreationCanBeTakenUp() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    let dry = SimulatedFileSystem()
    try open(on: dry).release()
    for call in dry.calls where call.isChange {
      for loss in Loss.variants(seed: seed &+ UInt64(call.number)) {
        let crashing = SimulatedFileSystem(fault: .crash(at: call.number))
        _ = try? open(on: crashing)
        let found = crashing.afterCrash(loss)
        let failure = code {
          let directory = try open(on: found)
          _ = try directory.loadManifest()
          let secret = try directory.secret()
          // Once the store has been opened, a power cut changes nothing any more.
          let later = try open(on: found.afterCrash(.everything))
          if try later.secret() != secret { throw StorageError(.corrupt, "another secret") }
        }
        #expect(failure == nil, "\(call), \(loss), seed \(seed)")
      }
    }
  }
}
