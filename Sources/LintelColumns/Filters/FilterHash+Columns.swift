extension FilterHash {
  /// The hashes of the values of byte strings or ids that are not null, row by row; empty for other types and for codes.
  public static func values(of vector: ColumnVector) -> [UInt64] {
    switch vector.storage {
    case .bytes(let strings):
      var hashes: [UInt64] = []
      hashes.reserveCapacity(strings.count)
      strings.withEach { row, bytes in
        if vector.isValid(row) { hashes.append(value(bytes)) }
      }
      return hashes
    case .id128(let ids):
      guard let validity = vector.validity else { return ids.map { value($0) } }
      return ids.indices.lazy.filter { validity[$0] }.map { value(ids[$0]) }
    case .int64, .float64, .bool, .codes: return []
    }
  }

  /// The hash of each entry, in the order of the codes.
  public static func values(of dictionary: ValueDictionary) -> [UInt64] {
    switch dictionary.values {
    case .bytes(let strings): values(of: ColumnVector(.bytes(strings)))
    case .id128(let ids): ids.map { value($0) }
    }
  }
}
