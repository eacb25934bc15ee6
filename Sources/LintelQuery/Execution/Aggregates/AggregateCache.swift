import LintelColumns
import LintelStorage
import Synchronization

/// Groups of whole parts, kept so that a repeated query reads only what is new: parts never change.
///
/// An entry is what one part's rows came to under a filter, keys and calls, before HAVING, order and limit. Entries of parts
/// that are gone are never asked for again and fall out as the least recently used.
final class AggregateCache: Sendable {
  struct Key: Hashable, Sendable {
    let part: String
    /// Without the conjuncts that every row of the part passes.
    let filter: Expression?
    let keys: [Expression]
    let calls: [AggregateCall]
  }

  private struct Entry {
    let groups: AggregationWorker
    let byteCount: Int
    var lastUse: Int
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var byteCount = 0
    var uses = 0
  }

  private let capacity: Int
  private let state = Mutex(State())

  /// - Parameter capacity: bytes of groups at most.
  init(capacity: Int) { self.capacity = capacity }

  /// Groups to merge from, never into.
  subscript(key: Key) -> AggregationWorker? {
    state.withLock { state in
      state.uses += 1
      state.entries[key]?.lastUse = state.uses
      return state.entries[key]?.groups
    }
  }

  func insert(_ groups: AggregationWorker, for key: Key) {
    let byteCount = groups.byteCount + 1024
    guard byteCount <= capacity / 4 else { return }
    // Dropped entries die after the lock is given back.
    var dropped: [Entry] = []
    state.withLock { state in
      state.uses += 1
      if let old = state.entries.updateValue(
        Entry(groups: groups, byteCount: byteCount, lastUse: state.uses), forKey: key)
      {
        state.byteCount -= old.byteCount
        dropped.append(old)
      }
      state.byteCount += byteCount
      while state.byteCount > capacity, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        state.entries[oldest.key] = nil
        state.byteCount -= oldest.value.byteCount
        dropped.append(oldest.value)
      }
    }
    dropped.removeAll()
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
  func cacheKey(_ segment: any Segment) -> AggregateCache.Key {
    let conjuncts = (filter?.conjuncts ?? []).filter { !Self.passes($0, segment) }
    return AggregateCache.Key(part: segment.name, filter: .all(conjuncts), keys: keys, calls: calls)
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
