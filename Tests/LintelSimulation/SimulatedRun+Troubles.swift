internal import LintelStorage
internal import Synchronization

extension SimulatedRun {
  /// A failed call is told with its error or stops the store, which says so.
  static func afterError(_ outcome: StoreScenario.Outcome) -> StoreScenario.Wrong? {
    for (step, error) in outcome.failures where ![.io, .failedStop, .closed].contains(error.code) {
      return .init(.other, "\(step) failed with \(error.code): \(error)")
    }
    if let failure = outcome.store?.statistics.failure, failure.code != .failedStop {
      return .init(.other, "the store stopped with \(failure.code): \(failure)")
    }
    return nil
  }

  /// Every append succeeds in the end, when there is room again; only where it is unknown what is on disk, the store stops.
  static func afterFullDisk(
    _ outcome: StoreScenario.Outcome, _ calls: [SimulatedFileSystem.Call], _ at: Int, _ lasting: Bool
  ) -> StoreScenario.Wrong? {
    if outcome.failures.contains(where: { $0.error.code == .failedStop }) {
      // Where the disk stays full, the sync of a batch that did fit may be the next call.
      let isDoubtful = at < calls.count && ["sync", "rename", "syncDirectory"].contains(calls[at].name)
      return lasting || isDoubtful ? nil : .init(.other, "\(calls[at]) stopped the store")
    }
    if let (step, error) = outcome.failures.first(where: { $0.error.code != .diskFull || $0.step.hasPrefix("again") }) {
      return .init(.other, "\(step) failed with \(error.code): \(error)")
    }
    return outcome.unanswered.isEmpty ? nil : .init(.other, "batches \(outcome.unanswered) were never taken")
  }

  /// What a damaged read returns is noticed, and named, or does no harm; it never becomes an answer.
  func executeMisread(
    _ life: StoreScenario, _ at: Int, _ misread: Misread, _ scheduler: SimulatedScheduler
  ) async -> Verdict {
    let fileSystem = SimulatedFileSystem()
    // It is killed while it is open.
    let open = life.keeping { step in
      switch step {
      case .close, .open: false
      default: true
      }
    }
    let outcome = await open.run(on: fileSystem, scheduler)
    let second = fileSystem.afterCrash(.processKilled, fault: .misread(at: at, misread))
    if let store = try? life.open(second, scheduler) {
      let wrong = life.check(store, outcome)
      if let wrong, !Self.isTold(wrong, store) { return Verdict(wrong: wrong.after("unnoticed")) }
      try? await store.close()
    }
    let calls = second.calls
    let third = second.afterCrash(.processKilled)
    do throws(StorageError) {
      let store = try life.open(third, scheduler)
      let wrong = life.check(store, outcome)
      if let wrong, !Self.isTold(wrong, store) {
        return Verdict(wrong: wrong.after("for good"), recoveryCalls: calls)
      }
      third.crash()
    } catch {
      return Verdict(wrong: .init(.unopenable, "after a misread: \(error)"), recoveryCalls: calls)
    }
    return Verdict(recoveryCalls: calls)
  }

  /// Rows may be missing, or not be read, when a problem says why; never be others.
  private static func isTold(_ wrong: StoreScenario.Wrong, _ store: Store) -> Bool {
    switch wrong.kind {
    case .lost, .unreadable: !store.problems.isEmpty
    default: false
    }
  }

  func executeLook(
    _ life: StoreScenario, _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler
  ) async -> Verdict {
    let ledger = StoreScenario.Ledger()
    let follower = Mutex<Store?>(nil)
    fileSystem.observeChanges { _ in
      life.look(fileSystem, scheduler, ledger)
      let outcome = ledger.value
      if outcome.acknowledged.isEmpty { return }
      if follower.withLock({ $0 == nil }) {
        let opened = try? life.open(fileSystem, scheduler, readOnly: true)
        follower.withLock { $0 = opened }
      }
      guard let store = follower.withLock({ $0 }), let wrong = life.check(store, outcome) else { return }
      ledger.change { $0.wrong = $0.wrong ?? wrong.after("a follower looks again") }
    }
    let outcome = await life.run(on: fileSystem, scheduler, ledger)
    fileSystem.observeChanges(nil)
    let calls = fileSystem.calls
    if let wrong = outcome.wrong { return Verdict(wrong: wrong, calls: calls) }
    if let failure = outcome.failures.first { return Verdict(wrong: .init(.other, "\(failure)"), calls: calls) }
    return Verdict(calls: calls)
  }
}
