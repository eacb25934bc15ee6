import Testing

@testable import LintelStorage

/// Runs the policy against flushes of made-up sizes, as if every merge were over before the next flush.
private struct PolicyRun {
  static let day: Int64 = 86_400_000_000_000
  let policy: MergePolicy
  private(set) var parts: [PartEntry] = []
  private(set) var flushedRows = 0
  private(set) var writtenRows = 0
  private(set) var mostParts = 0
  private(set) var leastGain = Double.infinity
  private var nextNumber: UInt64 = 1
  private var now: Int64 = 1_790_000_000_000_000_000

  init(_ policy: MergePolicy = MergePolicy(window: MergeWindow(seconds: 86_400))) { self.policy = policy }

  /// - Parameters:
  ///   - isMerging: False while another merge, that takes long, is under way.
  ///   - seconds: Since the flush before.
  mutating func flush(
    rows: Int, day: Int64 = 0, bytesPerRow: Int = 50, isMerging: Bool = true, seconds: Double = 60
  ) {
    now += Int64(seconds * 1e9)
    add(rows: rows, bytes: rows * bytesPerRow, time: day * Self.day, level: 0)
    flushedRows += rows
    if isMerging { mergeInBackground() }
    mostParts = max(mostParts, parts.count)
  }

  mutating func wait(seconds: Double) {
    now += Int64(seconds * 1e9)
    mergeInBackground()
  }

  private mutating func mergeInBackground() {
    while let chosen = policy.next(parts, now: now) { merge(chosen) }
  }

  mutating func mergeAll() {
    while let chosen = policy.all(parts).first { merge(chosen) }
  }

  private mutating func merge(_ chosen: [PartEntry]) {
    let numbers = Set(chosen.map(\.number))
    parts.removeAll { numbers.contains($0.number) }
    leastGain = min(leastGain, share(chosen) / (chosen.map { share([$0]) }.max() ?? 1))
    add(
      rows: rows(chosen), bytes: bytes(chosen), time: chosen[0].minTime, level: 1 + (chosen.map(\.level).max() ?? 0))
  }

  private mutating func add(rows: Int, bytes: Int, time: Int64, level: Int) {
    parts.append(
      PartEntry(
        number: nextNumber, table: "events", shard: 0, level: level, fileName: "", rowCount: rows, fileBytes: bytes,
        rawBytes: bytes, minTime: time, maxTime: time, arrived: now, footerChecksum: 0))
    nextNumber += 1
    writtenRows += rows
  }

  private func rows(_ parts: [PartEntry]) -> Int { parts.reduce(0) { $0 + $1.rowCount } }

  private func bytes(_ parts: [PartEntry]) -> Int { parts.reduce(0) { $0 + $1.fileBytes } }

  /// Of a part's limits.
  private func share(_ parts: [PartEntry]) -> Double {
    max(Double(rows(parts)) / Double(policy.maximumRows), Double(bytes(parts)) / Double(policy.maximumBytes))
  }

  var amplification: Double { Double(writtenRows) / Double(flushedRows) }
  /// Parts that may stay apart for good, because two of them don't fit into one.
  var fullParts: Int { parts.filter { $0.rowCount * 2 >= policy.maximumRows }.count }
}

@Suite struct MergePolicyTests {
  @Test(arguments: [(1, 20_000), (10, 20_000), (1000, 20_000), (170_000, 400), (1_000_000, 100), (9_000_000, 20)])
  func equalFlushesAreWrittenLessThanFourTimes(rows: Int, flushes: Int) {
    var run = PolicyRun()
    for _ in 0..<flushes { run.flush(rows: rows) }
    // Twenty thousand flushes are two weeks of one a minute, all into one window: more than the policy is made for.
    #expect(run.amplification < (flushes < 2000 ? 4 : 4.9))
    #expect(run.mostParts - run.fullParts < 50)
    #expect(run.parts.reduce(0) { $0 + $1.rowCount } == rows * flushes)
  }

  @Test func aDayOfFlushesEveryMinuteIsWrittenLessThanFourTimes() {
    var run = PolicyRun()
    for day in 0..<10 { for _ in 0..<1440 { run.flush(rows: 700, day: Int64(day)) } }
    #expect(run.amplification < 4)
    #expect(run.mostParts < 50)
    // What a day leaves behind becomes one part when the day is over.
    #expect(Set(run.parts.map(\.minTime)).count == 10)
    #expect(run.parts.filter { $0.minTime < 9 * PolicyRun.day }.count == 9)
  }

  @Test(arguments: 0..<20)
  func flushesOfAnySizeKeepTheBounds(seed: UInt64) {
    print("seed \(seed)")
    var dice = Dice(seed)
    var run = PolicyRun()
    for _ in 0..<1000 {
      run.flush(rows: 1 << dice.below(18) + dice.below(1000), bytesPerRow: 30 + dice.below(300))
    }
    #expect(run.amplification < 4)
    #expect(run.mostParts - run.fullParts < 50)
  }

  @Test(arguments: 0..<20)
  func everyMergeGainsWhatItShould(seed: UInt64) {
    print("seed \(seed)")
    var dice = Dice(seed)
    var policy = MergePolicy(window: MergeWindow(seconds: 86_400))
    policy.maximumWaiting = .max
    var run = PolicyRun(policy)
    for _ in 0..<1000 { run.flush(rows: 1 << dice.below(18), bytesPerRow: 30 + dice.below(300)) }
    #expect(run.leastGain > policy.lateGrowth * 0.999)
  }

  /// Each flush is a little too small for a merge with all the smaller ones.
  @Test func sizesMadeToWaitDoNotPileUp() {
    var run = PolicyRun()
    var sizes = [1]
    while sizes.count < 150, let last = sizes.last, last < 1 << 20 { sizes.append(sizes.reduce(0, +) / 11 + 1) }
    for rows in sizes.reversed() { run.flush(rows: rows) }
    #expect(run.mostParts <= run.policy.maximumWaiting)
  }

  @Test func aPartNearTheLimitDoesNotKeepOthersFromMerging() {
    var run = PolicyRun()
    run.flush(rows: run.policy.maximumRows * 99 / 100)
    for _ in 0..<12 { run.flush(rows: 100_000) }
    #expect(run.parts.map(\.rowCount).sorted() == [1_200_000, run.policy.maximumRows * 99 / 100])
  }

  @Test func partsNearTheByteLimitAreLeftAlone() {
    var run = PolicyRun()
    for _ in 0..<30 { run.flush(rows: 10, bytesPerRow: run.policy.maximumBytes / 15) }
    #expect(run.amplification == 1)
  }

  @Test func noMergeMakesMoreThanThePartSize() {
    var policy = MergePolicy(window: MergeWindow(seconds: 86_400))
    policy.maximumBytes = 32 << 20
    var run = PolicyRun(policy)
    for _ in 0..<200 { run.flush(rows: 100_000) }
    run.mergeAll()
    #expect(run.parts.allSatisfy { $0.fileBytes <= 32 << 20 })
    // At least half as large, but for the last ones.
    #expect(run.parts.count <= 2 * 200 * 5_000_000 / (32 << 20) + 1 && run.amplification < 4)
  }

  /// Parts that are larger each than a merge may make stay apart.
  @Test func aStoresPartSizeIsItsPolicys() throws {
    var limit = 2 << 30
    for count in [1, 8] {
      let tiered = try TieredStore { $0.maximumPartBytes = limit }
      defer { tiered.end() }
      try tiered.write(TieredStore.batches(8))
      limit = (tiered.store.parts("events").map(\.bytes).min() ?? 0) / 2
      try tiered.run { (store) async throws(StorageError) in try await store.mergeAll() }
      #expect(tiered.store.parts("events").count == count)
      #expect(tiered.store.parts("events").reduce(0) { $0 + $1.rows } == 800)
    }
  }

  @Test func whatHasPiledUpDuringALongMergeIsMergedAtOnce() {
    var run = PolicyRun()
    for index in 0..<90 { run.flush(rows: 170_000, isMerging: index == 89) }
    // Each row once more than its flush, though the pile is eight merges high.
    #expect(run.amplification <= 2)
    #expect(run.parts.count <= 27)
  }

  @Test func mergingAllLeavesAsFewAsFit() {
    var run = PolicyRun()
    for _ in 0..<200 { run.flush(rows: 50_000, isMerging: false) }
    run.mergeAll()
    #expect(run.parts.map(\.rowCount) == [10_000_000])
  }

  @Test func whileRowsPourInMoreFlushesAreWaitedFor() {
    var run = PolicyRun()
    for _ in 0..<300 { run.flush(rows: 340_000, seconds: 0.4) }
    #expect(run.amplification <= 2)
    #expect(run.mostParts - run.fullParts < 50)
    // Afterwards what has waited is merged.
    run = PolicyRun()
    for _ in 0..<30 { run.flush(rows: 340_000, seconds: 0.4) }
    #expect(run.parts.count == 30)
    run.wait(seconds: 11)
    #expect(run.parts.map(\.rowCount) == [30 * 340_000])
  }

  @Test(arguments: 0..<10)
  func pouringRowsKeepTheBounds(seed: UInt64) {
    print("seed \(seed)")
    var dice = Dice(seed)
    var run = PolicyRun()
    for _ in 0..<1000 { run.flush(rows: 1000 + dice.below(400_000), seconds: Double(dice.below(30)) / 10) }
    #expect(run.amplification < 4)
    #expect(run.mostParts - run.fullParts < 50)
  }
}
