import LintelColumns
import LintelStorage

/// Answers from the statistics of blocks that lie wholly within a filter: counts, sums, least and greatest without groups.
struct BlockAnswer {
  private let filter: [Expression]
  private let calls: [AggregateCall]

  /// `nil` for scans that statistics can't answer.
  init?(_ scan: ScanPlan) {
    guard scan.keys.isEmpty, !scan.calls.isEmpty, scan.calls.allSatisfy(Self.canAnswer) else { return nil }
    filter = scan.filter?.conjuncts ?? []
    calls = scan.calls
  }

  private static func canAnswer(_ call: AggregateCall) -> Bool {
    guard call.filter == nil else { return false }
    switch (call.function, call.operands.first) {
    case (.count, nil), (.count, .column): return true
    case (.sum, .column(_, let type)), (.average, .column(_, let type)): return type.physical == .int64
    // Zone maps are signed, ids are not.
    case (.min, .column(_, let type)), (.max, .column(_, let type)): return type.physical == .int64 && type != .id8
    default: return false
    }
  }

  /// For each call what is known of its operand; `nil` where the block must be read.
  func statistics(_ segment: any Segment, block: Int) -> [BlockStatistics]? {
    // What is known of a block is known of all its rows, those that aren't there any more included.
    if segment.mask?.affects(block) ?? false { return nil }
    guard filter.allSatisfy({ ScanPlan.passes($0, segment, block: block) }) else { return nil }
    let rows = segment.rowCount(ofBlock: block)
    var known: [BlockStatistics] = []
    for call in calls {
      guard case .column(let column, _)? = call.operands.first else {
        known.append(BlockStatistics(rowCount: rows, nullCount: 0, bounds: .none))
        continue
      }
      guard let statistics = segment.statistics(.column(column), block: block), statistics.rowCount == rows,
        Self.suffices(statistics, call.function)
      else { return nil }
      known.append(statistics)
    }
    return known
  }

  private static func suffices(_ statistics: BlockStatistics, _ function: AggregateCall.Function) -> Bool {
    if statistics.nullCount == statistics.rowCount { return true }
    switch function {
    case .count: return true
    case .sum, .average: return statistics.sum != nil
    default: if case .int64 = statistics.bounds { return true } else { return false }
    }
  }
}
