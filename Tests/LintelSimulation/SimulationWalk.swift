internal import Synchronization

/// Goes through many runs and counts them.
package struct SimulationWalk: Sendable {
  package struct Finding: Sendable, CustomStringConvertible {
    package let run: SimulatedRun
    package let wrong: StoreScenario.Wrong

    package var description: String { "\(wrong)\n  again with: tools/simulate --run '\(run)'" }
  }

  package struct Key: Hashable, Comparable, Sendable {
    package let scenario: String
    package let variant: String

    package static func < (left: Key, right: Key) -> Bool {
      (left.scenario, left.variant) < (right.scenario, right.variant)
    }
  }

  package private(set) var counts: [Key: Int] = [:]
  package private(set) var findings: [Finding] = []
  package var states: Int { counts.values.reduce(0, +) }

  private let sites: SyncSites?
  private let skippedSite: Int?
  private let jobs: Int
  private let effort: Double

  /// - Parameters:
  ///   - skippedSite: the place whose syncs the device ignores: a bug to be found.
  ///   - jobs: runs at the same time.
  ///   - effort: Up to 1. With less, a round takes less time to make and has fewer second crashes and random lives: for walks
  ///     of few states.
  package init(sites: SyncSites? = nil, skippedSite: Int? = nil, jobs: Int = 1, effort: Double = 1) {
    self.effort = effort
    self.sites = sites
    self.skippedSite = skippedSite
    self.jobs = jobs
  }

  /// Goes through so many states, or until something is found. With fewer states than a round has, every kind of run and
  /// every scenario gets its share; with more, rounds follow each other in which the engine works in another order.
  package mutating func run(states limit: Int, seed: UInt64, progress: (SimulationWalk) -> Void = { _ in }) {
    var round = seed
    while states < limit, findings.isEmpty {
      var dice = Dice(round)
      let groups = SimulationWalk.knownRound(seed: round, effort: effort)
      let total = groups.reduce(0) { $0 + $1.count }
      let share = min(1, Double(limit - states) / Double(max(1, total)))
      let chosen = groups.map { group -> (group: ArraySlice<SimulatedRun>, isCertain: Bool) in
        let count = min(group.count, Int((Double(group.count) * share).rounded(.up)))
        return (group.shuffled(using: &dice).prefix(count), group.count == 1)
      }
      // First what no walk leaves out.
      let certain = chosen.flatMap { $0.isCertain ? Array($0.group) : [] }
      let others = chosen.flatMap { $0.isCertain ? [] : Array($0.group) }
      run(certain.shuffled(using: &dice))
      if findings.isEmpty { run(others.shuffled(using: &dice)) }
      progress(self)
      round += 1
    }
  }

  /// The runs, in this order, until something is found.
  package mutating func run(_ runs: [SimulatedRun]) {
    let next = Atomic(0)
    let results = Mutex((counts: [Key: Int](), findings: [Finding]()))
    let (sites, skippedSite) = (sites, skippedSite)
    let work: @Sendable () -> Void = {
      while results.withLock({ $0.findings.isEmpty }) {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < runs.count else { return }
        var run = runs[index]
        run.skippedSite = skippedSite
        let verdict = run.execute(sites)
        results.withLock { results in
          var count = 1
          if case .look = run.trouble { count = verdict.calls.count(where: \.isChange) }
          results.counts[Key(scenario: run.scenario, variant: run.variant), default: 0] += count
          if let wrong = verdict.wrong { results.findings.append(Finding(run: run, wrong: wrong)) }
        }
      }
    }
    Workers.run(jobs, work)
    let (found, wrong) = results.withLock { $0 }
    counts.merge(found, uniquingKeysWith: +)
    findings += wrong
  }
}

extension SimulationWalk {
  /// The round that was made last: to make one takes as long as a thousand runs, and walks with one skipped sync after the
  /// other begin with the same.
  private static let newest = Mutex<(seed: UInt64, effort: Double, groups: [[SimulatedRun]])?>(nil)

  package static func knownRound(seed: UInt64, effort: Double = 1) -> [[SimulatedRun]] {
    if let newest = newest.withLock({ $0 }), newest.seed == seed, newest.effort == effort { return newest.groups }
    let groups = round(seed: seed, effort: effort)
    newest.withLock { $0 = (seed, effort, groups) }
    return groups
  }

  /// All runs of one order of the background work, by kind and scenario.
  private static func round(seed: UInt64, effort: Double) -> [[SimulatedRun]] {
    var dice = Dice(seed)
    var groups: [[SimulatedRun]] = []
    func part(_ count: Int) -> Int { max(2, Int(Double(count) * effort)) }
    for life in StoreScenario.crashing {
      let calls = SimulatedRun(life.name, seed: seed, .none).execute().calls.filter(\.isChange).filter(life.isFocus)
      groups.append(
        calls.flatMap { call in
          Loss.variants(seed: dice.next() % 1000).map { .init(life.name, seed: seed, .crash(at: call.number, $0)) }
        })
      groups.append([SimulatedRun(life.name, seed: seed, .look), SimulatedRun(life.name, seed: seed, .interrupt)])
    }
    let others = StoreScenario.crashing.filter {
      ["erase", "expire", "recovery-into-parts", "content-sweep", "backup", "backup-copies", "tiers"].contains($0.name)
    }
    for life in [StoreScenario.lifetime, .lifetimeOfTwoShards] + others {
      let calls = SimulatedRun(life.name, seed: seed, .none).execute().calls
      groups.append(recoveries(life, calls.filter(\.isChange), part(12), seed, &dice))
      groups.append(
        calls.flatMap { call in
          [false, true].map { .init(life.name, seed: seed, .error(at: call.number, lasting: $0)) }
        })
      groups.append(
        calls.filter(\.needsSpace).flatMap { call in
          [false, true].map { .init(life.name, seed: seed, .full(at: call.number, lasting: $0)) }
        })
      if !life.makesBackups { groups.append(misreads(life, seed, &dice)) }
    }
    groups += creations(seed)
    groups += tornRecoveries(seed, &dice)
    groups += unsyncedRules(seed)
    groups += unsyncedNames(seed)
    groups += unsyncedSegments(seed, &dice)
    groups += fullThenCrashes(seed, &dice)
    groups += damagedManifests(part(25), seed, &dice)
    groups += damagedAfterRemovals(seed, &dice)
    groups.append((0..<part(100)).flatMap { randomLife(seed &* 100 &+ UInt64($0), &dice) })
    return groups
  }

  /// Crashes at calls of the recovery from a crash.
  private static func recoveries(
    _ life: StoreScenario, _ calls: [SimulatedFileSystem.Call], _ count: Int, _ seed: UInt64, _ dice: inout Dice
  ) -> [SimulatedRun] {
    var runs: [SimulatedRun] = []
    for call in calls.shuffled(using: &dice).prefix(count) {
      guard let loss = Loss.variants(seed: seed).randomElement(using: &dice) else { continue }
      let recovery = SimulatedRun(life.name, seed: seed, .crash(at: call.number, loss)).execute().recoveryCalls
      for again in recovery where again.isChange {
        for second in Loss.variants(seed: dice.next() % 1000).shuffled(using: &dice).prefix(5) {
          runs.append(
            SimulatedRun(life.name, seed: seed, .crashTwice(at: call.number, loss, again: again.number, second)))
        }
      }
    }
    return runs
  }

  /// Crashes while the store is made: few calls that much depends on, so each is a group of its own, which no walk leaves
  /// out. Killed between a change and its sync, or with the newest name alone on the disk; the latter also when it is made
  /// for the second time, in a directory that is there.
  private static func creations(_ seed: UInt64) -> [[SimulatedRun]] {
    ["append", "lifetime-2"].flatMap { name in
      let calls = SimulatedRun(name, seed: seed, .none).execute().calls.filter(\.isChange)
      let once = calls.prefix { !$0.path.hasSuffix(".log") }.flatMap { call in
        let losses: [Loss] = call.name == "syncDirectory" ? [.processKilled, .olderNames] : [.processKilled]
        return losses.map { SimulatedRun(name, seed: seed, .crash(at: call.number, $0)) }
      }
      guard let first = calls.first(where: { $0.path.hasSuffix("/secret.tmp") })?.number else {
        return once.map { [$0] }
      }
      let again = SimulatedRun(name, seed: seed, .crash(at: first, .nothing)).execute().recoveryCalls
      let twice = again.filter(\.isChange).prefix { !$0.path.hasSuffix(".log") }.filter { $0.name == "syncDirectory" }
        .map { SimulatedRun(name, seed: seed, .crashTwice(at: first, .nothing, again: $0.number, .olderNames)) }
      return (once + twice).map { [$0] }
    }
  }

  /// A record is torn by one crash; another comes while the log is made fit for going on. That the newest name alone is on
  /// the disk then is a group of its own for each call, which no walk leaves out.
  private static func tornRecoveries(_ seed: UInt64, _ dice: inout Dice) -> [[SimulatedRun]] {
    let torn = Loss.lastWriteTorn(unit: 512, zeroFilled: false)
    let appends = SimulatedRun("append", seed: seed, .none).execute().calls.filter {
      $0.name == "append" && $0.path.hasSuffix(".log")
    }
    return appends.flatMap { call -> [[SimulatedRun]] in
      let recovery = SimulatedRun("append", seed: seed, .crash(at: call.number, torn)).execute().recoveryCalls
      let again = recovery.filter { $0.isChange && $0.path.contains("/wal/") }.prefix(12)
      let others = again.flatMap { again in
        [Loss.reordered(seed: dice.next() % 1000), .reordered(seed: dice.next() % 1000)].map {
          SimulatedRun("append", seed: seed, .crashTwice(at: call.number, torn, again: again.number, $0))
        }
      }
      return [others]
        + again.map {
          [SimulatedRun("append", seed: seed, .crashTwice(at: call.number, torn, again: $0.number, .olderNames))]
        }
    }
  }

  /// Kills before new rules are on the disk for sure, although whoever opens the store goes by them; and power cuts that leave
  /// their name alone, not that of the audit log, which was to be there before. No walk leaves them out.
  private static func unsyncedRules(_ seed: UInt64) -> [[SimulatedRun]] {
    ["erase", "expire"].flatMap { name in
      SimulatedRun(name, seed: seed, .none).execute().calls
        .filter { $0.name == "syncDirectory" && $0.path.hasSuffix("/erasure") }
        .flatMap { call in
          [Loss.processKilled, .olderNames].map { [SimulatedRun(name, seed: seed, .crash(at: call.number, $0))] }
        }
    }
  }

  /// Kills before the name of new rules, or of a new manifest, is on the disk for sure; then a power cut while the opening that
  /// goes by it removes what it replaces, which leaves that removal alone. No walk leaves them out.
  private static func unsyncedNames(_ seed: UInt64) -> [[SimulatedRun]] {
    let name = "erase"
    let syncs = SimulatedRun(name, seed: seed, .none).execute().calls.filter {
      $0.name == "syncDirectory" && ($0.path.hasSuffix("/erasure") || $0.path.hasSuffix("/manifest"))
    }
    return syncs.flatMap { call -> [[SimulatedRun]] in
      let recovery = SimulatedRun(name, seed: seed, .crash(at: call.number, .processKilled)).execute().recoveryCalls
        .filter(\.isChange)
      let removals = recovery.indices.filter {
        recovery[$0].name == "remove" && recovery[$0].path.hasPrefix(call.path + "/")
      }
      return Set(removals.flatMap { [$0, $0 + 1] }).sorted().filter { $0 < recovery.count }.map { index in
        let again = recovery[index].number
        return [
          SimulatedRun(name, seed: seed, .crashTwice(at: call.number, .processKilled, again: again, .olderNames))
        ]
      }
    }
  }

  /// Crashes of a store that doesn't sync what it acknowledges, while its log goes on in another segment: what came before
  /// must not be missing where what came later is there. No walk leaves them out.
  private static func unsyncedSegments(_ seed: UInt64, _ dice: inout Dice) -> [[SimulatedRun]] {
    let name = "buffered-long-log"
    let calls = SimulatedRun(name, seed: seed, .none).execute().calls.filter {
      $0.name == "append" && $0.path.hasSuffix(".log") && !$0.path.hasSuffix("01.log")
    }
    return calls.flatMap { call in
      (0..<3).map { _ in [SimulatedRun(name, seed: seed, .crash(at: call.number, .reordered(seed: dice.next() % 1000)))]
      }
    }
  }

  /// The disk is full for a moment, and a crash comes after that.
  private static func fullThenCrashes(_ seed: UInt64, _ dice: inout Dice) -> [[SimulatedRun]] {
    StoreScenario.crashing.filter { ["buffered", "log-rotation", "long-log", "lifetime"].contains($0.name) }.map {
      life in
      let calls = SimulatedRun(life.name, seed: seed, .none).execute().calls
      return calls.filter { $0.needsSpace && life.isFocus($0) }.suffix(60).flatMap { call -> [SimulatedRun] in
        let later = calls.filter { $0.isChange && $0.number > call.number }.shuffled(using: &dice).prefix(3)
        return later.flatMap { crash in
          [Loss.reordered(seed: dice.next() % 1000), .sectors(unit: 512, seed: dice.next() % 1000), .everything].map {
            .init(life.name, seed: seed, .fullThenCrash(full: call.number, at: crash.number, $0))
          }
        }
      }
    }
  }

  /// Crashes while parts and manifests are exchanged, after which the newest manifest can't be read.
  private static func damagedManifests(_ count: Int, _ seed: UInt64, _ dice: inout Dice) -> [[SimulatedRun]] {
    ["merge", "manifest-swap"].compactMap { name in StoreScenario.crashing.first { $0.name == name } }.map { life in
      let calls = SimulatedRun(life.name, seed: seed, .none).execute().calls.filter { $0.isChange && life.isFocus($0) }
      let once = calls.flatMap { call in
        [Loss.reordered(seed: dice.next() % 1000), .reordered(seed: dice.next() % 1000), .nothing, .everything].map {
          SimulatedRun(life.name, seed: seed, .damagedManifest(at: call.number, $0, again: nil, .everything))
        }
      }
      let twice = calls.shuffled(using: &dice).prefix(count).flatMap { call -> [SimulatedRun] in
        let recovery = SimulatedRun(life.name, seed: seed, .crash(at: call.number, .nothing)).execute().recoveryCalls
        return recovery.filter(\.isChange).prefix(20).map { again in
          .init(
            life.name, seed: seed,
            .damagedManifest(
              at: call.number, .nothing, again: again.number, .reordered(seed: dice.next() % 1000)))
        }
      }
      return once + twice
    }
  }

  /// Of those the crashes while files are removed that only a former manifest names, by the store or by a recovery. No walk
  /// leaves them out.
  private static func damagedAfterRemovals(_ seed: UInt64, _ dice: inout Dice) -> [[SimulatedRun]] {
    ["merge", "manifest-swap"].flatMap { name -> [[SimulatedRun]] in
      let removals = SimulatedRun(name, seed: seed, .none).execute().calls.filter { $0.name == "remove" }
      let once = removals.filter { $0.path.hasSuffix(".part") || $0.path.hasSuffix(".log") }.flatMap { call in
        (0..<3).map { _ in
          SimulatedRun.Trouble.damagedManifest(
            at: call.number, .reordered(seed: dice.next() % 1000), again: nil, .everything)
        }
      }
      let twice = removals.filter { $0.path.hasSuffix(".manifest") }.flatMap { call -> [SimulatedRun.Trouble] in
        let recovery = SimulatedRun(name, seed: seed, .crash(at: call.number, .nothing)).execute().recoveryCalls
        return recovery.filter { $0.name == "remove" && $0.path.hasSuffix(".part") }.prefix(3).flatMap { again in
          (0..<2).map { _ in
            .damagedManifest(at: call.number, .nothing, again: again.number, .reordered(seed: dice.next() % 1000))
          }
        }
      }
      return (once + twice + damagedAfterOpenings(name, seed)).map { [SimulatedRun(name, seed: seed, $0)] }
    }
  }

  /// A kill leaves two manifests; then a power cut takes all that the opening has not synced, but not its last removal of a
  /// part. If that were the former manifest's last part, and not its name, it would be believed without it.
  private static func damagedAfterOpenings(_ name: String, _ seed: UInt64) -> [SimulatedRun.Trouble] {
    SimulatedRun(name, seed: seed, .none).execute().calls
      .filter { $0.name == "syncDirectory" && $0.path.hasSuffix("/manifest") }
      .flatMap { call -> [SimulatedRun.Trouble] in
        let recovery = SimulatedRun(name, seed: seed, .crash(at: call.number, .processKilled)).execute().recoveryCalls
        guard recovery.contains(where: { $0.name == "remove" && $0.path.hasSuffix(".manifest") }) else { return [] }
        return recovery.filter { $0.name == "remove" && $0.path.hasSuffix(".part") }.map { again in
          .damagedManifest(at: call.number, .processKilled, again: again.number, .olderNames)
        }
      }
  }

  private static func misreads(_ life: StoreScenario, _ seed: UInt64, _ dice: inout Dice) -> [SimulatedRun] {
    let healthy = SimulatedRun(life.name, seed: seed, .misread(at: -1, .flippedBit(seed: 0))).execute().recoveryCalls
    return healthy.filter { $0.name == "read" }.flatMap { call in
      [
        .init(life.name, seed: seed, .misread(at: call.number, .flippedBit(seed: dice.next() % 100_000))),
        .init(life.name, seed: seed, .misread(at: call.number, .misdirected(seed: dice.next() % 100_000))),
      ]
    }
  }

  /// A life of random steps, crashed at random places.
  private static func randomLife(_ seed: UInt64, _ dice: inout Dice) -> [SimulatedRun] {
    let dry = SimulatedRun("random", seed: seed, .none)
    let calls = dry.execute().calls.filter(\.isChange)
    let crashes = calls.shuffled(using: &dice).prefix(20).flatMap { call in
      Loss.variants(seed: dice.next() % 1000).shuffled(using: &dice).prefix(3).map { loss in
        SimulatedRun("random", seed: seed, .crash(at: call.number, loss))
      }
    }
    return [dry, SimulatedRun("random", seed: seed, .look)] + crashes
  }
}
