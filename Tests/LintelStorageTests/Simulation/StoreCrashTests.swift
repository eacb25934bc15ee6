import Testing

@testable import LintelStorage

/// The store on a disk that crashes and fails at any call. `LINTEL_STATES` sets how many states are gone through; the
/// default run takes a sample, whose seed a failure prints.
@Suite(.serialized) struct StoreCrashTests {
  private static let scenarios = [StoreScenario(shardCount: 1), StoreScenario(shardCount: 2)]

  private static func dryCalls(_ scenario: StoreScenario) async -> [SimulatedFileSystem.Call] {
    let fileSystem = SimulatedFileSystem()
    let outcome = await scenario.run(on: fileSystem)
    #expect(outcome.failures.isEmpty)
    #expect(outcome.acknowledged.count == 9)
    return fileSystem.calls
  }

  /// Random ones, in order, or all when there are no more than that.
  private static func sample<T>(_ items: [T], _ count: Int, _ generator: inout SeededGenerator) -> [T] {
    guard items.count > count else { return items }
    return items.indices.shuffled(using: &generator).prefix(count).sorted().map { items[$0] }
  }

  private static func isRandom(_ loss: Loss) -> Bool {
    if case .random = loss { return true }
    return false
  }

  @Test(arguments: scenarios)
  func theScenarioIsWholeWithoutFaults(scenario: StoreScenario) async throws {
    let fileSystem = SimulatedFileSystem()
    let outcome = await scenario.run(on: fileSystem)
    let wrong = await scenario.verify(fileSystem, outcome, damageIsAllowed: false)
    #expect(wrong == nil)
    let names = Set(fileSystem.calls.map(\.name))
    // The walk over the calls is only worth something if the scenario makes them.
    #expect(names.isSuperset(of: ["create", "append", "sync", "rename", "remove", "syncDirectory", "open", "read"]))
    #expect(fileSystem.calls.contains { $0.name == "remove" && $0.path.hasSuffix(".part") })
    #expect(fileSystem.calls.contains { $0.name == "remove" && $0.path.hasSuffix(".log") })
  }

  @Test(arguments: scenarios)
  func everyCrashKeepsWhatWasAcknowledged(scenario: StoreScenario) async {
    let seed = UInt64.random(in: 0..<1 << 32)
    var generator = SeededGenerator(seed: seed)
    let calls = await Self.dryCalls(scenario).filter(\.isChange)
    for call in Self.sample(calls, CrashStates.count / 8, &generator) {
      let crashing = SimulatedFileSystem(fault: .crash(at: call.number))
      let outcome = await scenario.run(on: crashing)
      let variants = Loss.variants(seed: seed &+ UInt64(call.number))
      for loss in Self.sample(variants, max(2, CrashStates.count / 80), &generator) {
        let wrong = await scenario.verify(
          crashing.afterCrash(loss), outcome, damageIsAllowed: Self.isRandom(loss))
        #expect(wrong == nil, "\(scenario), crash at \(call), \(loss), seed \(seed)")
      }
    }
  }

  @Test(arguments: scenarios)
  func crashesDuringTheRecoveryKeepIt(scenario: StoreScenario) async {
    let seed = UInt64.random(in: 0..<1 << 32)
    var generator = SeededGenerator(seed: seed)
    let calls = await Self.dryCalls(scenario).filter(\.isChange)
    for call in Self.sample(calls, CrashStates.count / 16, &generator) {
      let crashing = SimulatedFileSystem(fault: .crash(at: call.number))
      let outcome = await scenario.run(on: crashing)
      let loss = Loss.variants(seed: seed &+ UInt64(call.number)).randomElement(using: &generator) ?? .everything
      let found = crashing.afterCrash(loss)
      let dry = found.afterCrash(.processKilled)
      guard let store = try? scenario.open(dry) else {
        Issue.record("\(scenario), crash at \(call), \(loss), seed \(seed): can't be opened")
        continue
      }
      try? await store.close()
      for again in Self.sample(dry.calls.filter(\.isChange), max(2, CrashStates.count / 80), &generator) {
        let second = found.afterCrash(.processKilled, fault: .crash(at: again.number))
        if let store = try? scenario.open(second) { try? await store.close() }
        let secondLoss = Loss.variants(seed: seed).randomElement(using: &generator) ?? .everything
        let wrong = await scenario.verify(
          second.afterCrash(secondLoss), outcome, damageIsAllowed: Self.isRandom(loss) || Self.isRandom(secondLoss))
        #expect(
          wrong == nil, "\(scenario), crash at \(call), \(loss), then at \(again), \(secondLoss), seed \(seed)")
      }
    }
  }

  /// Every sync of the engine is needed: on a device that skips one kind of them, the walk finds a loss. So the walk
  /// would also find the place where the engine forgot one.
  @Test(arguments: [
    ".log", ".part", ".manifest.tmp", "secret.tmp", "lintel.json.tmp", "/manifest/", "/hot/",
    "/shard-0000/", "/data/",
  ])
  func aDeviceThatSkipsSyncsIsFoundOut(ending: String) async {
    let scenario = Self.scenarios[0]
    var generator = SeededGenerator(seed: 1)
    for call in await Self.dryCalls(scenario).filter(\.isChange).shuffled(using: &generator) {
      let crashing = SimulatedFileSystem(fault: .crash(at: call.number))
      crashing.ignoreSyncs { $0.hasSuffix(ending) }
      let outcome = await scenario.run(on: crashing)
      for loss in [Loss.everything, .content, .names] {
        if await scenario.verify(crashing.afterCrash(loss), outcome, damageIsAllowed: false) != nil { return }
      }
    }
    Issue.record("syncs of *\(ending) are skipped and nothing is lost")
  }

  @Test(arguments: scenarios)
  func anInputOutputErrorStopsOrIsTold(scenario: StoreScenario) async {
    let seed = UInt64.random(in: 0..<1 << 32)
    var generator = SeededGenerator(seed: seed)
    let calls = await Self.dryCalls(scenario)
    for call in Self.sample(calls, CrashStates.count / 8, &generator) {
      let lasting = Bool.random(using: &generator)
      let fault = SimulatedFileSystem.Fault.fail(
        at: call.number, errno: SimulatedFileSystem.inputOutput, lasting: lasting)
      let fileSystem = SimulatedFileSystem(fault: fault)
      let outcome = await scenario.run(on: fileSystem)
      // Threads may make the calls in another order than in the dry run.
      let call = fileSystem.calls.count > call.number ? fileSystem.calls[call.number] : call
      let place = "\(scenario), EIO \(lasting ? "from" : "at") \(call), seed \(seed)"
      for (step, error) in outcome.failures {
        #expect([.io, .failedStop, .closed].contains(error.code), "\(step) of \(place): \(error.code) \(error)")
      }
      if let failure = outcome.store?.statistics.failure { #expect(failure.code == .failedStop, "\(place)") }
      fileSystem.setFault(.none)
      for loss in [Loss.processKilled, .everything] {
        let wrong = await scenario.verify(fileSystem.afterCrash(loss), outcome, damageIsAllowed: true)
        #expect(wrong == nil, "\(place), then \(loss)")
      }
    }
  }

  @Test(arguments: scenarios)
  func aFullDiskIsRetryableAndLosesNothing(scenario: StoreScenario) async {
    let seed = UInt64.random(in: 0..<1 << 32)
    var generator = SeededGenerator(seed: seed)
    let calls = await Self.dryCalls(scenario).filter(\.needsSpace)
    for call in Self.sample(calls, CrashStates.count / 8, &generator) {
      let lasting = Bool.random(using: &generator)
      let fault = SimulatedFileSystem.Fault.fail(at: call.number, errno: SimulatedFileSystem.noSpace, lasting: lasting)
      let fileSystem = SimulatedFileSystem(fault: fault)
      let outcome = await scenario.run(on: fileSystem, retrying: true) { fileSystem.setFault(.none) }
      let call = fileSystem.calls.count > call.number ? fileSystem.calls[call.number] : call
      let place = "\(scenario), ENOSPC \(lasting ? "from" : "at") \(call), seed \(seed)"
      let stopped = outcome.failures.contains { $0.error.code == .failedStop }
      // Only a sync, or a rename that may or may not have happened, leaves doubts that stop the store. Where the disk
      // stays full, the sync of a batch that did fit may be the next call.
      if stopped {
        #expect(lasting || ["sync", "rename", "syncDirectory"].contains(call.name), "\(place)")
      } else {
        #expect(outcome.failures.allSatisfy { $0.error.code == .diskFull }, "\(place): \(outcome.failures)")
        #expect(!outcome.failures.contains { $0.step.hasPrefix("again") }, "\(place): \(outcome.failures)")
        #expect(outcome.acknowledged.count == 9, "\(place): \(outcome.failures)")
      }
      let wrong = await scenario.verify(fileSystem.afterCrash(.everything), outcome, damageIsAllowed: false)
      #expect(wrong == nil, "\(place)")
    }
  }
}
