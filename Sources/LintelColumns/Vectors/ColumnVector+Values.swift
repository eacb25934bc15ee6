extension ColumnVector {
  /// The row's value; `nil` when it is null or no integer.
  public func int64(at row: Int) -> Int64? {
    guard case .int64(let lanes) = storage, isValid(row) else { return nil }
    return lanes[row]
  }

  /// The row's value; `nil` when it is null or no double.
  public func float64(at row: Int) -> Double? {
    guard case .float64(let lanes) = storage, isValid(row) else { return nil }
    return lanes[row]
  }

  /// The row's value; `nil` when it is null or no boolean.
  public func bool(at row: Int) -> Bool? {
    guard case .bool(let lanes) = storage, isValid(row) else { return nil }
    return lanes[row]
  }

  /// The row's value, dictionary-coded or not; `nil` when it is null or no id.
  public func id128(at row: Int) -> UInt128? {
    guard isValid(row) else { return nil }
    switch storage {
    case .id128(let lanes): return lanes[row]
    case .codes(let codes, let dictionary):
      guard case .id128(let ids) = dictionary.values, Int(codes[row]) < ids.count else { return nil }
      return ids[Int(codes[row])]
    default: return nil
    }
  }

  /// The row's value, dictionary-coded or not; `nil` when it is null or no byte string.
  public func bytes(at row: Int) -> ArraySlice<UInt8>? {
    guard isValid(row) else { return nil }
    switch storage {
    case .bytes(let strings): return strings[row]
    case .codes(let codes, let dictionary):
      guard case .bytes(let strings) = dictionary.values, Int(codes[row]) < strings.count else { return nil }
      return strings[Int(codes[row])]
    default: return nil
    }
  }

  /// The row's value as text; `nil` when it is null or no byte string. Invalid UTF-8 is repaired.
  public func string(at row: Int) -> String? {
    bytes(at: row).map { String(decoding: $0, as: UTF8.self) }
  }

  /// How many rows are null.
  public var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }

  /// Bytes of memory, the dictionary's included.
  public var byteCount: Int {
    let lanes =
      switch storage {
      case .int64(let lanes): lanes.count * 8
      case .float64(let lanes): lanes.count * 8
      case .bool(let lanes): lanes.count
      case .bytes(let strings): strings.byteCount
      case .id128(let lanes): lanes.count * 16
      case .codes(let lanes, let dictionary): lanes.count * 4 + dictionary.byteCount
      }
    return lanes + (validity?.words.count ?? 0) * 8
  }
}

extension ByteStrings {
  /// Bytes of memory.
  public var byteCount: Int { bytes.count + offsets.count * 4 }
}

extension ValueDictionary {
  /// Bytes of memory.
  public var byteCount: Int {
    switch values {
    case .bytes(let strings): strings.byteCount
    case .id128(let ids): ids.count * 16
    }
  }
}
