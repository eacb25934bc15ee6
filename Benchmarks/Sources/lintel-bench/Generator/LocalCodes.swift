import LintelColumns

/// Gives the names that a batch uses codes of its own, counted from 0 in the order of first appearance, as a decoder of
/// requests would: a batch's dictionary holds what occurs in it.
struct LocalCodes {
  private static let unused = UInt32.max

  private let vocabulary: ByteStrings
  private var codes: [UInt32]
  private var used: [Int] = []

  /// - Parameter vocabulary: All names there are.
  init(_ vocabulary: some Sequence<String>) {
    self.vocabulary = ByteStrings(vocabulary)
    codes = Array(repeating: Self.unused, count: self.vocabulary.count)
  }

  init(encoded vocabulary: ByteStrings) {
    self.vocabulary = vocabulary
    codes = Array(repeating: Self.unused, count: vocabulary.count)
  }

  /// The names with the numbers that `name` gives, row by row; negative: null.
  @inline(__always)
  mutating func column(_ rows: [SpanRow], _ name: (SpanRow) -> Int) -> ColumnVector {
    var lanes = [UInt32](repeating: 0, count: rows.count)
    var validity: Bitmap?
    for index in rows.indices {
      let number = name(rows[index])
      guard number >= 0 else {
        if validity == nil { validity = Bitmap(repeating: true, count: rows.count) }
        validity?[index] = false
        continue
      }
      lanes[index] = code(number)
    }
    return ColumnVector(.codes(lanes, finish()), validity: validity)
  }

  /// The names with the numbers that `name` gives, for some of the rows.
  @inline(__always)
  mutating func column(_ rows: [SpanRow], at places: [UInt32], _ name: (SpanRow) -> Int) -> ColumnVector {
    let lanes = places.map { code(name(rows[Int($0)])) }
    return ColumnVector(.codes(lanes, finish()))
  }

  @inline(__always)
  private mutating func code(_ number: Int) -> UInt32 {
    let known = codes[number]
    if known != Self.unused { return known }
    let code = UInt32(used.count)
    codes[number] = code
    used.append(number)
    return code
  }

  private mutating func finish() -> ValueDictionary {
    var values = ByteStrings()
    for number in used {
      values.append(vocabulary[number])
      codes[number] = Self.unused
    }
    used.removeAll(keepingCapacity: true)
    return ValueDictionary(.bytes(values))
  }
}
