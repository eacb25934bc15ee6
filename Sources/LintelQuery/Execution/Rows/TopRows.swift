import LintelStorage

/// Keeps the first `limit` rows by sort key (all where there is no limit), ties by position.
///
/// Rows are rejected by a coarse prefix first; the others' full keys are encoded and, when twice too many have come
/// together, sorted and cut. So each kept row costs O(log) and each rejected one a comparison. Where many rows are kept they
/// are sorted in runs, which are merged at the end and may be put on disk before.
struct TopRows {
  private let limit: Int?
  private let interrupt: Interrupt
  /// Rows that came last, in no order.
  private var open = SortRun()
  private var runs: [SortRun] = []
  private var spilled: [SpilledRun] = []
  /// Of the rows in `runs`.
  private var runRows = 0
  private var runBytes = 0
  /// Rows with a greater prefix can't be among the first.
  private(set) var threshold: UInt64 = .max

  init(limit: Int?, _ interrupt: Interrupt = .never) {
    self.limit = limit.map { max(0, $0) }
    self.interrupt = interrupt
  }

  var byteCount: Int { open.byteCount + runBytes }

  /// Bytes put on disk so far.
  private(set) var spilledBytes = 0

  /// Whether the rows kept fit into one run with as many again.
  private var isSmall: Bool { limit.map { $0 < SortRun.rows / 2 - 256 } ?? false }

  /// Adds the lanes of the columns; `positions` break ties (and name the rows).
  mutating func add(_ columns: [SortColumn], positions: [UInt64]) throws(ExecutionFailure) {
    guard let first = columns.first else {
      for position in positions { try append(prefix: 0, position: position, columns: [], lane: 0) }
      return
    }
    let prefixes = first.prefixes()
    for lane in prefixes.indices {
      // A key may be long.
      if lane & (Interrupt.interval / 16 - 1) == 0 { try interrupt.check() }
      guard prefixes[lane] <= threshold else { continue }
      try append(prefix: prefixes[lane], position: positions[lane], columns: columns, lane: lane)
    }
  }

  private mutating func append(
    prefix: UInt64, position: UInt64, columns: [SortColumn], lane: Int
  ) throws(ExecutionFailure) {
    open.append(prefix: prefix, position: position) { bytes in
      // By index: a loop over the columns would copy each for every row.
      for index in columns.indices { columns[index].append(lane, to: &bytes) }
    }
    try settle()
  }

  /// Learns that rows with a greater prefix aren't among the first of all.
  mutating func lower(to prefix: UInt64) { threshold = min(threshold, prefix) }

  /// Sorts and cuts the rows that came last when they are many.
  @inline(__always)
  private mutating func settle() throws(ExecutionFailure) {
    if isSmall, let limit {
      if open.count >= limit &* 2 &+ 16 { cut(limit) }
    } else if open.count >= SortRun.rows {
      try close()
    }
  }

  private mutating func cut(_ limit: Int) {
    open.sort()
    guard open.count > limit else { return }
    open.cut(limit)
    threshold = min(threshold, open.entries.last?.prefix ?? 0)
  }

  /// Makes a run of the rows that came last.
  private mutating func close() throws(ExecutionFailure) {
    try interrupt.check()
    guard open.count > 0 else { return }
    open.sort()
    keep(open)
    open = SortRun()
    guard let limit, spilled.isEmpty, runRows - limit > max(limit, SortRun.rows) else { return }
    try cutRuns(limit)
  }

  private mutating func keep(_ run: SortRun) {
    runs.append(run)
    runRows += run.count
    runBytes += run.byteCount
  }

  private mutating func cutRuns(_ limit: Int) throws(ExecutionFailure) {
    var merge = try RunMerge(runs, [])
    runs = []
    runRows = 0
    runBytes = 0
    var next = SortRun()
    var left = limit
    var last: UInt64 = 0
    try merge.run(interrupt) { entry, run in
      guard left > 0 else { return false }
      left -= 1
      last = entry.prefix
      next.append(entry, of: run)
      if next.count == SortRun.rows {
        keep(next)
        next = SortRun()
      }
      return true
    }
    keep(next)
    threshold = min(threshold, last)
  }

  mutating func merge(_ other: TopRows) throws(ExecutionFailure) {
    for run in other.runs { keep(run) }
    spilled += other.spilled
    for entry in other.open.entries where entry.prefix <= threshold {
      open.append(entry, of: other.open)
      try settle()
    }
  }

  /// Puts all rows on disk; how many those were.
  mutating func spill(_ space: SpillSpace) throws(ExecutionFailure) -> Int {
    try close()
    guard runRows > 0 else { return 0 }
    // All runs of a thread lie in one file: a file takes two descriptors.
    let file: SpillFile
    if let last = spilled.last?.file { file = last } else { file = try Spilling.makeFile(space) }
    var run = SpilledRun(file: file)
    var frame = SortRun()
    var merge = try RunMerge(runs, [])
    runs = []
    runRows = 0
    runBytes = 0
    var left = limit ?? .max
    try merge.run(interrupt) { (entry, source) throws(ExecutionFailure) in
      guard left > 0 else { return false }
      left -= 1
      frame.append(entry, of: source)
      if frame.byteCount >= SortRun.frameBytes {
        run.frames.append(try Spilling.append(frame.encoded(), to: run.file))
        frame = SortRun()
      }
      return true
    }
    if frame.count > 0 { run.frames.append(try Spilling.append(frame.encoded(), to: run.file)) }
    spilledBytes += run.frames.reduce(0) { $0 + $1.byteCount }
    spilled.append(run)
    return (limit ?? .max) - left
  }

  /// Names the rows 0, 1, 2 .. in order; after ``finish()``, of rows that fit into one run.
  mutating func renumber() throws(ExecutionFailure) {
    var all = SortRun()
    var next: UInt64 = 0
    var merge = try RunMerge(runs + [open], spilled)
    let limit = limit ?? .max
    try merge.run(interrupt) { entry, run in
      guard next < UInt64(limit) else { return false }
      var entry = entry
      entry.position = next
      next += 1
      all.append(entry, of: run)
      return true
    }
    runs = []
    spilled = []
    runRows = 0
    runBytes = 0
    open = SortRun()
    keep(all)
  }

  /// Positions of the rows in order.
  mutating func finish() throws(ExecutionFailure) -> [UInt64] {
    if runs.isEmpty, spilled.isEmpty {
      open.sort()
      return open.entries.prefix(limit ?? open.count).map(\.position)
    }
    try close()
    var positions: [UInt64] = []
    let limit = limit ?? .max
    var merge = try RunMerge(runs, spilled)
    try merge.run(interrupt) { entry, _ in
      guard positions.count < limit else { return false }
      positions.append(entry.position)
      return true
    }
    return positions
  }
}
