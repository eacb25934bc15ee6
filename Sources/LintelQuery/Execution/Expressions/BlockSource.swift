import LintelColumns
import LintelStorage

extension EvaluationContext {
  /// A block, whose columns are read when they are first asked for.
  struct BlockSource {
    let segment: any Segment
    let segmentIndex: Int
    let block: Int
    let columns: [ColumnReference]
    let types: [PhysicalType]
    let meter: ReadMeter
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
    let column: ColumnVector
    do {
      column = try segment.read(columns[slot], block: block)
    } catch {
      throw ExecutionFailure(error, segment: segmentIndex)
    }
    return try check(slot, rowCount: rowCount, column)
  }

  /// Content in some rows, ascending, or in all; `nil` when it takes more than the bounds allow.
  func content(
    _ slot: Int, rows: [UInt32]?, rowCount: Int, _ bounds: ReadBounds, _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> Vector? {
    let column: ColumnVector?
    do {
      column = try segment.content(columns[slot], block: block, rows: rows, within: bounds)
    } catch {
      try interrupt.check()
      throw ExecutionFailure(error, segment: segmentIndex)
    }
    return try column.map { (column) throws(ExecutionFailure) in try check(slot, rowCount: rowCount, column) }
  }

  private func check(_ slot: Int, rowCount: Int, _ column: ColumnVector) throws(ExecutionFailure) -> Vector {
    let reference = columns[slot]
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
