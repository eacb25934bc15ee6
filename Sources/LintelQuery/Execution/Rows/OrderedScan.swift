import LintelColumns
import LintelStorage
import Synchronization

/// How far an ordered scan with a limit has come: rows past the threshold are not among the first, whatever blocks come.
///
/// The threads share what each has found. Blocks are visited the most promising first, by the zone maps of the column
/// that comes first in the order; those that can't hold a row within the threshold aren't read.
final class OrderedScan: Sendable {
  private let threshold = Atomic<UInt64>(.max)
  private let key: Key?

  /// The column that comes first in the order.
  private struct Key {
    let column: ColumnReference
    let slot: Int
    let ordering: QueryPlan.Ordering
  }

  init(_ plan: QueryPlan, _ scan: ScanPlan) {
    // What may fail must fail where it would: then every row is looked at.
    let expressions = plan.ordering.map(\.expression) + (scan.filter.map { [$0] } ?? [])
    guard plan.neededRows != nil, !expressions.contains(where: \.canFail), let ordering = plan.ordering.first,
      let column = BlockTest.reference(ordering.expression), let slot = scan.slots.slot(column),
      ordering.expression.type != .id8
    else {
      key = nil
      return
    }
    key = Key(column: column, slot: slot, ordering: ordering)
  }

  var isBounded: Bool { key != nil }

  /// The least prefix that a row of the block can have.
  func best(_ task: BlockScan.Task) -> UInt64 {
    guard let key, let statistics = task.segment.segment.statistics(key.column, block: task.block) else { return 0 }
    if statistics.nullCount > 0, key.ordering.nullsFirst { return 0 }
    if statistics.nullCount == statistics.rowCount { return .max }
    switch (statistics.bounds, key.ordering.isDescending) {
    case (.int64(let low, _), false): return SortOrder.bits(low, isUnsigned: false)
    case (.int64(_, let high), true): return ~SortOrder.bits(high, isUnsigned: false)
    case (.float64(let low, _, _), false): return SortOrder.bits(low)
    case (.float64(_, let high, let hasNaN), true): return hasNaN ? 0 : ~SortOrder.bits(high)
    default: return 0
    }
  }

  func admits(_ prefix: UInt64) -> Bool { prefix <= threshold.load(ordering: .relaxed) }

  /// Tells a thread what the others know, and them what it does.
  func exchange(_ top: inout TopRows) {
    // Not `Atomic.min`: on x86-64 it compares unsigned numbers as signed ones.
    var known = threshold.load(ordering: .relaxed)
    while top.threshold < known {
      let (exchanged, original) = threshold.weakCompareExchange(
        expected: known, desired: top.threshold, ordering: .relaxed)
      if exchanged { return }
      known = original
    }
    top.lower(to: known)
  }

  /// Leaves out rows past the threshold where the lanes at hand tell them apart at less cost than the filter.
  func narrow(_ task: BlockScan.Task, _ context: EvaluationContext) {
    let limit = threshold.load(ordering: .relaxed)
    guard let key, limit < .max, !key.ordering.nullsFirst, let packed = context.packed(key.slot),
      packed.dictionary == nil
    else { return }
    let (low, high): (Int64, Int64) =
      key.ordering.isDescending ? (SortOrder.lane(~limit), .max) : (.min, SortOrder.lane(limit))
    if !task.segment.conjuncts.isEmpty, packed.candidates(from: low, through: high) &* 4 > packed.count { return }
    context.select(packed.rows(from: low, through: high))
  }
}
