import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// Backups of a store that is being written: everything that was acknowledged before is in them, nothing twice, nothing half.
@Suite struct BackupRaceTests {
  private static let users = 4

  private static func batch(_ dice: inout Dice, _ number: Int) -> Batch {
    Samples.batch(
      &dice,
      Samples.Options(rows: 6, attributes: 2, traces: 2, firstTrace: 2 * number, users: users, isTalking: true))
  }

  private static func open(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) -> Store {
    try Store.open(
      path: path, schemas: [Samples.schema],
      configuration: StoreTests.configuration { $0.logSegmentBytes = 4000 }, fileSystem: fileSystem)
  }

  private static func rows(_ path: String, _ fileSystem: any FileSystem) async throws -> [String] {
    let store = try open(path, fileSystem)
    let rows = try RowText.rows(store.snapshot("events"))
    #expect(store.problems == [])
    try await store.close()
    return rows
  }

  /// Which batches are there, each of which must be whole. What an erasure took away is not looked for.
  private static func batches(
    _ rows: [String], among sent: [[String]], without erased: String?, _ note: String
  ) -> Set<Int> {
    var counts: [String: Int] = [:]
    for row in rows { counts[row, default: 0] += 1 }
    var found: Set<Int> = []
    for (number, batch) in sent.enumerated() {
      let certain = erased.map { user in batch.filter { !$0.contains("user=\(user)") } } ?? batch
      let present = certain.map { counts[$0] ?? 0 }
      #expect(
        Set(present).count <= 1 && (present.max() ?? 0) <= 1, "\(note): batch \(number) is there \(present) times")
      if present.allSatisfy({ $0 == 1 }) { found.insert(number) }
    }
    #expect(Set(rows).isSubset(of: sent.joined()), "\(note): rows that nobody sent")
    return found
  }

  /// The writer does everything it can while a backup is held up at one of its calls: at any of them.
  @Test(arguments: [true, false]) func whateverTheWriterDoesMeanwhile(isLinking: Bool) async throws {
    let seed = UInt64.random(in: 0..<1 << 20)
    let calls = try await hold(at: .max, seed: seed, isLinking: isLinking)
    #expect(calls > 60)
    var dice = Dice(seed)
    for at in (0..<calls).shuffled(using: &dice).prefix(40) {
      _ = try await hold(at: at, seed: seed, isLinking: isLinking)
    }
  }

  /// Returns how many calls the backup made.
  private func hold(at: Int, seed: UInt64, isLinking: Bool) async throws -> Int {
    let note = "seed \(seed), call \(at), linking \(isLinking)"
    var dice = Dice(seed)
    let disk = SimulatedFileSystem()
    let store = try Self.open("/data", disk)
    var sent: [[String]] = []
    func append() async throws {
      let batch = Self.batch(&dice, sent.count)
      sent.append(RowText.rows(batch))
      _ = try await store.append(batch)
    }
    for step in 0..<8 {
      try await append()
      if step == 1 || step == 3 { try await store.flush() }
    }
    var options = BackupOptions()
    options.isLinking = isLinking
    _ = try Backups("/backups", fileSystem: disk).make(of: "/data", options)
    try await append()
    let before = sent.count

    let gate = Gate(at: at)
    let thread = EngineThreads(count: 1, name: "backup")
    let backups = Backups("/backups", fileSystem: GatedFileSystem(disk, gate))
    let chosen = options
    let isDone = Atomic(false)
    async let report = thread.run { () throws(StorageError) in
      defer { isDone.store(true, ordering: .sequentiallyConsistent) }
      return try backups.make(of: "/data", chosen)
    }
    while !gate.isReached, !isDone.load(ordering: .sequentiallyConsistent) {
      try await Task.sleep(for: .microseconds(200))
    }
    var erased: String?
    if gate.isReached {
      try await append()
      try await store.flush()
      try await append()
      try await store.mergeAll()
      if at % 2 == 0 {
        _ = try store.erase([Subject(Samples.user(1))])
        erased = String(Samples.user(1), radix: 16)
        try await append()
        if at % 4 == 0 {
          try await store.eraseFiles()
          if at % 8 == 0 { _ = try store.liftErasure(1) }
        }
      }
      try await append()
    }
    gate.open()
    let made = try await report
    thread.shutDown()
    #expect(made.summary.damages == [] && made.problems == [], "\(note)")
    #expect(try Backups.verify(made.summary.path, fileSystem: disk).problems == [], "\(note)")

    _ = try Backups.restore(made.summary.path, to: "/restored", fileSystem: disk)
    let found = Self.batches(
      try await Self.rows("/restored", disk), among: sent, without: erased, note)
    #expect(found.isSuperset(of: 0..<before), "\(note): of \(before) batches \(found) are there")
    if let erased {
      var known = RestoreOptions()
      known.erasure = "/data"
      let restored = try Backups.restore(made.summary.path, to: "/replaced", known, fileSystem: disk)
      let rows = try await Self.rows("/replaced", disk)
      // Lifted since: what was erased before is not back, what came later may be.
      let late: Set<String> = Set(at % 8 == 0 ? sent.last ?? [] : [])
      #expect(!rows.contains { $0.contains("user=\(erased)") && !late.contains($0) }, "\(note): \(restored)")
      #expect(
        Self.batches(rows, among: sent, without: erased, note).isSuperset(of: 0..<before), "\(note), with newer rules")
    }
    try await store.close()
    return gate.calls
  }

  /// The same on real files, with a writer that doesn't wait.
  @Test func backupsBesideABusyWriter() async throws {
    let seed = UInt64.random(in: 0..<1 << 20)
    let place = BackupPlace()
    let writer = try Self.open(place.data, PosixFileSystem())
    let batches = (0..<200).map { number in
      var dice = Dice(seed &+ UInt64(number))
      return Self.batch(&dice, number)
    }
    let sent = batches.map { RowText.rows($0) }
    let acknowledged = Atomic(0)
    let writing = Task {
      for (number, batch) in batches.enumerated() {
        _ = try await writer.append(batch)
        acknowledged.store(number + 1, ordering: .sequentiallyConsistent)
        if number % 7 == 6 { try await writer.flush() }
        if number % 30 == 29 { try await writer.mergeAll() }
      }
    }
    let thread = EngineThreads(count: 1, name: "backup")
    defer { thread.shutDown() }
    var made: [(number: UInt64, before: Int)] = []
    while acknowledged.load(ordering: .sequentiallyConsistent) < batches.count {
      let before = acknowledged.load(ordering: .sequentiallyConsistent)
      let report = try await thread.run { () throws(StorageError) in try place.backups.make(of: place.data) }
      #expect(report.summary.damages == [])
      made.append((report.summary.number, before))
    }
    try await writing.value
    try await writer.close()
    #expect(made.count > 2)
    for (number, before) in made.shuffled().prefix(8) {
      let note = "seed \(seed), backup \(number)"
      #expect(try Backups.verify(place.folder(number)).problems == [])
      let rows = try await place.rowsRestored(number, to: "restored-\(number)")
      let found = Self.batches(rows, among: sent, without: nil, note)
      #expect(
        found.isSuperset(of: 0..<before), "\(note): \(before) batches were acknowledged, \(found.count) are there")
      // What was taken in one after the other is there up to some batch.
      #expect(found == Set(0..<found.count), "\(note)")
    }
  }
}
