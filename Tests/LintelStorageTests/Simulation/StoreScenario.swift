import LintelColumns

@testable import LintelStorage

/// A store's life on a simulated disk: several batches, a flush, more, a merge, the end. Batches are numbered.
struct StoreScenario: Sendable, CustomStringConvertible {
  enum Step: CustomStringConvertible {
    case append([Int])
    case flush
    case merge
    case close

    var description: String {
      switch self {
      case .append(let batches): "append \(batches)"
      case .flush: "flush"
      case .merge: "merge"
      case .close: "close"
      }
    }
  }

  /// What the client of the store knows at the end.
  struct Outcome {
    var acknowledged: Set<Int> = []
    /// Sent, and not acknowledged: may be there or not.
    var unanswered: Set<Int> = []
    var failures: [(step: String, error: StorageError)] = []
    var store: Store?
  }

  let shardCount: Int
  let batches: [Batch]
  /// The rows of each batch as text.
  let rows: [[String]]
  let steps: [Step] = [
    .append([0]), .append([1]), .append([2, 3]), .flush, .append([4]), .append([5, 6]), .flush, .append([7]), .merge,
    .append([8]), .close,
  ]

  init(shardCount: Int) {
    self.shardCount = shardCount
    var dice = Dice(UInt64(shardCount))
    let options = Samples.Options(rows: 9, attributes: 3, traces: 4)
    batches = (0..<10).map { _ in Samples.batch(&dice, options) }
    rows = batches.map(RowText.rows)
  }

  var description: String { "scenario with \(shardCount) shard\(shardCount == 1 ? "" : "s")" }

  func open(_ fileSystem: SimulatedFileSystem, readOnly: Bool = false) throws(StorageError) -> Store {
    var configuration = StoreConfiguration()
    configuration.shardCount = shardCount
    configuration.blockRows = 8
    configuration.flushSeconds = 3600
    return try Store.open(
      path: "/data", schemas: [Samples.schema], configuration: configuration, fileSystem: fileSystem,
      readOnly: readOnly)
  }

  /// Goes through the steps; what fails is noted, and the next step tried. With `retrying`, a step that says it can be
  /// retried is, after `beforeRetry`.
  func run(
    on fileSystem: SimulatedFileSystem, retrying: Bool = false, beforeRetry: () -> Void = {}
  ) async -> Outcome {
    var outcome = Outcome()
    func attempt(_ step: String, _ body: () async throws(StorageError) -> Void) async {
      do throws(StorageError) { try await body() } catch {
        outcome.failures.append((step, error))
        guard retrying, error.code == .diskFull else { return }
        beforeRetry()
        do throws(StorageError) { try await body() } catch { outcome.failures.append(("again \(step)", error)) }
      }
    }
    var opened: Store?
    await attempt("open") { () async throws(StorageError) in opened = try open(fileSystem) }
    guard let store = opened else { return outcome }
    outcome.store = store
    for step in steps {
      switch step {
      case .append(let numbers):
        for number in numbers { outcome.unanswered.insert(number) }
        let results = await append(numbers, store)
        for (number, error) in results where error == nil { outcome.acknowledge(number) }
        for (number, error) in results {
          guard let error else { continue }
          outcome.failures.append(("append \(number)", error))
          guard retrying, error.code == .diskFull else { continue }
          beforeRetry()
          if let error = await append([number], store).first?.error {
            outcome.failures.append(("again append \(number)", error))
          } else {
            outcome.acknowledge(number)
          }
        }
      case .flush: await attempt("flush") { () async throws(StorageError) in try await store.flush() }
      case .merge: await attempt("merge") { () async throws(StorageError) in try await store.mergeAll() }
      case .close: await attempt("close") { () async throws(StorageError) in try await store.close() }
      }
    }
    return outcome
  }

  /// Appends at the same time, so that batches share a group commit.
  private func append(_ numbers: [Int], _ store: Store) async -> [(number: Int, error: StorageError?)] {
    await withTaskGroup(of: (Int, StorageError?).self) { group in
      for number in numbers {
        group.addTask {
          do throws(StorageError) { _ = try await store.append(batches[number]) } catch { return (number, error) }
          return (number, nil)
        }
      }
      var results: [(number: Int, error: StorageError?)] = []
      for await result in group { results.append(result) }
      return results.sorted { $0.number < $1.number }
    }
  }
}

extension StoreScenario.Outcome {
  mutating func acknowledge(_ number: Int) {
    acknowledged.insert(number)
    unanswered.remove(number)
  }
}

// MARK: - Checking

extension StoreScenario {
  /// What is wrong with the rows of a store, `nil` when nothing: each acknowledged batch once, of the others every row at
  /// most once (with one shard all rows of a batch or none), and nothing else.
  func check(_ store: Store, _ outcome: Outcome) -> String? {
    let found: [String]
    do { found = try RowText.rows(store.snapshot("events")) } catch { return "can't be read: \(error)" }
    var counts: [String: Int] = [:]
    for row in found { counts[row, default: 0] += 1 }
    for number in outcome.acknowledged.sorted() {
      for row in rows[number] {
        let count = counts.removeValue(forKey: row) ?? 0
        if count != 1 {
          let strange = found.first { row in !rows.contains { $0.contains(row) } } ?? "no strange row"
          return "a row of acknowledged batch \(number) is there \(count) times: \(row); there is \(strange)"
        }
      }
    }
    for number in outcome.unanswered.sorted() {
      let present = rows[number].map { counts.removeValue(forKey: $0) ?? 0 }
      if present.contains(where: { $0 > 1 }) { return "a row of unanswered batch \(number) is there more than once" }
      if shardCount == 1, Set(present).count > 1 { return "only some rows of unanswered batch \(number) are there" }
    }
    return counts.first.map { "a row of no batch: \($0.key)" }
  }

  /// Opens what a crash left and checks it; then goes on as a client would, sending again what was not acknowledged and,
  /// needlessly, what was; then crashes once more, losing everything that is not synced, and checks again.
  ///
  /// - Parameter damageIsAllowed: where a loss may tear an unsynced record before a whole one, the log reports it.
  func verify(_ fileSystem: SimulatedFileSystem, _ outcome: Outcome, damageIsAllowed: Bool) async -> String? {
    let store: Store
    do throws(StorageError) { store = try open(fileSystem) } catch { return "can't be opened: \(error.code) \(error)" }
    defer { fileSystem.crash() }
    if let wrong = check(store, outcome) { return wrong }
    for problem in store.problems where !(damageIsAllowed && problem.path?.contains("/wal/") == true) {
      return "a problem is reported: \(problem)"
    }
    var outcome = outcome
    for number in outcome.unanswered.sorted() + [9] + outcome.acknowledged.sorted().suffix(2) {
      let wasAcknowledged = outcome.acknowledged.contains(number)
      do throws(StorageError) {
        let receipt = try await store.append(batches[number])
        if wasAcknowledged, receipt.stored > 0 { return "batch \(number), sent again, is stored again" }
        outcome.acknowledge(number)
      } catch {
        return "no append after the recovery: \(error)"
      }
    }
    if let wrong = check(store, outcome) { return "after sending again: \(wrong)" }
    do throws(StorageError) {
      let later = fileSystem.afterCrash(.everything)
      let again = try open(later)
      if let wrong = check(again, outcome) { return "after a second crash: \(wrong)" }
      try await again.close()
      let last = try open(later, readOnly: true)
      if let wrong = check(last, outcome) { return "read-only, after closing: \(wrong)" }
      try await last.close()
    } catch {
      return "can't be opened after a second crash: \(error)"
    }
    try? await store.close()
    return nil
  }
}
