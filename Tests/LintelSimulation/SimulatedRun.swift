internal import LintelStorage
internal import Synchronization

/// One run: a scenario, the seed of its order, and what goes wrong in it. Its description is all that it takes to do it again.
package struct SimulatedRun: Sendable, CustomStringConvertible {
  package enum Trouble: Sendable {
    case none
    case crash(at: Int, Loss)
    /// The second crash comes at a call of the recovery.
    case crashTwice(at: Int, Loss, again: Int, Loss)
    /// A call fails with EIO, or all do from there on.
    case error(at: Int, lasting: Bool)
    /// The disk is full for one call, or from there on until the client tries again.
    case full(at: Int, lasting: Bool)
    /// The disk is full for one call; the crash comes later.
    case fullThenCrash(full: Int, at: Int, Loss)
    /// After a crash, and a second one during the recovery where `again` says so, the newest manifest is damaged.
    case damagedManifest(at: Int, Loss, again: Int?, Loss)
    /// System calls are interrupted, and do things in part.
    case interrupt
    /// After a kill, a read of the recovery or of the query after it returns something else.
    case misread(at: Int, Misread)
    /// A read-only store is opened, and another looks again, before each change that the writer makes.
    case look
  }

  package var scenario: String
  package var seed: UInt64
  package var trouble: Trouble
  /// The number of a place in the engine whose syncs the device ignores.
  package var skippedSite: Int?

  package init(_ scenario: String, seed: UInt64, _ trouble: Trouble, skippedSite: Int? = nil) {
    self.scenario = scenario
    self.seed = seed
    self.trouble = trouble
    self.skippedSite = skippedSite
  }

  package var life: StoreScenario {
    scenario == "random"
      ? .random(seed: seed) : StoreScenario.crashing.first { $0.name == scenario } ?? StoreScenario.lifetime
  }

  /// What the counts are by: the kind of trouble, or what the crash leaves.
  package var variant: String {
    switch trouble {
    case .none: "none"
    case .crash(_, let loss): loss.label
    case .crashTwice(_, _, _, let loss): "again-\(loss.label)"
    case .error(_, let lasting): lasting ? "EIO-lasting" : "EIO"
    case .full(_, let lasting): lasting ? "ENOSPC-lasting" : "ENOSPC"
    case .fullThenCrash(_, _, let loss): "ENOSPC-then-\(loss.label)"
    case .damagedManifest(_, let loss, nil, _): "damaged-manifest-\(loss.label)"
    case .damagedManifest(_, _, _, let loss): "damaged-manifest-again-\(loss.label)"
    case .interrupt: "EINTR-short"
    case .misread(_, .flippedBit): "flipped-bit"
    case .misread(_, .misdirected): "misdirected"
    case .look: "read-only"
    }
  }

  package var description: String {
    var text = "scenario=\(scenario) seed=\(seed) "
    switch trouble {
    case .none: text += "none"
    case .crash(let at, let loss): text += "crash=\(at) loss=\(loss)"
    case .crashTwice(let at, let loss, let again, let second):
      text += "crash=\(at) loss=\(loss) again=\(again) then=\(second)"
    case .error(let at, let lasting): text += "error=\(at) lasting=\(lasting)"
    case .full(let at, let lasting): text += "full=\(at) lasting=\(lasting)"
    case .fullThenCrash(let full, let at, let loss): text += "full=\(full) crash=\(at) loss=\(loss)"
    case .damagedManifest(let at, let loss, let again, let second):
      text += "damage crash=\(at) loss=\(loss)" + (again.map { " again=\($0)" } ?? "") + " then=\(second)"
    case .interrupt: text += "interrupt"
    case .misread(let at, .flippedBit(let seed)): text += "flip=\(at) bit=\(seed)"
    case .misread(let at, .misdirected(let seed)): text += "misdirect=\(at) bit=\(seed)"
    case .look: text += "look"
    }
    return text + (skippedSite.map { " skip=\($0)" } ?? "")
  }

  /// Reads a description.
  package init?(_ text: String) {
    var fields: [Substring: String] = [:]
    for word in text.split(separator: " ") {
      let pair = word.split(separator: "=", maxSplits: 1)
      fields[pair[0]] = pair.count > 1 ? String(pair[1]) : ""
    }
    func number(_ key: Substring) -> Int? { fields[key].flatMap { Int($0) } }
    guard let scenario = fields["scenario"], let seed = fields["seed"].flatMap({ UInt64($0) }) else { return nil }
    let lasting = fields["lasting"] == "true"
    let bits = fields["bit"].flatMap { UInt64($0) } ?? 0
    let trouble: Trouble
    if let at = number("crash"), let loss = fields["loss"].flatMap({ Loss($0) }) {
      if fields["damage"] != nil {
        let second = fields["then"].flatMap { Loss($0) } ?? .everything
        trouble = .damagedManifest(at: at, loss, again: number("again"), second)
      } else if let full = number("full") {
        trouble = .fullThenCrash(full: full, at: at, loss)
      } else if let again = number("again"), let second = fields["then"].flatMap({ Loss($0) }) {
        trouble = .crashTwice(at: at, loss, again: again, second)
      } else {
        trouble = .crash(at: at, loss)
      }
    } else if let at = number("error") {
      trouble = .error(at: at, lasting: lasting)
    } else if let at = number("full") {
      trouble = .full(at: at, lasting: lasting)
    } else if let at = number("flip") {
      trouble = .misread(at: at, .flippedBit(seed: bits))
    } else if let at = number("misdirect") {
      trouble = .misread(at: at, .misdirected(seed: bits))
    } else if fields["interrupt"] != nil {
      trouble = .interrupt
    } else {
      trouble = fields["look"] != nil ? .look : .none
    }
    self.init(scenario, seed: seed, trouble, skippedSite: number("skip"))
  }
}

extension SimulatedRun {
  package struct Verdict: Sendable {
    package var wrong: StoreScenario.Wrong?
    /// Of the scenario, before anything is checked.
    package var calls: [SimulatedFileSystem.Call] = []
    /// Of the recovery, where there is one.
    package var recoveryCalls: [SimulatedFileSystem.Call] = []
  }

  /// Goes through it on the calling thread, which is all that it needs.
  package func execute(_ sites: SyncSites? = nil) -> Verdict {
    let scheduler = SimulatedScheduler(seed: seed)
    defer { scheduler.drain() }
    let skipped = skippedSite.flatMap { number in sites?.sites[number] }
    let verdict = scheduler.run { await execute(scheduler, skipped) }
    return verdict ?? Verdict(wrong: StoreScenario.Wrong(.other, "it waits for something that nobody does"))
  }

  private func execute(_ scheduler: SimulatedScheduler, _ skipped: SyncSites.Site?) async -> Verdict {
    let life = life
    func disk(_ fault: SimulatedFileSystem.Fault) -> SimulatedFileSystem { prepared(SimulatedFileSystem(fault: fault)) }
    func prepared(_ fileSystem: SimulatedFileSystem) -> SimulatedFileSystem {
      if let skipped { fileSystem.ignoreSyncs { skipped.matches(path: $0, site: $1) } }
      return fileSystem
    }
    // What was acknowledged before it was synced outlives the process, not the machine.
    var mayLoseTail = life.durability == .buffered
    if case .crash(_, .processKilled) = trouble { mayLoseTail = false }
    func verdict(
      _ fileSystem: SimulatedFileSystem, _ found: SimulatedFileSystem, _ outcome: StoreScenario.Outcome,
      tornRecords: Bool
    ) async -> Verdict {
      let calls = fileSystem.calls
      if let wrong = outcome.wrong { return Verdict(wrong: wrong.after("while it lives"), calls: calls) }
      let wrong = await life.verify(
        prepared(found), scheduler, outcome, tornRecords: tornRecords, mayLoseTail: mayLoseTail)
      return Verdict(wrong: wrong, calls: calls, recoveryCalls: found.calls)
    }
    switch trouble {
    case .none:
      let fileSystem = disk(.none)
      let outcome = await life.run(on: fileSystem, scheduler)
      let calls = fileSystem.calls
      if let failure = outcome.failures.first { return Verdict(wrong: .init(.other, "\(failure)"), calls: calls) }
      return await verdict(fileSystem, fileSystem.afterCrash(.everything), outcome, tornRecords: false)
    case .crash(let at, let loss):
      let fileSystem = disk(.crash(at: at))
      let outcome = await life.run(on: fileSystem, scheduler)
      return await verdict(fileSystem, fileSystem.afterCrash(loss), outcome, tornRecords: loss.tearsRecords)
    case .crashTwice(let at, let loss, let again, let secondLoss):
      let fileSystem = disk(.crash(at: at))
      let outcome = await life.run(on: fileSystem, scheduler)
      let second = prepared(fileSystem.afterCrash(loss, fault: .crash(at: again)))
      if let store = try? life.open(second, scheduler) { try? await store.close() }
      let tornRecords = loss.tearsRecords || secondLoss.tearsRecords
      return await verdict(fileSystem, second.afterCrash(secondLoss), outcome, tornRecords: tornRecords)
    case .error(let at, let lasting):
      let fileSystem = disk(.fail(at: at, errno: SimulatedFileSystem.inputOutput, lasting: lasting))
      let outcome = await life.run(on: fileSystem, scheduler)
      if let wrong = Self.afterError(outcome) { return Verdict(wrong: wrong) }
      fileSystem.setFault(.none)
      let loss: Loss = seed % 2 == 0 ? .everything : .processKilled
      return await verdict(fileSystem, fileSystem.afterCrash(loss), outcome, tornRecords: true)
    case .full(let at, let lasting):
      let fileSystem = disk(.fail(at: at, errno: SimulatedFileSystem.noSpace, lasting: lasting))
      let outcome = await life.run(on: fileSystem, scheduler) { fileSystem.setFault(.none) }
      if let wrong = Self.afterFullDisk(outcome, fileSystem.calls, at, lasting) { return Verdict(wrong: wrong) }
      return await verdict(fileSystem, fileSystem.afterCrash(.everything), outcome, tornRecords: false)
    case .fullThenCrash(let full, let at, let loss):
      let fileSystem = disk(.fullThenCrash(full: full, crash: at))
      let outcome = await life.run(on: fileSystem, scheduler)
      return await verdict(fileSystem, fileSystem.afterCrash(loss), outcome, tornRecords: loss.tearsRecords)
    case .damagedManifest(let at, let loss, let again, let secondLoss):
      let fileSystem = disk(.crash(at: at))
      let outcome = await life.run(on: fileSystem, scheduler)
      var found = prepared(fileSystem.afterCrash(loss))
      if let again {
        found.setFault(.crash(at: again))
        if let store = try? life.open(found, scheduler) { try? await store.close() }
        found = prepared(found.afterCrash(secondLoss))
      }
      return Verdict(wrong: life.verifyDamagedManifest(found, scheduler, outcome), calls: fileSystem.calls)
    case .interrupt:
      let fileSystem = disk(.interrupt(seed: seed))
      let outcome = await life.run(on: fileSystem, scheduler)
      if let failure = outcome.failures.first { return Verdict(wrong: .init(.other, "\(failure)")) }
      let found = fileSystem.afterCrash(.everything, fault: .interrupt(seed: seed &+ 1))
      return await verdict(fileSystem, found, outcome, tornRecords: false)
    case .misread(let at, let misread): return await executeMisread(life, at, misread, scheduler)
    case .look: return await executeLook(life, disk(.none), scheduler)
    }
  }
}
