import Testing

@testable import LintelStorage

/// A log's life, crashed at every call and in every way: what was synced is there, once, in order; nothing is damaged.
@Suite struct LogCrashTests {
  /// Appends, syncs, rotates, removes; returns how many records were acknowledged and how many tried before the crash.
  private func live(_ fileSystem: SimulatedFileSystem, first: Int = 0) -> (acknowledged: Int, tried: Int) {
    var acknowledged = first
    var tried = first
    do throws(StorageError) {
      try fileSystem.createParentsDurably(of: LogFixture.directory + "/log")
      let recovery = try LogRecovery.recover(
        LogFixture.directory, shard: 0, fileSystem: fileSystem, floor: 0, { (_) throws(StorageError) in })
      let writer = try LogWriter.open(
        LogFixture.directory, shard: 0, fileSystem: fileSystem, startingAt: recovery.nextSegment)
      for round in 0..<3 {
        for _ in 0...round {
          try writer.append(LogFixture.payload(tried, size: 100 + tried * 900))
          tried += 1
        }
        try writer.sync()
        acknowledged = tried
        if round == 1 { _ = try writer.rotate() }
      }
      try writer.close()
    } catch {}
    return (acknowledged, tried)
  }

  /// `nil` when all is well.
  private func verify(_ fileSystem: SimulatedFileSystem, _ counts: (acknowledged: Int, tried: Int)) throws -> String? {
    var payloads: [[UInt8]] = []
    if try !fileSystem.exists(LogFixture.directory) { return counts.acknowledged == 0 ? nil : "no log" }
    let recovery = try LogRecovery.recover(
      LogFixture.directory, shard: 0, fileSystem: fileSystem, floor: 0
    ) { (record) throws(StorageError) in payloads.append(record.payload) }
    let acknowledged = (0..<counts.acknowledged).map { LogFixture.payload($0, size: 100 + $0 * 900) }
    let tried = (0..<counts.tried + 1).map { LogFixture.payload($0, size: 100 + $0 * 900) }
    guard payloads.starts(with: acknowledged) else {
      return "of \(acknowledged.count) records \(payloads.count) are left"
    }
    guard payloads.allSatisfy(tried.contains), Set(payloads).count == payloads.count else { return "strange records" }
    // A record that was never synced may be torn although a later one is whole: told as damage, and harmless.
    if let damage = recovery.damages.first, payloads.count + recovery.damages.count > counts.tried + 1 {
      return damage.error.description
    }
    return nil
  }

  @Test func everyCallEveryLoss() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    let dry = SimulatedFileSystem()
    _ = live(dry)
    var states = 0
    for call in dry.calls where call.isChange {
      for loss in Loss.variants(seed: seed &+ UInt64(call.number)) {
        let fileSystem = SimulatedFileSystem(fault: .crash(at: call.number))
        let counts = live(fileSystem)
        let problem = try verify(fileSystem.afterCrash(loss), counts)
        #expect(problem == nil, "\(call), \(loss), seed \(seed)")
        states += 1
      }
    }
    #expect(states > 100)
  }

  /// Crashed, then crashed again at every call of the recovery and of what follows it.
  @Test func crashAfterCrash() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    var generator = Dice(seed)
    let dry = SimulatedFileSystem()
    _ = live(dry)
    let calls = dry.calls.filter(\.isChange).shuffled(using: &generator).prefix(max(8, CrashStates.count / 150))
    for call in calls {
      for loss in Loss.variants(seed: seed &+ UInt64(call.number)).shuffled(using: &generator).prefix(3) {
        let first = SimulatedFileSystem(fault: .crash(at: call.number))
        let counts = live(first)
        let found = first.afterCrash(loss)
        // What the recovery hands out counts as stored from then on.
        var reader = LogReader(LogFixture.directory, shard: 0, fileSystem: found, from: LogPosition(segment: 0))
        let recovered = try reader.payloads().count
        let second = found.afterCrash(.processKilled)
        _ = live(second, first: counts.tried + 1)
        let changes = second.calls.filter(\.isChange).shuffled(using: &generator)
        for again in changes.prefix(max(5, CrashStates.count / 240)) {
          for secondLoss in [Loss.everything, .sectors(unit: 512, seed: seed), .names] {
            let third = found.afterCrash(.processKilled, fault: .crash(at: again.number))
            let later = live(third, first: counts.tried + 1)
            let fourth = third.afterCrash(secondLoss)
            var reader = LogReader(LogFixture.directory, shard: 0, fileSystem: fourth, from: LogPosition(segment: 0))
            let left = try reader.payloads().count
            let needed = later.acknowledged > counts.tried + 1 ? recovered : counts.acknowledged
            #expect(left >= needed, "\(call), \(loss), then \(again), \(secondLoss), seed \(seed)")
          }
        }
      }
    }
  }
}
