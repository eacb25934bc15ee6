import LintelColumns
import LintelStorage

/// Finds the blocks of a segment in which a filter may find rows.
struct BlockPruning: Sendable {
  private let conditions: [BlockCondition]

  /// - Parameter conjuncts: What rows must pass, all of it.
  init(_ conjuncts: [Expression], subqueries: [MemberSet]) {
    // What may fail must fail where it would: nothing follows from it.
    conditions = conjuncts.filter { !$0.canFail }.compactMap { BlockCondition($0, subqueries: subqueries) }
  }

  struct Remaining {
    var blocks: [Int]
    /// Blocks that zone maps let pass and filters didn't.
    var filtered: Int
  }

  /// - Parameter isMissing: Whether every row of the segment is null in this column.
  func remaining(_ segment: any Segment, isMissing: (ColumnReference) -> Bool) -> Remaining {
    let all = Array(0..<segment.blockCount)
    guard !conditions.isEmpty else { return Remaining(blocks: all, filtered: 0) }
    let missing = Set(conditions.flatMap(\.tests).map(\.column).filter(isMissing))
    func zoned(_ test: BlockTest, _ blocks: [Int]) -> [Int] {
      if missing.contains(test.column) {
        return blocks.filter { block in
          let rows = segment.rowCount(ofBlock: block)
          return test.admits(BlockStatistics(rowCount: rows, nullCount: rows, bounds: .none))
        }
      }
      return segment.blocks(blocks, of: test.column) { test.admits($0) }
    }
    let mapped = conditions.reduce(all) { $1.holding($0, zoned) }
    let filters = mapped.isEmpty ? [:] : filters(segment, missing)
    guard !filters.isEmpty else { return Remaining(blocks: mapped, filtered: 0) }
    let blocks = conditions.reduce(mapped) { remaining, condition in
      condition.holding(remaining) { test, blocks in
        // Both: under an OR a block may have passed for another test's zone map.
        let blocks = zoned(test, blocks)
        guard let filters = filters[test.column] else { return blocks }
        return blocks.filter { test.admits(filters, block: $0) }
      }
    }
    return Remaining(blocks: blocks, filtered: mapped.count - blocks.count)
  }

  /// The filters of the columns that some test can ask them about.
  private func filters(_ segment: any Segment, _ missing: Set<ColumnReference>) -> [ColumnReference: BlockFilters] {
    var filters: [ColumnReference: BlockFilters] = [:]
    for test in conditions.flatMap(\.tests) where test.hashes != nil && !missing.contains(test.column) {
      if filters[test.column] == nil { filters[test.column] = segment.filters(test.column) }
    }
    return filters
  }
}
