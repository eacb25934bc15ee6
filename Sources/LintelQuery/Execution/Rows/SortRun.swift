import Glibc
import LintelStorage

/// Rows with their sort keys, in order once ``sort()`` has been called.
///
/// A key is compared by its first eight bytes, then as a whole, then by the row's position, so that no two rows are equal.
struct SortRun: Sendable {
  struct Entry: BitwiseCopyable {
    var prefix: UInt64
    var position: UInt64
    var start: Int
    var length: Int
  }

  /// Rows of one run in memory: few enough to be sorted between two looks at the interrupt.
  static let rows = Interrupt.interval

  private(set) var entries: [Entry] = []
  private(set) var bytes: [UInt8] = []

  var count: Int { entries.count }

  var byteCount: Int { entries.count * MemoryLayout<Entry>.stride + bytes.count }

  @inline(__always)
  mutating func append(prefix: UInt64, position: UInt64, _ key: (inout [UInt8]) -> Void) {
    let start = bytes.count
    key(&bytes)
    entries.append(Entry(prefix: prefix, position: position, start: start, length: bytes.count - start))
  }

  /// Appends a row of another run.
  mutating func append(_ entry: Entry, of other: SortRun) {
    let start = bytes.count
    bytes += other.bytes[entry.start..<entry.start + entry.length]
    entries.append(Entry(prefix: entry.prefix, position: entry.position, start: start, length: entry.length))
  }

  mutating func sort() {
    bytes.withUnsafeBytes { bytes in
      entries.sort { Self.precedes($0, bytes, $1, bytes) }
    }
  }

  /// Keeps the first `limit` rows.
  mutating func cut(_ limit: Int) {
    guard count > limit else { return }
    var kept = SortRun()
    for entry in entries.prefix(limit) { kept.append(entry, of: self) }
    self = kept
  }

  @inline(__always)
  static func precedes(
    _ left: Entry, _ leftBytes: UnsafeRawBufferPointer, _ right: Entry, _ rightBytes: UnsafeRawBufferPointer
  ) -> Bool {
    if left.prefix != right.prefix { return left.prefix < right.prefix }
    if let a = leftBytes.baseAddress, let b = rightBytes.baseAddress {
      let order = memcmp(a + left.start, b + right.start, min(left.length, right.length))
      if order != 0 { return order < 0 }
    }
    if left.length != right.length { return left.length < right.length }
    return left.position < right.position
  }
}

extension SortRun {
  // MARK: On disk

  /// Bytes of a run's rows that are put down together.
  static let frameBytes = 1 << 18

  /// `count:u32`, then for each row `prefix:u64, position:u64, length:u32, key`.
  func encoded() -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(4 + entries.count * 20 + bytes.count)
    func append<Number: FixedWidthInteger>(_ number: Number) {
      withUnsafeBytes(of: number.littleEndian) { out.append(contentsOf: $0) }
    }
    append(UInt32(truncatingIfNeeded: entries.count))
    for entry in entries {
      append(entry.prefix)
      append(entry.position)
      append(UInt32(truncatingIfNeeded: entry.length))
      out += bytes[entry.start..<entry.start + entry.length]
    }
    return out
  }

  /// `nil` when the bytes are no run.
  init?(encoded: [UInt8]) {
    var rest = encoded[...]
    func take<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
      let size = MemoryLayout<Number>.size
      guard rest.count >= size else { return nil }
      let number = rest.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(as: Number.self)) }
      rest = rest.dropFirst(size)
      return number
    }
    guard let count = take(UInt32.self) else { return nil }
    for _ in 0..<count {
      guard let prefix = take(UInt64.self), let position = take(UInt64.self), let length = take(UInt32.self),
        Int(length) <= rest.count
      else { return nil }
      append(prefix: prefix, position: position) { $0 += rest.prefix(Int(length)) }
      rest = rest.dropFirst(Int(length))
    }
    guard rest.isEmpty else { return nil }
  }
}

/// A sorted run on disk, in frames.
struct SpilledRun: Sendable {
  let file: SpillFile
  var frames: [SpillFile.Extent] = []
}

/// Where the merging of runs stands in one of them.
struct RunCursor {
  private(set) var run: SortRun
  private(set) var index = 0
  private var spilled: SpilledRun?
  private var nextFrame = 0

  init(_ run: SortRun) { self.run = run }

  init(_ spilled: SpilledRun) throws(ExecutionFailure) {
    run = SortRun()
    self.spilled = spilled
    try load()
  }

  var isAtEnd: Bool { index >= run.count }

  var entry: SortRun.Entry { run.entries[index] }

  mutating func advance() throws(ExecutionFailure) {
    index += 1
    if isAtEnd { try load() }
  }

  private mutating func load() throws(ExecutionFailure) {
    guard let spilled, nextFrame < spilled.frames.count else { return }
    let bytes = try Spilling.read(spilled.file, spilled.frames[nextFrame])
    guard let run = SortRun(encoded: bytes) else { throw Spilling.damaged() }
    nextFrame += 1
    self.run = run
    index = 0
  }
}

/// Goes through sorted runs in order.
struct RunMerge {
  private var cursors: [RunCursor] = []
  /// A heap of the cursors by their rows: what decides nearly always lies here.
  private var heap: [Head] = []

  private struct Head: BitwiseCopyable {
    var prefix: UInt64
    let cursor: Int
  }

  init(_ runs: [SortRun], _ spilled: [SpilledRun]) throws(ExecutionFailure) {
    for run in runs where run.count > 0 { cursors.append(RunCursor(run)) }
    for run in spilled {
      let cursor = try RunCursor(run)
      if !cursor.isAtEnd { cursors.append(cursor) }
    }
    heap = cursors.enumerated().map { Head(prefix: $1.entry.prefix, cursor: $0) }
    for place in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(place) }
  }

  /// Calls `body` with the rows in order, until it says that it has enough.
  mutating func run(
    _ interrupt: Interrupt, _ body: (SortRun.Entry, SortRun) throws(ExecutionFailure) -> Bool
  ) throws(ExecutionFailure) {
    var steps = 0
    while let head = heap.first {
      if steps & (Interrupt.interval / 4 - 1) == 0 { try interrupt.check() }
      steps &+= 1
      guard try body(cursors[head.cursor].entry, cursors[head.cursor].run) else { return }
      try cursors[head.cursor].advance()
      if cursors[head.cursor].isAtEnd {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
      } else {
        heap[0].prefix = cursors[head.cursor].entry.prefix
      }
      if heap.count > 1 { sink(0) }
    }
  }

  private mutating func sink(_ start: Int) {
    var place = start
    while true {
      var least = place
      // No array of the two: this runs for every row.
      var child = 2 * place + 1
      while child < min(2 * place + 3, heap.count) {
        if precedes(heap[child], heap[least]) { least = child }
        child += 1
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }

  @inline(__always)
  private func precedes(_ left: Head, _ right: Head) -> Bool {
    left.prefix != right.prefix ? left.prefix < right.prefix : isBefore(left.cursor, right.cursor)
  }

  @inline(never)
  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    cursors[left].run.bytes.withUnsafeBytes { leftBytes in
      cursors[right].run.bytes.withUnsafeBytes { rightBytes in
        SortRun.precedes(cursors[left].entry, leftBytes, cursors[right].entry, rightBytes)
      }
    }
  }
}
