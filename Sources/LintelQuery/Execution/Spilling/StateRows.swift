import LintelColumns

/// States of groups as rows, so that they can be put aside and read back.
///
/// Either a row for each group, in order; or rows that name their group in the first column, as many as the group needs.
struct StateRows {
  var count: Int
  var columns: [Vector]

  /// A row for each group.
  init(_ columns: [Vector], count: Int) {
    self.columns = columns
    self.count = count
  }

  /// Rows that belong to `owners`, numbers of groups.
  init(owners: [Int64], _ columns: [Vector]) {
    count = owners.count
    self.columns = [Vector(.int64(owners))] + columns
  }

  static let none = StateRows([], count: 0)

  // MARK: Reading back

  /// The lanes of a column of integers without nulls.
  func integers(_ column: Int) -> [Int64]? {
    guard column < columns.count, columns[column].validity == nil, case .int64(let lanes) = columns[column].lanes else {
      return nil
    }
    return lanes
  }

  func doubles(_ column: Int) -> [Double]? {
    guard column < columns.count, columns[column].validity == nil, case .float64(let lanes) = columns[column].lanes
    else {
      return nil
    }
    return lanes
  }

  func flags(_ column: Int) -> [Bool]? {
    guard column < columns.count, columns[column].validity == nil, case .bool(let lanes) = columns[column].lanes else {
      return nil
    }
    return lanes
  }

  func wide(_ column: Int) -> [UInt128]? {
    guard column < columns.count, columns[column].validity == nil, case .id128(let lanes) = columns[column].lanes else {
      return nil
    }
    return lanes
  }

  /// The bytes of every lane; those of null lanes are empty.
  func bytes(_ column: Int) -> [[UInt8]]? {
    guard column < columns.count, columns[column].physicalType == .bytes else { return nil }
    return columns[column].withBytes { view in (0..<count).map { Array(view[$0]) } }
  }

  /// The first column: numbers of groups below `groups`.
  func owners(below groups: Int) -> [UInt32]? {
    guard let lanes = integers(0), lanes.allSatisfy({ $0 >= 0 && $0 < Int64(groups) }) else { return nil }
    return mapLanes(lanes) { UInt32(truncatingIfNeeded: $0) }
  }
}

extension [Int64] {
  /// The numbers as bytes, and back.
  var memory: [UInt8] { withUnsafeBytes { Array<UInt8>($0) } }

  init?(memory bytes: [UInt8]) {
    guard bytes.count % 8 == 0 else { return nil }
    self = bytes.withUnsafeBytes { bytes in
      makeLanes(bytes.count / 8) { bytes.loadUnaligned(fromByteOffset: $0 &* 8, as: Int64.self) }
    }
  }
}
