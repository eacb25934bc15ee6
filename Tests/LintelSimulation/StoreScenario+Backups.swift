internal import LintelStorage

/// Backups that are made while the store lives, and what must be had back from them whatever happens.
extension StoreScenario {
  private static let backupsPath = "/backups"
  private static let restoredPath = "/restored/data"

  /// What is known of backups.
  package struct Backups: Sendable {
    /// By number, of those that were reported as finished and not as removed: the batches that were acknowledged before.
    package var finished: [UInt64: Set<Int>] = [:]
    /// The same for the one that was begun last.
    package var begun: Set<Int> = []
    /// Backups that may be removed by now.
    package var mayBeGone: Set<UInt64> = []
    /// The batches that were acknowledged before the backup that was restored last; `nil` where none was.
    package var restored: Set<Int>?
  }

  var makesBackups: Bool { steps.contains { if case .backup = $0 { true } else { false } } }

  private func backups(_ fileSystem: SimulatedFileSystem) -> LintelStorage.Backups {
    LintelStorage.Backups(Self.backupsPath, fileSystem: fileSystem)
  }

  func backUp(
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ ledger: Ledger, keep: Int?
  ) throws(StorageError) {
    guard isMade(fileSystem) else { return }
    let acknowledged = ledger.value.acknowledged
    ledger.change { outcome in
      outcome.backups.begun = acknowledged
      if let keep { outcome.backups.mayBeGone.formUnion(outcome.backups.finished.keys.sorted().dropLast(keep - 1)) }
    }
    var options = BackupOptions()
    options.keep = keep
    options.isLinking = isLinking
    let report = try backups(fileSystem).make(
      of: path, options, clock: { Samples.epoch + scheduler.clockSeconds * 1_000_000_000 })
    ledger.change { outcome in
      outcome.backups.finished[report.summary.number] = acknowledged
      for number in report.removed { outcome.backups.finished[number] = nil }
      if let problem = report.summary.damages.first {
        outcome.wrong = outcome.wrong ?? Wrong(.other, "a backup of a sound store says: \(problem)")
      }
    }
  }

  func restore(_ fileSystem: SimulatedFileSystem, _ ledger: Ledger) throws(StorageError) {
    guard isMade(fileSystem) else { return }
    let acknowledged = newest(ledger.value)
    var options = RestoreOptions()
    options.erasure = path
    _ = try LintelStorage.Backups.restore(
      Self.backupsPath, to: Self.restoredPath, options, fileSystem: fileSystem)
    ledger.change { $0.backups.restored = acknowledged }
  }

  /// Whether there is a store at all: to make it is what may have failed.
  private func isMade(_ fileSystem: SimulatedFileSystem) -> Bool {
    fileSystem.contents("\(path)/lintel.json") != nil
  }

  private func newest(_ outcome: Outcome) -> Set<Int> {
    outcome.backups.finished.max { $0.key < $1.key }?.value ?? outcome.backups.begun
  }

  // MARK: After a crash

  /// Every backup that was reported as finished is there and can be restored; what was restored is a store, and what wasn't is
  /// none. Another backup and another restore succeed.
  ///
  /// - Parameters:
  ///   - outcome: What the client knows by now. Whoever is erased is so in what is restored, too.
  ///   - tornRecords: Whether the store's log may end in a damaged record, which its backup reports.
  func verifyBackups(
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ outcome: Outcome, tornRecords: Bool
  ) async throws(Wrong) {
    guard makesBackups else { return }
    do {
      let found = Set(try backups(fileSystem).list().map(\.number))
      for number in outcome.backups.finished.keys.sorted() where !outcome.backups.mayBeGone.contains(number) {
        guard found.contains(number) else { throw Wrong(.lost, "backup \(number) is gone, or unfinished again") }
      }
      for number in found.sorted() {
        let folder = "\(Self.backupsPath)/\(number.padded)"
        try await check(
          folder, to: "/restored/\(number)", outcome.backups.finished[number] ?? outcome.backups.begun, fileSystem,
          scheduler, outcome)
      }
      if let acknowledged = outcome.backups.restored {
        try await checkStore(Self.restoredPath, acknowledged, fileSystem, scheduler, outcome)
      } else if try !fileSystem.list(Self.restoredPath).isEmpty {
        try await goOn(fileSystem, scheduler, outcome)
      }
      // And there will be more of them.
      let report = try backups(fileSystem).make(
        of: path, BackupOptions(), clock: { Samples.epoch + scheduler.clockSeconds * 1_000_000_000 })
      if let damage = report.summary.damages.first(where: { !tornRecords || $0.path?.hasPrefix("wal/") != true }) {
        throw damage
      }
      let left = try fileSystem.list(Self.backupsPath).filter { $0.allSatisfy(\.isNumber) }
      guard left.count == found.count + 1 else {
        throw Wrong(.other, "what an interrupted backup left is still there")
      }
      try await check(
        report.summary.path, to: "/restored/last", outcome.acknowledged, fileSystem, scheduler, outcome)
    } catch let wrong as Wrong {
      throw wrong
    } catch {
      throw Wrong(.other, "of backups: \(error)")
    }
  }

  /// A restore that was interrupted: nobody takes what it left for a store, and it can be done again.
  private func goOn(
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ outcome: Outcome
  ) async throws {
    let isStore = try fileSystem.exists("\(Self.restoredPath)/lintel.json")
    if !isStore, try fileSystem.exists("\(Self.restoredPath)/lintel.json.restoring") {
      if let store = try? open(fileSystem, scheduler, at: Self.restoredPath) {
        try await store.close()
        throw Wrong(.other, "a half-restored directory opens as a store")
      }
    }
    if !isStore {
      var options = RestoreOptions()
      options.erasure = path
      _ = try LintelStorage.Backups.restore(
        Self.backupsPath, to: Self.restoredPath, options, fileSystem: fileSystem)
    }
    try await checkStore(Self.restoredPath, newest(outcome), fileSystem, scheduler, outcome)
  }

  private func check(
    _ folder: String, to target: String, _ acknowledged: Set<Int>, _ fileSystem: SimulatedFileSystem,
    _ scheduler: SimulatedScheduler, _ outcome: Outcome
  ) async throws {
    if let problem = try LintelStorage.Backups.verify(folder, fileSystem: fileSystem).problems.first { throw problem }
    var options = RestoreOptions()
    options.erasure = path
    _ = try LintelStorage.Backups.restore(folder, to: target, options, fileSystem: fileSystem)
    try await checkStore(target, acknowledged, fileSystem, scheduler, outcome)
  }

  /// What was acknowledged before the backup is there; what was sent later, or not answered, may be.
  private func checkStore(
    _ target: String, _ acknowledged: Set<Int>, _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler,
    _ outcome: Outcome
  ) async throws {
    var expected = outcome
    expected.unanswered = outcome.unanswered.union(outcome.acknowledged).subtracting(acknowledged)
    expected.acknowledged = acknowledged
    let store = try open(fileSystem, scheduler, at: target)
    if let wrong = check(store, expected) {
      throw wrong.after("in what was restored to \(target)")
    }
    if let problem = store.problems.first(where: { $0.path?.contains("/wal/") != true }) { throw problem }
    try await store.eraseFiles()
    if let wrong = check(store, expected) {
      throw wrong.after("in what was restored to \(target), after erasing")
    }
    try await store.close()
  }
}

extension UInt64 {
  /// As backups are numbered.
  fileprivate var padded: String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, 12 - digits.utf8.count)) + digits
  }
}
