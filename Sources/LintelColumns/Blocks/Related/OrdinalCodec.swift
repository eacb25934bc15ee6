/// Ids that name another row of the same run (the parent of a span, within its trace) as that row's place in the run.
///
///     ordinals := runs:reference, ids:varint (column), integers (one ordinal a valid row), exceptions
///
/// An ordinal counts from the run's first row in the block; the value is the id of the row it leads to. Rows whose value
/// isn't found in their run (a parent in another part or block, an orphan) are exceptions; their ordinal is 0.
enum OrdinalCodec {
  /// Runs up to this long are searched from end to end, longer ones through a table.
  private static let searchedRun = 24

  /// Appends the body, unless more than one value in four isn't found.
  /// - Parameters:
  ///   - values: Of the valid rows.
  ///   - rows: The row of each value.
  ///   - ids: One a row of the block.
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, rows: [UInt32], runs: RowKeys, ids: [Int64], reference: BlockReference,
    idColumn: Int, into out: inout [UInt8]
  ) -> Bool {
    guard ids.count == runs.keys.count, !values.isEmpty else { return false }
    let starts = runStarts(runs)
    var finder = RowFinder(ids)
    return withScratch(of: Int64.self, count: values.count) { ordinals in
      var wrong = 0
      for index in 0..<values.count {
        let run = Int(runs.keys[Int(rows[index])])
        let (start, end) = (Int(starts[run]), Int(starts[run + 1]))
        let found = finder.row(values[index], start, end, searched: searchedRun)
        ordinals[index] = found < 0 ? 0 : Int64(found - start)
        if ids[start + Int(ordinals[index])] != values[index] { wrong += 1 }
      }
      guard wrong <= values.count / 4 else { return false }
      reference.write(into: &out)
      out.append(varint: UInt64(idColumn))
      IntegerEncoder.encode(UnsafeBufferPointer(ordinals), effort: .compact, into: &out)
      BlockExceptions.encode(values, count: wrong, into: &out) { index in
        ids[Int(starts[Int(runs.keys[Int(rows[index])])]) + Int(ordinals[index])]
      }
      return true
    }
  }

  /// The first row of each run, and the number of rows.
  private static func runStarts(_ runs: RowKeys) -> [UInt32] {
    var starts = [UInt32](repeating: UInt32(truncatingIfNeeded: runs.keys.count), count: runs.count + 1)
    for row in stride(from: runs.keys.count - 1, through: 0, by: -1) {
      starts[Int(runs.keys[row])] = UInt32(truncatingIfNeeded: row)
    }
    return starts
  }

  /// A lane for each row, 0 where it is null.
  static func decodeLanes(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, _ validity: Bitmap?, rowCount: Int
  ) throws(ColumnError) -> [Int64] {
    let links = try decodeLinks(&reader, related, validity, rowCount: rowCount)
    return try links.lanes(related.integers(links.idColumn))
  }

  /// Where each row's value is found among the ids.
  static func decodeLinks(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, _ validity: Bitmap?, rowCount: Int
  ) throws(ColumnError) -> Links {
    let reference = try BlockReference(&reader)
    let runs = try related.keys(reference)
    let idColumn = try BlockReference.readColumn(&reader)
    guard reference.kind == .runs, runs.keys.count == rowCount else {
      throw ColumnError(.malformed, "ordinals without their runs")
    }
    // Null rows get ordinal 0, which leads to a row of the block as well.
    var steps: [Int64] = try validLanes(rowCount, validity, zero: 0) { (out) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: out)
    }
    let starts = runStarts(runs)
    var isInRange = true
    steps.withUnsafeMutableBufferPointer { lanes in
      runs.keys.withUnsafeBufferPointer { keys in
        starts.withUnsafeBufferPointer { starts in
          for row in 0..<lanes.count {
            let place = Int64(starts[Int(keys[row])]) &+ lanes[row]
            if place < 0 || place >= Int64(rowCount) { isInRange = false }
            lanes[row] = Int64(row) &- place
          }
        }
      }
    }
    guard isInRange else { throw ColumnError(.malformed, "an ordinal leads out of the block") }
    let exceptions: BlockExceptions.Found<Int64> = try BlockExceptions.read(&reader, validity, rowCount: rowCount)
    return Links(idColumn: idColumn, steps: steps, exceptions: exceptions, validity: validity)
  }

  struct Links {
    /// The number of the column that has the ids.
    let idColumn: Int
    /// How many rows above each row the one lies that has its value as id; within the block.
    let steps: [Int64]
    /// The rows that have another value.
    let exceptions: BlockExceptions.Found<Int64>
    let validity: Bitmap?

    /// A lane for each row, 0 where it is null.
    /// - Parameter ids: Of the same rows.
    func lanes(_ ids: ColumnVector) throws(ColumnError) -> [Int64] {
      guard case .int64(let ids) = ids.storage, ids.count == steps.count else {
        throw ColumnError(.malformed, "ordinals without their ids")
      }
      var lanes = [Int64](unsafeUninitializedCapacity: steps.count) { out, initialized in
        ids.withUnsafeBufferPointer { ids in
          steps.withUnsafeBufferPointer { steps in
            for row in 0..<steps.count { out[row] = ids[row &- Int(steps[row])] }
          }
        }
        validity?.clear(UnsafeMutableBufferPointer(rebasing: out[..<steps.count]), to: 0)
        initialized = steps.count
      }
      exceptions.put(into: &lanes)
      return lanes
    }
  }
}

/// Finds the row of an id in a block.
private struct RowFinder {
  private let ids: [Int64]
  /// Row and 1, by hash; 0 is free. Made when first needed.
  private var table: [UInt32] = []
  private var shift: UInt64 = 0

  /// Ids that clash more often than this are given up: crafted ones must not make a block quadratic.
  private static let maximumProbes = 32

  init(_ ids: [Int64]) { self.ids = ids }

  /// A row of `start ..< end` that has the id; -1 if none is found.
  mutating func row(_ id: Int64, _ start: Int, _ end: Int, searched: Int) -> Int {
    if end - start <= searched {
      for row in start..<end where ids[row] == id { return row }
      return -1
    }
    if table.isEmpty { build() }
    var slot = place(id)
    for _ in 0..<Self.maximumProbes {
      let entry = Int(table[slot])
      if entry == 0 { return -1 }
      if ids[entry - 1] == id, entry - 1 >= start, entry - 1 < end { return entry - 1 }
      slot = (slot + 1) & (table.count - 1)
    }
    return -1
  }

  private func place(_ id: Int64) -> Int { Int((UInt64(bitPattern: id) &* 0x9e37_79b9_7f4a_7c15) &>> shift) }

  private mutating func build() {
    var bits = 4
    while 1 << bits < 2 * ids.count { bits += 1 }
    shift = UInt64(64 - bits)
    table = Array(repeating: 0, count: 1 << bits)
    for row in ids.indices {
      var slot = place(ids[row])
      for _ in 0..<Self.maximumProbes {
        if table[slot] == 0 {
          table[slot] = UInt32(truncatingIfNeeded: row + 1)
          break
        }
        slot = (slot + 1) & (table.count - 1)
      }
    }
  }
}
