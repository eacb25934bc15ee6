internal import LintelColumns

/// A segment of which some rows have lost their content: attributes that are content read as null there, whether they are kept
/// apart or were short enough to stay in the row.
///
/// What is known of such attributes as a whole (zone maps, filters, dictionaries) tells of values that are gone: nobody gets
/// to see it.
struct ContentlessSegment: CoveringSegment {
  let base: any Segment
  /// Rows that have their content still; `nil`: none has.
  let kept: RowMask?
  let attributeKeys: [AttributeKey]
  let digestKeys: [AttributeKey]
  private let keys: ContentKeys

  init(base: any Segment, keys: ContentKeys, kept: RowMask?) {
    self.base = base
    self.keys = keys
    self.kept = kept
    attributeKeys = kept == nil ? base.attributeKeys.filter { !keys.holds($0) } : base.attributeKeys
    digestKeys = kept == nil ? [] : base.digestKeys
  }

  var contentName: String {
    let left = kept.map { "\(String($0.identity, radix: 16))-\($0.removedCount)" } ?? "none"
    return "\(base.contentName)-content-\(left)"
  }

  func isChanged(_ column: ColumnReference) -> Bool {
    if case .attribute(let key) = column { keys.holds(key) } else { false }
  }

  /// Takes the values of rows away that have lost them.
  /// - Parameter rows: Those of the block that the vector has; `nil` for all.
  private func rest(_ vector: ColumnVector, block: Int, _ rows: [UInt32]?) -> ColumnVector {
    let bits = kept?.bits(block)
    if kept != nil, bits == nil { return vector }
    var validity = Bitmap(repeating: false, count: vector.count)
    if let bits {
      for lane in 0..<vector.count where vector.isValid(lane) {
        let row = rows.map { Int($0[lane]) } ?? lane
        if bits[row] { validity[lane] = true }
      }
    }
    var left = vector
    left.validity = validity.isAllSet ? nil : validity
    return left
  }

  func isContent(_ column: ColumnReference) -> Bool { base.isContent(column) }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    let vector = try base.read(column, block: block)
    return isChanged(column) ? rest(vector, block: block, nil) : vector
  }

  func content(
    _ column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? {
    guard isChanged(column) else { return try base.content(column, block: block, rows: rows, within: bounds) }
    guard base.isContent(column) else {
      let vector = try read(column, block: block)
      return rows.map(vector.gather) ?? vector
    }
    // Content that is past its time may have been swept already: it isn't asked for.
    let asked = rows ?? (0..<UInt32(truncatingIfNeeded: rowCount(ofBlock: block))).map { $0 }
    guard let (left, lanes) = remainder(of: asked, block: block) else {
      return try base.content(column, block: block, rows: rows, within: bounds)
    }
    guard let values = try base.content(column, block: block, rows: left, within: bounds) else { return nil }
    return values.spread(to: lanes, count: asked.count)
  }

  func contains(
    _ needle: [UInt8], in column: ColumnReference, block: Int, rows: [UInt32]?, within bounds: ReadBounds
  ) throws(StorageError) -> ColumnVector? {
    guard isChanged(column) else {
      return try base.contains(needle, in: column, block: block, rows: rows, within: bounds)
    }
    let asked = rows ?? (0..<UInt32(truncatingIfNeeded: rowCount(ofBlock: block))).map { $0 }
    guard let (left, lanes) = remainder(of: asked, block: block) else {
      return try base.contains(needle, in: column, block: block, rows: rows, within: bounds)
    }
    guard let flags = try base.contains(needle, in: column, block: block, rows: left, within: bounds) else {
      return nil
    }
    return flags.spread(to: lanes, count: asked.count)
  }

  /// Those of some rows that have their content, and the places of these among them; `nil` when all have.
  private func remainder(of rows: [UInt32], block: Int) -> (rows: [UInt32], lanes: [Int])? {
    guard let kept else { return ([], []) }
    guard let bits = kept.bits(block) else { return nil }
    let lanes = rows.indices.filter { bits[Int(rows[$0])] }
    return (lanes.map { rows[$0] }, lanes)
  }
}

extension ColumnVector {
  /// A vector with the values at other places, ascending, and null between them.
  fileprivate func spread(to lanes: [Int], count: Int) -> ColumnVector {
    if lanes.count == count { return self }
    guard !lanes.isEmpty, self.count == lanes.count else { return .nulls(physicalType, count: count) }
    // Places without a value repeat some value that is null there.
    var sources = [UInt32](repeating: 0, count: count)
    var validity = Bitmap(repeating: false, count: count)
    for (lane, place) in lanes.enumerated() {
      sources[place] = UInt32(truncatingIfNeeded: lane)
      validity[place] = isValid(lane)
    }
    var spread = gather(sources)
    spread.validity = validity
    return spread
  }
}
