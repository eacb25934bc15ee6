/// Integers that mostly follow from the key of their row: one value a key, and exceptions.
///
///     keyed      := reference, integers (one value a key), exceptions
///     exceptions := count:varint [integers (ascending positions among the valid rows), integers (values)]
///
/// An operation that follows from the span's name, a provider that follows from the model, or an application that is the
/// same in a whole trace, cost nearly nothing this way. Keys that no valid row has stand for anything.
enum KeyedCodec {
  /// Appends the body, unless more than one row in four is an exception.
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, keys: UnsafeBufferPointer<UInt16>, keyCount: Int, reference: BlockReference,
    into out: inout [UInt8]
  ) -> Bool {
    withScratch(of: Int64.self, count: keyCount) { table in
      majority(values, keys, into: table)
      var wrong = 0
      for row in 0..<values.count {
        let isWrong = values[row] != table[Int(keys[row])]
        wrong &+= Int(unsafeBitCast(isWrong, to: UInt8.self))
      }
      guard wrong <= values.count / 4 else { return false }
      reference.write(into: &out)
      IntegerEncoder.encode(UnsafeBufferPointer(table), effort: .compact, into: &out)
      BlockExceptions.encode(values, count: wrong, into: &out) { row in table[Int(keys[row])] }
      return true
    }
  }

  /// A value for each key, by majority vote; the one before for keys without any.
  private static func majority(
    _ values: UnsafeBufferPointer<Int64>, _ keys: UnsafeBufferPointer<UInt16>,
    into table: UnsafeMutableBufferPointer<Int64>
  ) {
    withScratch(of: Int32.self, count: table.count) { votes in
      votes.initialize(repeating: -1)
      for row in 0..<values.count {
        let key = Int(keys[row])
        let value = values[row]
        if votes[key] <= 0 {
          // -1: never seen. 0: the votes for and against are even, so that the next one counts.
          table[key] = value
          votes[key] = 1
        } else {
          votes[key] &+= table[key] == value ? 1 : -1
        }
      }
      var last: Int64 = 0
      for key in 0..<table.count where votes[key] >= 0 {
        last = table[key]
        break
      }
      for key in 0..<table.count {
        if votes[key] < 0 { table[key] = last } else { last = table[key] }
      }
    }
  }

  /// - Parameter validity: Of the whole block; `out` is for its valid rows.
  static func decodeBody<Lane: PackedLane>(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, _ validity: Bitmap?, rowCount: Int,
    into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    let keys = try related.keys(try BlockReference(&reader))
    guard keys.keys.count == rowCount else { throw ColumnError(.malformed, "keys of \(keys.keys.count) rows") }
    let table: [Lane] = try filledLanes(keys.count) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    let valid = keys.valid(validity)
    guard valid.count == out.count else { throw ColumnError(.malformed, "keys of \(valid.count) rows") }
    table.withUnsafeBufferPointer { table in
      valid.withUnsafeBufferPointer { keys in
        for row in 0..<out.count { out[row] = table[Int(keys[row])] }
      }
    }
    try BlockExceptions.decode(&reader, into: out)
  }
}

/// The rows whose values are not what a rule says.
enum BlockExceptions {
  /// Appends the rows whose value differs from `expected`.
  /// - Parameter count: How many there are.
  @inline(__always)
  static func encode(
    _ values: UnsafeBufferPointer<Int64>, count: Int, into out: inout [UInt8], expected: (Int) -> Int64
  ) {
    out.append(varint: UInt64(count))
    guard count > 0 else { return }
    withScratch(of: Int64.self, count: 2 * count + 1) { scratch in
      // One lane more, for the row that comes after the last exception.
      let positions = UnsafeMutableBufferPointer(rebasing: scratch[..<(count + 1)])
      var next = 0
      for row in 0..<values.count where values[row] != expected(row) {
        positions[min(next, count)] = Int64(row)
        next &+= 1
      }
      let found = UnsafeMutableBufferPointer(rebasing: scratch[(count + 1)...])
      for index in 0..<count { found[index] = values[Int(positions[index])] }
      IntegerEncoder.encode(UnsafeBufferPointer(rebasing: positions[..<count]), effort: .compact, into: &out)
      IntegerEncoder.encode(UnsafeBufferPointer(found), effort: .compact, into: &out)
    }
  }

  static func decode<Lane: PackedLane>(
    _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    let count = try reader.varint()
    guard count <= UInt64(out.count) else {
      throw ColumnError(.malformed, "\(count) exceptions in \(out.count) values")
    }
    guard count > 0 else { return }
    let positions: [UInt32] = try filledLanes(Int(count)) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    let values: [Lane] = try filledLanes(Int(count)) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    for (index, position) in positions.enumerated() {
      guard Int(position) < out.count else {
        throw ColumnError(.malformed, "an exception at \(position) of \(out.count) values")
      }
      out[Int(position)] = values[index]
    }
  }
}
