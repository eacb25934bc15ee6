import LintelColumns
import Testing

@testable import LintelStorage

/// Where tiers lie, and what is done about volumes that aren't there or aren't the store's.
@Suite struct TierVolumeTests {
  /// A store with a warm part, closed.
  private func closed(_ batches: [Batch]) throws -> SimulatedFileSystem {
    let tiered = try TieredStore()
    try tiered.write(batches)
    try tiered.move(at: 1100)
    #expect(tiered.parts == [0, 1, 0])
    try tiered.run { (store) async throws(StorageError) in try await store.close() }
    let disk = tiered.disk.afterCrash(.everything)
    tiered.scheduler.drain()
    return disk
  }

  private func message(_ disk: SimulatedFileSystem, _ change: (inout StoreConfiguration) -> Void = { _ in }) -> String?
  {
    do {
      _ = try TieredStore(on: disk, at: 1200, change)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func aMissingVolumeIsToldAndNothingIsLost() throws {
    let batches = TieredStore.batches(2)
    let disk = try closed(batches)
    let mark = "\(TieredStore.warm)/\(VolumeMark.fileName)"
    let kept = try #require(disk.contents(mark))
    try disk.remove(mark)
    let files = disk.paths
    #expect(message(disk)?.contains("mount its volume") == true)
    // Nor by whoever only reads, or has no settings.
    #expect(message(disk) { $0.tiers = TierConfiguration() }?.contains("mount its volume") == true)
    #expect(throws: StorageError.self) { try TieredStore(on: disk, at: 1200, readOnly: true) }
    #expect(disk.paths == files)
    let file = try disk.create(mark)
    try file.append(kept)
    let tiered = try TieredStore(on: disk, at: 1200)
    defer { tiered.end() }
    #expect(try tiered.rows() == batches.flatMap { RowText.rows($0) }.sorted())
    #expect(tiered.store.problems == [])
  }

  @Test func aVolumeMayMove() throws {
    let batches = TieredStore.batches(2)
    let disk = try closed(batches)
    let other = "/elsewhere/warm"
    // Before its files are there.
    #expect(message(disk) { $0.tiers.warm?.directory = other }?.contains("written to \(TieredStore.warm)") == true)
    try disk.createDirectory(other)
    for path in disk.paths where path.hasPrefix(TieredStore.warm + "/") {
      let file = try disk.create(other + path.dropFirst(TieredStore.warm.utf8.count))
      try file.append(try #require(disk.contents(path)))
      try disk.remove(path)
    }
    let tiered = try TieredStore(on: disk, at: 1200) { $0.tiers.warm?.directory = other + "/" }
    #expect(try tiered.rows() == batches.flatMap { RowText.rows($0) }.sorted())
    #expect(tiered.store.tiers()[1].directory == other)
    let later = disk.afterCrash(.processKilled)
    tiered.scheduler.drain()
    // From now on the manifest tells, also who has no settings.
    let reader = try TieredStore(on: later, at: 1200, readOnly: true)
    defer { reader.end() }
    #expect(try reader.rows() == batches.flatMap { RowText.rows($0) }.sorted())
  }

  @Test func withoutSettingsPartsStayWhereTheyAre() throws {
    let batches = TieredStore.batches(3)
    let disk = try closed(Array(batches.prefix(2)))
    let tiered = try TieredStore(on: disk, at: 1200) { $0.tiers = TierConfiguration() }
    defer { tiered.end() }
    try tiered.write([batches[2]])
    try tiered.move(at: 100_000)
    #expect(tiered.parts == [1, 1, 0])
    #expect(tiered.store.tiers().map(\.afterSeconds) == [nil, nil])
    #expect(try tiered.rows() == batches.flatMap { RowText.rows($0) }.sorted())
  }

  @Test func whatIsAnothersIsLeftAlone() throws {
    let batches = TieredStore.batches(1)
    let disk = try closed(batches)
    let files = disk.paths.filter { $0.hasSuffix(".part") }
    func open(_ path: String, warm: String) throws -> Store {
      try Store.open(
        path: path, schemas: [Samples.schema],
        configuration: StoreTests.configuration { $0.tiers.warm = TierSettings(directory: warm, afterSeconds: 1) },
        fileSystem: disk, scheduler: SimulatedScheduler(seed: 1))
    }
    func refused(_ path: String, _ warm: String) -> String {
      do { _ = try open(path, warm: warm) } catch { return "\(error)" }
      return "not at all"
    }
    #expect(refused("/other", TieredStore.warm).contains("another store's warm tier"))
    for folder in ["/data/content", "/data/hot", "/data"] {
      #expect(refused("/other", folder).contains("in a store's directory"))
    }
    try disk.createDirectory("/mine")
    _ = try disk.create("/mine/letter")
    #expect(refused("/other", "/mine").contains("isn't empty (letter)"))
    // The store's own, under another tier's name.
    #expect(
      message(disk) {
        $0.tiers.warm?.directory = "/volumes/new"
        $0.tiers.cold?.directory = TieredStore.warm
      } != nil)
    #expect(disk.paths.filter { $0.hasSuffix(".part") } == files)
  }

  @Test func twoWritersDontShareAVolume() throws {
    let batches = TieredStore.batches(1)
    let tiered = try TieredStore()
    defer { tiered.end() }
    try tiered.write(batches)
    try tiered.move(at: 1100)
    // A copy of the store, secret and all, that names the same volume.
    for path in tiered.disk.paths where path.hasPrefix("/data/") {
      let copy = "/copy" + path.dropFirst("/data".utf8.count)
      guard let bytes = tiered.disk.contents(path) else {
        try tiered.disk.createDirectory(copy)
        continue
      }
      try tiered.disk.createDirectory(String(copy[..<(copy.lastIndex(of: "/") ?? copy.endIndex)]))
      let file = try tiered.disk.create(copy, isPrivate: copy.hasSuffix("/secret"))
      try file.append(bytes)
    }
    do throws(StorageError) {
      _ = try Store.open(
        path: "/copy", schemas: [Samples.schema], configuration: TieredStore.configuration(), fileSystem: tiered.disk,
        scheduler: SimulatedScheduler(seed: 1))
      Issue.record("two stores write into one volume")
    } catch {
      #expect(error.code == .locked, "\(error)")
    }
    #expect(try tiered.rows() == RowText.rows(batches[0]).sorted())
  }

  @Test func whatAMoveLeftIsRemoved() throws {
    let batches = TieredStore.batches(1)
    let disk = try closed(batches)
    for name in ["000000000099.part", "x.tmp"] { _ = try disk.create("\(TieredStore.warm)/\(name)") }
    _ = try disk.create("\(TieredStore.warm)/notes")
    let tiered = try TieredStore(on: disk, at: 1200)
    defer { tiered.end() }
    let left = disk.paths.filter { $0.hasPrefix(TieredStore.warm + "/") }.map {
      $0.dropFirst(TieredStore.warm.utf8.count + 1)
    }
    #expect(left.contains("notes") && !left.contains("x.tmp") && !left.contains("000000000099.part"))
    #expect(left.contains { $0.hasSuffix(".part") })
  }

  @Test func marksAreWhatIsDocumented() throws {
    let secret = [UInt8](repeating: 7, count: 32)
    let mark = VolumeMark(secret: secret, tier: .cold)
    #expect(mark.store.utf8.count == 32)
    #expect(try VolumeMark.decode(mark.encoded(), path: "m") == mark)
    let text = String(decoding: mark.encoded(), as: UTF8.self)
    #expect(text.hasPrefix("lintel-volume 1\nstore \(mark.store)\ntier cold\nend "))
    for place in mark.encoded().indices {
      var damaged = mark.encoded()
      damaged[place] ^= 1
      #expect(throws: StorageError.self) { try VolumeMark.decode(damaged, path: "m") }
      #expect(throws: StorageError.self) { try VolumeMark.decode(Array(mark.encoded()[..<place]), path: "m") }
    }
    #expect(VolumeMark(secret: [UInt8](repeating: 8, count: 32), tier: .cold).store != mark.store)
  }
}
