internal import LintelColumns

extension PartMerger {
  /// Merges the dynamic columns: the most frequent keys into columns, the others into the tail. Returns the tail's keys.
  func mergeAttributes() throws(StorageError) -> [TailKey] {
    let keys = attributeCounts()
    let chosen = AttributeChoice.columns(counts: keys.map(\.count))
    var rare: [TailKey] = []
    for (index, key) in keys.enumerated() {
      guard chosen[index] else {
        rare.append(TailKey(key: key.key, valueCount: key.count))
        continue
      }
      let places = sources.map { $0.place(.attribute(key.key)) }
      try merge(.attribute(key.key), places, typeName: "", physical: key.key.kind.physical)
    }
    if !rare.isEmpty { try mergeTail(rare) }
    return rare
  }

  /// Values of each dynamic column over all sources, sorted by key.
  private func attributeCounts() -> [(key: AttributeKey, count: Int)] {
    var counts: [AttributeKey: Int] = [:]
    for source in sources {
      for column in source.directory.columns {
        if case .attribute(let key) = column.role { counts[key, default: 0] += column.valueCount }
      }
      for tail in source.directory.tailKeys { counts[tail.key, default: 0] += tail.valueCount }
    }
    return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func mergeTail(_ keys: [TailKey]) throws(StorageError) {
    var numbers: [AttributeKey: Int] = [:]
    for (number, tail) in keys.enumerated() { numbers[tail.key] = number }
    var tails = sources.map { TailSource($0, numbers: numbers) }
    var builder = TailBuilder()
    writer.beginColumn(.tail, typeName: "", physical: .bytes)
    try forEachBlock { (block) throws(StorageError) in
      for group in layout.groups[block.groups] {
        try tails[group.source].add(group.block, layout.pieces[group.pieces], to: &builder)
      }
      if builder.isEmpty {
        writer.skip(block.rowCount)
      } else {
        try writer.write(builder.finish(rowCount: block.rowCount))
      }
    }
    try writer.endColumn(dictionary: nil)
  }
}

/// What a source has for the merged tail: its own tail, and columns that are not frequent enough any more.
private struct TailSource {
  private let reader: PartReader
  private var tail: SourceColumn?
  /// The merged number of each key of the own tail; `nil` where it has become a column.
  private let translation: [Int?]
  private var columns: [(key: Int, kind: AttributeKind, column: SourceColumn)] = []

  init(_ reader: PartReader, numbers: [AttributeKey: Int]) {
    self.reader = reader
    translation = reader.directory.tailKeys.map { numbers[$0.key] }
    if let index = reader.tailColumn { tail = SourceColumn(reader, .column(index), .bytes) }
    for (index, column) in reader.directory.columns.enumerated() {
      guard case .attribute(let key) = column.role, let number = numbers[key] else { continue }
      columns.append((number, key.kind, SourceColumn(reader, .column(index), key.kind.physical)))
    }
  }

  mutating func add(
    _ block: Int, _ pieces: ArraySlice<MergeLayout.Piece>, to builder: inout TailBuilder
  ) throws(StorageError) {
    try addTail(block, pieces, to: &builder)
    for index in columns.indices {
      let vector = try columns[index].column.block(block)
      if vector.isAllNull { continue }
      for piece in pieces {
        for offset in 0..<Int(piece.count) where vector.isValid(Int(piece.from) + offset) {
          builder.add(
            row: Int(piece.to) + offset, key: columns[index].key, value: vector, at: Int(piece.from) + offset,
            kind: columns[index].kind)
        }
      }
    }
  }

  private mutating func addTail(
    _ block: Int, _ pieces: ArraySlice<MergeLayout.Piece>, to builder: inout TailBuilder
  ) throws(StorageError) {
    guard let folded = try tail?.block(block).plain(), case .bytes(let rows) = folded.storage else { return }
    do throws(ColumnError) {
      for piece in pieces {
        for offset in 0..<Int(piece.count) where folded.isValid(Int(piece.from) + offset) {
          let range = rows.range(Int(piece.from) + offset)
          try AttributeTail.forEachEntry(rows.bytes, range, kinds: reader.tailKinds) { (entry) throws(ColumnError) in
            guard let key = translation[entry.key] else { return }
            builder.add(row: Int(piece.to) + offset, key: key, payload: rows.bytes[entry.payload])
          }
        }
      }
    } catch {
      throw reader.damage("block \(block) of the rare attributes", error.message)
    }
  }
}
