package import LintelStorage

/// What is to be had of erasures beside the rows: the audit log, receipts, and the rules themselves.
extension StoreScenario {
  var isAboutUsers: Bool { steps.contains { if case .erase = $0 { true } else { false } } }

  /// What the rules say is accounted for: each erasure and retention by a line of the audit log, a finished erasure by
  /// another one and by a sound receipt. `nil` when all is.
  package func checkRecords(_ store: Store, _ fileSystem: SimulatedFileSystem) -> Wrong? {
    do throws(StorageError) {
      let rules = try store.rules()
      let lines = String(decoding: fileSystem.contents("\(path)/erasure/audit.log") ?? [], as: UTF8.self)
        .split(separator: "\n").map { $0.split(separator: " ") }
      func isTold(_ kind: Substring, _ number: UInt64?) -> Bool {
        lines.contains { $0.count > 3 && $0[2] == kind && (number == nil || $0[3] == "\(number ?? 0)") }
      }
      for erasure in rules.erasures {
        guard isTold("requested", erasure.number) else {
          return Wrong(.other, "the audit log doesn't tell who asked for erasure \(erasure.number)")
        }
        if erasure.state == .hidden { continue }
        guard isTold("erased", erasure.number), let receipt = try store.receipt(erasure.number) else {
          return Wrong(.other, "erasure \(erasure.number) is finished, and has no line in the audit log or no receipt")
        }
        let text = try ReceiptCheck.check(receipt).text
        if accountsForAll, let (asked, gone) = Self.rows(text), asked != gone {
          return Wrong(.other, "a receipt accounts for \(gone) rows, and there were \(asked) to be erased: \(text)")
        }
      }
      if !rules.retention.isEmpty, !isTold("retention", nil) {
        return Wrong(.other, "the audit log doesn't tell of a retention")
      }
      return nil
    } catch {
      return Wrong(.other, "what tells of erasures: \(error)")
    }
  }

  /// Whether nothing but erasures takes rows away, and none is lost: then a receipt has as many as there were when its
  /// erasures were asked for.
  private var accountsForAll: Bool {
    durability == .synced
      && !steps.contains { step in
        switch step {
        case .retain, .retainContent, .backup, .restore: true
        default: false
        }
      }
  }

  /// The rows that a receipt's requests counted, and those that it says are gone.
  private static func rows(_ receipt: String) -> (asked: Int, gone: Int)? {
    func numbers(in opening: String, to end: Character, after field: String) -> [Int]? {
      guard let start = receipt.firstRange(of: opening)?.upperBound,
        let close = receipt[start...].firstIndex(of: end)
      else { return nil }
      return receipt[start..<close].split(whereSeparator: { ",{}".contains($0) })
        .filter { field.isEmpty || $0.hasPrefix(field) }.compactMap {
          $0.split(separator: ":").last.flatMap { Int($0) }
        }
    }
    guard let asked = numbers(in: "\"erasures\":[", to: "]", after: "\"rows\":"),
      let memory = numbers(in: "\"rows_erased_from_memory\":{", to: "}", after: ""),
      let parts = numbers(in: "\"rows_erased_from_parts\":{", to: "}", after: "")
    else { return nil }
    return (asked.reduce(0, +), (memory + parts).reduce(0, +))
  }

  /// After a recovery erasures go on. Where a crash has left torn records, those are kept, and are in the way.
  func finishErasures(_ store: Store, tornRecords: Bool) async throws(Wrong) {
    guard isAboutUsers else { return }
    do throws(StorageError) {
      try await store.eraseFiles()
    } catch {
      if tornRecords, error.code == .invalid { return }
      throw Wrong(.other, "an erasure doesn't go on after the recovery: \(error)")
    }
  }
}
