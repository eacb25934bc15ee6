internal import LintelColumns

/// Strings (or encoded variants) of the rows that have one.
struct SparseText {
  private(set) var rows: [UInt32] = []
  private var lane = TextLane()

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer, row: UInt32) {
    rows.append(row)
    lane.append(bytes)
  }

  mutating func append(_ bytes: [UInt8], row: UInt32) { bytes.withUnsafeBytes { append($0, row: row) } }

  func values() -> ColumnVector { lane.finish() }
  func column(rowCount: Int) -> ColumnVector { lane.finish(rows: rows, rowCount: rowCount) }
}

/// Integers of the rows that have one.
struct SparseInt {
  private(set) var rows: [UInt32] = []
  private(set) var lanes: [Int64] = []

  @inline(__always)
  mutating func append(_ value: Int64, row: UInt32) {
    rows.append(row)
    lanes.append(value)
  }

  func column(rowCount: Int) -> ColumnVector {
    if rows.count == rowCount { return ColumnVector(.int64(lanes)) }
    var dense = [Int64](repeating: 0, count: rowCount)
    for (row, value) in zip(rows, lanes) { dense[Int(row)] = value }
    return ColumnVector(.int64(dense), validity: validityBitmap(rows, rowCount: rowCount))
  }

  /// As a column without nulls, 0 in the other rows.
  func columnOrZero(rowCount: Int) -> ColumnVector {
    var column = column(rowCount: rowCount)
    column.validity = nil
    return column
  }
}

/// Doubles of the rows that have one, bit for bit.
struct SparseDouble {
  private(set) var rows: [UInt32] = []
  private(set) var lanes: [Double] = []

  @inline(__always)
  mutating func append(_ value: Double, row: UInt32) {
    rows.append(row)
    lanes.append(value)
  }
}

/// Booleans of the rows that have one.
struct SparseBool {
  private(set) var rows: [UInt32] = []
  private(set) var lanes: [Bool] = []

  @inline(__always)
  mutating func append(_ value: Bool, row: UInt32) {
    rows.append(row)
    lanes.append(value)
  }
}

/// Codes of a column whose values are few and shared by many rows; `TextCodes.null` where there is none.
///
/// Kept in dictionary form whatever the counts: a resource's attributes stand here once, however many spans it has.
struct TextCodes {
  static let null = UInt32.max

  var table = ByteTable()
  var codes: [UInt32] = []

  func column() -> ColumnVector { Self.column(codes: codes, table: table) }

  static func column(codes: [UInt32], table: ByteTable) -> ColumnVector {
    guard table.count > 0 else { return ColumnVector.nulls(.bytes, count: codes.count) }
    let dictionary = ValueDictionary(.bytes(table.values))
    guard codes.contains(null) else { return ColumnVector(.codes(codes, dictionary)) }
    var lanes = codes
    var validity = Bitmap(repeating: true, count: codes.count)
    for row in lanes.indices where lanes[row] == null {
      lanes[row] = 0
      validity[row] = false
    }
    return ColumnVector(.codes(lanes, dictionary), validity: validity)
  }
}
