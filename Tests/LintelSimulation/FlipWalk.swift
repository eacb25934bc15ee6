internal import LintelStorage

/// Flips bytes of a small store's files, one at a time, opens and reads the store after each, and adds rows to it. The store
/// talks, has a second tier, has erased someone, and is backed up: of the backup's files every flip is told, or what is
/// restored from it is whole.
package struct FlipWalk: Sendable {
  package private(set) var flips = 0
  /// The opening failed, or a problem names the damage.
  package private(set) var told = 0
  /// Every row is there, and nothing was told.
  package private(set) var harmless = 0
  package private(set) var findings: [String] = []

  private static let life = StoreScenario(
    "flips", isTalking: true, isLinking: false,
    steps: [
      .append([0]), .flush, .clock(1200), .move, .append([1, 2]), .flush, .append([3]), .flush, .merge, .append([4]),
      .erase(2), .eraseFiles, .retain(90_000), .append([5]), .backup(keep: nil), .append([6]), .flush, .append([7]),
    ])

  package init() {}

  /// - Parameter stride: Of each file every so manieth byte is flipped.
  package mutating func run(stride: Int, seed: UInt64) {
    var dice = Dice(seed)
    let scheduler = SimulatedScheduler(seed: seed)
    let disk = SimulatedFileSystem()
    guard let outcome = scheduler.run({ await Self.life.run(on: disk, scheduler) }), outcome.failures.isEmpty else {
      findings.append("the store could not be made")
      return
    }
    let secret = try? outcome.store?.secret()
    for path in disk.paths {
      guard let size = disk.contents(path)?.count, !path.hasSuffix("/lock") else { continue }
      for place in Swift.stride(from: stride == 1 ? 0 : dice.below(stride), to: size, by: stride) {
        let bit = UInt8(1) << UInt8(dice.below(8))
        let damaged = disk.afterCrash(.processKilled)
        damaged.corrupt(path) { $0[place] ^= bit }
        let verdict =
          path.hasPrefix("/backups/")
          ? Self.judgeBackup(damaged, outcome) : Self.judge(damaged, outcome, secret, clock: scheduler.clockSeconds)
        note(verdict, "byte \(place) of \(path), bit \(bit)")
      }
    }
  }

  private enum Verdict { case told, harmless, wrong(String) }

  private mutating func note(_ verdict: Verdict, _ place: String) {
    flips += 1
    switch verdict {
    case .told: told += 1
    case .harmless: harmless += 1
    case .wrong(let what): findings.append("\(place): \(what)")
    }
  }

  private static func judge(
    _ damaged: SimulatedFileSystem, _ outcome: StoreScenario.Outcome, _ secret: [UInt8]?, clock: Int64
  ) -> Verdict {
    let scheduler = SimulatedScheduler(seed: 1)
    scheduler.clockSeconds = clock
    defer {
      damaged.crash()
      scheduler.drain()
    }
    do throws(StorageError) {
      let store = try life.open(damaged, scheduler)
      if try store.secret() != secret { return .wrong("another secret") }
      let wrong = life.check(store, outcome)
      if let wrong = judge(store, scheduler) { return .wrong(wrong) }
      let isTold = !store.problems.isEmpty
      switch wrong?.kind {
      case nil: return isTold ? .told : .harmless
      case .lost?, .unreadable?: return isTold ? .told : .wrong("\(wrong?.text ?? "")")
      default: return .wrong("\(wrong?.text ?? "")")
      }
    } catch {
      return [.corrupt, .incompatible, .invalid].contains(error.code) ? .told : .wrong("\(error.code) \(error)")
    }
  }

  /// Reads a backup of which a byte was flipped, and restores it.
  private static func judgeBackup(_ damaged: SimulatedFileSystem, _ outcome: StoreScenario.Outcome) -> Verdict {
    let scheduler = SimulatedScheduler(seed: 1)
    defer {
      damaged.crash()
      scheduler.drain()
    }
    var expected = outcome
    expected.acknowledged = outcome.backups.finished.values.first ?? []
    var isTold = false
    do throws(StorageError) {
      let backup = "/backups/000000000001"
      isTold = try !Backups.verify(backup, fileSystem: damaged).problems.isEmpty
      var options = RestoreOptions()
      options.erasure = life.path
      _ = try Backups.restore(backup, to: "/restored/data", options, fileSystem: damaged)
      let store = try life.open(damaged, scheduler, at: "/restored/data")
      if let wrong = life.check(store, expected) { return .wrong("what was restored from the backup: \(wrong)") }
      return isTold ? .told : .harmless
    } catch {
      return isTold || [.corrupt, .incompatible, .invalid].contains(error.code)
        ? .told : .wrong("\(error.code) \(error)")
    }
  }

  /// Adds a batch to a damaged store. What is wrong with its rows then: none may be another one than was sent.
  private static func judge(_ store: Store, _ scheduler: SimulatedScheduler) -> String? {
    guard let last = life.batches.last else { return nil }
    let answer = scheduler.run { () async -> Result<AppendReceipt, StorageError> in
      do throws(StorageError) { return .success(try await store.append(last)) } catch { return .failure(error) }
    }
    guard case .success = answer else { return nil }
    // What can't be read is told.
    guard let found = try? RowText.rows(store.snapshot("events")) else { return nil }
    let sent = Set(life.batches.flatMap { RowText.rows($0) })
    return found.first { !sent.contains($0) }.map { "a row that nobody sent is there: \($0)" }
  }
}
