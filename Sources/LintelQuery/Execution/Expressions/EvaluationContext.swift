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

  struct BlockSource {
    let segment: any Segment
    let segmentIndex: Int
    let block: Int
    let columns: [ColumnReference]
    let types: [PhysicalType]
    let meter: ReadMeter
  }

  /// A selection of at most a row in this many is picked out of what is in memory; for more of them all are unpacked.
  private static let sparseness = 8

  /// What ends the query; nodes that take long over a block look at it.
  let interrupt: Interrupt

  init(slotCount: Int, _ interrupt: Interrupt = .never) {
    self.interrupt = interrupt
    slots = Array(repeating: nil, count: slotCount)
    gathered = slots
    isMetered = Array(repeating: false, count: slotCount)
  }

  /// Rows that are selected: the length of every vector evaluated now.
  var count: Int { selection?.count ?? rowCount }

  /// Turns to another block (or, without source, to columns that ``preset(_:_:)`` gives), all rows selected.
  func begin(rowCount: Int, source: BlockSource?) {
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
    let vector = try source.read(slot, rowCount: rowCount)
    slots[slot] = vector
    return vector
  }

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

  /// The column's selected rows.
  func column(_ slot: Int) throws(ExecutionFailure) -> Vector {
    guard let selection else { return try full(slot) }
    if let vector = gathered[slot] { return vector }
    let vector: Vector
    if let few = try picked(slot, selection) {
      vector = few
    } else if slots[slot] == nil, let source, source.segment.isContent(source.columns[slot]) {
      meter(slot, source)
      vector = try source.read(slot, rows: selection)
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
    try interrupt.check()
    let count = count
    do {
      let found = try source.segment.contains(
        needle, in: source.columns[slot], block: source.block, rows: selection)
      guard let found, found.count == count else { return nil }
      meter(slot, source)
      return Vector(found)
    } catch {
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

/// Where a row lies in scan order.
struct RowPosition {
  let rawValue: UInt64

  init(segment: Int, row: Int) { rawValue = UInt64(segment) << 40 | UInt64(row) }
  init(rawValue: UInt64) { self.rawValue = rawValue }

  var segment: Int { Int(rawValue >> 40) }
  var row: Int { Int(rawValue & 0xFF_FFFF_FFFF) }
}

/// What one thread has read.
final class ReadMeter {
  var rows = 0
  var bytes = 0
}

extension EvaluationContext.BlockSource {
  func read(_ slot: Int, rowCount: Int) throws(ExecutionFailure) -> Vector {
    try check(slot, rowCount: rowCount) { (reference) throws(StorageError) in
      try segment.read(reference, block: block)
    }
  }

  /// The column's values in some rows, ascending.
  func read(_ slot: Int, rows: [UInt32]) throws(ExecutionFailure) -> Vector {
    try check(slot, rowCount: rows.count) { (reference) throws(StorageError) in
      try segment.read(reference, block: block, rows: rows)
    }
  }

  private func check(
    _ slot: Int, rowCount: Int, _ read: (ColumnReference) throws(StorageError) -> ColumnVector
  ) throws(ExecutionFailure) -> Vector {
    let reference = columns[slot]
    let column: ColumnVector
    do {
      column = try read(reference)
    } catch {
      throw ExecutionFailure(error, segment: segmentIndex)
    }
    guard column.count == rowCount, column.physicalType == types[slot] else {
      throw .corrupt(
        segment: segmentIndex,
        message: "\(segment.name): block \(block) of \(reference) holds \(column.count) \(column.physicalType) values, "
          + "not \(rowCount) \(types[slot])")
    }
    return Vector(column)
  }

  func packed(_ slot: Int, rowCount: Int) -> PackedVector? {
    guard let packed = segment.packed(columns[slot], block: block), packed.count == rowCount else { return nil }
    return packed.physicalType == types[slot] ? packed : nil
  }

  func picked(_ slot: Int, _ rows: [UInt32]) throws(ExecutionFailure) -> Vector? {
    do throws(StorageError) {
      guard let picked = try segment.picked(columns[slot], block: block, rows: rows), picked.count == rows.count,
        picked.physicalType == types[slot]
      else { return nil }
      return Vector(picked)
    } catch {
      throw ExecutionFailure(error, segment: segmentIndex)
    }
  }
}
