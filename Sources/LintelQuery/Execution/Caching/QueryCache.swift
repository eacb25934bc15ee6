import LintelColumns
import LintelStorage

/// What earlier queries came to, for those that come again. Parts never change, so nothing in it is ever wrong; what is asked
/// for no more falls out as the least recently used.
final class QueryCache: Sendable {
  /// What one part's rows came to under a filter, keys and calls, before HAVING, order and limit: a query that comes again
  /// reads only what is new. To merge from, never into.
  let groups: BoundedCache<GroupsKey, AggregationWorker>
  /// Whole answers, of a store in which nothing has changed since.
  let answers: BoundedCache<AnswerKey, QueryResult>

  struct GroupsKey: Hashable, Sendable {
    let part: String
    /// Without the conjuncts that every row of the part passes.
    let filter: Expression?
    let keys: [Expression]
    let calls: [AggregateCall]
  }

  struct AnswerKey: Hashable, Sendable {
    let plan: QueryPlan
    let segments: [String]

    /// `nil` for plans that read no table.
    init?(_ plan: QueryPlan, _ snapshot: TableSnapshot?) {
      guard let snapshot else { return nil }
      self.plan = plan
      // Batches in memory that are put together keep the name of the first.
      segments = snapshot.segments.map { "\($0.contentName)/\($0.rowCount)" }
    }
  }

  func forget() {
    groups.removeAll()
    answers.removeAll()
  }

  /// - Parameter capacity: bytes at most.
  convenience init(capacity: Int) {
    self.init(groupBytes: capacity - capacity / 4, answerBytes: capacity / 4)
  }

  init(groupBytes: Int, answerBytes: Int) {
    groups = BoundedCache(capacity: groupBytes)
    answers = BoundedCache(capacity: answerBytes)
  }
}

extension ScanPlan {
  /// Whether what a part comes to depends on its rows alone: not on where they lie, nor on a subquery's rows.
  var dependsOnRowsAlone: Bool {
    let usesPositions = calls.contains { call in
      switch call.function {
      case .any, .argMin, .argMax: true
      default: false
      }
    }
    let expressions =
      [filter].compactMap(\.self) + keys + calls.flatMap { $0.operands + [$0.filter].compactMap(\.self) }
    return !usesPositions && !expressions.contains(where: \.hasSubquery)
  }

  /// Under what a part's groups are kept. Bounds of time that the whole part is within are left out, so that a window that
  /// moves on finds what the last one left.
  func cacheKey(_ segment: any Segment) -> QueryCache.GroupsKey {
    let conjuncts = (filter?.conjuncts ?? []).filter { !Self.passes($0, segment) }
    return QueryCache.GroupsKey(part: segment.contentName, filter: .all(conjuncts), keys: keys, calls: calls)
  }

  /// Whether zone maps tell that every row passes a comparison of integers.
  private static func passes(_ conjunct: Expression, _ segment: any Segment) -> Bool {
    (0..<segment.blockCount).allSatisfy { passes(conjunct, segment, block: $0) }
  }

  /// The same of one block.
  static func passes(_ conjunct: Expression, _ segment: any Segment, block: Int) -> Bool {
    guard case .call(let function, let operands, _) = conjunct, operands.count == 2,
      case .column(let column, let type) = operands[0], type != .id8,
      case .constant(.int64(let bound), _) = operands[1],
      let statistics = segment.statistics(.column(column), block: block), statistics.nullCount == 0,
      case .int64(let low, let high) = statistics.bounds
    else { return false }
    switch function {
    case .less: return high < bound
    case .lessOrEqual: return high <= bound
    case .greater: return low > bound
    case .greaterOrEqual: return low >= bound
    default: return false
    }
  }
}

extension Expression {
  fileprivate var hasSubquery: Bool {
    if case .inSubquery = self { return true }
    return children.contains(where: \.hasSubquery)
  }
}
