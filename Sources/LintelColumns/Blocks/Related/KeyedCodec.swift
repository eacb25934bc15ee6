/// Integers that mostly follow from the key of their row: one value a key, and exceptions.
///
///     keyed      := reference, integers (one value a key; of dictionary codes as ``FreshCodec`` may write them), exceptions
///     exceptions := count:varint [integers (ascending positions among the valid rows), integers (values)]
///
/// An operation that follows from the span's name, a provider that follows from the model, or an application that is the
/// same in a whole trace, cost nearly nothing this way. Keys that no valid row has stand for anything.
enum KeyedCodec {
  /// Appends the body, unless more than one row in four is an exception.
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, keys: UnsafeBufferPointer<UInt16>, keyCount: Int, reference: BlockReference,
    isCoded: Bool, into out: inout [UInt8]
  ) -> Bool {
    withScratch(of: Int64.self, count: keyCount) { table in
      // Where every key has but one value, there is no need to count.
      last(values, keys, into: table)
      var wrong = exceptions(values, keys, table)
      if wrong > 0 {
        majority(values, keys, into: table)
        wrong = exceptions(values, keys, table)
      }
      guard wrong <= values.count / 4 else { return false }
      reference.write(into: &out)
      if isCoded {
        let tag = out.count
        out.append(0)
        out[tag] = BlockCodec.encodeCodes(UnsafeBufferPointer(table), .compact, into: &out).rawValue
      } else {
        IntegerEncoder.encode(UnsafeBufferPointer(table), effort: .compact, into: &out)
      }
      BlockExceptions.encode(values, count: wrong, into: &out) { row in table[Int(keys[row])] }
      return true
    }
  }

  /// Rows that have another value than their key.
  private static func exceptions(
    _ values: UnsafeBufferPointer<Int64>, _ keys: UnsafeBufferPointer<UInt16>,
    _ table: UnsafeMutableBufferPointer<Int64>
  ) -> Int {
    var wrong = 0
    for row in 0..<values.count {
      let isWrong = values[row] != table[Int(keys[row])]
      wrong &+= Int(unsafeBitCast(isWrong, to: UInt8.self))
    }
    return wrong
  }

  /// The last value of each key; the one before for keys without any.
  private static func last(
    _ values: UnsafeBufferPointer<Int64>, _ keys: UnsafeBufferPointer<UInt16>,
    into table: UnsafeMutableBufferPointer<Int64>
  ) {
    withScratch(of: Bool.self, count: table.count) { isSeen in
      isSeen.initialize(repeating: false)
      for row in 0..<values.count {
        let key = Int(keys[row])
        table[key] = values[row]
        isSeen[key] = true
      }
      fill(table) { isSeen[$0] }
    }
  }

  /// Gives keys that no row has the value of the one before; those before the first, its value.
  @inline(__always)
  private static func fill(_ table: UnsafeMutableBufferPointer<Int64>, _ isSeen: (Int) -> Bool) {
    var last: Int64 = 0
    for key in 0..<table.count where isSeen(key) {
      last = table[key]
      break
    }
    for key in 0..<table.count {
      if isSeen(key) { last = table[key] } else { table[key] = last }
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
      fill(table) { votes[$0] >= 0 }
    }
  }

  /// A lane for each row, 0 where it is null.
  /// - Parameter decodeTable: Reads the values of the keys.
  @inline(__always)
  static func decodeLanes<Lane: PackedLane>(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, _ validity: Bitmap?, rowCount: Int,
    decodeTable: (inout ByteReader, UnsafeMutableBufferPointer<Lane>) throws(ColumnError) -> Void
  ) throws(ColumnError) -> [Lane] {
    let keys = try related.keys(try BlockReference(&reader))
    guard keys.keys.count == rowCount else { throw ColumnError(.malformed, "keys of \(keys.keys.count) rows") }
    let table: [Lane] = try filledLanes(keys.count) { (lanes) throws(ColumnError) in
      try decodeTable(&reader, lanes)
    }
    var result: [Lane] = try filledLanes(rowCount) { (out) throws(ColumnError) in
      table.withUnsafeBufferPointer { table in
        keys.keys.withUnsafeBufferPointer { keys in
          for row in 0..<out.count { out[row] = table[Int(keys[row])] }
        }
      }
      validity?.clear(out, to: 0)
    }
    try BlockExceptions.decode(&reader, validity, into: &result)
    return result
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

  /// Puts the exceptions' values into the lanes of all rows.
  static func decode<Lane: PackedLane>(
    _ reader: inout ByteReader, _ validity: Bitmap?, into lanes: inout [Lane]
  ) throws(ColumnError) {
    let found: Found<Lane> = try read(&reader, validity, rowCount: lanes.count)
    found.put(into: &lanes)
  }

  /// Rows, ascending, and the value of each.
  struct Found<Lane: PackedLane>: Sendable {
    var rows: [Int] = []
    var values: [Lane] = []

    func put(into lanes: inout [Lane]) { for (row, value) in zip(rows, values) { lanes[row] = value } }
  }

  static func read<Lane: PackedLane>(
    _ reader: inout ByteReader, _ validity: Bitmap?, rowCount: Int
  ) throws(ColumnError) -> Found<Lane> {
    let valueCount = validity?.setCount ?? rowCount
    let count = try reader.varint()
    guard count <= UInt64(valueCount) else {
      throw ColumnError(.malformed, "\(count) exceptions in \(valueCount) values")
    }
    guard count > 0 else { return Found() }
    let positions: [UInt32] = try filledLanes(Int(count)) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    let values: [Lane] = try filledLanes(Int(count)) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    guard let last = positions.last, Int(last) < valueCount,
      zip(positions, positions.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw ColumnError(.malformed, "exceptions in no order among \(valueCount) values") }
    return Found(rows: validity?.rows(ofRanks: positions) ?? positions.map { Int($0) }, values: values)
  }
}
