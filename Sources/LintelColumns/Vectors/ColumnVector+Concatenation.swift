extension ColumnVector {
  /// The vectors' rows, one vector after the other.
  ///
  /// Dictionary-coded vectors stay so under one dictionary (all-null vectors among them fit in); where some are plain,
  /// all become plain. Throws `.malformed` when a vector isn't of `type`, `.limitExceeded` when the values take more than
  /// 4 GiB even with a dictionary.
  public static func concatenate(_ vectors: [ColumnVector], type: PhysicalType) throws(ColumnError) -> ColumnVector {
    for vector in vectors where vector.physicalType != type {
      throw ColumnError(.malformed, "a column of \(type) can't take rows of \(vector.physicalType)")
    }
    guard let first = vectors.first else { return nulls(type, count: 0).withoutValidity }
    if vectors.count == 1 { return first }
    let validity = concatenateValidity(vectors)
    switch type {
    case .int64: return ColumnVector(.int64(concatenateLanes(vectors, \.int64Lanes)), validity: validity)
    case .float64: return ColumnVector(.float64(concatenateLanes(vectors, \.float64Lanes)), validity: validity)
    case .bool: return ColumnVector(.bool(concatenateLanes(vectors, \.boolLanes)), validity: validity)
    case .id128, .bytes:
      if vectors.contains(where: \.isCoded), vectors.allSatisfy({ $0.isCoded || $0.isAllNull }) {
        return try concatenateCoded(vectors, type, validity)
      }
      if type == .id128 {
        return ColumnVector(.id128(concatenateLanes(vectors, \.idLanes)), validity: validity)
      }
      return try concatenateStrings(vectors, validity)
    }
  }

  /// Whether the values stand in a dictionary.
  public var isCoded: Bool {
    if case .codes = storage { true } else { false }
  }

  /// Whether there is no value at all.
  public var isAllNull: Bool { validity?.isAllClear ?? (count == 0) }

  private var withoutValidity: ColumnVector { ColumnVector(storage) }

  private static func concatenateValidity(_ vectors: [ColumnVector]) -> Bitmap? {
    guard vectors.contains(where: { $0.validity != nil }) else { return nil }
    var result = Bitmap(count: 0)
    for vector in vectors {
      if let validity = vector.validity {
        result.append(validity, 0..<validity.count)
      } else {
        result.append(repeating: true, count: vector.count)
      }
    }
    return result.withoutFullness
  }

  private static func concatenateLanes<Lane>(_ vectors: [ColumnVector], _ lanes: (ColumnVector) -> [Lane]) -> [Lane] {
    var result: [Lane] = []
    result.reserveCapacity(vectors.reduce(0) { $0 + $1.count })
    for vector in vectors { result.append(contentsOf: lanes(vector)) }
    return result
  }

  private static func concatenateCoded(
    _ vectors: [ColumnVector], _ type: PhysicalType, _ validity: Bitmap?
  ) throws(ColumnError) -> ColumnVector {
    var codes: [UInt32] = []
    codes.reserveCapacity(vectors.reduce(0) { $0 + $1.count })
    if let shared = sharedDictionary(vectors) {
      for vector in vectors { codes.append(contentsOf: vector.codeLanes) }
      return ColumnVector(.codes(codes, shared), validity: validity)
    }
    var builder = DictionaryBuilder(type)
    for vector in vectors {
      guard case .codes(let own, let dictionary) = vector.storage else {
        codes.append(contentsOf: repeatElement(0, count: vector.count))
        continue
      }
      let map = dictionary.recode(into: &builder, used: own, validity: vector.validity)
      codes.append(contentsOf: own.lazy.map { Int($0) < map.count ? map[Int($0)] : 0 })
      if map.contains(DictionaryBuilder.noRoom) {
        throw ColumnError(.limitExceeded, "the distinct values of the column take more than 4 GiB")
      }
    }
    return ColumnVector(.codes(codes, builder.finish()), validity: validity)
  }

  private static func sharedDictionary(_ vectors: [ColumnVector]) -> ValueDictionary? {
    var shared: ValueDictionary?
    for vector in vectors {
      guard case .codes(_, let dictionary) = vector.storage else { continue }
      if let known = shared, known !== dictionary { return nil }
      shared = dictionary
    }
    return shared
  }

  private static func concatenateStrings(
    _ vectors: [ColumnVector], _ validity: Bitmap?
  ) throws(ColumnError) -> ColumnVector {
    let plain = vectors.map { $0.plain() }
    let total = plain.reduce(0) { $0 + $1.stringByteCount }
    if total > Int(UInt32.max) || plain.contains(where: \.isCoded) {
      return try concatenateCoded(plain.map { $0.coded() }, .bytes, validity)
    }
    var strings = ByteStrings()
    strings.reserveCapacity(plain.reduce(0) { $0 + $1.count }, bytes: total)
    for vector in plain {
      if case .bytes(let values) = vector.storage { strings.append(all: values) }
    }
    return ColumnVector(.bytes(strings), validity: validity)
  }
}

extension ColumnVector {
  /// The same values with a dictionary, if they are byte strings or ids; what doesn't fit a dictionary stays plain.
  public func coded() -> ColumnVector {
    var builder = DictionaryBuilder(physicalType)
    let codes: [UInt32]
    switch storage {
    case .bytes(let strings):
      codes = (0..<count).map { row in isValid(row) ? strings.withBytes(row) { builder.code(for: $0) } : 0 }
    case .id128(let ids):
      codes = (0..<count).map { row in isValid(row) ? builder.code(for: ids[row]) : 0 }
    default: return self
    }
    if codes.contains(DictionaryBuilder.noRoom) { return self }
    return ColumnVector(.codes(codes, builder.finish()), validity: validity)
  }

  fileprivate var int64Lanes: [Int64] {
    if case .int64(let lanes) = storage { lanes } else { [] }
  }

  fileprivate var float64Lanes: [Double] {
    if case .float64(let lanes) = storage { lanes } else { [] }
  }

  fileprivate var boolLanes: [Bool] {
    if case .bool(let lanes) = storage { lanes } else { [] }
  }

  fileprivate var idLanes: [UInt128] {
    if case .id128(let lanes) = plain().storage { lanes } else { [] }
  }

  /// The codes; zeros for an all-null plain vector.
  fileprivate var codeLanes: [UInt32] {
    if case .codes(let lanes, _) = storage { lanes } else { Array(repeating: 0, count: count) }
  }

  fileprivate var stringByteCount: Int {
    if case .bytes(let strings) = storage { strings.bytes.count } else { 0 }
  }
}

extension ValueDictionary {
  /// For every code of this dictionary that a valid row uses, its code in `builder`; 0 for the others.
  public func recode(into builder: inout DictionaryBuilder, used codes: [UInt32], validity: Bitmap?) -> [UInt32] {
    var isUsed = [Bool](repeating: false, count: count)
    for (row, code) in codes.enumerated() where validity?[row] ?? true {
      if Int(code) < isUsed.count { isUsed[Int(code)] = true }
    }
    return (0..<count).map { code in
      guard isUsed[code] else { return 0 }
      switch values {
      case .bytes(let strings): return strings.withBytes(code) { builder.code(for: $0) }
      case .id128(let ids): return builder.code(for: ids[code])
      }
    }
  }
}
