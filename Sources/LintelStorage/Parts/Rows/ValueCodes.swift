internal import LintelColumns

/// Dense numbers for the values of a column of any type, over several vectors: equal values, equal numbers. Null is 0.
struct ValueCodes {
  private var union: DictionaryUnion
  private var numbers: [UInt64: UInt32] = [:]
  private let isNumeric: Bool
  /// What each dictionary's codes are here. The dictionaries are kept, lest another one takes the place of one that died.
  private var tables: [ObjectIdentifier: (dictionary: ValueDictionary, codes: [UInt32])] = [:]

  init(_ type: PhysicalType) {
    isNumeric = type != .bytes && type != .id128
    union = DictionaryUnion(isNumeric ? .bytes : type)
  }

  /// Codes so far, null included.
  var count: Int { 1 + (isNumeric ? numbers.count : union.count) }

  mutating func codes(of vector: ColumnVector) -> [UInt32] {
    var codes = rawCodes(of: vector)
    guard let validity = vector.validity else { return codes }
    for row in 0..<codes.count where !validity[row] { codes[row] = 0 }
    return codes
  }

  private mutating func rawCodes(of vector: ColumnVector) -> [UInt32] {
    switch vector.storage {
    case .int64(let lanes): return lanes.map { number(UInt64(bitPattern: $0 ^ .min)) }
    case .float64(let lanes): return lanes.map { number(Self.ordered($0)) }
    case .bool(let lanes): return lanes.map { number($0 ? 1 : 0) }
    case .bytes, .id128: return union.codes(of: vector).map { $0 &+ 1 }
    case .codes(let lanes, let dictionary):
      let known = tables[ObjectIdentifier(dictionary)]?.codes
      let table = known ?? union.add(dictionary)
      if known == nil { tables[ObjectIdentifier(dictionary)] = (dictionary, table) }
      return lanes.map { Int($0) < table.count ? table[Int($0)] &+ 1 : 0 }
    }
  }

  private mutating func number(_ key: UInt64) -> UInt32 {
    if let known = numbers[key] { return known }
    let new = UInt32(truncatingIfNeeded: numbers.count + 1)
    numbers[key] = new
    return new
  }

  /// An integer that orders as the float does; NaNs at the ends.
  private static func ordered(_ value: Double) -> UInt64 {
    let bits = value.bitPattern
    return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
  }

  /// The rank of each code among the values: null first, numbers ascending, strings in byte order.
  func ranks() -> [UInt32] {
    var order = (0..<UInt32(count)).map { $0 }
    if isNumeric {
      var keys = Array(repeating: UInt64(0), count: count)
      for (key, code) in numbers { keys[Int(code)] = key }
      order.sort { $0 == 0 || $1 == 0 ? $0 < $1 : keys[Int($0)] < keys[Int($1)] }
    } else {
      let values = union.snapshot()
      order.sort { Self.precedes($0, $1, values) }
    }
    var ranks = Array(repeating: UInt32(0), count: count)
    for (rank, code) in order.enumerated() { ranks[Int(code)] = UInt32(truncatingIfNeeded: rank) }
    return ranks
  }

  /// Orders codes as ``ranks()`` would, for a few comparisons.
  func comparator() -> (UInt32, UInt32) -> Bool {
    if isNumeric {
      var keys = Array(repeating: UInt64(0), count: count)
      for (key, code) in numbers { keys[Int(code)] = key }
      return { $0 == 0 || $1 == 0 ? $0 < $1 : keys[Int($0)] < keys[Int($1)] }
    }
    let values = union.snapshot()
    return { Self.precedes($0, $1, values) }
  }

  private static func precedes(_ left: UInt32, _ right: UInt32, _ values: ValueDictionary) -> Bool {
    guard left != 0, right != 0 else { return left < right }
    switch values.values {
    case .id128(let ids): return ids[Int(left) - 1] < ids[Int(right) - 1]
    case .bytes(let strings):
      return strings[Int(left) - 1].lexicographicallyPrecedes(strings[Int(right) - 1])
    }
  }
}
