import LintelColumns

/// Hash tables of one kind, between which the hashes of the values decide (``MemberSet/table(_:_:)``).
protocol MemberTables: Sendable {
  associatedtype Table

  var tables: [Table] { get }
  func byteCount(_ table: Table) -> Int
  /// Calls `body` with the hash of each lane of a stretch, and what puts its value into a table.
  func forEach(_ part: Vector, _ stretch: Range<Int>, _ body: (_ lane: Int, UInt64, (Table) -> Void) -> Void)
}

struct IntegerTables: MemberTables {
  let tables: [NumberInterner]

  func byteCount(_ table: NumberInterner) -> Int { table.byteCount }

  @inline(__always)
  func forEach(_ part: Vector, _ stretch: Range<Int>, _ body: (Int, UInt64, (NumberInterner) -> Void) -> Void) {
    guard case .int64(let lanes) = part.lanes else { return }
    for lane in stretch {
      let bits = UInt64(bitPattern: lanes[lane])
      body(lane, ValueHash.mix(bits)) { _ = $0.intern(bits) }
    }
  }
}

/// Of bits of doubles: one zero, and no NaN.
struct DoubleTables: MemberTables {
  let tables: [NumberInterner]

  func byteCount(_ table: NumberInterner) -> Int { table.byteCount }

  @inline(__always)
  func forEach(_ part: Vector, _ stretch: Range<Int>, _ body: (Int, UInt64, (NumberInterner) -> Void) -> Void) {
    guard case .float64(let lanes) = part.lanes else { return }
    for lane in stretch {
      let number = ValueHash.canonical(lanes[lane])
      body(lane, ValueHash.mix(number.bitPattern)) { if !number.isNaN { _ = $0.intern(number.bitPattern) } }
    }
  }
}

struct IdTables: MemberTables {
  let tables: [IdentifierTable]

  func byteCount(_ table: IdentifierTable) -> Int { table.byteCount }

  @inline(__always)
  func forEach(_ part: Vector, _ stretch: Range<Int>, _ body: (Int, UInt64, (IdentifierTable) -> Void) -> Void) {
    guard case .id128(let lanes) = part.lanes else { return }
    for lane in stretch { body(lane, ValueHash.hash(lanes[lane])) { _ = $0.intern(lanes[lane]) } }
  }
}

struct StringTables: MemberTables {
  let tables: [WideValues]

  func byteCount(_ table: WideValues) -> Int { table.byteCount }

  @inline(__always)
  func forEach(_ part: Vector, _ stretch: Range<Int>, _ body: (Int, UInt64, (WideValues) -> Void) -> Void) {
    part.withBytes { view in
      for lane in stretch {
        let hash = ValueHash.hash(view[lane])
        body(lane, hash) { _ = $0.intern(view[lane], hash) }
      }
    }
  }
}

/// Fills hash tables with the values of many lanes, on a query's threads and under its limits.
struct Filling: Sendable {
  let interrupt: Interrupt
  /// `nil` where there is one thread, and no limit of memory.
  private let query: QueryContext?

  /// Lanes up to which one table will do.
  private static let oneTableLanes = 1 << 16
  /// Lanes between two looks at the query.
  private static let stretch = Interrupt.interval / 4

  init(_ interrupt: Interrupt) {
    self.interrupt = interrupt
    query = nil
  }

  init(_ query: QueryContext) {
    interrupt = query.interrupt
    self.query = query
  }

  /// How many tables so many lanes are worth: a power of two.
  func tables(of lanes: Int) -> Int {
    guard let query, lanes > Self.oneTableLanes else { return 1 }
    var tables = 1
    while tables < min(query.threads, 64) { tables *= 2 }
    return tables
  }

  /// Puts every valid lane into the table of its hash. All threads note the table of each lane; then each table is filled by
  /// one of them.
  func fill(_ parts: [Vector], _ members: some MemberTables) throws(ExecutionFailure) {
    let count = members.tables.count
    let tasks = parts.enumerated().flatMap { number, part in
      stride(from: 0, to: part.count, by: Self.stretch).map {
        (part: number, lanes: $0..<min($0 + Self.stretch, part.count))
      }
    }
    let chosen = ChosenTables(count > 1 ? parts.map(\.count) : [])
    try query?.reserve(chosen.byteCount)
    if count > 1 {
      try each(tasks.count) { (number) throws(ExecutionFailure) in
        let task = tasks[number]
        let out = chosen.part(task.part)
        members.forEach(parts[task.part], task.lanes) { lane, hash, _ in
          out[lane] = UInt8(truncatingIfNeeded: MemberSet.table(hash, count))
        }
      }
    }
    try each(count) { (number) throws(ExecutionFailure) in
      let table = members.tables[number]
      var reserved = 0
      for task in tasks {
        try interrupt.check()
        let validity = parts[task.part].validity
        let tables = count > 1 ? chosen.part(task.part) : nil
        members.forEach(parts[task.part], task.lanes) { lane, _, put in
          if let tables, Int(tables[lane]) != number { return }
          if validity?[lane] ?? true { put(table) }
        }
        let bytes = members.byteCount(table)
        try query?.reserve(bytes - reserved)
        reserved = bytes
      }
    }
    // What grew last may have seen the end of the query.
    try interrupt.check()
    _ = query?.account(-chosen.byteCount)
  }

  private func each(
    _ count: Int, _ body: @Sendable @escaping (Int) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    guard let query else {
      for number in 0..<count { try body(number) }
      return
    }
    try query.parallel(count) { (_, number) throws(ExecutionFailure) in try body(number) }
  }
}

/// The table of each lane of several parts, which threads write each in its own places.
private final class ChosenTables: @unchecked Sendable {
  private let tables = StateBuffer<UInt8>(0)
  private let starts: [Int]

  init(_ counts: [Int]) {
    var starts: [Int] = []
    var total = 0
    for count in counts {
      starts.append(total)
      total += count
    }
    self.starts = starts
    tables.reserve(total)
  }

  var byteCount: Int { tables.byteCount }

  func part(_ number: Int) -> UnsafeMutablePointer<UInt8> { tables.pointer + starts[number] }
}
