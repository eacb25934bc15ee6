import LintelColumns
import LintelStorage

/// A segment with everything that is worked out once for it: which blocks may hold rows, and the expressions compiled over
/// its dictionaries.
final class PreparedSegment: @unchecked Sendable {
  let segment: any Segment
  let index: Int
  let blocks: [Int]
  /// In the order they are applied.
  let conjuncts: [EvaluationNode]
  let keys: [EvaluationNode]
  let calls: [CompiledCall]
  let ordering: [EvaluationNode]

  struct CompiledCall {
    let filter: EvaluationNode?
    let operands: [EvaluationNode]
  }

  init(
    _ segment: any Segment, index: Int, blocks: [Int], conjuncts: [EvaluationNode], compiler: ExpressionCompiler,
    scan: ScanPlan
  ) throws(ExecutionFailure) {
    self.segment = segment
    self.index = index
    self.blocks = blocks
    self.conjuncts = conjuncts
    var keys: [EvaluationNode] = []
    for key in scan.keys { keys.append(try compiler.compile(key)) }
    var ordering: [EvaluationNode] = []
    for expression in scan.ordering { ordering.append(try compiler.compile(expression)) }
    var calls: [CompiledCall] = []
    for call in scan.calls {
      var operands: [EvaluationNode] = []
      for operand in call.operands { operands.append(try compiler.compile(operand)) }
      var filter: EvaluationNode?
      if let expression = call.filter { filter = try compiler.compile(expression) }
      calls.append(CompiledCall(filter: filter, operands: operands))
    }
    self.keys = keys
    self.calls = calls
    self.ordering = ordering
  }
}

/// What is evaluated over the rows of a table.
struct ScanPlan {
  /// What EXPLAIN ANALYZE calls it.
  var name = "scan and filter"
  var filter: Expression?
  var keys: [Expression] = []
  var calls: [AggregateCall] = []
  var ordering: [Expression] = []
  var slots = ColumnSlots()
  var subqueries: [MemberSet] = []

  /// Compiles the scan for one segment; `nil` when nothing in it can pass the filter.
  ///
  /// - Parameters:
  ///   - pruning: `nil` keeps every block, whatever is known of it.
  ///   - pruned: what is left out is added to it.
  func prepare(
    _ segment: any Segment, index: Int, pruning: BlockPruning?, query: QueryContext, _ pruned: inout QueryResult.Pruning
  ) throws(ExecutionFailure) -> PreparedSegment? {
    let missing = missingSlots(segment)
    var blocks = Array(0..<segment.blockCount)
    if let pruning {
      let remaining = pruning.remaining(segment) { slots.slot($0).map(missing.contains) ?? false }
      query.note(filtered: remaining.filtered)
      pruned.byFilters += remaining.filtered
      pruned.byZoneMaps += segment.blockCount - remaining.blocks.count - remaining.filtered
      blocks = remaining.blocks
    }
    guard !blocks.isEmpty else { return nil }
    var compiler = ExpressionCompiler(slots: slots, query.interrupt)
    compiler.subqueries = subqueries
    compiler.missing = missing
    compiler.content = Set(slots.references.indices.filter { segment.isContent(slots.references[$0]) })
    compiler.dictionaryLimit = max(blocks.count &* segment.blockRows, 1024)
    for (slot, type) in slots.types.enumerated() where (type == .bytes || type == .id128) && !missing.contains(slot) {
      do {
        compiler.dictionaries[slot] = try segment.dictionary(slots.references[slot])
      } catch {
        throw ExecutionFailure(error, segment: index)
      }
    }
    let validShare: (Int) -> Double = { [blocks] slot in Self.validShare(segment, slots.references[slot], blocks) }
    guard let nodes = try compile(filter?.conjuncts ?? [], compiler, usePruning: pruning != nil, validShare) else {
      pruned.byDictionaries += blocks.count
      return nil
    }
    return try PreparedSegment(
      segment, index: index, blocks: blocks, conjuncts: nodes, compiler: compiler, scan: self)
  }

  /// How many blocks may have rows that pass the filter.
  func candidateBlocks(_ query: QueryContext) -> Int {
    let pruning = query.options.usePruning ? BlockPruning(filter?.conjuncts ?? [], subqueries: subqueries) : nil
    var count = 0
    for (index, segment) in query.segments.enumerated() where !query.excluded.contains(index) {
      let missing = missingSlots(segment)
      count +=
        pruning?.remaining(segment) { slots.slot($0).map(missing.contains) ?? false }.blocks.count ?? segment.blockCount
    }
    return count
  }

  private func missingSlots(_ segment: any Segment) -> Set<Int> {
    let present = Set(segment.attributeKeys + segment.digestKeys)
    var missing: Set<Int> = []
    for (slot, reference) in slots.references.enumerated() {
      if case .attribute(let key) = reference, !present.contains(key) { missing.insert(slot) }
    }
    return missing
  }

  /// The share of rows that have a value, going by a few of the blocks; 1 where nothing is known of them.
  private static func validShare(_ segment: any Segment, _ column: ColumnReference, _ blocks: [Int]) -> Double {
    var (rows, nulls) = (0, 0)
    for block in blocks.prefix(8) {
      guard let statistics = segment.statistics(column, block: block) else { continue }
      rows += statistics.rowCount
      nulls += statistics.nullCount
    }
    return rows > 0 ? Double(rows - nulls) / Double(rows) : 1
  }

  /// The conjuncts, cheap and selective ones first, those that may fail last and in their order. `nil` when one can't hold.
  private func compile(
    _ conjuncts: [Expression], _ compiler: ExpressionCompiler, usePruning: Bool, _ validShare: (Int) -> Double
  ) throws(ExecutionFailure) -> [EvaluationNode]? {
    var ranked: [(rank: Double, node: EvaluationNode)] = []
    var failing: [EvaluationNode] = []
    for conjunct in conjuncts {
      let node = try compiler.compile(conjunct)
      if conjunct.canFail {
        failing.append(node)
      } else {
        let rank = node.filterRank(validShare)
        if usePruning, rank == 0 { return nil }
        ranked.append((rank, node))
      }
    }
    return ranked.sorted { $0.rank < $1.rank }.map(\.node) + failing
  }
}

extension EvaluationNode {
  /// Where a conjunct goes: 0 when it can't hold anywhere in the segment, at most 1 by the share of dictionary entries and of
  /// rows that have one, then comparisons of lanes, then the rest.
  func filterRank(_ validShare: (Int) -> Double) -> Double {
    if let node = self as? DictionaryNode {
      guard let share = node.trueShare else { return 3 }
      // Null passes: the fewer values, the more rows do.
      return node.isTrueOfNull ? share : share * max(validShare(node.slot), 1e-9)
    }
    return self is CompareConstantNode ? 1 : 2
  }
}
