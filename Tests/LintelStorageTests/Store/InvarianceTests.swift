import LintelColumns
import Testing

@testable import LintelStorage

/// Whatever is flushed, merged, reopened: the rows stay the same rows.
@Suite struct InvarianceTests {
  /// A day as merge window, batches that spread over several, shards, odd block sizes.
  @Test(arguments: [11, 12, 13, 14, 15, 16] as [UInt64])
  func randomHistoriesKeepEveryRow(seed: UInt64) async throws {
    print("seed \(seed)")
    var dice = Dice(seed)
    let directory = ScratchDirectory()
    let configuration = StoreTests.configuration { configuration in
      configuration.blockRows = [16, 64, 256][dice.below(3)]
      configuration.shardCount = 1 + dice.below(3)
      configuration.mergeWindowSeconds = [60, 3600, 86_400][dice.below(3)]
      configuration.flushBytes = [20_000, 100_000, 1 << 20][dice.below(3)]
    }
    var store = try StoreTests.open(directory, configuration)
    var expected: [String] = []
    for _ in 0..<24 {
      switch dice.below(10) {
      case 0: try await store.flush()
      case 1: try await store.mergeAll()
      case 2:
        try await store.close()
        store = try StoreTests.open(directory, configuration)
      default:
        let batch = Samples.batch(&dice, Self.options(&dice))
        expected += RowText.rows(batch)
        let receipt = try await store.append(batch)
        #expect(receipt.stored == batch.rowCount)
      }
      #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil, "seed \(seed)")
    }
    try await store.mergeAll()
    #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil, "seed \(seed)")
    #expect(store.problems == [])
    try await store.close()
  }

  @Test func aSinglePartIsWrittenSmallOnce() async throws {
    var dice = Dice(25)
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    let batch = Samples.batch(&dice, Samples.Options(rows: 400))
    _ = try await store.append(batch)
    try await store.flush()
    let flushed = store.statistics.partBytes
    for _ in 0..<2 { try await store.mergeAll() }
    #expect(store.parts("events").map(\.level) == [1])
    #expect(store.statistics.merges == 1)
    #expect(store.statistics.partBytes < flushed)
    #expect(difference(try RowText.rows(store.snapshot("events")), RowText.rows(batch)) == nil)
    try await store.close()
  }

  /// Values that repeat too seldom in a flush for a dictionary get one when the merge has enough of them, and keep it when
  /// the part is merged with more of the kind.
  @Test(arguments: [128, 450]) func repeatsAmongPartsAreFoundByTheMerge(distinct: Int) async throws {
    var dice = Dice(24)
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    let note = ColumnReference.column(8)
    var expected: [String] = []
    for round in 0..<13 {
      var batch = Samples.batch(&dice, Samples.Options(rows: 120))
      var notes = BytesColumnBuilder()
      for _ in 0..<120 {
        if dice.chance(20) {
          notes.appendNull()
        } else {
          notes.append("a note of some length, number \(dice.below(distinct))")
        }
      }
      batch.columns[8] = notes.finish()
      expected += RowText.rows(batch)
      _ = try await store.append(batch)
      try await store.flush()
      if round == 0 { #expect(try store.snapshot("events").segments[0].dictionary(note) == nil) }
      guard round >= 11 else { continue }
      try await store.mergeAll()
      let snapshot = try store.snapshot("events")
      #expect(snapshot.segments.count == 1)
      let entries = try #require(try snapshot.segments[0].dictionary(note)).count
      #expect(entries <= distinct && entries > distinct / 5 * 4)
      #expect(difference(try RowText.rows(snapshot), expected) == nil)
    }
    try await store.close()
  }

  private static func options(_ dice: inout Dice) -> Samples.Options {
    var options = Samples.Options()
    options.rows = [1, 10, 100, 700][dice.below(4)]
    options.attributes = [0, 3, 12][dice.below(3)]
    options.spread = [1_000_000_000, 600_000_000_000, 200_000_000_000_000][dice.below(3)]
    options.traces = [1, 20, 400][dice.below(3)]
    options.firstTrace = dice.below(30)
    if dice.chance(10) { options.start = -5_000_000_000_000 }
    return options
  }

  /// Rows of a trace adjacent and in time order, traces by their first row within an organisation, organisations in order.
  @Test(arguments: [21, 22, 23] as [UInt64])
  func partsAreSortedAfterFlushAndMerge(seed: UInt64) async throws {
    print("seed \(seed)")
    var dice = Dice(seed)
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    for _ in 0..<5 {
      var options = Samples.Options()
      options.rows = 300
      options.traces = 40
      for _ in 0..<3 { _ = try await store.append(Samples.batch(&dice, options)) }
      try await store.flush()
    }
    try Self.checkOrder(try store.snapshot("events"))
    try await store.mergeAll()
    let snapshot = try store.snapshot("events")
    #expect(snapshot.segments.count == 1)
    try Self.checkOrder(snapshot)
    try await store.close()
  }

  private static func checkOrder(_ snapshot: TableSnapshot) throws {
    for segment in snapshot.segments {
      var keys: [(org: String, trace: UInt128, time: Int64)] = []
      for block in 0..<segment.blockCount {
        let org = try segment.read(.column(0), block: block)
        let trace = try segment.read(.column(1), block: block)
        let time = try segment.read(.column(3), block: block)
        for row in 0..<org.count {
          keys.append((org.string(at: row) ?? "", trace.id128(at: row) ?? 0, time.int64(at: row) ?? 0))
        }
      }
      var firstTimes: [UInt128: Int64] = [:]
      for key in keys { firstTimes[key.trace] = min(firstTimes[key.trace] ?? .max, key.time) }
      let sorted = keys.sorted {
        ($0.org, firstTimes[$0.trace] ?? 0, $0.trace, $0.time) < ($1.org, firstTimes[$1.trace] ?? 0, $1.trace, $1.time)
      }
      #expect(keys.map(\.trace) == sorted.map(\.trace))
      #expect(keys.map(\.time) == sorted.map(\.time))
    }
  }

  @Test func manyKeysGoIntoTheTailUnseen() async throws {
    var dice = Dice(31)
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory)
    var expected: [String] = []
    var keys: Set<AttributeKey> = []
    for round in 0..<3 {
      var options = Samples.Options()
      options.rows = 40
      options.attributes = 1150 + 100 * round
      let batch = Samples.batch(&dice, options)
      keys.formUnion(batch.attributes.map(\.key))
      expected += RowText.rows(batch)
      _ = try await store.append(batch)
      try await store.flush()
      #expect(difference(try RowText.rows(store.snapshot("events")), expected) == nil)
    }
    #expect(keys.count > 1001)
    try await store.mergeAll()
    let snapshot = try store.snapshot("events")
    #expect(snapshot.segments.count == 1)
    #expect(Set(snapshot.segments[0].attributeKeys) == keys)
    #expect(difference(try RowText.rows(snapshot), expected) == nil)
    #expect(store.describeStorage("events").contains { $0.column == "rare attributes" })
    try await store.close()
  }

  @Test func largeValuesMakeSmallBlocks() async throws {
    let directory = ScratchDirectory()
    let store = try StoreTests.open(directory, StoreTests.configuration { $0.blockRows = 16384 })
    var dice = Dice(41)
    var batch = Samples.batch(&dice, Samples.Options(rows: 48, attributes: 0))
    var notes = BytesColumnBuilder()
    for row in 0..<48 { notes.append(String(repeating: "\(row) ", count: row == 7 ? 700_000 : 150_000)) }
    batch.columns[8] = notes.finish()
    let expected = RowText.rows(batch)
    _ = try await store.append(batch)
    try await store.flush()
    let snapshot = try store.snapshot("events")
    #expect(snapshot.segments[0].blockRows < 64)
    #expect(difference(try RowText.rows(snapshot), expected) == nil)
    try await store.close()
  }
}
