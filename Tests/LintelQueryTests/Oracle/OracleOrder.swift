import LintelColumns

@testable import LintelQuery

/// What makes two values one group.
enum OracleKey: Hashable {
  case null
  case integer(Int64)
  case double(UInt64)
  case bool(Bool)
  case bytes([UInt8])
  case id(UInt128)

  init(_ value: Value) {
    switch OracleOrder.normalized(value) {
    case .null: self = .null
    case .int64(let number): self = .integer(number)
    case .float64(let number): self = .double(number.bitPattern)
    case .bool(let flag): self = .bool(flag)
    case .bytes(let bytes): self = .bytes(bytes)
    case .id128(let id): self = .id(id)
    }
  }
}

/// The sort order of values.
enum OracleOrder {
  /// One NaN, one zero.
  static func normalized(_ value: Value) -> Value {
    guard case .float64(let number) = value else { return value }
    return .float64(number.isNaN ? .nan : number == 0 ? 0 : number)
  }

  /// Below, at or above zero. Neither value is null.
  static func compare(_ left: Value, _ right: Value, _ type: ColumnType) -> Int {
    switch (left, right) {
    case (.int64(let a), .int64(let b)) where type == .id8: three(UInt64(bitPattern: a), UInt64(bitPattern: b))
    case (.int64(let a), .int64(let b)): three(a, b)
    case (.float64(let a), .float64(let b)): compare(a, b)
    case (.bool(let a), .bool(let b)): three(a ? 1 : 0, b ? 1 : 0)
    case (.id128(let a), .id128(let b)): three(a, b)
    case (.bytes(let a), .bytes(let b)) where type == .variant: compareVariants(a, b)
    case (.bytes(let a), .bytes(let b)): compare(a, b)
    default: 0
    }
  }

  static func three<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }

  static func compare(_ a: Double, _ b: Double) -> Int {
    if a.isNaN || b.isNaN { return three(a.isNaN ? 1 : 0, b.isNaN ? 1 : 0) }
    return three(a, b)
  }

  static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
    a.lexicographicallyPrecedes(b) ? -1 : b.lexicographicallyPrecedes(a) ? 1 : 0
  }

  private static func compareVariants(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard let left = try? Variant(decoding: a), let right = try? Variant(decoding: b) else { return compare(a, b) }
    let kinds = three(kind(left), kind(right))
    if kinds != 0 { return kinds }
    switch (left, right) {
    case (.bool(let x), .bool(let y)): return three(x ? 1 : 0, y ? 1 : 0)
    case (.int(let x), .int(let y)):
      let doubles = three(Double(x), Double(y))
      return doubles == 0 ? three(x, y) : doubles
    case (.int(let x), .double(let y)):
      let order = compare(Double(x), y)
      return order == 0 ? -1 : order
    case (.double(let x), .int(let y)):
      let order = compare(x, Double(y))
      return order == 0 ? 1 : order
    case (.double(let x), .double(let y)):
      let order = compare(x, y)
      return order == 0 ? three(x.bitPattern, y.bitPattern) : order
    case (.string(let x), .string(let y)): return compare(Array(x.utf8), Array(y.utf8))
    case (.bytes(let x), .bytes(let y)): return compare(x, y)
    case (.empty, .empty): return 0
    default: return compare(a, b)
    }
  }

  private static func kind(_ variant: Variant) -> Int {
    switch variant {
    case .empty: 0
    case .bool: 1
    case .int, .double: 2
    case .string: 3
    case .bytes: 4
    case .array: 5
    case .map: 6
    }
  }

  // MARK: Rows

  /// Rows of values, each ascending with nulls last.
  static func compare(_ left: [Value], _ right: [Value], _ types: [ColumnType]) -> Int {
    for (index, type) in types.enumerated() {
      let order = compareWithNulls(left[index], right[index], type, isDescending: false, nullsFirst: false)
      if order != 0 { return order }
    }
    return 0
  }

  static func compare(_ left: [Value], _ right: [Value], _ ordering: [QueryPlan.Ordering]) -> Int {
    for (index, key) in ordering.enumerated() {
      let order = compareWithNulls(
        left[index], right[index], key.expression.type, isDescending: key.isDescending, nullsFirst: key.nullsFirst)
      if order != 0 { return order }
    }
    return 0
  }

  private static func compareWithNulls(
    _ left: Value, _ right: Value, _ type: ColumnType, isDescending: Bool, nullsFirst: Bool
  ) -> Int {
    switch (left == .null, right == .null) {
    case (true, true): 0
    case (true, false): nullsFirst ? -1 : 1
    case (false, true): nullsFirst ? 1 : -1
    case (false, false): isDescending ? -compare(left, right, type) : compare(left, right, type)
    }
  }
}
