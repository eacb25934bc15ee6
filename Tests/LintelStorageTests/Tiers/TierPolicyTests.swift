import Testing

@testable import LintelStorage

@Suite struct TierPolicyTests {
  private static let day: Int64 = 86_400_000_000_000
  /// Where the present is, in days.
  private static let today: Int64 = 20_000

  private static var both: TierConfiguration {
    var tiers = TierConfiguration()
    tiers.warm = TierSettings(afterSeconds: TierConfiguration.usualWarmSeconds)
    tiers.cold = TierSettings(afterSeconds: TierConfiguration.usualColdSeconds)
    return tiers
  }

  private func policy(_ tiers: TierConfiguration = both) -> TierPolicy {
    TierPolicy(tiers: tiers, merging: MergePolicy(window: MergeWindow(seconds: 86_400)))
  }

  /// - Parameter age: Of the newest row, in days.
  private func part(
    _ number: UInt64, age: Double, in tier: Tier = .hot, table: String = "events", shard: Int = 0, rows: Int = 1000,
    isQuarantined: Bool = false
  ) -> PartEntry {
    let newest = Self.today * Self.day - Int64(age * Double(Self.day))
    return PartEntry(
      number: number, table: table, shard: shard, level: 1, fileName: "\(tier.rawValue)/\(number).part", rowCount: rows,
      fileBytes: rows * 30, rawBytes: rows * 90, minTime: newest, maxTime: newest, arrived: newest, footerChecksum: 0,
      isQuarantined: isQuarantined)
  }

  private func next(_ policy: TierPolicy, _ parts: [PartEntry], free: Int? = nil) -> TierMove? {
    policy.next(parts, now: Self.today * Self.day, freeBytes: free)
  }

  @Test func namesTellTheTier() {
    #expect(Tier(fileName: "hot/1.part") == .hot)
    #expect(Tier(fileName: "warm/1.part") == .warm)
    #expect(Tier(fileName: "cold/1.part") == .cold)
    #expect(Tier(fileName: "warmer/1.part") == .hot)
    #expect(Tier.hot < .warm && Tier.warm < .cold)
  }

  @Test func nothingMovesUnlessItIsSetUp() {
    let policy = policy(TierConfiguration())
    #expect(next(policy, [part(1, age: 10_000)], free: 0) == nil)
  }

  @Test func partsMoveWhenTheirNewestRowIsOldEnough() {
    let policy = policy()
    #expect(next(policy, [part(1, age: 6.9)]) == nil)
    #expect(next(policy, [part(1, age: 7)]) == TierMove(target: .warm, parts: [part(1, age: 7)]))
    #expect(next(policy, [part(1, age: 89, in: .warm)]) == nil)
    #expect(next(policy, [part(1, age: 90, in: .warm)])?.target == .cold)
    // Past both ages it needn't be written twice.
    #expect(next(policy, [part(1, age: 90)])?.target == .cold)
    #expect(next(policy, [part(1, age: 400, in: .cold)]) == nil)
    #expect(next(policy, [part(1, age: 400, isQuarantined: true)]) == nil)
    #expect(next(policy, [part(1, age: -400)]) == nil)
  }

  @Test func aTierThatIsNotThereIsSkipped() {
    var tiers = Self.both
    tiers.warm = nil
    #expect(next(policy(tiers), [part(1, age: 30)]) == nil)
    #expect(next(policy(tiers), [part(1, age: 91)])?.target == .cold)
    tiers = Self.both
    tiers.cold = nil
    #expect(next(policy(tiers), [part(1, age: 91)])?.target == .warm)
    #expect(next(policy(tiers), [part(1, age: 91, in: .warm)]) == nil)
  }

  @Test func theOldestComeFirstAndPartsOfOneWindowTogether() {
    let policy = policy()
    let parts = [
      part(1, age: 8), part(2, age: 20.25), part(3, age: 20.5), part(4, age: 20.5, shard: 1),
      part(5, age: 20.5, table: "x"),
      part(6, age: 20.5, in: .warm), part(7, age: 19),
    ]
    #expect(next(policy, parts)?.parts.map(\.number) == [3, 2])
    #expect(next(policy, parts.filter { ![2, 3].contains($0.number) })?.parts.map(\.number) == [4])
    // What makes no whole part any more waits for its turn.
    let large = (1...3).map { part($0, age: 20.5, rows: 7 << 20) }
    #expect(next(policy, large)?.parts.map(\.number) == [1, 2])
    #expect(next(policy, [part(1, age: 20, rows: 17 << 20)])?.parts.count == 1)
  }

  @Test func theOldestHotPartMakesRoom() {
    var tiers = Self.both
    tiers.hotFreeBytes = 1000
    let parts = [part(1, age: 2), part(2, age: 3), part(3, age: 4, in: .warm)]
    #expect(next(policy(tiers), parts, free: 1000) == nil)
    #expect(next(policy(tiers), parts, free: 999) == TierMove(target: .warm, parts: [parts[1]], isForRoom: true))
    tiers.warm = nil
    #expect(next(policy(tiers), parts, free: 0)?.target == .cold)
    #expect(next(policy(tiers), [parts[2]], free: 0) == nil)
    // What is old enough goes first.
    #expect(next(policy(tiers), parts + [part(4, age: 95)], free: 0)?.isForRoom == false)
  }

  @Test func timesAtTheEndsOfTheScaleAreNoAges() {
    let policy = policy()
    func part(_ time: Int64) -> PartEntry {
      PartEntry(
        number: 1, table: "events", shard: 0, level: 0, fileName: "hot/1.part", rowCount: 1, fileBytes: 1, rawBytes: 1,
        minTime: time, maxTime: time, arrived: 0, footerChecksum: 0)
    }
    #expect(policy.next([part(.min)], now: .max)?.target == .cold)
    #expect(policy.next([part(.max)], now: .min) == nil)
    #expect(policy.next([part(.max)], now: .max) == nil)
  }

  @Test func settingsThatMakeNoSenseAreRefused() {
    func problem(_ change: (inout TierConfiguration) -> Void) -> String? {
      var tiers = Self.both
      change(&tiers)
      return tiers.problem
    }
    #expect(problem { _ in } == nil)
    #expect(problem { $0.cold?.afterSeconds = 1 } != nil)
    #expect(problem { $0.warm?.afterSeconds = -1 } != nil)
    #expect(problem { $0.warm?.afterSeconds = .nan } != nil)
    #expect(problem { $0.warm?.directory = "" } != nil)
    #expect(problem { $0.warm?.directory = "relative" } != nil)
    #expect(problem { $0.moveBytesPerSecond = 0 } != nil)
    #expect(
      problem {
        $0.warm?.directory = "/one"
        $0.cold?.directory = "/one"
      } != nil)
  }

  /// The clock is the tests'.
  @Test func movesKeepToTheirRate() {
    let second: Int64 = 1_000_000_000
    var turn = MoveTurn()
    func grants(at seconds: Int64) -> Bool { turn.grant(now: seconds * second, bytesPerSecond: 100) }
    #expect(!grants(at: 0))
    #expect(grants(at: 1))
    turn.spend(1000)
    #expect(!grants(at: 9))
    #expect(!grants(at: 10))
    #expect(grants(at: 11))
    // A long quiet time isn't saved up.
    #expect(grants(at: 1_000_000))
    #expect(turn.allowance == 1000)
    turn.pause(now: 1_000_000 * second)
    #expect(!grants(at: 1_000_059))
    #expect(grants(at: 1_000_060))
    // A clock that goes back grants nothing.
    let before = turn.allowance
    _ = grants(at: 5)
    #expect(turn.allowance == before)
  }
}
