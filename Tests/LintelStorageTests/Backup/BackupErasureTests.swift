import LintelColumns
import Testing

@testable import LintelStorage

/// Nobody who was erased comes back with a backup.
@Suite struct BackupErasureTests {
  private static func isOf(_ user: Int, _ row: String) -> Bool {
    row.contains("user=\(String(Samples.user(user), radix: 16))")
  }

  private static func rows(_ store: Store) throws -> [String] { try RowText.rows(store.snapshot("events")) }

  private static func batch(_ seed: UInt64) -> Batch {
    var dice = Dice(seed)
    return Samples.batch(&dice, Samples.Options(rows: 60, users: 4, isTalking: true))
  }

  /// A store with a backup from before an erasure.
  private static func erased(_ place: BackupPlace, then: (Store) async throws -> Void) async throws -> [String] {
    let store = try StoreTests.open(place.directory)
    _ = try await store.append(batch(1))
    try await store.flush()
    _ = try await store.append(batch(2))
    let before = try rows(store)
    _ = try place.backups.make(of: place.data)
    _ = try store.erase([Subject(Samples.user(1))])
    try await store.eraseFiles()
    try await then(store)
    try await store.close()
    return before
  }

  @Test func laterBackupsTellWhoIsErased() async throws {
    let place = BackupPlace()
    let before = try await Self.erased(place) { _ in _ = try place.backups.make(of: place.data) }
    let rows = try await place.rowsRestored(1)
    #expect(difference(rows, before.filter { !Self.isOf(1, $0) }) == nil)
    // By itself it knows of nothing.
    let alone = place.directory.path + "/alone"
    try Self.copyTree(place.folder(1), to: alone)
    let report = try Backups.restore(alone, to: place.directory.path + "/unknowing")
    #expect(report.rules == 0)
    #expect(difference(try await place.rows(in: place.directory.path + "/unknowing"), before) == nil)
  }

  @Test func theFormerDirectoryTellsWhoIsErased() async throws {
    let place = BackupPlace()
    let before = try await Self.erased(place) { _ in }
    for (name, erasure) in [("first", place.data), ("second", place.data + "/erasure/")] {
      var options = RestoreOptions()
      options.erasure = erasure
      let target = place.directory.path + "/" + name
      let report = try Backups.restore(place.folder(1), to: target, options)
      #expect(report.rules > 0 && report.rulesOrigin == place.data + "/erasure")
      let store = try StoreTests.open(place.directory.path, "/" + name)
      #expect(difference(try Self.rows(store), before.filter { !Self.isOf(1, $0) }) == nil)
      try await store.eraseFiles()
      #expect(try store.rules().erasures.map(\.state) == [.erased] && store.receipt(1) != nil)
      // Late spans stay out.
      let late = try await store.append(Self.batch(3))
      #expect(late.erased == RowText.rows(Self.batch(3)).count { Self.isOf(1, $0) })
      try await store.close()
      let audit = String(
        decoding: try PosixFileSystem().readAll(target + "/erasure/audit.log", limit: 1 << 20), as: UTF8.self)
      #expect(audit.contains(" restored ") && audit.contains("backup%3d1") || audit.contains("backup=1"))
    }
  }

  /// To lift an erasure lets new rows in; those that were erased are gone, in old backups too.
  @Test func liftedErasuresAreEnforcedOnOldRows() async throws {
    let place = BackupPlace()
    let before = try await Self.erased(place) { store in
      _ = try store.liftErasure(1)
      _ = try await store.append(Self.batch(4))
      _ = try place.backups.make(of: place.data)
    }
    let late = RowText.rows(Self.batch(4))
    let target = place.directory.path + "/old"
    let report = try Backups.restore(place.folder(1), to: target)
    #expect(report.enforced == [1])
    let store = try StoreTests.open(place.directory.path, "/old")
    #expect(difference(try Self.rows(store), before.filter { !Self.isOf(1, $0) }) == nil)
    try await store.eraseFiles()
    _ = try store.liftErasure(1)
    #expect(difference(try Self.rows(store), before.filter { !Self.isOf(1, $0) }) == nil)
    try await store.close()
    // In the newer backup they came after it was lifted.
    let rows = try await place.rowsRestored(2, to: "new")
    #expect(difference(rows, before.filter { !Self.isOf(1, $0) } + late) == nil)
  }

  @Test func newerRulesThatCantBeReadAreMissed() async throws {
    let place = BackupPlace()
    let before = try await Self.erased(place) { _ in _ = try place.backups.make(of: place.data) }
    let rules = try #require(try BackupPlace.files(place.folder(2)).first { $0.hasSuffix(".rules") })
    try DamageTests.flip("\(place.folder(2))/\(rules)", at: 30)
    let error = thrown { _ = try Backups.restore(place.folder(1), to: place.directory.path + "/restored") }
    #expect(error?.code == .corrupt && error?.message.contains("--erasure") ?? false)
    var options = RestoreOptions()
    options.erasure = place.data
    let rows = try await place.rowsRestored(1, to: "named", options)
    #expect(difference(rows, before.filter { !Self.isOf(1, $0) }) == nil)
  }

  /// Two histories of one store, each with erasures that the other doesn't know.
  @Test func historiesThatPartedAreRefused() async throws {
    let place = BackupPlace()
    let alone = place.directory.path + "/alone"
    _ = try await Self.erased(place) { _ in
      // Restored without the newest rules, beside the original.
      try Self.copyTree(place.folder(1), to: alone)
      _ = try Backups.restore(alone, to: place.directory.path + "/other")
      _ = try place.backups.make(of: place.data)
    }
    let other = try StoreTests.open(place.directory.path, "/other")
    _ = try other.erase([Subject(Samples.user(2))])
    _ = try place.backups.make(of: place.directory.path + "/other")
    try await other.close()
    let error = thrown { _ = try Backups.restore(place.folder(3), to: place.directory.path + "/restored") }
    #expect(
      error?.code == .invalid && error?.message.contains("doesn't know erasure 1") ?? false,
      "\(String(describing: error))")
    // Rules of a store with another secret mean nobody here.
    let foreign = BackupPlace()
    _ = try await Self.erased(foreign) { _ in }
    var options = RestoreOptions()
    options.erasure = foreign.data
    #expect(code { _ = try Backups.restore(alone, to: place.directory.path + "/x", options) } == .invalid)
    options.erasure = place.directory.path
    #expect(code { _ = try Backups.restore(alone, to: place.directory.path + "/x", options) } == .invalid)
  }

  private static func copyTree(_ from: String, to target: String) throws {
    let fileSystem = PosixFileSystem()
    for name in try BackupPlace.files(from) {
      let path = "\(target)/\(name)"
      try fileSystem.createDirectory(PosixFileSystem.parent(path))
      let file = try fileSystem.create(path, isPrivate: try fileSystem.isPrivate("\(from)/\(name)"))
      try file.append(try fileSystem.readAll("\(from)/\(name)", limit: 1 << 30))
    }
  }
}
