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
        _ = try ReceiptCheck.check(receipt)
      }
      if !rules.retention.isEmpty, !isTold("retention", nil) {
        return Wrong(.other, "the audit log doesn't tell of a retention")
      }
      return nil
    } catch {
      return Wrong(.other, "what tells of erasures: \(error)")
    }
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
