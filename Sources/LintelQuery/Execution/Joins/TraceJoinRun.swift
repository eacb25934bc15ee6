import LintelColumns
import LintelStorage

/// Finds the pairs of a join.
///
/// First each side's rows are selected by the side's own filter, that side first of which fewer blocks may have any; where
/// they are of few traces, the other side's rows are looked for in those alone. For CHILD, PARENT and SIBLING the smaller side's keys then
/// go into an index, which the other side's rows are looked up in, block by block on all threads. DESCENDANT and
/// ANCESTOR go up the chains of parents in the traces that have rows of both sides (``TraceForest``). Only then are the
/// other columns of the rows that are in pairs read.
struct TraceJoinRun {
  private let query: QueryContext
  private let join: TraceJoin
  private let subqueries: [MemberSet]

  init(_ query: QueryContext, _ join: TraceJoin, _ subqueries: [MemberSet]) {
    self.query = query
    self.join = join
    self.subqueries = subqueries
  }

  /// The pairs whose rows pass the filters, as rows with the join's columns.
  func pairs(left: Expression?, right: Expression?) throws(ExecutionFailure) -> PairSegment {
    let (left, right) = try sides(left, right)
    guard left.count > 0, right.count > 0 else { return try segment(RowPairs(), left, right) }
    let start = ContinuousClock.now
    let bytesBefore = query.bytesRead
    let parts: [RowPairs]
    switch join.relation {
    case .child: parts = try lookUp(left, join.keys.row, right, join.keys.parent)
    case .parent: parts = try lookUp(left, join.keys.parent, right, join.keys.row)
    case .sibling: parts = try lookUp(left, join.keys.parent, right, join.keys.parent)
    case .descendant: parts = try TraceForest(query, join.keys, upper: left, lower: right).pairs(upperIsLeft: true)
    case .ancestor: parts = try TraceForest(query, join.keys, upper: right, lower: left).pairs(upperIsLeft: false)
    }
    let pairs = try RowPairs.sorted(parts, leftCount: left.count, rightCount: right.count, query.interrupt)
    query.note(
      "join \(join.relation.rawValue)", ContinuousClock.now - start, rowsIn: left.count + right.count,
      rowsOut: pairs.count, bytes: query.bytesRead - bytesBefore)
    return try segment(pairs, left, right)
  }

  private func sides(_ left: Expression?, _ right: Expression?) throws(ExecutionFailure) -> (JoinSide, JoinSide) {
    let leftIsFirst = try candidates(left) <= candidates(right)
    let first = try side(leftIsFirst ? .left : .right, leftIsFirst ? left : right, subqueries)
    // A side without rows leaves nothing to look for.
    if first.count == 0 { return (first, first) }
    var filter = leftIsFirst ? right : left
    var members = subqueries
    // What may fail fails where it would.
    if !(filter?.canFail ?? false), let traces = try traces(of: first) {
      let isOfThem = Expression.inSubquery(.column(join.keys.trace, .id16), members.count)
      filter = .call(.and, [isOfThem] + (filter?.conjuncts ?? []), .bool)
      members.append(traces)
    }
    let second = try side(leftIsFirst ? .right : .left, filter, members)
    return leftIsFirst ? (first, second) : (second, first)
  }

  private func side(
    _ side: TraceJoin.Side, _ filter: Expression?, _ members: [MemberSet]
  ) throws(ExecutionFailure) -> JoinSide {
    try JoinSide(query, filter: filter, subqueries: members, name: "scan and filter \(join.name(of: side))")
  }

  private func candidates(_ filter: Expression?) throws(ExecutionFailure) -> Int {
    var scan = ScanPlan()
    scan.filter = filter
    scan.subqueries = subqueries
    if let filter { try scan.slots.add(filter) }
    return scan.candidateBlocks(query)
  }

  /// Rows of a side up to which it is worth reading what traces they are of, and so many traces.
  private static let fewRows = 16_384
  private static let fewTraces = 1024

  /// The traces of a side's rows, where they are few.
  private func traces(of side: JoinSide) throws(ExecutionFailure) -> MemberSet? {
    guard query.options.usePruning, side.count <= Self.fewRows else { return nil }
    let found = Results<JoinKeys>(count: side.blocks.count)
    try JoinKeys.read(query, side.blocks, join.keys.trace, []) { (number, keys) throws(ExecutionFailure) in
      found.put(keys, at: number)
    }
    let traces = IdentifierTable(query.interrupt)
    for keys in found.all {
      keys.forEachTrace { _ = traces.intern($0) }
      if traces.count > Self.fewTraces { return nil }
    }
    return try MemberSet(rows: Vector(.id128(traces.keys)), query.interrupt)
  }

  /// Pairs of rows of one trace whose ids are equal.
  private func lookUp(
    _ left: JoinSide, _ leftID: Int, _ right: JoinSide, _ rightID: Int
  ) throws(ExecutionFailure) -> [RowPairs] {
    let indexesLeft = left.count <= right.count
    let index = try RowIndex(
      query, indexesLeft ? left : right, join.keys, id: indexesLeft ? leftID : rightID)
    let ids = join.relation == .sibling ? try rowIDs(indexesLeft ? left : right) : nil
    let other = indexesLeft ? right : left
    let columns = [indexesLeft ? rightID : leftID] + (ids == nil ? [] : [join.keys.row])
    let found = Results<RowPairs>(count: other.blocks.count)
    let query = query
    try JoinKeys.read(query, other.blocks, join.keys.trace, columns) { (number, keys) throws(ExecutionFailure) in
      var pairs = RowPairs()
      let first = other.blocks[number].first
      var own: [Int64] = []
      if ids != nil, case .int64(let values) = keys.ids[1].lanes { own = values }
      try keys.forEach(0, index.traces.find) { (lane, trace, id) throws(ExecutionFailure) in
        let row = UInt32(truncatingIfNeeded: first + lane)
        try index.forEachRow(of: index.keys.find(RowIndex.key(trace, id))) { (match) throws(ExecutionFailure) in
          // A row is no sibling of itself.
          if let ids, ids[Int(match)] == own[lane] { return }
          try pairs.append(indexesLeft ? match : row, indexesLeft ? row : match, query)
        }
      }
      try pairs.reserve(query)
      found.put(pairs, at: number)
    }
    return found.all
  }

  /// The ids of a side's rows, by their numbers.
  private func rowIDs(_ side: JoinSide) throws(ExecutionFailure) -> [Int64] {
    var ids: [Int64] = []
    ids.reserveCapacity(side.count)
    for block in try KeyBlocks(query, side, join.keys.trace, [join.keys.row]).blocks {
      try query.check()
      if case .int64(let values) = block.keys.ids[0].lanes { ids += values }
    }
    return ids
  }

  // MARK: Columns

  private func segment(_ pairs: RowPairs, _ left: JoinSide, _ right: JoinSide) throws(ExecutionFailure) -> PairSegment {
    let leftColumns = try columns(.left, pairs.left, of: left)
    let rightColumns = try columns(.right, pairs.right, of: right)
    var nextLeft = leftColumns.makeIterator()
    var nextRight = rightColumns.makeIterator()
    let all = join.columns.compactMap { $0.side == .left ? nextLeft.next() : nextRight.next() }
    return PairSegment(rowCount: pairs.count, columns: all)
  }

  /// The columns of one side for the rows `numbers`; each row is read once, in however many pairs it is.
  private func columns(
    _ side: TraceJoin.Side, _ numbers: [UInt32], of rows: JoinSide
  ) throws(ExecutionFailure) -> [ColumnVector] {
    let sources = join.columns.filter { $0.side == side }.map(\.source)
    guard !sources.isEmpty else { return [] }
    guard !numbers.isEmpty else { return sources.map { .nulls($0.type.physical, count: 0) } }
    let interrupt = query.interrupt
    var ranks = try interrupt.makeLanes(rows.count) { _ in IdentifierTable.none }
    try interrupt.forEachStretch(of: numbers.count) { stretch in for index in stretch { ranks[Int(numbers[index])] = 0 }
    }
    var distinct: [UInt32] = []
    try interrupt.forEachStretch(of: ranks.count) { stretch in
      for number in stretch where ranks[number] == 0 {
        ranks[number] = UInt32(truncatingIfNeeded: distinct.count)
        distinct.append(UInt32(truncatingIfNeeded: number))
      }
    }
    try query.reserve(rows.count * 4 + distinct.count * 12)
    let start = ContinuousClock.now
    let (vectors, bytes) = try query.vectors(of: sources, at: try rows.positions(distinct, query), subqueries)
    query.note(
      "read \(join.name(of: side))", ContinuousClock.now - start, rowsIn: distinct.count, rowsOut: numbers.count,
      bytes: bytes)
    var columns: [ColumnVector] = []
    let lanes = try interrupt.mapLanes(numbers) { ranks[Int($0)] }
    for vector in vectors {
      let column =
        distinct.count == numbers.count && isIdentity(lanes) ? vector : try vector.gather(lanes, interrupt)
      try query.reserve(column.byteCount)
      columns.append(column.columnVector)
    }
    return columns
  }

  private func isIdentity(_ lanes: [UInt32]) -> Bool {
    for (index, lane) in lanes.enumerated() where Int(lane) != index { return false }
    return true
  }
}
