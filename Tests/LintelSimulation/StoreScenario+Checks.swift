package import LintelStorage

extension StoreScenario {
  /// What a check found.
  package struct Wrong: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable { case lost, duplicated, resurrected, unopenable, unreadable, other }

    package let kind: Kind
    package let text: String

    package init(_ kind: Kind, _ text: String) {
      self.kind = kind
      self.text = text
    }

    package var description: String { "\(kind): \(text)" }

    package func after(_ what: String) -> Wrong { Wrong(kind, "\(what): \(text)") }
  }

  /// What is wrong with the rows of a store, `nil` when nothing: each acknowledged batch once, of the others every row at
  /// most once (with one shard all rows of a batch or none), and nothing else.
  package func check(_ store: Store, _ outcome: Outcome) -> Wrong? {
    var found: [String]
    do { found = try RowText.rows(store.snapshot("events")) } catch { return Wrong(.unreadable, "\(error)") }
    for index in found.indices {
      if let wrong = checkContent(of: found[index], outcome) { return wrong }
      found[index] = silent[found[index]] ?? found[index]
    }
    var counts: [String: Int] = [:]
    for row in found { counts[row, default: 0] += 1 }
    var doubtful: [Int: Set<Int>] = [:]
    for number in outcome.acknowledged.sorted() {
      for row in rows[number] {
        let count = counts.removeValue(forKey: row) ?? 0
        let fate = Fate(row, outcome)
        if fate == .gone {
          if count > 0 { return Wrong(.resurrected, "a row of batch \(number) that is to be gone is there: \(row)") }
          continue
        }
        if case .unknown(let user) = fate, count < 2 {
          if let user { doubtful[user, default: []].insert(count) }
          continue
        }
        if count != 1 {
          return Wrong(
            count == 0 ? .lost : .duplicated, "a row of acknowledged batch \(number) is there \(count) times")
        }
      }
    }
    for (user, counts) in doubtful where counts.count > 1 {
      return Wrong(.other, "of user \(user), whose erasure wasn't answered, some rows are there and some aren't")
    }
    for number in outcome.unanswered.sorted() {
      for row in rows[number] where Fate(row, outcome) == .gone && counts[row] != nil {
        return Wrong(.resurrected, "a row of unanswered batch \(number) that is to be gone is there")
      }
      let certain = rows[number].filter { Fate($0, outcome) == .there }
      let uncertain = Set(rows[number]).subtracting(certain)
      for row in uncertain where counts[row] == 1 { counts[row] = nil }
      let present = certain.map { counts.removeValue(forKey: $0) ?? 0 }
      if present.contains(where: { $0 > 1 }) {
        return Wrong(.duplicated, "a row of unanswered batch \(number) is there more than once")
      }
      if shardCount == 1, Set(present).count > 1 {
        return Wrong(.other, "only some rows of unanswered batch \(number) are there")
      }
    }
    return counts.first.map { Wrong(.other, "a row of no batch: \($0.key)") }
  }

  /// What is wrong with what a row says, or doesn't say.
  private func checkContent(of row: String, _ outcome: Outcome) -> Wrong? {
    let time = rowField("time", row).flatMap { Int64($0) } ?? .max
    guard let whole = silent[row] else {
      return time < outcome.contentCutoff ? Wrong(.resurrected, "a row says what is to be gone: \(row)") : nil
    }
    if whole == row || time < outcome.contentCutoffAtMost { return nil }
    return Wrong(.lost, "a row doesn't say any more what it did: \(row)")
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
    do {
      found = Set(try RowText.rows(store.snapshot("events")).map { silent[$0] ?? $0 })
    } catch {
      throw Wrong(.unreadable, "\(error)")
    }
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
      if let wrong = checkRecords(store, fileSystem) { throw wrong }
      outcome = try await sendAgain(store, outcome)
      if let wrong = check(store, outcome) { throw wrong.after("after sending again") }
      try await finishErasures(store, tornRecords: tornRecords)
      try await verifyBackups(fileSystem, scheduler, outcome, tornRecords: tornRecords)
      let seen = try store.rules()
      if durability == .buffered {
        do throws(StorageError) { try await store.flush() } catch { throw Wrong(.other, "no flush: \(error)") }
      }
      let kept = fileSystem.keptDamage
      let last = fileSystem.afterCrash(.everything)
      if let path = kept.keys.sorted().first(where: { last.contents($0) != kept[$0] }) {
        throw Wrong(.lost, "after a second crash \(path), which was kept, is no more what it was")
      }
      try await verifyAgain(last, scheduler, outcome, seen)
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
      // A batch that comes again without being known by what it said is new.
      if rows[number].contains(where: {
        (rowField("time", $0).flatMap { Int64($0) } ?? .max) < outcome.contentCutoffAtMost
      }) {
        continue
      }
      do throws(StorageError) {
        let receipt = try await store.append(batches[number])
        // Rows that have expired and gone from the disk are taken for new ones, and hidden.
        let gone = rows[number].count { Fate($0, outcome) != .there }
        if wasAcknowledged, receipt.stored > gone {
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
    _ fileSystem: SimulatedFileSystem, _ scheduler: SimulatedScheduler, _ outcome: Outcome, _ seen: StoreRules
  ) async throws(Wrong) {
    do throws(StorageError) {
      let again = try open(fileSystem, scheduler)
      if let wrong = check(again, outcome) ?? checkRecords(again, fileSystem) {
        throw StorageError(.invalid, wrong.description)
      }
      // Also of what was never answered: whoever looked has seen the rows gone.
      let sequence = try again.rules().sequence
      if sequence < seen.sequence {
        throw StorageError(.invalid, "the rules are number \(sequence), and were \(seen.sequence)")
      }
      try await again.close()
      let last = try open(fileSystem, scheduler, readOnly: true)
      if let wrong = check(last, outcome) { throw StorageError(.invalid, "read-only, after closing: \(wrong)") }
      try await last.close()
    } catch {
      throw Wrong(error.code == .invalid ? .lost : .unopenable, "after a second crash: \(error)")
    }
  }
}

/// What is to have become of a row.
private enum Fate: Equatable {
  case there
  case gone
  /// Nobody knows; for an erasure that wasn't answered, whose.
  case unknown(user: Int?)

  init(_ row: String, _ outcome: StoreScenario.Outcome) {
    let user = rowField("user", row).flatMap { key in (0..<30).first { String(Samples.user($0), radix: 16) == key } }
    let time = rowField("time", row).flatMap { Int64($0) } ?? .max
    if let user, outcome.erased.contains(user) {
      self = .gone
    } else if time < outcome.cutoff {
      self = .gone
    } else if time < outcome.cutoffAtMost {
      self = .unknown(user: nil)
    } else if let user, outcome.erasing.contains(user) {
      self = .unknown(user: user)
    } else {
      self = .there
    }
  }
}

/// A column of a row as text.
private func rowField(_ name: String, _ row: String) -> Substring? {
  row.split(separator: " ").first { $0.hasPrefix(name + "=") }?.dropFirst(name.utf8.count + 1)
}
