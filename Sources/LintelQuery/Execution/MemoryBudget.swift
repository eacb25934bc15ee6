import Synchronization

/// The memory of one query's intermediate results, as it accounts for them, and its limit.
final class MemoryBudget: Sendable {
  let limit: Int
  private let used = SharedCount()
  private let refused = Atomic<Bool>(false)

  init(limit: Int) { self.limit = limit }

  var current: Int { used.current }
  var peak: Int { used.peak }

  /// Accounts for so much more, or less where negative; how much there is then.
  func add(_ bytes: Int) -> Int { used.add(bytes) }

  /// Whether there is room for so much more, which isn't accounted for by this. Once there was not, the query is over, and
  /// ``check()`` throws: what asked may leave its work undone.
  func allows(_ bytes: Int) -> Bool {
    let (total, overflow) = used.current.addingReportingOverflow(bytes)
    if !overflow, total <= limit { return true }
    refused.store(true, ordering: .relaxed)
    return false
  }

  /// Throws past the limit, and when something has been refused.
  func check() throws(ExecutionFailure) {
    guard used.current > limit || refused.load(ordering: .relaxed) else { return }
    throw .query(
      QueryError(
        .limitExceeded,
        "the query's intermediate results need more than its limit of \(limit >> 20) MiB of memory; "
          + "narrow the filter, group by fewer values, use LIMIT, or raise the limit"))
  }
}
