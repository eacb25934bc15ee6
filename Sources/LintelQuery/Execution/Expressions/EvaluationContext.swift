import LintelColumns
import LintelStorage

/// What expressions are evaluated over: the columns of one block, of a dictionary, or of finished groups, seen through
/// a selection of rows. One per thread; columns are read when first asked for.
final class EvaluationContext {
  /// Full columns by slot, read so far.
  private var slots: [Vector?]
  /// Rows to evaluate, ascending; `nil` means all.
  private(set) var selection: [UInt32]?
  private(set) var rowCount = 0
  private var gathered: [Vector?]
  private var source: BlockSource?
  /// Slots whose bytes the block's meter has counted.
  private var isMetered: [Bool]
  private let memory: ContentMemoryUse?
  private var slicing: Slicing?
  /// Rows whose content is likely to be read at once without taking too much memory.
  private var rowsAtOnce = 256

  private struct Slicing {
    /// Rows can be left for later.
    var canStop: Bool
    /// Whether what is read is let go of behind the slice.
    var isPassing: Bool
    /// Bytes of content read.
    var bytes = 0
  }

  /// A selection of at most a row in this many is picked out of what is in memory; for more of them all are unpacked.
  private static let sparseness = 8

  /// What ends the query; nodes that take long over a block look at it.
  let interrupt: Interrupt

  /// - Parameter memory: accounts for content that is read.
  init(slotCount: Int, _ interrupt: Interrupt = .never, memory: ContentMemoryUse? = nil) {
    self.interrupt = interrupt
    self.memory = memory
    slots = Array(repeating: nil, count: slotCount)
    gathered = slots
    isMetered = Array(repeating: false, count: slotCount)
  }

  /// Rows that are selected: the length of every vector evaluated now.
  var count: Int { selection?.count ?? rowCount }

  /// Turns to another block (or, without source, to columns that ``preset(_:_:)`` gives), all rows selected.
  func begin(rowCount: Int, source: BlockSource?) {
    memory?.release()
    for index in slots.indices {
      slots[index] = nil
      gathered[index] = nil
      isMetered[index] = false
    }
    self.rowCount = rowCount
    self.source = source
    selection = nil
  }

  func preset(_ slot: Int, _ vector: Vector) { slots[slot] = vector }

  /// Whether each text passes.
  ///
  /// - Parameter bytes: so much is gone through between two looks at the interrupt.
  @inline(__always)
  func flags(
    _ texts: Vector, lookingAfter bytes: Int, _ passes: (UnsafeBufferPointer<UInt8>) -> Bool
  ) throws(ExecutionFailure) -> [Bool] {
    let count = texts.count
    let interrupt = interrupt
    let flags = texts.withBytes { view in
      [Bool](unsafeUninitializedCapacity: count) { out, initialized in
        var left = bytes
        var lane = 0
        while lane < count {
          let text = view[lane]
          out[lane] = passes(text)
          lane &+= 1
          left &-= text.count &+ 8
          if left < 0 {
            if interrupt.isRaised { break }
            left = bytes
          }
        }
        initialized = lane
      }
    }
    if flags.count < count { try interrupt.check() }
    return flags
  }

  func select(_ rows: [UInt32]?) {
    selection = rows
    for index in gathered.indices { gathered[index] = nil }
  }

  /// The whole column, whatever is selected.
  func full(_ slot: Int) throws(ExecutionFailure) -> Vector {
    if let vector = slots[slot] { return vector }
    guard let source else { return .nulls(.int64, count: rowCount) }
    meter(slot, source)
    let vector: Vector
    if source.segment.isContent(source.columns[slot]) {
      vector = try content(slot, source, nil)
    } else {
      vector = try source.read(slot, rowCount: rowCount)
    }
    slots[slot] = vector
    return vector
  }

  /// Values that are put together from the content store, of some rows or of all.
  private func content(
    _ slot: Int, _ source: BlockSource, _ rows: [UInt32]?
  ) throws(ExecutionFailure) -> Vector {
    let limit = slicing?.canStop ?? false ? sliceBytes : memory?.mostBytes ?? Int(UInt32.max)
    let bounds = ReadBounds(bytes: limit) { [interrupt] in interrupt.isRaised }
    guard let vector = try source.content(slot, rows: rows, rowCount: rows?.count ?? rowCount, bounds, interrupt) else {
      if slicing?.canStop ?? false { throw .tooMuchAtOnce }
      throw .query(QueryError(.limitExceeded, Self.tooMuchContent))
    }
    slicing?.bytes += vector.byteCount
    let isHeld = !(slicing?.isPassing ?? false) || vector.byteCount > sliceBytes
    if isHeld { try memory?.hold(vector.byteCount) }
    return vector
  }

  static let tooMuchContent =
    "the content of some rows takes more memory than the query may use: narrow the filter, use LIMIT, or raise the limit"

  /// Bytes of content that are put together at once.
  private var sliceBytes: Int { memory?.sliceBytes ?? ContentMemoryUse.mostAtOnce }

  /// Evaluates what reads content, over as few rows at a time that they take a bounded share of the query's memory.
  func sliced(
    _ type: PhysicalType, _ body: () throws(ExecutionFailure) -> Vector
  ) throws(ExecutionFailure) -> Vector {
    guard slicing == nil, source != nil, count > 0 else { return try body() }
    try memory?.hold(sliceBytes)
    defer { memory?.giveBack(sliceBytes) }
    defer { slicing = nil }
    let count = count
    var parts: [Vector] = []
    var bytes = 0
    var start = 0
    var size = rowsAtOnce
    while start < count {
      try interrupt.check()
      let end = min(start &+ size, count)
      let isAll = start == 0 && end == count
      slicing = Slicing(canStop: end - start > 1, isPassing: !isAll)
      do throws(ExecutionFailure) {
        let part: Vector
        if isAll {
          part = try body()
        } else {
          part = try narrowed(to: (start..<end).map { UInt32(truncatingIfNeeded: $0) }, body)
        }
        let read = slicing?.bytes ?? 0
        bytes += part.byteCount
        if type == .bytes, !isAll {
          guard bytes <= Int(UInt32.max) else { throw .query(QueryError(.limitExceeded, Self.tooMuchContent)) }
          try memory?.hold(part.byteCount)
        }
        parts.append(part)
        // Half of what there is room for, four times as many at most.
        let likely = sliceBytes / 2 / max(1, read / (end - start))
        size = min(max(1, likely), 4 * (end - start), 1 << 20)
        rowsAtOnce = max(size, 16)
        start = end
      } catch {
        guard case .tooMuchAtOnce = error else { throw error }
        size = max(1, (end - start) / 4)
      }
    }
    return try Vector.concatenate(parts, type, interrupt)
  }

  /// Accounts no longer for content: whoever has it does.
  func releaseContent() { memory?.release() }

  private func meter(_ slot: Int, _ source: BlockSource) {
    guard !isMetered[slot] else { return }
    isMetered[slot] = true
    source.meter.bytes += source.segment.storedBytes(source.columns[slot], block: source.block)
  }

  /// The whole column as packed lanes, where all rows are selected, it hasn't been read yet, and is at hand that way.
  func packed(_ slot: Int) -> PackedVector? {
    guard selection == nil, slots[slot] == nil, let source, let packed = source.packed(slot, rowCount: rowCount) else {
      return nil
    }
    meter(slot, source)
    return packed
  }

  /// The column's values of a few rows, where they can be had without the others.
  private func picked(_ slot: Int, _ rows: [UInt32]) throws(ExecutionFailure) -> Vector? {
    guard rows.count &* Self.sparseness <= rowCount, slots[slot] == nil, let source,
      let picked = try source.picked(slot, rows)
    else { return nil }
    meter(slot, source)
    return picked
  }

  /// Whether the block is known to have no value of a column.
  func isAbsent(_ slot: Int) -> Bool {
    guard slots[slot] == nil, let source,
      let statistics = source.segment.statistics(source.columns[slot], block: source.block)
    else { return false }
    return statistics.nullCount == statistics.rowCount
  }

  /// The column's selected rows.
  func column(_ slot: Int) throws(ExecutionFailure) -> Vector {
    guard let selection else { return try full(slot) }
    if let vector = gathered[slot] { return vector }
    let vector: Vector
    if let few = try picked(slot, selection) {
      vector = few
    } else if slots[slot] == nil, let source, source.segment.isContent(source.columns[slot]) {
      meter(slot, source)
      vector = try content(slot, source, selection)
    } else {
      vector = try full(slot).gather(selection)
    }
    gathered[slot] = vector
    return vector
  }

  /// Whether the column's selected rows hold some bytes, where that can be told without their values; those are large.
  func contains(_ needle: [UInt8], _ slot: Int) throws(ExecutionFailure) -> Vector? {
    guard slots[slot] == nil, gathered[slot] == nil, let source, source.segment.isContent(source.columns[slot]) else {
      return nil
    }
    let count = count
    let bounds = ReadBounds(bytes: sliceBytes) { [interrupt] in interrupt.isRaised }
    do {
      let found = try source.segment.contains(
        needle, in: source.columns[slot], block: source.block, rows: selection, within: bounds)
      guard let found, found.count == count else { return nil }
      meter(slot, source)
      return Vector(found)
    } catch {
      try interrupt.check()
      throw ExecutionFailure(error, segment: source.segmentIndex)
    }
  }

  /// Runs `body` with only the lanes `lanes` of the present selection selected.
  func narrowed<R>(to lanes: [UInt32], _ body: () throws(ExecutionFailure) -> R) throws(ExecutionFailure) -> R {
    let outer = selection
    let outerGathered = gathered
    select(outer.map { Vector.gather($0, lanes) } ?? lanes)
    defer {
      selection = outer
      gathered = outerGathered
    }
    return try body()
  }

  /// Scan positions of the selected rows.
  func positions() -> [UInt64] {
    guard let source else { return (0..<count).map { UInt64($0) } }
    let base = RowPosition(
      segment: source.segmentIndex, row: source.block * source.segment.blockRows
    ).rawValue
    if let selection { return mapLanes(selection) { base &+ UInt64($0) } }
    return makeLanes(rowCount) { base &+ UInt64(truncatingIfNeeded: $0) }
  }
}
