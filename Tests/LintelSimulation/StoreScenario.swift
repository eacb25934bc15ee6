package import LintelColumns
package import LintelStorage
internal import Synchronization

/// A store's life on a simulated disk: what its client does, step by step. Batches are numbered.
package struct StoreScenario: Sendable, CustomStringConvertible {
  package enum Step: Sendable, CustomStringConvertible {
    /// At the same time, so that they may share a group commit.
    case append([Int])
    case query
    /// A read-only opening beside the writer.
    case look
    case flush
    case merge
    /// What the clock does otherwise.
    case tick
    /// The check in the background goes on, ten seconds later.
    case scrub
    case close
    case open
    /// Of the rows of one of the thirty users of the samples.
    case erase(Int)
    /// Waits until no file holds anything of them.
    case eraseFiles
    /// Rows are kept for so many seconds.
    case retain(Int64)
    /// What rows say is kept for so many seconds.
    case retainContent(Int64)
    /// Seconds since the samples' epoch.
    case clock(Int64)
    case expire
    /// Beside the running store; older backups than so many go.
    case backup(keep: Int?)
    /// Of the newest backup, into a directory of its own.
    case restore
    /// Parts go where their age belongs.
    case move

    package var description: String {
      switch self {
      case .append(let batches): "append \(batches)"
      case .query: "query"
      case .look: "look"
      case .flush: "flush"
      case .merge: "merge"
      case .tick: "tick"
      case .scrub: "scrub"
      case .close: "close"
      case .open: "open"
      case .erase(let user): "erase \(user)"
      case .eraseFiles: "erase files"
      case .retain(let seconds): "retain \(seconds)"
      case .retainContent(let seconds): "retain content \(seconds)"
      case .clock(let seconds): "clock \(seconds)"
      case .expire: "expire"
      case .backup(let keep): keep.map { "backup, keep \($0)" } ?? "backup"
      case .restore: "restore"
      case .move: "move"
      }
    }
  }

  package let name: String
  package let shardCount: Int
  package let batches: [Batch]
  /// The rows of each batch as text.
  package let rows: [[String]]
  /// The rows without what they say, and with it.
  let silent: [String: String]
  package private(set) var steps: [Step]
  /// A memtable is flushed by itself when it holds this many bytes.
  let flushBytes: Int
  /// Where the store is.
  package let path: String
  let durability: StoreConfiguration.Durability
  /// A log is kept in files of so many bytes.
  let logSegmentBytes: Int
  /// Bytes of rows that a recovery takes into memory.
  let recoveryMemory: Int?
  /// Whether backups share files with the store, and with each other.
  let isLinking: Bool
  /// Whether crashes at this call are what the scenario is about.
  package let isFocus: @Sendable (SimulatedFileSystem.Call) -> Bool

  package init(
    _ name: String, path: String = "/data", shardCount: Int = 1, flushBytes: Int = 1 << 30,
    durability: StoreConfiguration.Durability = .synced, logSegmentBytes: Int = 1 << 26, recoveryMemory: Int? = nil,
    isTalking: Bool = false, isLinking: Bool = true, steps: [Step],
    isFocus: @escaping @Sendable (SimulatedFileSystem.Call) -> Bool = { _ in true }
  ) {
    self.name = name
    self.path = path
    self.durability = durability
    self.logSegmentBytes = logSegmentBytes
    self.recoveryMemory = recoveryMemory
    self.isLinking = isLinking
    self.shardCount = shardCount
    self.flushBytes = flushBytes
    self.steps = steps
    self.isFocus = isFocus
    var dice = Dice(UInt64(shardCount))
    let isAboutUsers = steps.contains { if case .erase = $0 { true } else { false } }
    let options = Samples.Options(rows: 5, attributes: 3, traces: 3, users: isAboutUsers ? 3 : 30, isTalking: isTalking)
    let numbers = steps.flatMap { step -> [Int] in if case .append(let numbers) = step { numbers } else { [] } }
    // One more than the steps send: for the time after the recovery.
    batches = (0...(1 + (numbers.max() ?? 0))).map { _ in Samples.batch(&dice, options) }
    rows = batches.map { RowText.rows($0) }
    var silent: [String: String] = [:]
    for (batch, rows) in zip(batches, rows) {
      var bare = batch
      bare.attributes.removeAll { Samples.schema.content?.contains($0.key) ?? false }
      for (left, row) in zip(RowText.rows(bare), rows) { silent[left] = row }
    }
    self.silent = silent
  }

  /// Where parts go that are a thousand seconds old; when they are five thousand old, into a folder of the store's.
  package static let warmDirectory = "/volumes/warm"
  package static let warmSeconds = 1000.0
  package static let coldSeconds = 5000.0

  /// The same life without some of its steps.
  package func keeping(_ isKept: (Step) -> Bool) -> StoreScenario {
    var life = self
    life.steps = steps.filter(isKept)
    return life
  }

  package var description: String { "\(name), \(shardCount) shard\(shardCount == 1 ? "" : "s")" }

  package func open(
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, readOnly: Bool = false, at path: String? = nil
  ) throws(StorageError) -> Store {
    var configuration = StoreConfiguration()
    configuration.shardCount = shardCount
    configuration.blockRows = 8
    configuration.flushBytes = flushBytes
    configuration.flushSeconds = 3600
    configuration.durability = durability
    configuration.logSegmentBytes = logSegmentBytes
    configuration.recoveryMemory = recoveryMemory
    // What is restored has its tiers in its own directory.
    if path ?? self.path == self.path, steps.contains(where: { if case .move = $0 { true } else { false } }) {
      configuration.tiers.warm = TierSettings(directory: Self.warmDirectory, afterSeconds: Self.warmSeconds)
      configuration.tiers.cold = TierSettings(afterSeconds: Self.coldSeconds)
    }
    return try Store.open(
      path: path ?? self.path, schemas: [Samples.schema], configuration: configuration, fileSystem: fileSystem,
      readOnly: readOnly, scheduler: scheduler, clock: { Samples.epoch + scheduler.clockSeconds * 1_000_000_000 })
  }
}

// MARK: - Running

extension StoreScenario {
  /// What the client of the store knows.
  package struct Outcome: Sendable {
    package var acknowledged: Set<Int> = []
    /// Sent, and not acknowledged: may be there or not.
    package var unanswered: Set<Int> = []
    /// Users whose rows are to be gone, and such of which nobody knows.
    package var erased: Set<Int> = []
    package var erasing: Set<Int> = []
    /// Times before which rows are to be gone, and such of which nobody knows.
    package var cutoff = Int64.min
    package var cutoffAtMost = Int64.min
    /// The same of what rows say.
    package var contentCutoff = Int64.min
    package var contentCutoffAtMost = Int64.min
    package var failures: [(step: String, error: StorageError)] = []
    /// What a query found wrong, the first.
    package var wrong: Wrong?
    package var store: Store?
    package var backups = Backups()

    mutating func acknowledge(_ number: Int) {
      acknowledged.insert(number)
      unanswered.remove(number)
    }
  }

  /// The outcome so far, for whoever looks in between.
  package final class Ledger: Sendable {
    private let outcome = Mutex(Outcome())

    package init() {}

    package var value: Outcome { outcome.withLock { $0 } }

    package func change(_ body: (inout Outcome) -> Void) { outcome.withLock { body(&$0) } }
  }

  /// Goes through the steps; what fails is noted, and the next step tried. With `beforeRetry`, a step that says it can be
  /// retried is, after that.
  package func run(
    on fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ ledger: Ledger = Ledger(),
    beforeRetry: (@Sendable () -> Void)? = nil
  ) async -> Outcome {
    var opened: Store?
    var clock: Int64 = 0
    func attempt(_ step: String, _ body: () async throws(StorageError) -> Void) async {
      do throws(StorageError) { try await body() } catch {
        ledger.change { $0.failures.append((step, error)) }
        guard let beforeRetry, error.code == .diskFull else { return }
        beforeRetry()
        do throws(StorageError) { try await body() } catch {
          ledger.change { $0.failures.append(("again \(step)", error)) }
        }
      }
    }
    var retention: Int64?
    var contentRetention: Int64?
    func expectContent(_ seconds: Int64?, known: Bool) {
      guard let seconds else { return }
      let cutoff = Samples.epoch + (scheduler.clockSeconds - seconds) * 1_000_000_000
      ledger.change { outcome in
        if known { outcome.contentCutoff = max(outcome.contentCutoff, cutoff) }
        outcome.contentCutoffAtMost = max(outcome.contentCutoffAtMost, cutoff)
      }
    }
    func expect(_ seconds: Int64?, known: Bool) {
      guard let seconds else { return }
      let cutoff = Samples.epoch + (scheduler.clockSeconds - seconds) * 1_000_000_000
      ledger.change { outcome in
        if known { outcome.cutoff = max(outcome.cutoff, cutoff) }
        outcome.cutoffAtMost = max(outcome.cutoffAtMost, cutoff)
      }
    }
    for step in [.open] + steps {
      if fileSystem.isDown { break }
      switch step {
      case .open:
        await attempt("open") { () async throws(StorageError) in opened = try open(fileSystem, scheduler) }
        ledger.change { $0.store = opened }
      case .append(let numbers):
        guard let store = opened else { continue }
        ledger.change { $0.unanswered.formUnion(numbers) }
        let failed = await append(numbers, store, ledger)
        guard let beforeRetry else { continue }
        for (number, error) in failed where error.code == .diskFull {
          beforeRetry()
          if let again = await append([number], store, ledger, "again ").first {
            ledger.change { $0.failures.append(("again append \(number)", again.error)) }
          }
        }
      case .query:
        guard let wrong = opened.flatMap({ check($0, ledger.value) }), wrong.kind != .unreadable else { continue }
        ledger.change { $0.wrong = $0.wrong ?? wrong }
      case .look: look(fileSystem, scheduler, ledger)
      case .flush: await attempt("flush") { () async throws(StorageError) in try await opened?.flush() }
      case .merge: await attempt("merge") { () async throws(StorageError) in try await opened?.mergeAll() }
      case .tick: opened?.tick()
      case .scrub:
        clock += 10_000_000_000
        opened?.scrub(now: clock)
      case .erase(let user):
        guard let store = opened else { continue }
        ledger.change { _ = $0.erasing.insert(user) }
        await attempt("erase") { () async throws(StorageError) in
          _ = try store.erase([Subject(Samples.user(user))])
          ledger.change { $0.erased.insert(user) }
        }
      case .eraseFiles:
        await attempt("erase files") { () async throws(StorageError) in try await opened?.eraseFiles() }
      case .retain(let seconds):
        guard let store = opened else { continue }
        expect(seconds, known: false)
        retention = seconds
        await attempt("retain") { () async throws(StorageError) in
          try store.setRetention(table: "events", tenant: nil, nanoseconds: seconds * 1_000_000_000)
          expect(seconds, known: true)
        }
      case .retainContent(let seconds):
        guard let store = opened else { continue }
        expectContent(seconds, known: false)
        contentRetention = seconds
        await attempt("retain content") { () async throws(StorageError) in
          try store.setRetention(
            table: "events", scope: .content, tenant: nil, nanoseconds: seconds * 1_000_000_000)
          expectContent(seconds, known: true)
        }
      case .clock(let seconds):
        let isKnown = ledger.value.cutoff > .min
        let isContentKnown = ledger.value.contentCutoff > .min
        scheduler.clockSeconds = seconds
        expect(retention, known: isKnown)
        expectContent(contentRetention, known: isContentKnown)
      case .backup(let keep):
        await attempt("backup") { () async throws(StorageError) in try backUp(fileSystem, scheduler, ledger, keep: keep)
        }
      case .restore:
        await attempt("restore") { () async throws(StorageError) in try restore(fileSystem, ledger) }
      case .expire: await attempt("expire") { () async throws(StorageError) in try await opened?.expire() }
      case .move: await attempt("move") { () async throws(StorageError) in try await opened?.move() }
      case .close:
        await attempt("close") { () async throws(StorageError) in try await opened?.close() }
        opened = nil
      }
    }
    return ledger.value
  }

  /// Returns what failed, with its number.
  private func append(
    _ numbers: [Int], _ store: Store, _ ledger: Ledger, _ label: String = ""
  ) async -> [(number: Int, error: StorageError)] {
    await withTaskGroup(of: (Int, StorageError?).self) { group in
      for number in numbers {
        group.addTask {
          do throws(StorageError) { _ = try await store.append(batches[number]) } catch { return (number, error) }
          ledger.change { $0.acknowledge(number) }
          return (number, nil)
        }
      }
      var failed: [(number: Int, error: StorageError)] = []
      for await (number, error) in group {
        guard let error else { continue }
        failed.append((number, error))
        if label.isEmpty { ledger.change { $0.failures.append(("append \(number)", error)) } }
      }
      return failed.sorted { $0.number < $1.number }
    }
  }

  /// Opens read-only beside the writer: what was acknowledged is there, once.
  package func look(_ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ ledger: Ledger) {
    let outcome = ledger.value
    if outcome.acknowledged.isEmpty || fileSystem.isDown { return }
    let before = fileSystem.callCount
    var wrong: Wrong?
    do throws(StorageError) {
      wrong = check(try open(fileSystem, scheduler, readOnly: true), outcome)
    } catch {
      wrong = Wrong(.unopenable, "read-only beside the writer: \(error)")
    }
    // A device that failed to read shows nobody a store.
    if fileSystem.hasFailed(since: before) { return }
    if let wrong { ledger.change { $0.wrong = $0.wrong ?? wrong } }
  }
}
