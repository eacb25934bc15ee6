import LintelColumns
import Testing

@testable import LintelStorage

@Suite("Rules of erasure and retention") struct RulesTests {
  private static let names: [String?] = [nil, "", "-", "%", "acme", "Ä ö", "a b\nc", "100%"]

  private static func rules(_ dice: inout Dice) -> StoreRules {
    var rules = StoreRules()
    rules.sequence = dice.next() >> 2
    rules.nextNumber = dice.next() >> 2
    rules.finished = dice.next() >> 2
    func name() -> String? { names[dice.below(names.count)] }
    for number in 0..<UInt64(dice.below(5)) {
      rules.erasures.append(
        Erasure(
          number: number, token: UInt128(dice.next()) << UInt128(dice.below(65)), tenant: name().map { TenantName($0) },
          state: Erasure.State.allCases[dice.below(3)], requested: Int64(bitPattern: dice.next()), finished: 0,
          lifted: 7, rows: dice.below(1000)))
    }
    for number in 0..<UInt64(dice.below(4)) {
      rules.holds.append(
        LegalHold(
          number: number, token: dice.chance(50) ? nil : UInt128(dice.next()), tenant: name().map { TenantName($0) },
          since: 5,
          reason: name() ?? ""))
    }
    for _ in 0..<dice.below(4) {
      rules.retention.append(
        RetentionRule(
          table: name() ?? "spans", scope: dice.chance(50) ? .rows : .content, tenant: name().map { TenantName($0) },
          nanoseconds: 1 + Int64(dice.below(1 << 40))))
    }
    return rules
  }

  @Test func theyAreReadBackAsTheyWereWritten() throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    var dice = Dice(seed)
    for _ in 0..<200 {
      let rules = Self.rules(&dice)
      let bytes = RulesCodec.encode(rules)
      #expect(try RulesCodec.decode(bytes, path: "x") == rules, "seed \(seed)")
      var damaged = bytes
      damaged[dice.below(bytes.count)] ^= UInt8(1 + dice.below(255))
      #expect(throws: StorageError.self, "seed \(seed)") { try RulesCodec.decode(damaged, path: "x") }
      let cut = Array(bytes.prefix(dice.below(bytes.count)))
      #expect(throws: StorageError.self, "seed \(seed)") { try RulesCodec.decode(cut, path: "x") }
    }
  }

  /// What the documentation shows.
  @Test func theTextIsAsDocumented() throws {
    var rules = StoreRules()
    rules.sequence = 42
    rules.nextNumber = 9
    rules.finished = 41
    rules.erasures = [
      Erasure(
        number: 7, token: 0x4a7d_1ed4_1447_4e40_33ac_29cc_b865_3d9b, tenant: "acme", state: .erased,
        requested: 1_700_000_000_000_000_000, finished: 1_700_000_005_000_000_000, lifted: 0, rows: 312)
    ]
    rules.holds = [
      LegalHold(number: 8, token: nil, tenant: "acme", since: 1_700_000_000_000_000_000, reason: "lawsuit")
    ]
    rules.retention = [RetentionRule(table: "spans", tenant: nil, nanoseconds: 7_776_000_000_000_000)]
    let text = String(decoding: RulesCodec.encode(rules), as: UTF8.self)
    #expect(
      text.split(separator: "\n").dropLast() == [
        "lintel-rules 1", "sequence 42", "next 9", "finished 41",
        "erasure 7 4a7d1ed414474e4033ac29ccb8653d9b acme erased 1700000000000000000 1700000005000000000 0 312",
        "hold 8 - acme 1700000000000000000 lawsuit", "retention spans - 7776000000000000",
      ])
  }

  @Test func theNewestCounts() throws {
    let folder = ScratchDirectory()
    let store = RulesStore(folder.path + "/erasure", fileSystem: PosixFileSystem())
    #expect(try store.load() == StoreRules() && store.latest() == 0)
    var rules = StoreRules()
    rules.nextNumber = 5
    let first = try store.publish(rules)
    rules.nextNumber = 6
    let second = try store.publish(rules)
    #expect(first.sequence == 1 && second.sequence == 2)
    #expect(try store.load() == second && store.latest() == 2)
    #expect(try PosixFileSystem().list(folder.path + "/erasure") == ["000000000002.rules"])
  }

  @Test func changesOfTheAuditLogAreNoticed() throws {
    let folder = ScratchDirectory()
    let path = folder.path + "/audit.log"
    let files = PosixFileSystem()
    var tail = AuditTail()
    for number in 1...5 {
      let line = AuditLog.line(
        AuditEvent(.requested, number: UInt64(number), token: 17, tenant: "a b", detail: "rows=\(number)"),
        UInt64(number), time: 1000 + Int64(number), after: tail.hash)
      try AuditLog.append(line.text, to: path, after: tail.length, in: folder.path, files)
      tail = AuditTail(entries: UInt64(number), length: tail.length + line.text.utf8.count, hash: line.hash)
    }
    #expect(try AuditLog.tail(path, files) == tail)
    let bytes = try files.readAll(path, limit: 1 << 20)
    // What an interrupted append has left.
    let torn = try files.reopen(path, length: bytes.count)
    try torn.append(Array("6 1006 requ".utf8))
    try torn.close()
    #expect(try AuditLog.tail(path, files) == tail)
    func write(_ bytes: [UInt8]) throws {
      try files.remove(path)
      let file = try files.create(path)
      try file.append(bytes)
      try file.close()
    }
    for place in stride(from: 0, to: bytes.count - 1, by: 11) {
      var changed = bytes
      changed[place] ^= 2
      try write(changed)
      #expect(throws: StorageError.self, "byte \(place)") { try AuditLog.tail(path, files) }
    }
    let lines = bytes.split(separator: 10)
    try write(Array((lines[0..<2] + lines[3...]).joined(separator: [10])) + [10])
    #expect(throws: StorageError.self) { try AuditLog.tail(path, files) }
  }

  @Test func bytesOfKeysAreFoundWhereverTheyLie() throws {
    let key: UInt128 = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210
    let scan = ByteScan([key, 77])
    let digits = Array("0123456789abcdeffedcba9876543210".utf8)
    for pattern in [key.bigEndianBytes, key.bigEndianBytes.reversed(), digits] {
      for before in [0, 1, 15, 100] {
        let bytes = Array(repeating: UInt8(1), count: before) + pattern
        #expect(scan.finds(in: bytes) && scan.finds(in: bytes + [0]))
        #expect(!scan.finds(in: Array(bytes.dropLast())))
      }
    }
  }
}
