/// Integers that are sums of other columns, each times a factor that follows from the row's key: a cost is tokens times the
/// prices of the model.
///
///     linear := keys:reference, terms:u8, column:varint of each term, integers (a factor a key) for each term, exceptions
///
///     value  = sum over the terms of factor[key] * term        modulo 2^64; null terms count as 0
enum LinearCodec {
  static let maximumTerms = 4

  /// Appends the body, unless more than one row in eight is an exception.
  /// - Parameter terms: The columns' numbers and their values in the valid rows.
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, terms: [(column: Int, lanes: [Int64])],
    keys: UnsafeBufferPointer<UInt16>, keyCount: Int, reference: BlockReference, into out: inout [UInt8]
  ) -> Bool {
    guard terms.count <= maximumTerms, terms.allSatisfy({ $0.lanes.count == values.count }) else { return false }
    let lanes = terms.map(\.lanes)
    let factors = LinearFit(values, lanes, keys, keyCount).factors
    let predicted = predict(lanes, factors, keys, count: values.count)
    var wrong = 0
    for row in 0..<values.count {
      let isWrong = values[row] != predicted[row]
      wrong &+= Int(unsafeBitCast(isWrong, to: UInt8.self))
    }
    guard wrong <= values.count / 8 else { return false }
    reference.write(into: &out)
    out.append(UInt8(truncatingIfNeeded: terms.count))
    for term in terms { out.append(varint: UInt64(term.column)) }
    for factor in factors {
      factor.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: .compact, into: &out) }
    }
    predicted.withUnsafeBufferPointer { predicted in
      BlockExceptions.encode(values, count: wrong, into: &out) { predicted[$0] }
    }
    return true
  }

  private static func predict(
    _ terms: [[Int64]], _ factors: [[Int64]], _ keys: UnsafeBufferPointer<UInt16>, count: Int
  ) -> [Int64] {
    var result = [Int64](repeating: 0, count: count)
    for (term, factor) in zip(terms, factors) {
      result.withUnsafeMutableBufferPointer { result in
        term.withUnsafeBufferPointer { term in
          factor.withUnsafeBufferPointer { factor in
            for row in 0..<count { result[row] &+= factor[Int(keys[row])] &* term[row] }
          }
        }
      }
    }
    return result
  }

  /// A lane for each row, 0 where it is null.
  static func decodeLanes(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, _ validity: Bitmap?, rowCount: Int
  ) throws(ColumnError) -> [Int64] {
    let keys = try related.keys(try BlockReference(&reader))
    let termCount = Int(try reader.byte())
    guard keys.keys.count == rowCount, termCount <= maximumTerms else {
      throw ColumnError(.malformed, "a sum of \(termCount) terms in \(keys.keys.count) rows")
    }
    var terms: [[Int64]] = []
    for _ in 0..<termCount {
      // Null rows of a decoded vector hold 0.
      let vector = try related.integers(try BlockReference.readColumn(&reader))
      guard vector.count == rowCount, case .int64(let lanes) = vector.storage else {
        throw ColumnError(.malformed, "a sum of terms that are no integers")
      }
      terms.append(lanes)
    }
    var factors: [[Int64]] = []
    for _ in 0..<termCount {
      factors.append(
        try filledLanes(keys.count) { (lanes) throws(ColumnError) in try IntegerDecoder.decode(&reader, into: lanes) })
    }
    var result = keys.keys.withUnsafeBufferPointer { predict(terms, factors, $0, count: rowCount) }
    result.withUnsafeMutableBufferPointer { validity?.clear($0, to: 0) }
    try BlockExceptions.decode(&reader, validity, into: &result)
    return result
  }

  /// The integers of the rows that `validity` has, 0 where they are null; `nil` for vectors of another type.
  static func lanes(_ vector: ColumnVector, _ validity: Bitmap?) -> [Int64]? {
    guard case .int64(var lanes) = vector.storage else { return nil }
    if let own = vector.validity {
      for row in lanes.indices where !own[row] { lanes[row] = 0 }
    }
    guard let validity else { return lanes }
    return withValidLanes(lanes, validity, count: validity.setCount) { Array($0) }
  }
}
