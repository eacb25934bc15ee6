import LintelColumns
import Testing

@testable import LintelStorage

@Suite struct BackupTests {
  private static func filled(_ place: BackupPlace, seed: UInt64 = 11) async throws -> (store: Store, rows: [String]) {
    var dice = Dice(seed)
    let store = try StoreTests.open(place.directory)
    var rows: [String] = []
    for _ in 0..<3 {
      let batch = Samples.batch(&dice, Samples.Options(isTalking: true))
      rows += RowText.rows(batch)
      _ = try await store.append(batch)
      try await store.flush()
    }
    let last = Samples.batch(&dice, Samples.Options(isTalking: true))
    rows += RowText.rows(last)
    _ = try await store.append(last)
    return (store, rows)
  }

  @Test func whatWasBackedUpComesBack() async throws {
    let place = BackupPlace()
    let (store, rows) = try await Self.filled(place)
    let report = try place.backups.make(of: place.data)
    #expect(report.summary.number == 1 && report.summary.damages == [] && report.problems == [])
    let secret = try store.secret()
    try await store.close()
    #expect(difference(try await place.rowsRestored(1), rows) == nil)
    let restored = try StoreDirectory.existing(place.directory.path + "/restored", fileSystem: PosixFileSystem())
    #expect(try restored.secret() == secret)
    // A stopped store is backed up as well, and what was restored too.
    let second = try place.backups.make(of: place.data)
    #expect(second.summary.number == 2)
    #expect(difference(try await place.rowsRestored(2, to: "second"), rows) == nil)
    let third = try place.backups.make(of: place.directory.path + "/restored")
    #expect(difference(try await place.rowsRestored(third.summary.number, to: "third"), rows) == nil)
    #expect(try place.backups.list().map(\.number) == [1, 2, 3])
  }

  @Test(arguments: [true, false]) func aSecondBackupCostsWhatIsNew(isLinking: Bool) async throws {
    let place = BackupPlace()
    let (store, _) = try await Self.filled(place)
    var options = BackupOptions()
    options.isLinking = isLinking
    let first = try place.backups.make(of: place.data, options)
    let parts = try BackupPlace.files(place.data).filter { $0.hasPrefix("hot/") || $0.hasPrefix("content/") }.reduce(0)
    {
      $0 + (try PosixFileSystem().open("\(place.data)/\($1)").size())
    }
    #expect(parts > 10_000 && first.readBytes > parts)
    let second = try place.backups.make(of: place.data, options)
    #expect(second.readBytes == 0)
    // The end of the log was written by the first.
    #expect(second.writtenBytes < first.writtenBytes - (isLinking ? 0 : parts))
    // No file of the first is needed by the second, and the other way round.
    let expected = try RowText.rows(store.snapshot("events"))
    try place.backups.remove(1)
    #expect(try Backups.verify(place.folder(2)).problems == [])
    #expect(difference(try await place.rowsRestored(2), expected) == nil)
    var full = options
    full.isFull = true
    #expect(try place.backups.make(of: place.data, full).readBytes == first.readBytes)
    try await store.close()
  }

  @Test func oldBackupsGo() async throws {
    let place = BackupPlace()
    let (store, rows) = try await Self.filled(place)
    for _ in 0..<3 { _ = try place.backups.make(of: place.data) }
    // One that was never finished.
    try PosixFileSystem().remove("\(place.folder(2))/\(BackupListing.fileName)")
    var options = BackupOptions()
    options.keep = 2
    let report = try place.backups.make(of: place.data, options)
    #expect(report.removed == [1])
    #expect(try place.backups.list().map(\.number) == [3, 4])
    #expect(try place.backups.numbers() == [3, 4])
    #expect(difference(try await place.rowsRestored(3), rows) == nil)
    try await store.close()
  }

  @Test func anotherStoresBackupsAreRefused() async throws {
    let place = BackupPlace()
    let (store, _) = try await Self.filled(place)
    _ = try place.backups.make(of: place.data)
    let other = BackupPlace()
    let (second, _) = try await Self.filled(other, seed: 12)
    #expect(code { _ = try place.backups.make(of: other.data) } == .invalid)
    #expect(code { _ = try Backups(place.data + "/backups").make(of: place.data) } == .invalid)
    #expect(code { _ = try place.backups.make(of: place.directory.path + "/nowhere") } == .invalid)
    let lock = try place.backups.lock()
    #expect(code { _ = try place.backups.make(of: place.data) } == .locked)
    lock.release()
    try await store.close()
    try await second.close()
  }

  @Test func privateFilesStayPrivate() async throws {
    let place = BackupPlace()
    let (store, _) = try await Self.filled(place)
    _ = try store.erase([Subject(Samples.user(1))])
    try await store.eraseFiles()
    _ = try place.backups.make(of: place.data)
    try await store.close()
    _ = try await place.rowsRestored(1)
    let fileSystem = PosixFileSystem()
    for path in [place.folder(1), place.directory.path + "/restored"] {
      #expect(try fileSystem.isPrivate("\(path)/secret") && fileSystem.isPrivate("\(path)/erasure/key"))
    }
    #expect(try fileSystem.isPrivate(place.directory.path + "/backups"))
  }

  // MARK: Damage

  /// Every file of a backup, damaged, cut, missing or longer, is named; nothing of it becomes a store.
  @Test func damagedFilesAreNamed() async throws {
    let place = BackupPlace()
    let (store, rows) = try await Self.filled(place)
    _ = try store.erase([Subject(Samples.user(1))])
    try await store.eraseFiles()
    try await store.close()
    var options = BackupOptions()
    options.isLinking = false
    _ = try place.backups.make(of: place.data, options)
    let fileSystem = PosixFileSystem()
    let folder = place.folder(1)
    #expect(rows.count > 0)
    var dice = Dice(5)
    for name in try BackupPlace.files(folder) {
      let bytes = try fileSystem.readAll("\(folder)/\(name)", limit: 1 << 30)
      for kind in 0..<4 {
        try fileSystem.remove("\(folder)/\(name)")
        var changed = bytes
        switch kind {
        case 0: changed[dice.below(bytes.count)] ^= 1 << UInt8(dice.below(8))
        case 1: changed.removeLast()
        case 2: changed.append(0)
        default: break
        }
        let isPrivate = BackupListing.isPrivate(name)
        if kind < 3 { try fileSystem.create("\(folder)/\(name)", isPrivate: isPrivate).append(changed) }
        let target = place.directory.path + "/restored"
        let error = thrown { _ = try Backups.restore(folder, to: target) }
        #expect(error != nil, "\(name), damage \(kind)")
        if name != BackupListing.fileName {
          let problems = try Backups.verify(folder).problems
          #expect(problems.contains { $0.path?.hasSuffix(name) ?? false }, "\(name), damage \(kind): \(problems)")
          #expect(
            error?.path?.contains("000000000001") ?? false, "\(name), damage \(kind): \(error?.description ?? "-")")
        } else {
          #expect(thrown { _ = try Backups.verify(folder) } != nil)
        }
        if try fileSystem.exists(target) {
          #expect(code { _ = try StoreTests.open(place.directory.path, "/restored") } == .incompatible)
        }
        try fileSystem.removeTree(target)
        try fileSystem.removeIfPresent("\(folder)/\(name)")
        try fileSystem.create("\(folder)/\(name)", isPrivate: isPrivate).append(bytes)
      }
    }
    #expect(try Backups.verify(folder).problems == [])
  }

  @Test func whatIsDamagedCanBeTakenOver() async throws {
    let place = BackupPlace()
    let (store, rows) = try await Self.filled(place)
    try await store.close()
    var options = BackupOptions()
    options.isLinking = false
    _ = try place.backups.make(of: place.data, options)
    let part = try #require(try BackupPlace.files(place.folder(1)).first { $0.hasSuffix(".part") })
    try DamageTests.flip("\(place.folder(1))/\(part)", at: 100)
    var taking = RestoreOptions()
    taking.isTakingDamaged = true
    let target = place.directory.path + "/restored"
    let report = try Backups.restore(place.folder(1), to: target, taking)
    #expect(report.damages.count == 1 && report.damages[0].path?.hasSuffix(part) ?? false)
    let restored = try Store.open(
      path: target, schemas: [Samples.schema], configuration: StoreTests.configuration())
    let files = try restored.check().filter { $0.problem != nil }
    #expect(files.map(\.name) == [part])
    let left = try RowText.rows(restored.snapshot("events"))
    #expect(left.count == rows.count - 100 && Set(left).isSubset(of: rows))
    try await restored.close()
  }

  /// A backup of a damaged store says so, keeps the older ones, and takes what they have whole from them.
  @Test func aDamagedStoreIsTold() async throws {
    let place = BackupPlace()
    let (store, rows) = try await Self.filled(place)
    try await store.close()
    var options = BackupOptions()
    options.isLinking = false
    options.keep = 1
    _ = try place.backups.make(of: place.data, options)
    let names = try BackupPlace.files(place.data)
    for name in names where name.hasSuffix(".part") || name.hasSuffix(".content") {
      try DamageTests.flip("\(place.data)/\(name)", at: 300)
    }
    // The former backup has them.
    let second = try place.backups.make(of: place.data, options)
    #expect(second.summary.damages == [] && second.removed == [1])
    #expect(difference(try await place.rowsRestored(2), rows) == nil)
    options.isFull = true
    let third = try place.backups.make(of: place.data, options)
    let damaged = names.filter { $0.hasSuffix(".part") || $0.hasSuffix(".content") }
    #expect(Set(third.summary.damages.compactMap(\.path)) == Set(damaged) && third.removed == [])
    #expect(try Backups.verify(place.folder(3)).problems == [])
    // Nor is what is damaged taken for whole later on.
    options.isFull = false
    #expect(Set(try place.backups.make(of: place.data, options).summary.damages.compactMap(\.path)) == Set(damaged))
    let missing = try #require(damaged.first)
    try PosixFileSystem().remove("\(place.data)/\(missing)")
    let fifth = try place.backups.make(of: place.data, options)
    #expect(fifth.summary.damages.contains { $0.path == missing && $0.message.contains("missing") })
  }

  // MARK: Restoring

  @Test func onlyEmptyDirectoriesAreRestoredInto() async throws {
    let place = BackupPlace()
    let (store, rows) = try await Self.filled(place)
    _ = try place.backups.make(of: place.data)
    #expect(code { _ = try Backups.restore(place.folder(1), to: place.data) } == .locked)
    try await store.close()
    #expect(code { _ = try Backups.restore(place.folder(1), to: place.data) } == .invalid)
    #expect(code { _ = try Backups.restore(place.data, to: place.directory.path + "/x") } == .invalid)
    let fileSystem = PosixFileSystem()
    let target = place.directory.path + "/restored"
    // An interrupted restore.
    try fileSystem.createDirectory(target + "/hot")
    try fileSystem.create(target + "/lintel.json.restoring").append([1])
    try fileSystem.create(target + "/hot/000000000001.part").append([1])
    #expect(code { _ = try StoreTests.open(place.directory.path, "/restored") } == .incompatible)
    #expect(code { _ = try StoreTests.open(place.directory.path, "/restored", readOnly: true) } == .incompatible)
    // The newest of the directory of backups.
    _ = try Backups.restore(place.backups.path, to: target)
    #expect(difference(try await place.rows(in: target), rows) == nil)
  }

  @Test func listingsAreReadBackAndNothingElseIs() throws {
    let listing = BackupListing(
      number: 7, store: 0xabc, began: 12, manifest: 3, rules: 2,
      files: [.init(name: "hot/a b.part", bytes: 10, checksum: 0xff), .init(name: "secret", bytes: 36, checksum: 1)],
      damages: [.init(name: "hot/a b.part", reason: "block 3 is %wrong")])
    #expect(try BackupListing(decoding: listing.encoded(), path: "x") == listing)
    for name in ["../x", "/etc/passwd", "hot//x", "hot/../../x", ".", "hot/", "", "..\u{2F}\u{301}x"] {
      var hostile = listing
      hostile.files[0].name = name
      #expect(code { _ = try BackupListing(decoding: hostile.encoded(), path: "x") } == .incompatible, "\(name)")
    }
    var twice = listing
    twice.files.append(twice.files[0])
    #expect(code { _ = try BackupListing(decoding: twice.encoded(), path: "x") } == .incompatible)
    let bytes = listing.encoded()
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(code { _ = try BackupListing(decoding: damaged, path: "x") } != nil)
    }
  }
}

extension StoreTests {
  static func open(_ directory: String, _ name: String, readOnly: Bool = false) throws -> Store {
    try Store.open(
      path: directory + name, schemas: [Samples.schema], configuration: configuration(), readOnly: readOnly)
  }
}
