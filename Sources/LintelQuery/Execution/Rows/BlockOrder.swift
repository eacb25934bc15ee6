import LintelColumns
import LintelStorage
import Synchronization

/// For ORDER BY with LIMIT: which blocks can still hold rows that are among the first, by their zone maps.
///
/// Blocks are visited best first; what the threads have found so far rules the rest out early.
final class BlockOrder: Sendable {
  /// For each task the least prefix (``SortColumn/prefixes()``) that a row of its block can have.
  private let least: [UInt64]
  /// Tasks, best first.
  let sequence: [UInt32]
  private let threshold = Atomic<UInt64>(.max)

  /// `nil` where zone maps don't tell, or where a skipped block could have been an error.
  init?(_ plan: QueryPlan, _ tasks: [BlockScan.Task], usePruning: Bool) {
    guard usePruning, plan.limit != nil, let ordering = plan.ordering.first, !(plan.filter?.canFail ?? false),
      case .column(let index, let type) = ordering.expression, type != .id8,
      type.physical != .bytes && type.physical != .bool
    else { return nil }
    least = tasks.map { task in
      task.segment.segment.statistics(.column(index), block: task.block).map { Self.least($0, ordering) } ?? 0
    }
    sequence = RadixOrder.order(least)
  }

  private static func least(_ statistics: BlockStatistics, _ ordering: QueryPlan.Ordering) -> UInt64 {
    if statistics.nullCount > 0, ordering.nullsFirst { return 0 }
    if statistics.nullCount >= statistics.rowCount { return .max }
    let isDescending = ordering.isDescending
    switch statistics.bounds {
    case .none: return 0
    case .int64(let low, let high):
      return isDescending ? ~SortOrder.bits(high, isUnsigned: false) : SortOrder.bits(low, isUnsigned: false)
    case .float64(let low, let high, let hasNaN):
      if isDescending { return hasNaN ? 0 : ~SortOrder.bits(high) }
      return SortOrder.bits(low)
    case .id128(let low, let high):
      return isDescending ? ~UInt64(truncatingIfNeeded: high >> 64) : UInt64(truncatingIfNeeded: low >> 64)
    }
  }

  func admits(_ task: Int) -> Bool { least[task] <= threshold.load(ordering: .relaxed) }

  /// The least threshold that any thread has reached.
  func share(_ own: UInt64) -> UInt64 { threshold.min(own, ordering: .relaxed).newValue }
}
