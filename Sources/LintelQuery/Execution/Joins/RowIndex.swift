/// Rows of a side by trace and id.
///
/// Traces are numbered, and so are pairs of trace and id; the rows of a pair lie together, ascending.
final class RowIndex: @unchecked Sendable {
  let traces: IdentifierTable
  let keys: IdentifierTable
  private var starts: [UInt32] = []
  private var rows: [UInt32] = []
  /// Keys that have rows: those with smaller numbers than this.
  private(set) var keyCount = 0
  private var reserved = 0

  /// The key of an id in a trace.
  @inline(__always)
  static func key(_ trace: UInt32, _ id: UInt64) -> UInt128 { UInt128(trace) << 64 | UInt128(id) }

  /// - Parameter id: the column whose value the index is asked for.
  init(_ query: QueryContext, _ side: JoinSide, _ keyColumns: TraceJoin.Keys, id: Int) throws(ExecutionFailure) {
    let interrupt = query.interrupt
    let traces = IdentifierTable(interrupt, memory: query.memory)
    let keys = IdentifierTable(interrupt, memory: query.memory)
    self.traces = traces
    self.keys = keys
    // Each row's place and key, their order, and where keys begin.
    try query.reserve(side.count * 20)
    var lanes: [(row: UInt32, key: UInt32)] = []
    lanes.reserveCapacity(side.count)
    for block in try KeyBlocks(query, side, keyColumns.trace, [id]).blocks {
      try interrupt.check()
      block.keys.forEach(0, traces.intern) { lane, trace, id in
        lanes.append((UInt32(truncatingIfNeeded: block.first + lane), keys.intern(Self.key(trace, id))))
      }
      try reserveTables(query)
    }
    keyCount = keys.count
    let (order, starts) = try interrupt.byGroup(lanes.count, groups: keyCount) { lanes[$0].key }
    self.starts = try interrupt.mapLanes(starts) { UInt32(truncatingIfNeeded: $0) }
    rows = try interrupt.mapLanes(order) { lanes[Int($0)].row }
  }

  /// Accounts for what the tables have grown by.
  func reserveTables(_ query: QueryContext) throws(ExecutionFailure) {
    let bytes = traces.byteCount + keys.byteCount
    let more = bytes - reserved
    reserved = bytes
    _ = query.memory.add(more)
    try query.memory.check()
  }

  /// Calls `body` for the rows of a key.
  @inline(__always)
  func forEachRow<E: Error>(of key: UInt32, _ body: (UInt32) throws(E) -> Void) throws(E) {
    guard key < keyCount else { return }
    for index in starts[Int(key)]..<starts[Int(key) + 1] { try body(rows[Int(index)]) }
  }
}

/// The keys of a side's blocks, in scan order.
struct KeyBlocks {
  struct Block {
    let keys: JoinKeys
    let first: Int
  }

  let blocks: [Block]

  init(_ query: QueryContext, _ side: JoinSide, _ trace: Int, _ ids: [Int]) throws(ExecutionFailure) {
    let read = Results<JoinKeys>(count: side.blocks.count)
    try JoinKeys.read(query, side.blocks, trace, ids) { (number, keys) throws(ExecutionFailure) in
      try query.reserve(keys.traces.byteCount + keys.ids.reduce(0) { $0 + $1.byteCount })
      read.put(keys, at: number)
    }
    blocks = zip(read.all, side.blocks).map { Block(keys: $0, first: $1.first) }
  }
}
