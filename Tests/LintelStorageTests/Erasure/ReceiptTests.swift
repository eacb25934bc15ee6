import Foundation
import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// A receipt accounts for what its erasure took away, and for nothing else.
@Suite("What receipts account for") struct ReceiptTests {
  private struct Account: Equatable {
    var fromMemory: [String: Int] = [:]
    var fromParts: [String: Int] = [:]
    var pieces = 0
    var erasures: [Int] = []
    var isAfterRestart = false
  }

  private static func account(_ store: Store, _ erasure: UInt64) throws -> Account {
    let bytes = try #require(try store.receipt(erasure))
    let text = try ReceiptCheck.check(bytes).text
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let requests = try #require(object["erasures"] as? [[String: Any]])
    return Account(
      fromMemory: object["rows_erased_from_memory"] as? [String: Int] ?? [:],
      fromParts: object["rows_erased_from_parts"] as? [String: Int] ?? [:],
      pieces: object["pieces_erased_from_content"] as? Int ?? -1,
      erasures: requests.compactMap { $0["erasure"] as? Int },
      isAfterRestart: object["after_restart"] as? Bool ?? false)
  }

  /// Rows of three users; what user 3 says, the others say as well.
  private static func talk(_ time: Int64) -> Batch {
    func said(_ numbers: Int...) -> String { "[" + numbers.map(Samples.message).joined(separator: ", ") + "]" }
    return TalkRows.batch(
      [
        (1, "a", said(10, 30)), (1, "a", said(10, 11, 30)), (2, "a", said(20, 30)), (2, "a", said(20, 21, 22, 30)),
        (2, "b", said(20)), (3, "a", said(30)),
      ], time: time)
  }

  @Test func rowsThatWereOnlyInMemoryAreCounted() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    _ = try await store.append(Self.talk(0))
    let erasure = try #require(try store.erase([Subject(Samples.user(1))]).first)
    try await store.eraseFiles()
    #expect(
      try Self.account(store, erasure.number) == Account(fromMemory: ["events": 2], pieces: 2, erasures: [1]))
    try await store.close()
  }

  /// Rows that a flush or a merge met before the erasing began are counted as well: neither takes them away.
  @Test func flushesAndMergesTakeNothingAway() async throws {
    let disk = SimulatedFileSystem()
    let scheduler = SimulatedScheduler(seed: 5)
    let store = try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(), fileSystem: disk,
      scheduler: scheduler)
    func append(_ batch: Batch) throws {
      let outcome = scheduler.run { () async -> Result<AppendReceipt, StorageError> in
        do throws(StorageError) { return .success(try await store.append(batch)) } catch { return .failure(error) }
      }
      _ = try #require(outcome).get()
    }
    try append(Self.talk(0))
    try store.flushBlocking()
    try append(Self.talk(1))
    let erasure = try #require(try store.erase([Subject(Samples.user(2), tenant: "a")]).first)
    try store.flushBlocking()
    try store.mergeAllBlocking()
    #expect(try RowText.rows(store.snapshot("events")).count == 8)
    try store.eraseFilesBlocking()
    #expect(
      try Self.account(store, erasure.number) == Account(fromParts: ["events": 4], pieces: 3, erasures: [1]))
    disk.crash()
    scheduler.drain()
  }

  /// The second erasure comes when the first one has begun to write.
  @Test func twoThatCloselyFollowAreToldApart() async throws {
    let directory = ScratchDirectory()
    let watched = WatchedFiles()
    let store = try Store.open(
      path: directory.path + "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(),
      fileSystem: watched)
    _ = try await store.append(Self.talk(0))
    watched.once("/content/") { _ = try? store.erase([Subject(Samples.user(2))]) }
    _ = try store.erase([Subject(Samples.user(1))])
    try await store.eraseFiles()
    try await store.eraseFiles()
    let first = try Self.account(store, 1)
    let second = try Self.account(store, 2)
    #expect(first == Account(fromMemory: ["events": 2], pieces: 2, erasures: [1]))
    #expect(second == Account(fromParts: ["events": 3], pieces: 4, erasures: [2]))
    #expect(try RowText.rows(store.snapshot("events")).count == 1)
    #expect(try TalkRows.pieces(store) == [Samples.message(30)])
    #expect(store.problems == [])
    try await store.close()
  }

  /// What a recovery finds in the log of an erased subject is taken away by the erasure, too.
  @Test func rowsThatOnlyTheLogHadAreCounted() throws {
    let disk = SimulatedFileSystem()
    let scheduler = SimulatedScheduler(seed: 5)
    func open(_ disk: SimulatedFileSystem, _ scheduler: SimulatedScheduler) throws(StorageError) -> Store {
      try Store.open(
        path: "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(), fileSystem: disk,
        scheduler: scheduler)
    }
    let store = try open(disk, scheduler)
    let outcome = scheduler.run { () async -> Result<AppendReceipt, StorageError> in
      do throws(StorageError) { return .success(try await store.append(Self.talk(0))) } catch { return .failure(error) }
    }
    _ = try #require(outcome).get()
    _ = try store.erase([Subject(Samples.user(1))])
    let later = disk.afterCrash(.processKilled)
    disk.crash()
    scheduler.drain()
    let again = SimulatedScheduler(seed: 6)
    let recovered = try open(later, again)
    try recovered.eraseFilesBlocking()
    #expect(
      try Self.account(recovered, 1)
        == Account(fromMemory: ["events": 2], pieces: 2, erasures: [1], isAfterRestart: true))
    later.crash()
    again.drain()
  }

  /// Wherever processes are killed, and however many, the receipt accounts for each row and each piece once.
  @Test func whatKilledProcessesTookAwayIsCounted() throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    var dice = Dice(seed)
    var number = 0
    while true {
      let tiered = try TieredStore()
      try tiered.write([Self.talk(0)])
      try tiered.run { (store) async throws(StorageError) in _ = try await store.append(Self.talk(1)) }
      _ = try tiered.store.erase([Subject(Samples.user(1))])
      var disk = tiered.disk
      var life = tiered
      let first = disk.callCount
      var (crashes, isOver) = (0, false)
      while !isOver {
        // The first life ends at each of its calls in turn, the others anywhere.
        let at = crashes == 0 ? number : dice.below(150)
        let from = crashes == 0 ? first : disk.callCount
        if crashes < 4 { disk.setFault(.crash(at: from + at)) }
        // It may have been done all the same: removing what isn't needed any more is no more than tried.
        isOver = (try? life.store.eraseFilesBlocking()) != nil && !disk.isDown
        if isOver { break }
        crashes += 1
        let losses = Loss.variants(seed: dice.next() % 100).filter { !$0.tearsRecords }
        disk = disk.afterCrash(losses[dice.below(losses.count)])
        life.scheduler.drain()
        life = try TieredStore(on: disk)
      }
      disk.setFault(.none)
      let account = try Self.account(life.store, 1)
      let rows = (account.fromMemory["events"] ?? 0) + (account.fromParts["events"] ?? 0)
      #expect(rows == 4 && account.pieces == 2 && account.erasures == [1], "seed \(seed), call \(number): \(account)")
      // One that came when all was done changes nothing.
      #expect(crashes > 0 || !account.isAfterRestart)
      #expect(try RowText.rows(life.store.snapshot("events")).count == 8)
      #expect(life.store.problems == [])
      #expect(!disk.paths.contains("/data/erasure/progress"))
      life.end()
      if crashes == 0 { break }
      number += 1
    }
    #expect(number > 20)
  }

  @Test func progressIsReadAsItIsWritten() throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    var dice = Dice(seed)
    for round in 0..<200 {
      var progress = ErasureProgress()
      if dice.chance(80) { progress.rootBefore = String(repeating: "ab", count: 32) }
      var ids: [Int: Set<UInt64>] = [:]
      for _ in 0..<dice.below(60) {
        let (shard, id) = (dice.below(3), 1 + UInt64(dice.below(dice.chance(50) ? 50 : 1 << 40)))
        ids[shard, default: []].insert(id)
        progress.pieces[shard, default: ContentIDs()].insert(id)
      }
      for _ in 0..<dice.below(6) {
        let replacement = dice.chance(50) ? nil : "warm/00 \(dice.below(9)).part"
        switch dice.below(3) {
        case 0:
          progress.steps.append(
            .memory(shard: dice.below(3), floor: dice.next() >> 2, rows: ["a table": dice.below(1000)]))
        case 1:
          progress.steps.append(
            .part(
              number: dice.next() >> 2,
              ErasureReceipt.Part(
                table: "events", tier: .warm, name: "warm/000000000017.part", rowsErased: dice.below(1000),
                bytesRead: dice.below(1 << 40), replacement: replacement, bytesWritten: dice.below(1 << 40))))
        default:
          progress.steps.append(
            .content(
              number: dice.next() >> 2,
              ErasureReceipt.Content(
                name: "content/000000000019.content", piecesErased: dice.below(1000), bytesRead: dice.below(1 << 40),
                replacement: replacement, bytesWritten: dice.below(1 << 40))))
        }
      }
      let bytes = ErasureProgressCodec.encode(progress, rules: 42)
      let (rules, read) = try ErasureProgressCodec.decode(bytes, path: "progress")
      #expect(rules == 42 && read.steps == progress.steps && read.rootBefore == progress.rootBefore, "seed \(seed)")
      for shard in 0..<3 {
        let found = (read.pieces[shard] ?? ContentIDs()).runs.flatMap { run in (0..<run.count).map { run.first + $0 } }
        #expect(found == (ids[shard] ?? []).sorted(), "seed \(seed), round \(round)")
      }
      var broken = bytes
      broken[dice.below(bytes.count)] ^= UInt8(1 << dice.below(8))
      #expect(throws: StorageError.self) { try ErasureProgressCodec.decode(broken, path: "progress") }
    }
    for text in [
      "", "lintel-progress 1\n", "pieces 0 1 99999999999999\n", "part 1 2\n", "memory 0 1 t -1\n", "memory -1 1 t 1\n",
      "memory 0 1 t 9223372036854775807\n", "pieces -1 1 1\n", "pieces 0 1 1000000000\npieces 1 1 1000000000\n",
    ] {
      var bytes = Array("lintel-progress 1\nrules 1\nbefore -\n\(text)".utf8)
      let sum = bytes.withUnsafeBytes { Checksum.crc32c($0) }
      bytes += Array("end \(ManifestCodec.hex(sum))\n".utf8)
      if text.isEmpty { continue }
      #expect(throws: StorageError.self, "\(text)") { try ErasureProgressCodec.decode(bytes, path: "progress") }
    }
  }

  /// What can't be read is left out and told; the erasure goes on.
  @Test func damagedProgressKeepsNothingOpen() throws {
    let tiered = try TieredStore()
    try tiered.write([Self.talk(0)])
    _ = try tiered.store.erase([Subject(Samples.user(1))])
    let disk = tiered.disk.afterCrash(.processKilled)
    tiered.scheduler.drain()
    let file = try disk.create("/data/erasure/progress")
    try file.append(Array("nonsense".utf8))
    try file.close()
    let again = try TieredStore(on: disk)
    defer { again.end() }
    #expect(again.store.problems.map(\.path) == ["/data/erasure/progress"])
    try again.store.eraseFilesBlocking()
    #expect(
      try Self.account(again.store, 1)
        == Account(fromParts: ["events": 2], pieces: 2, erasures: [1], isAfterRestart: true))
    #expect(!disk.paths.contains("/data/erasure/progress"))
  }
}

/// Real files; somebody may be told when one is created.
private final class WatchedFiles: FileSystem {
  private let real = PosixFileSystem()
  private let watch = Mutex<(pattern: String, body: @Sendable () -> Void)?>(nil)

  /// Calls `body` before the next file is created whose path contains the pattern.
  func once(_ pattern: String, _ body: @escaping @Sendable () -> Void) { watch.withLock { $0 = (pattern, body) } }

  func create(_ path: String, isPrivate: Bool) throws(StorageError) -> any WritableFile {
    let body = watch.withLock { watch -> (@Sendable () -> Void)? in
      guard let found = watch, path.contains(found.pattern) else { return nil }
      watch = nil
      return found.body
    }
    body?()
    return try real.create(path, isPrivate: isPrivate)
  }
  func open(_ path: String) throws(StorageError) -> any ReadableFile { try real.open(path) }
  func reopen(_ path: String, length: Int) throws(StorageError) -> any WritableFile {
    try real.reopen(path, length: length)
  }
  func rename(_ from: String, to: String) throws(StorageError) { try real.rename(from, to: to) }
  func remove(_ path: String) throws(StorageError) { try real.remove(path) }
  func link(_ from: String, to: String) throws(StorageError) -> Bool { try real.link(from, to: to) }
  func list(_ directory: String) throws(StorageError) -> [String] { try real.list(directory) }
  func isDirectory(_ path: String) throws(StorageError) -> Bool { try real.isDirectory(path) }
  func removeDirectory(_ path: String) throws(StorageError) { try real.removeDirectory(path) }
  func exists(_ path: String) throws(StorageError) -> Bool { try real.exists(path) }
  func isPrivate(_ path: String) throws(StorageError) -> Bool { try real.isPrivate(path) }
  func createDirectory(_ path: String) throws(StorageError) { try real.createDirectory(path) }
  func syncDirectory(_ path: String) throws(StorageError) { try real.syncDirectory(path) }
  func lock(_ path: String) throws(StorageError) -> any FileLock { try real.lock(path) }
  func freeSpace(_ path: String) throws(StorageError) -> Int { try real.freeSpace(path) }
}
