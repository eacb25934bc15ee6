/// Integers that ascend within runs (the starts of a trace's spans): the first of each run, and the steps between
/// neighbours. No row is null.
///
///     offsets := runs:reference, integers (the first value of each run), integers (value less the one before, of each
///                other row)
///
/// Differences are taken modulo 2^64, so that values that don't ascend come back as well.
enum OffsetCodec {
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, runs: RowKeys, reference: BlockReference, into out: inout [UInt8]
  ) -> Bool {
    guard !values.isEmpty, runs.keys.count == values.count, runs.count <= values.count / 2 else { return false }
    return withScratch(of: Int64.self, count: values.count + 1) { scratch in
      let firsts = UnsafeMutableBufferPointer(rebasing: scratch[..<runs.count])
      let steps = UnsafeMutableBufferPointer(rebasing: scratch[runs.count..<values.count])
      runs.keys.withUnsafeBufferPointer { keys in
        var next = 0
        firsts[0] = values[0]
        for row in 1..<max(1, values.count) {
          if keys[row] == keys[row &- 1] {
            steps[next] = values[row] &- values[row &- 1]
            next &+= 1
          } else {
            firsts[Int(keys[row])] = values[row]
          }
        }
      }
      reference.write(into: &out)
      IntegerEncoder.encode(UnsafeBufferPointer(firsts), effort: .compact, into: &out)
      IntegerEncoder.encode(UnsafeBufferPointer(steps), effort: .compact, into: &out)
      return true
    }
  }

  static func decodeBody(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, into out: UnsafeMutableBufferPointer<Int64>
  ) throws(ColumnError) {
    let reference = try BlockReference(&reader)
    let runs = try related.keys(reference)
    guard reference.kind == .runs, runs.keys.count == out.count, runs.count >= 1, runs.count <= out.count else {
      throw ColumnError(.malformed, "offsets without their runs")
    }
    let firsts: [Int64] = try filledLanes(runs.count) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    let steps: [Int64] = try filledLanes(out.count - runs.count) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    runs.keys.withUnsafeBufferPointer { keys in
      var next = 0
      var value = firsts[0]
      out[0] = value
      for row in 1..<max(1, out.count) {
        if keys[row] == keys[row &- 1] {
          value &+= steps[next]
          next &+= 1
        } else {
          value = firsts[Int(keys[row])]
        }
        out[row] = value
      }
    }
  }
}
