/// Lengths of which the first of each run reaches as far as the others, or a little further: a trace's root ends with the
/// last of its spans. No row is null.
///
///     enclosing := runs:reference starts:column integers (of each run) context classed (the values of all rows that aren't
///                  the first of their run)
///
/// The integer of a run is by how much its first row ends behind the last of the others; of a run of one row its value. A
/// row's end is its value in `starts` and its own; sums are taken modulo 2^64, and compared as signed numbers. The context
/// is none of values before.
enum EnclosingCodec {
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, runs: RowKeys, reference: BlockReference, starts: [Int64], startColumn: Int,
    _ context: ClassContext, _ related: some RelatedBlocks, into out: inout [UInt8]
  ) -> Bool {
    let count = values.count
    guard count > 0, runs.keys.count == count, starts.count == count, runs.count >= 1, runs.count <= count / 2,
      let all = try? context.classes(related, nil, rowCount: count)
    else { return false }
    var firsts = [Int64](repeating: 0, count: runs.count)
    var others: [Int64] = []
    var classes: [UInt16] = []
    others.reserveCapacity(count)
    classes.reserveCapacity(count)
    forEachRun(runs.keys) { run, rows in
      for row in rows.dropFirst() {
        others.append(values[row])
        classes.append(all[row])
      }
      firsts[run] = values[rows.lowerBound] &- length(rows, starts) { values[$0] }
    }
    reference.write(into: &out)
    out.append(varint: UInt64(startColumn))
    firsts.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: .dense, into: &out) }
    context.write(into: &out)
    others.withUnsafeBufferPointer { others in
      classes.withUnsafeBufferPointer { ClassedIntegers.encode(others, classes: $0, into: &out) }
    }
    return true
  }

  static func decodeBody(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, into out: UnsafeMutableBufferPointer<Int64>
  ) throws(ColumnError) {
    let reference = try BlockReference(&reader)
    let runs = try related.keys(reference)
    let vector = try related.integers(try BlockReference.readColumn(&reader))
    guard reference.kind == .runs, runs.keys.count == out.count, runs.count >= 1, runs.count <= out.count,
      vector.validity == nil, case .int64(let starts) = vector.storage, starts.count == out.count
    else { throw ColumnError(.malformed, "lengths without their runs or starts") }
    let firsts: [Int64] = try filledLanes(runs.count) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    let context = try ClassContext(&reader)
    guard let all = try context.classes(related, nil, rowCount: out.count) else {
      throw ColumnError(.malformed, "classes of values before, of which some are missing")
    }
    var classes: [UInt16] = []
    classes.reserveCapacity(out.count)
    for row in 1..<max(1, out.count) where runs.keys[row] == runs.keys[row &- 1] { classes.append(all[row]) }
    var streams = try ClassedIntegers.Streams(&reader, count: classes.count)
    let others: [Int64] = try filledLanes(classes.count) { (lanes) throws(ColumnError) in
      try classes.span.withUnsafeBufferPointer { (classes) throws(ColumnError) in
        try streams.values(of: classes, into: lanes)
      }
    }
    var next = 0
    forEachRun(runs.keys) { run, rows in
      for row in rows.dropFirst() {
        out[row] = others[next]
        next &+= 1
      }
      out[rows.lowerBound] = firsts[run] &+ length(rows, starts) { out[$0] }
    }
  }

  /// From the start of the first row to the last end among the others; 0 where there are none.
  @inline(__always)
  private static func length(_ rows: Range<Int>, _ starts: [Int64], _ value: (Int) -> Int64) -> Int64 {
    guard rows.count > 1 else { return 0 }
    var end = Int64.min
    for row in rows.dropFirst() { end = max(end, starts[row] &+ value(row)) }
    return end &- starts[rows.lowerBound]
  }

  @inline(__always)
  private static func forEachRun(_ keys: [UInt16], _ body: (Int, Range<Int>) -> Void) {
    var start = 0
    for row in 1...max(1, keys.count) where row == keys.count || keys[row] != keys[row &- 1] {
      body(Int(keys[start]), start..<row)
      start = row
    }
  }
}
