package import LintelStorage

extension StoreScenario {
  /// What a check found.
  package struct Wrong: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable { case lost, duplicated, unopenable, unreadable, other }

    package let kind: Kind
    package let text: String

    package init(_ kind: Kind, _ text: String) {
      self.kind = kind
      self.text = text
    }

    package var description: String { "\(kind): \(text)" }

    func after(_ what: String) -> Wrong { Wrong(kind, "\(what): \(text)") }
  }

  /// What is wrong with the rows of a store, `nil` when nothing: each acknowledged batch once, of the others every row at
  /// most once (with one shard all rows of a batch or none), and nothing else.
  package func check(_ store: Store, _ outcome: Outcome) -> Wrong? {
    let found: [String]
    do { found = try RowText.rows(store.snapshot("events")) } catch { return Wrong(.unreadable, "\(error)") }
    var counts: [String: Int] = [:]
    for row in found { counts[row, default: 0] += 1 }
    for number in outcome.acknowledged.sorted() {
      for row in rows[number] {
        let count = counts.removeValue(forKey: row) ?? 0
        if count != 1 {
          return Wrong(
            count == 0 ? .lost : .duplicated, "a row of acknowledged batch \(number) is there \(count) times")
        }
      }
    }
    for number in outcome.unanswered.sorted() {
      let present = rows[number].map { counts.removeValue(forKey: $0) ?? 0 }
      if present.contains(where: { $0 > 1 }) {
        return Wrong(.duplicated, "a row of unanswered batch \(number) is there more than once")
      }
      if shardCount == 1, Set(present).count > 1 {
        return Wrong(.other, "only some rows of unanswered batch \(number) are there")
      }
    }
    return counts.first.map { Wrong(.other, "a row of no batch: \($0.key)") }
  }

  /// With a damaged manifest the store either has every acknowledged row, or doesn't open and has destroyed nothing.
  func verifyDamagedManifest(
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ outcome: Outcome
  ) -> Wrong? {
    defer { fileSystem.crash() }
    let manifests = fileSystem.paths.filter { $0.hasSuffix(".manifest") }
    guard let newest = manifests.last, let whole = fileSystem.contents(newest), !whole.isEmpty else { return nil }
    fileSystem.corrupt(newest) { $0[$0.count / 2] ^= 1 }
    do throws(StorageError) {
      let store = try open(fileSystem, scheduler)
      return check(store, outcome)?.after("with an older manifest, for the newest is damaged")
    } catch {
      guard error.code == .corrupt else { return Wrong(.unopenable, "\(error.code) \(error)") }
    }
    scheduler.drain()
    let mended = fileSystem.afterCrash(.processKilled)
    defer { mended.crash() }
    mended.corrupt(newest) { $0 = whole }
    do throws(StorageError) {
      let store = try open(mended, scheduler)
      return check(store, outcome)?.after("after the manifest has been restored")
    } catch {
      return Wrong(.unopenable, "after the manifest has been restored: \(error)")
    }
  }

  /// Rows that were acknowledged in vain, of a store that syncs later: the last ones, or a problem tells.
  private func forgetLostTail(_ store: Store, _ outcome: Outcome) throws(Wrong) -> Outcome {
    let found: Set<String>
    do { found = Set(try RowText.rows(store.snapshot("events"))) } catch { throw Wrong(.unreadable, "\(error)") }
    var outcome = outcome
    let lost = outcome.acknowledged.filter { number in !rows[number].contains(where: found.contains) }
    if let first = lost.min(), let last = outcome.acknowledged.subtracting(lost).max(), first < last,
      store.problems.isEmpty
    {
      throw Wrong(.lost, "batch \(first) is gone, batch \(last) that came after it is there")
    }
    outcome.acknowledged.subtract(lost)
    outcome.unanswered.formUnion(lost)
    return outcome
  }

  /// Opens what a crash left and checks it; then goes on as a client would, sending again what was not acknowledged and,
  /// needlessly, what was; then crashes once more, losing everything that is not synced, and checks again.
  ///
  /// - Parameters:
  ///   - tornRecords: Whether the crash may have left a record that is long enough and wrong, which is reported.
  ///   - mayLoseTail: Whether rows were acknowledged before they were durable.
  package func verify(
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ outcome: Outcome, tornRecords: Bool,
    mayLoseTail: Bool = false
  ) async -> Wrong? {
    defer { fileSystem.crash() }
    do {
      let store: Store
      do throws(StorageError) { store = try open(fileSystem, scheduler) } catch {
        throw Wrong(.unopenable, "\(error.code) \(error)")
      }
      var outcome = outcome
      if mayLoseTail { outcome = try forgetLostTail(store, outcome) }
      if let wrong = check(store, outcome) { throw wrong }
      // A segment's header is durable before there is a record behind it: no crash leaves it damaged.
      let mayTear = { (problem: StorageError) in
        tornRecords && problem.path?.contains("/wal/") == true && !problem.message.contains("segment header")
      }
      for problem in store.problems where !mayTear(problem) {
        throw Wrong(.other, "a problem is reported: \(problem)")
      }
      outcome = try await sendAgain(store, outcome)
      if let wrong = check(store, outcome) { throw wrong.after("after sending again") }
      if durability == .buffered {
        do throws(StorageError) { try await store.flush() } catch { throw Wrong(.other, "no flush: \(error)") }
      }
      try await verifyAgain(fileSystem.afterCrash(.everything), scheduler, outcome)
    } catch let wrong as Wrong {
      return wrong
    } catch {
      return Wrong(.other, "\(error)")
    }
    return nil
  }

  private func sendAgain(_ store: Store, _ outcome: Outcome) async throws(Wrong) -> Outcome {
    var outcome = outcome
    for number in outcome.unanswered.sorted() + [batches.count - 1] + outcome.acknowledged.sorted().suffix(2) {
      let wasAcknowledged = outcome.acknowledged.contains(number)
      do throws(StorageError) {
        let receipt = try await store.append(batches[number])
        if wasAcknowledged, receipt.stored > 0 {
          throw StorageError(.invalid, "batch \(number), sent again, is stored again")
        }
        outcome.acknowledge(number)
      } catch {
        throw Wrong(.other, "no append after the recovery: \(error)")
      }
    }
    return outcome
  }

  private func verifyAgain(
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ outcome: Outcome
  ) async throws(Wrong) {
    do throws(StorageError) {
      let again = try open(fileSystem, scheduler)
      if let wrong = check(again, outcome) { throw StorageError(.invalid, wrong.description) }
      try await again.close()
      let last = try open(fileSystem, scheduler, readOnly: true)
      if let wrong = check(last, outcome) { throw StorageError(.invalid, "read-only, after closing: \(wrong)") }
      try await last.close()
    } catch {
      throw Wrong(error.code == .invalid ? .lost : .unopenable, "after a second crash: \(error)")
    }
  }
}
