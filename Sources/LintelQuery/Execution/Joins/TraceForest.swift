import LintelColumns
import LintelStorage
import Synchronization

/// The parents of the rows of whole traces, to go up from rows of the lower side to those of the upper one.
///
/// Only traces that have rows of both sides are read. Ids, not rows, are the nodes: a chain goes on through every row that
/// has the id, whatever filters say, and ends where no row has it. An id may have several parents (rows stored twice with
/// different contents) and chains may be circular, so that every walk marks where it has been.
struct TraceForest {
  private let query: QueryContext
  private let keyColumns: TraceJoin.Keys
  /// The upper side's rows; its keys are the nodes, those of upper rows first.
  private let index: RowIndex
  private let lower: JoinSide
  private let lowerKeys: KeyBlocks
  /// Parents of node `n`: `parents[starts[n] ..< starts[n + 1]]`.
  private var starts: [UInt32] = []
  private var parents: [UInt32] = []

  init(
    _ query: QueryContext, _ keyColumns: TraceJoin.Keys, upper: JoinSide, lower: JoinSide
  ) throws(ExecutionFailure) {
    self.query = query
    self.keyColumns = keyColumns
    self.lower = lower
    index = try RowIndex(query, upper, keyColumns, id: keyColumns.row)
    lowerKeys = try KeyBlocks(query, lower, keyColumns.trace, [keyColumns.parent])
    try readParents(of: try sharedTraces())
  }

  /// Traces up to which their rows are looked up instead of going through all.
  private static let fewTraces = 1024

  /// For each trace of the upper side whether the lower one has rows in it, too.
  private func sharedTraces() throws(ExecutionFailure) -> [Bool] {
    var shared = Array(repeating: false, count: index.traces.count)
    for block in lowerKeys.blocks {
      try query.check()
      block.keys.forEach(0, index.traces.find) { _, trace, _ in shared[Int(trace)] = true }
    }
    return shared
  }

  private mutating func readParents(of traces: [Bool]) throws(ExecutionFailure) {
    let (query, index) = (query, index)
    var filter: Expression?
    var members: [MemberSet] = []
    if query.options.usePruning, traces.count(where: \.self) <= Self.fewTraces {
      let shared = index.traces.keys.filter { traces[Int(index.traces.find($0))] }
      members.append(try MemberSet(rows: Vector(.id128(shared)), query.interrupt))
      filter = .inSubquery(.column(keyColumns.trace, .id16), 0)
    }
    let all = try JoinSide(query, filter: filter, subqueries: members)
    let found = Results<[Link]>(count: all.blocks.count)
    try JoinKeys.read(
      query, all.blocks, keyColumns.trace, [keyColumns.parent, keyColumns.row]
    ) { (number, keys) throws(ExecutionFailure) in
      guard case .int64(let rows) = keys.ids[1].lanes else { return }
      var links: [Link] = []
      let known: (UInt128) -> UInt32 = { id in
        let trace = index.traces.find(id)
        return trace != IdentifierTable.none && traces[Int(trace)] ? trace : IdentifierTable.none
      }
      keys.forEach(0, known) { lane, trace, parent in
        guard keys.ids[1].isValid(lane) else { return }
        links.append(Link(trace: trace, row: UInt64(bitPattern: rows[lane]), parent: parent))
      }
      try query.reserve(links.count * MemoryLayout<Link>.stride)
      found.put(links, at: number)
    }
    try connect(found.all)
  }

  /// A row and its parent.
  private struct Link: Sendable {
    let trace: UInt32
    let row: UInt64
    let parent: UInt64
  }

  private mutating func connect(_ links: [[Link]]) throws(ExecutionFailure) {
    var edges: [(row: UInt32, parent: UInt32)] = []
    let count = links.reduce(0) { $0 + $1.count }
    try query.reserve(count * 16)
    edges.reserveCapacity(count)
    for (number, link) in links.joined().enumerated() {
      if number & (Interrupt.interval / 2 - 1) == 0 {
        try query.check()
        try index.reserveTables(query)
      }
      let row = index.keys.intern(RowIndex.key(link.trace, link.row))
      edges.append((row, index.keys.intern(RowIndex.key(link.trace, link.parent))))
    }
    try query.check()
    try index.reserveTables(query)
    // Each thread's walks have marks, one a node.
    try query.reserve(index.keys.count * (16 + 4 * query.threads))
    let (order, starts) = try query.interrupt.byGroup(edges.count, groups: index.keys.count) { edges[$0].row }
    self.starts = try query.interrupt.mapLanes(starts) { UInt32(truncatingIfNeeded: $0) }
    parents = try query.interrupt.mapLanes(order) { edges[Int($0)].parent }
  }

  // MARK: Walks

  /// One pair for every row of the upper side above a row of the lower one.
  func pairs(upperIsLeft: Bool) throws(ExecutionFailure) -> [RowPairs] {
    let found = Results<RowPairs>(count: lowerKeys.blocks.count)
    let marks = Mutex([Int: WalkMarks]())
    let forest = self
    try query.parallel(lowerKeys.blocks.count) { (worker, number) throws(ExecutionFailure) in
      let walk = marks.withLock { marks in
        let walk = marks[worker] ?? WalkMarks(forest.starts.count)
        marks[worker] = walk
        return walk
      }
      var pairs = RowPairs()
      let block = forest.lowerKeys.blocks[number]
      try block.keys.forEach(0, forest.index.traces.find) { (lane, trace, parent) throws(ExecutionFailure) in
        let start = forest.index.keys.find(RowIndex.key(trace, parent))
        guard start != IdentifierTable.none else { return }
        let row = UInt32(truncatingIfNeeded: block.first + lane)
        try forest.walk(from: start, walk) { (upper) throws(ExecutionFailure) in
          try pairs.append(upperIsLeft ? upper : row, upperIsLeft ? row : upper, forest.query)
        }
      }
      try pairs.reserve(forest.query)
      found.put(pairs, at: number)
    }
    return found.all
  }

  /// Visits a node and all above it, each once.
  private func walk(
    from start: UInt32, _ walk: WalkMarks, _ body: (UInt32) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    walk.begin()
    walk.visit(start)
    while let node = walk.next() {
      try index.forEachRow(of: node, body)
      for edge in starts[Int(node)]..<starts[Int(node) + 1] { walk.visit(parents[Int(edge)]) }
      walk.steps += 1
      if walk.steps & 0xFFFF == 0 { try query.check() }
    }
  }
}

/// Where the walks of one thread have been.
private final class WalkMarks: @unchecked Sendable {
  private let marks: UnsafeMutablePointer<UInt32>
  private let nodeCount: Int
  private var number: UInt32 = 0
  private var pending: [UInt32] = []
  var steps = 0

  init(_ nodeCount: Int) {
    self.nodeCount = nodeCount
    marks = Memory.zeros(nodeCount)
  }

  deinit { Memory.freeZeros(marks, nodeCount) }

  func begin() {
    if number == .max {
      for node in 0..<nodeCount { marks[node] = 0 }
      number = 0
    }
    number += 1
  }

  func visit(_ node: UInt32) {
    guard marks[Int(node)] != number else { return }
    marks[Int(node)] = number
    pending.append(node)
  }

  func next() -> UInt32? { pending.popLast() }
}
