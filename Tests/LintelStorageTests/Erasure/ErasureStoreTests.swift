import LintelColumns
import Synchronization
import Testing

@testable import LintelStorage

/// Erasures and expiry against the plain twin: a list of rows from which the same are taken out one by one.
@Suite("Erasure in the store") struct ErasureStoreTests {
  private static func field(_ name: String, _ row: String) -> Substring? {
    row.split(separator: " ").first { $0.hasPrefix(name + "=") }?.dropFirst(name.utf8.count + 1)
  }

  private static func isOf(_ user: Int, _ tenant: String?, _ row: String) -> Bool {
    guard field("user", row) == String(Samples.user(user), radix: 16)[...] else { return false }
    return tenant.map { field("org", row)?.hasPrefix("\($0)/") ?? false } ?? true
  }

  @Test func rowsThatAreLeftAreTheOthers() async throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    for round in 0..<6 {
      var dice = Dice(seed &+ UInt64(round))
      let directory = ScratchDirectory()
      let configuration = StoreTests.configuration {
        $0.shardCount = 1 + round % 2
        $0.parallelMergeRows = round % 3 == 0 ? 1 : 1 << 17
      }
      var store = try StoreTests.open(directory, configuration)
      var expected: [String] = []
      var erased: [(user: Int, tenant: String?)] = []
      func check(_ what: String) throws {
        let found = try RowText.rows(store.snapshot("events"))
        #expect(difference(found, expected) == nil, "seed \(seed), round \(round): \(what)")
      }
      for step in 0..<14 {
        switch dice.below(8) {
        case 0, 1, 2:
          let batch = Samples.batch(&dice, Samples.Options(rows: 150, users: 12))
          let rows = RowText.rows(batch).filter { row in !erased.contains { Self.isOf($0.user, $0.tenant, row) } }
          let receipt = try await store.append(batch)
          #expect(receipt.stored == rows.count && receipt.erased == 150 - rows.count)
          expected += rows
        case 3: try await store.flush()
        case 4: try await store.mergeAll()
        case 5:
          let user = dice.below(12)
          let tenant = dice.chance(50) ? nil : "org_\(dice.below(5))"
          let before = expected.count
          expected.removeAll { Self.isOf(user, tenant, $0) }
          let erasures = try store.erase([Subject(Samples.user(user), tenant: tenant.map { TenantName($0) })])
          if !erased.contains(where: { $0.user == user && ($0.tenant == nil || $0.tenant == tenant) }) {
            #expect(erasures.map(\.rows) == [before - expected.count], "seed \(seed), round \(round)")
          }
          erased.append((user, tenant))
        case 6:
          try await store.eraseFiles()
          #expect(try store.rules().erasures.allSatisfy { $0.state == .erased })
          try Self.checkFiles(store, seed)
        default:
          try await store.close()
          store = try StoreTests.open(directory, configuration)
        }
        try check("step \(step)")
        let reader = try StoreTests.open(directory, configuration, readOnly: true)
        #expect(difference(try RowText.rows(reader.snapshot("events")), expected) == nil, "seed \(seed), beside")
        try await reader.close()
      }
      try await store.eraseFiles()
      try Self.checkFiles(store, seed)
      try check("the end")
      #expect(store.problems == [])
      try await store.close()
    }
  }

  /// No dictionary has an entry, no directory a key or a bound, that no row has.
  private static func checkFiles(_ store: Store, _ seed: UInt64) throws {
    for part in store.state.withLock({ $0.parts["events"] ?? [] }) {
      let reader = part.reader
      var times: [Int64] = []
      for (index, column) in reader.directory.columns.enumerated() {
        var used: Set<UInt32> = []
        var values = 0
        for block in 0..<reader.blockCount {
          let vector = try reader.block(block, ofStored: index)
          values += vector.count - vector.nullCount
          if case .codes(let codes, _) = vector.storage {
            for row in codes.indices where vector.isValid(row) { used.insert(codes[row]) }
          }
          if column.role == .schema("time") { times += vector.int64Lanes ?? [] }
        }
        #expect(values == column.valueCount && values > 0, "seed \(seed): \(column.displayName)")
        if column.dictionary != nil {
          #expect(used.count == column.dictionaryCount, "seed \(seed): \(column.displayName)")
        }
      }
      #expect(times.min() == part.entry.minTime && times.max() == part.entry.maxTime)
    }
  }

  /// Attributes that only the erased rows had, in columns and among the rare ones, leave no trace.
  @Test func rareAttributesGoWithTheirRows() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(7)
    let store = try StoreTests.open(directory)
    let batch = Samples.batch(&dice, Samples.Options(rows: 100, attributes: 0, users: 3))
    let users = batch.columns[9]
    let theirs = (0..<100).filter { users.isValid($0) && users.id128(at: $0) == Samples.user(1) }
    let first = try #require(theirs.first)
    let other = try #require((0..<100).first { !theirs.contains($0) })
    var columns: [AttributeColumn] = []
    for number in 0..<1300 {
      let row = UInt32(number % 2 == 0 ? first : other)
      columns.append(
        AttributeColumn(
          key: AttributeKey("rare.\(number)", .int), rows: [row], values: ColumnVector(.int64([Int64(number)]))))
    }
    let wide = Batch(
      schema: batch.schema, rowCount: batch.rowCount, columns: batch.columns,
      attributes: columns.sorted { $0.key < $1.key })
    _ = try await store.append(wide)
    try await store.flush()
    let keys = try store.snapshot("events").segments.flatMap(\.attributeKeys)
    #expect(keys.count == 1300)
    _ = try store.erase([Subject(Samples.user(1))])
    try await store.eraseFiles()
    let left = try store.snapshot("events").segments.flatMap(\.attributeKeys).map(\.name)
    #expect(left.count == 650 && left.allSatisfy { Int($0.dropFirst(5)).map { $0 % 2 == 1 } ?? false })
    #expect(
      difference(
        try RowText.rows(store.snapshot("events")),
        RowText.rows(wide).filter { !Self.isOf(1, nil, $0) }) == nil)
    try await store.close()
  }

  /// A quarantined part may hold anything: the erasure isn't called finished, and says why.
  @Test func whatCantBeReadKeepsAnErasureOpen() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(3)
    let healthy = try StoreTests.open(directory)
    _ = try await healthy.append(Samples.batch(&dice))
    try await healthy.flush()
    let name = try #require(healthy.parts("events").first?.name)
    try await healthy.close()
    let path = "\(directory.path)/data/\(name)"
    var bytes = try PosixFileSystem().readAll(path, limit: 1 << 20)
    bytes[bytes.count - 40] ^= 0x55
    try PosixFileSystem().remove(path)
    let file = try PosixFileSystem().create(path)
    try file.append(bytes)
    try file.close()
    let store = try StoreTests.open(directory)
    #expect(store.problems.count == 1)
    _ = try store.erase([Subject(Samples.user(1))])
    await #expect(throws: StorageError.self) { try await store.eraseFiles() }
    #expect(try store.rules().erasures.map(\.state) == [.hidden])
    try await store.close()
  }

  @Test func anExpiredPartThatIsMissingWasDropped() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(4)
    let open = { (now: Int64) in
      try Store.open(
        path: directory.path + "/data", schemas: [Samples.schema], configuration: StoreTests.configuration(),
        fileSystem: PosixFileSystem(), scheduler: nil, clock: { now })
    }
    let store = try open(Samples.epoch)
    _ = try await store.append(Samples.batch(&dice))
    try store.setRetention(table: "events", tenant: nil, nanoseconds: 3_600_000_000_000)
    try await store.flush()
    let name = try #require(store.parts("events").first?.name)
    try await store.close()
    try PosixFileSystem().remove("\(directory.path)/data/\(name)")
    let later = try open(Samples.epoch + 8_000_000_000_000)
    #expect(later.problems == [] && later.parts("events").isEmpty)
    try await later.close()
  }
}
