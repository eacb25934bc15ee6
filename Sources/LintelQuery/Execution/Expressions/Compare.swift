import LintelColumns

/// Comparison functions over vectors of one physical type.
enum Compare {
  static func apply(_ function: ScalarFunction, _ left: Vector, _ right: Vector, _ type: ColumnType) -> Vector {
    let validity = bothValid(left.validity, right.validity)
    if type == .variant { return variants(function, left, right, validity) }
    switch (left.lanes, right.lanes) {
    case (.int64(let a), .int64(let b)):
      if type == .id8 {
        return Vector(.bool(lanes(function, a, b) { UInt64(bitPattern: $0) }), validity: validity)
      }
      return Vector(.bool(lanes(function, a, b) { $0 }), validity: validity)
    case (.float64(let a), .float64(let b)): return Vector(.bool(lanes(function, a, b) { $0 }), validity: validity)
    case (.bool(let a), .bool(let b)):
      return Vector(.bool(lanes(function, a, b) { unsafeBitCast($0, to: UInt8.self) }), validity: validity)
    case (.id128(let a), .id128(let b)): return Vector(.bool(lanes(function, a, b) { $0 }), validity: validity)
    default:
      if left.isIdentifier || right.isIdentifier {
        guard case .id128(let a) = left.plain.lanes, case .id128(let b) = right.plain.lanes else {
          return .nulls(.bool, count: left.count)
        }
        return Vector(.bool(lanes(function, a, b) { $0 }), validity: validity)
      }
      return Vector(.bool(bytes(function, left, right)), validity: validity)
    }
  }

  @inline(__always)
  private static func lanes<T, C: Comparable>(
    _ function: ScalarFunction, _ a: [T], _ b: [T], _ key: (T) -> C
  ) -> [Bool] {
    switch function {
    case .equal: zipLanes(a, b) { key($0) == key($1) }
    case .notEqual: zipLanes(a, b) { key($0) != key($1) }
    case .less: zipLanes(a, b) { key($0) < key($1) }
    case .lessOrEqual: zipLanes(a, b) { key($0) <= key($1) }
    case .greater: zipLanes(a, b) { key($0) > key($1) }
    default: zipLanes(a, b) { key($0) >= key($1) }
    }
  }

  private static func bytes(_ function: ScalarFunction, _ left: Vector, _ right: Vector) -> [Bool] {
    left.withBytes { a in
      right.withBytes { b in
        switch function {
        case .equal: makeLanes(left.count) { equalBytes(a[$0], b[$0]) }
        case .notEqual: makeLanes(left.count) { !equalBytes(a[$0], b[$0]) }
        case .less: makeLanes(left.count) { compareBytes(a[$0], b[$0]) < 0 }
        case .lessOrEqual: makeLanes(left.count) { compareBytes(a[$0], b[$0]) <= 0 }
        case .greater: makeLanes(left.count) { compareBytes(a[$0], b[$0]) > 0 }
        default: makeLanes(left.count) { compareBytes(a[$0], b[$0]) >= 0 }
        }
      }
    }
  }

  private static func variants(
    _ function: ScalarFunction, _ left: Vector, _ right: Vector, _ validity: [Bool]?
  ) -> Vector {
    let equalityOnly = function == .equal || function == .notEqual
    var flags = Array(repeating: false, count: left.count)
    var known = flags
    left.withBytes { a in
      right.withBytes { b in
        for lane in 0..<left.count where validity?[lane] ?? true {
          guard let order = VariantOrder.compare(a[lane], b[lane], equalityOnly: equalityOnly) else { continue }
          known[lane] = true
          flags[lane] = holds(function, order)
        }
      }
    }
    return Vector(.bool(flags), validity: known)
  }

  private static func holds(_ function: ScalarFunction, _ order: VariantOrder.Comparison) -> Bool {
    switch function {
    case .equal: order == .equal
    case .notEqual: order != .equal
    case .less: order == .less
    case .lessOrEqual: order == .less || order == .equal
    case .greater: order == .greater
    default: order == .greater || order == .equal
    }
  }
}

extension Vector {
  /// Sixteen-byte values, plain or coded.
  var isIdentifier: Bool {
    switch lanes {
    case .id128: true
    case .codes(_, let dictionary): dictionary.physicalType == .id128
    default: false
    }
  }
}
