import LintelColumns
import LintelStorage
import Synchronization

/// The rows of one side of a join that pass its own filter. Rows are numbered 0, 1, 2 .. in scan order.
struct JoinSide {
  struct Block {
    let segment: Int
    let block: Int
    /// Ascending; `nil` when all rows of the block are in.
    let rows: [UInt32]?
    let count: Int
    /// The number of its first row.
    var first = 0
  }

  private(set) var blocks: [Block] = []
  private(set) var count = 0

  /// - Throws: `.limitExceeded` past the memory limit.
  init(
    _ query: QueryContext, filter: Expression?, subqueries: [MemberSet], name: String = "find parents of traces"
  ) throws(ExecutionFailure) {
    var scan = ScanPlan()
    scan.name = name
    scan.filter = filter
    scan.subqueries = subqueries
    if let filter { try scan.slots.add(filter) }
    let tasks = try BlockScan(query, scan)
    let found = Mutex([Block?](repeating: nil, count: tasks.tasks.count))
    _ = try tasks.run { (_, number, task, context) throws(ExecutionFailure) in
      try query.reserve((context.selection?.count ?? 0) * 4)
      let block = Block(
        segment: task.segment.index, block: task.block, rows: context.selection, count: context.count)
      found.withLock { $0[number] = block }
    }
    for case var block? in found.withLock({ $0 }) {
      block.first = count
      count += block.count
      blocks.append(block)
    }
    guard count < Int(UInt32.max) else {
      throw .query(QueryError(.limitExceeded, "a side of the join has \(count) rows, too many; narrow the filter"))
    }
  }

  /// Scan positions of the rows `numbers`, which ascend.
  func positions(_ numbers: [UInt32], _ query: QueryContext) throws(ExecutionFailure) -> [UInt64] {
    let segments = query.segments
    var block = 0
    return try query.interrupt.mapLanes(numbers) { number in
      let number = Int(number)
      while number >= blocks[block].first + blocks[block].count { block += 1 }
      let place = number - blocks[block].first
      let row = blocks[block].rows.map { Int($0[place]) } ?? place
      let segment = blocks[block].segment
      return RowPosition(segment: segment, row: blocks[block].block * segments[segment].blockRows + row).rawValue
    }
  }
}

/// Keys of the rows of a block: which trace they are of, and ids.
struct JoinKeys {
  let traces: Vector
  /// By the columns asked for.
  let ids: [Vector]

  var count: Int { traces.count }

  /// Reads the keys of a side's blocks on the query's threads and calls `body(block number, keys)`, in any order.
  static func read(
    _ query: QueryContext, _ blocks: [JoinSide.Block], _ trace: Int, _ ids: [Int],
    _ body: @Sendable @escaping (Int, JoinKeys) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    var slots = ColumnSlots()
    slots.add(.column(trace), .id128)
    for id in ids { slots.add(.column(id), .int64) }
    let columns = slots
    let contexts = query.makeContexts(slotCount: columns.references.count)
    try query.parallel(blocks.count) { (worker, number) throws(ExecutionFailure) in
      let block = blocks[number]
      let segment = query.segments[block.segment]
      let context = contexts[worker].context
      context.begin(
        rowCount: segment.rowCount(ofBlock: block.block),
        source: EvaluationContext.BlockSource(
          segment: segment, segmentIndex: block.segment, block: block.block, columns: columns.references,
          types: columns.types, meter: contexts[worker].meter))
      context.select(block.rows)
      var vectors: [Vector] = []
      for id in ids { vectors.append(try context.column(columns.slot(.column(id)) ?? 0)) }
      try body(number, JoinKeys(traces: try context.column(0), ids: vectors))
    }
    query.note(bytes: contexts.reduce(0) { $0 + $1.meter.bytes })
  }

  /// Calls `body` with the traces of the lanes, neighbours of one trace once.
  func forEachTrace(_ body: (UInt128) -> Void) {
    guard case .id128(let entries) = traces.plain.lanes else { return }
    var last: UInt128?
    for lane in entries.indices where entries[lane] != last && traces.isValid(lane) {
      last = entries[lane]
      body(entries[lane])
    }
  }

  /// Calls `body(lane, number of the trace, id)` for the lanes that have a trace and an id and whose trace `number` knows.
  /// Runs of one trace are looked up once.
  @inline(__always)
  func forEach<E: Error>(
    _ id: Int = 0, _ number: (UInt128) -> UInt32, _ body: (Int, UInt32, UInt64) throws(E) -> Void
  ) throws(E) {
    guard case .int64(let values) = ids[id].lanes else { return }
    let known = ids[id].validity
    switch traces.lanes {
    case .codes(let codes, let dictionary):
      guard case .id128(let entries) = dictionary.values else { return }
      var last: UInt32?
      var trace = IdentifierTable.none
      for lane in 0..<codes.count where traces.isValid(lane) {
        if codes[lane] != last {
          last = codes[lane]
          trace = Int(codes[lane]) < entries.count ? number(entries[Int(codes[lane])]) : IdentifierTable.none
        }
        if trace != IdentifierTable.none, known?[lane] ?? true {
          try body(lane, trace, UInt64(bitPattern: values[lane]))
        }
      }
    case .id128(let entries):
      var last: UInt128?
      var trace = IdentifierTable.none
      for lane in 0..<entries.count where traces.isValid(lane) {
        if entries[lane] != last {
          last = entries[lane]
          trace = number(entries[lane])
        }
        if trace != IdentifierTable.none, known?[lane] ?? true {
          try body(lane, trace, UInt64(bitPattern: values[lane]))
        }
      }
    default: return
    }
  }
}
