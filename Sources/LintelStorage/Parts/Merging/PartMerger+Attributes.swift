internal import LintelColumns

extension PartMerger {
  /// Merges the rare dynamic columns.
  func mergeTail(_ number: Int, _ queue: ColumnQueue) throws(StorageError) -> ColumnWriter {
    var numbers: [AttributeKey: Int] = [:]
    for (number, tail) in columns.tailKeys.enumerated() { numbers[tail.key] = number }
    var tails = sources.readers.map { TailSource($0, numbers: numbers, .keys(sources.keys)) }
    var builder = TailBuilder()
    var writer = writer(columns.columns[number])
    try forEachBlock(queue) { (_, block) throws(StorageError) in
      for group in layout.groups[block.groups] {
        try tails[group.source].add(group.block, layout.pieces[group.pieces], to: &builder)
      }
      if builder.isEmpty {
        writer.skip(block.rowCount)
      } else {
        writer.write(builder.finish(rowCount: block.rowCount))
      }
      return try queue.pass(&writer, number)
    }
    writer.finish(dictionary: nil)
    return writer
  }
}

/// What a source has for the merged tail: its own tail, and columns that are not frequent enough any more.
private struct TailSource {
  private let reader: PartReader
  private var tail: SourceColumn?
  /// The merged number of each key of the own tail; `nil` where it has become a column.
  private let translation: [Int?]
  private var columns: [(key: Int, kind: AttributeKind, column: SourceColumn)] = []

  init(_ reader: PartReader, numbers: [AttributeKey: Int], _ keeping: BlockKeeping) {
    self.reader = reader
    translation = reader.directory.tailKeys.map { numbers[$0.key] }
    if let index = reader.tailColumn { tail = SourceColumn(reader, .column(index), .bytes, keeping) }
    for (index, column) in reader.directory.columns.enumerated() {
      guard case .attribute(let key) = column.role, let number = numbers[key] else { continue }
      columns.append((number, key.kind, SourceColumn(reader, .column(index), key.kind.physical, keeping)))
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
