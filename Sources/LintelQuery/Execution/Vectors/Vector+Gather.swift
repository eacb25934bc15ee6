import LintelColumns

extension Vector {
  /// The lanes `rows`, in that order. Every row is below `count`.
  func gather(_ rows: [UInt32]) -> Vector {
    let picked = validity.map { Self.gather($0, rows) }
    switch lanes {
    case .int64(let values): return Vector(.int64(Self.gather(values, rows)), validity: picked)
    case .float64(let values): return Vector(.float64(Self.gather(values, rows)), validity: picked)
    case .bool(let values): return Vector(.bool(Self.gather(values, rows)), validity: picked)
    case .id128(let values): return Vector(.id128(Self.gather(values, rows)), validity: picked)
    case .codes(let codes, let dictionary):
      return Vector(.codes(Self.gather(codes, rows), dictionary), validity: picked)
    case .bytes(let values): return Vector(.bytes(Self.gather(values, rows)), validity: picked)
    }
  }

  /// The lanes that `codes` choose from this vector of a dictionary's values and, last, the null: codes beyond it read null.
  func lookUp(codes: [UInt32], codesValidity: [Bool]?) -> Vector {
    let last = UInt32(truncatingIfNeeded: count - 1)
    let rows = Self.clamp(codes, validity: codesValidity, last: last)
    return gather(rows)
  }

  /// `codes` with `last` where the row is null or the code beyond it.
  static func clamp(_ codes: [UInt32], validity: [Bool]?, last: UInt32) -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: codes.count) { out, initialized in
      codes.withUnsafeBufferPointer { codes in
        if let validity {
          validity.withUnsafeBufferPointer { valid in
            for index in 0..<codes.count { out[index] = valid[index] ? min(codes[index], last) : last }
          }
        } else {
          for index in 0..<codes.count { out[index] = min(codes[index], last) }
        }
      }
      initialized = codes.count
    }
  }

  @inline(__always)
  static func gather<T: BitwiseCopyable>(_ values: [T], _ rows: [UInt32]) -> [T] {
    [T](unsafeUninitializedCapacity: rows.count) { out, initialized in
      values.withUnsafeBufferPointer { values in
        rows.withUnsafeBufferPointer { rows in
          ScanKernels.gather(values, rows, into: out)
        }
      }
      initialized = rows.count
    }
  }

  static func gather(_ values: ByteStrings, _ rows: [UInt32]) -> ByteStrings {
    var result = ByteStrings()
    var total = 0
    for row in rows { total += values.length(Int(row)) }
    result.reserveCapacity(rows.count, bytes: total)
    values.withView { view in
      for row in rows { result.append(UnsafeRawBufferPointer(view[Int(row)])) }
    }
    return result
  }

  /// Codes replaced by their values; everything else as it is.
  var plain: Vector {
    guard case .codes(let codes, let dictionary) = lanes else { return self }
    guard dictionary.count > 0 else { return Vector.nulls(dictionary.physicalType, count: codes.count) }
    let rows = Self.clamp(codes, validity: nil, last: UInt32(truncatingIfNeeded: dictionary.count - 1))
    switch dictionary.values {
    case .bytes(let values): return Vector(.bytes(Self.gather(values, rows)), validity: validity)
    case .id128(let values): return Vector(.id128(Self.gather(values, rows)), validity: validity)
    }
  }

  /// The lanes `range`.
  func slice(_ range: Range<Int>) -> Vector {
    if range == 0..<count { return self }
    let valid = validity.map { Array($0[range]) }
    switch lanes {
    case .int64(let values): return Vector(.int64(Array(values[range])), validity: valid)
    case .float64(let values): return Vector(.float64(Array(values[range])), validity: valid)
    case .bool(let values): return Vector(.bool(Array(values[range])), validity: valid)
    case .id128(let values): return Vector(.id128(Array(values[range])), validity: valid)
    case .codes(let codes, let dictionary): return Vector(.codes(Array(codes[range]), dictionary), validity: valid)
    case .bytes(let values): return Vector(.bytes(values.slice(range)), validity: valid)
    }
  }

  /// ``gather(_:)`` of many rows.
  func gather(_ rows: [UInt32], _ interrupt: Interrupt) throws(ExecutionFailure) -> Vector {
    guard rows.count > Interrupt.interval else { return gather(rows) }
    var parts: [Vector] = []
    try interrupt.forEachStretch(of: rows.count) { stretch in
      parts.append(gather(makeLanes(stretch.count) { rows[stretch.lowerBound &+ $0] }))
    }
    return try .concatenate(parts, physicalType, interrupt)
  }

  /// The lanes of all parts, one after the other; codes become plain unless all parts share one dictionary.
  static func concatenate(_ parts: [Vector], _ type: PhysicalType) -> Vector { concatenate(parts, type) {} }

  /// The same of many parts.
  static func concatenate(
    _ parts: [Vector], _ type: PhysicalType, _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> Vector {
    try concatenate(parts, type) { () throws(ExecutionFailure) in try interrupt.check() }
  }

  /// - Parameter look: called before each part.
  private static func concatenate<E: Error>(
    _ parts: [Vector], _ type: PhysicalType, _ look: () throws(E) -> Void
  ) throws(E) -> Vector {
    guard let first = parts.first else { return zeroLanes(type) }
    if parts.count == 1 { return first }
    let total = parts.reduce(0) { $0 + $1.count }
    var validity: [Bool]?
    if parts.contains(where: { $0.validity != nil }) {
      var all: [Bool] = []
      all.reserveCapacity(total)
      for part in parts {
        try look()
        if let valid = part.validity { all += valid } else { all += repeatElement(true, count: part.count) }
      }
      validity = all
    }
    return Vector(try concatenateLanes(parts, type, total: total, look), validity: validity)
  }

  private static func zeroLanes(_ type: PhysicalType) -> Vector {
    var empty = nulls(type, count: 0)
    empty.validity = nil
    return empty
  }

  private static func concatenateLanes<E: Error>(
    _ parts: [Vector], _ type: PhysicalType, total: Int, _ look: () throws(E) -> Void
  ) throws(E) -> Lanes {
    switch type {
    case .int64:
      return .int64(try joined(parts, total, look) { if case .int64(let values) = $0.lanes { values } else { nil } })
    case .float64:
      return .float64(
        try joined(parts, total, look) { if case .float64(let values) = $0.lanes { values } else { nil } })
    case .bool:
      return .bool(try joined(parts, total, look) { if case .bool(let values) = $0.lanes { values } else { nil } })
    case .id128:
      return .id128(
        try joined(parts, total, look) { if case .id128(let values) = $0.plain.lanes { values } else { nil } })
    case .bytes:
      if let shared = try sharedCodes(parts, total, look) { return shared }
      var result = ByteStrings()
      result.reserveCapacity(total, bytes: 0)
      for part in parts {
        try look()
        part.withBytes { view in
          for index in 0..<part.count { result.append(UnsafeRawBufferPointer(view[index])) }
        }
      }
      return .bytes(result)
    }
  }

  private static func sharedCodes<E: Error>(
    _ parts: [Vector], _ total: Int, _ look: () throws(E) -> Void
  ) throws(E) -> Lanes? {
    guard case .codes(_, let dictionary) = parts.first?.lanes else { return nil }
    var all: [UInt32] = []
    all.reserveCapacity(total)
    for part in parts {
      try look()
      guard case .codes(let codes, let other) = part.lanes, other === dictionary else { return nil }
      all += codes
    }
    return .codes(all, dictionary)
  }

  private static func joined<T, E: Error>(
    _ parts: [Vector], _ total: Int, _ look: () throws(E) -> Void, _ lanes: (Vector) -> [T]?
  ) throws(E) -> [T] {
    var all: [T] = []
    all.reserveCapacity(total)
    for part in parts {
      try look()
      all += lanes(part) ?? []
    }
    return all
  }
}
