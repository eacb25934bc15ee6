internal import LintelColumns

/// One column of one source of a merge, read by runs of rows; keeps the blocks used last.
struct SourceColumn {
  let reader: PartReader
  let place: PartReader.Place?
  let physical: PhysicalType
  /// The column's dictionary, once asked for.
  private(set) var dictionary: ValueDictionary?
  /// Translates the dictionary's codes into the merged ones.
  var table: [UInt32] = []
  private var kept: [(block: Int, vector: ColumnVector)] = []

  /// Traces that reach over the seam of two sources make a merge jump a little to and fro.
  private static let keptBlocks = 4

  init(_ reader: PartReader, _ place: PartReader.Place?, _ physical: PhysicalType) {
    self.reader = reader
    self.place = place
    self.physical = physical
  }

  /// The stored column's directory entry, unless it is absent or in the tail.
  var stored: PartColumn? {
    if case .column(let index) = place { return reader.directory.columns[index] }
    return nil
  }

  mutating func loadDictionary() throws(StorageError) -> ValueDictionary? {
    if dictionary == nil, case .column(let index) = place {
      dictionary = try reader.dictionary(ofStored: index, cached: false)
    }
    return dictionary
  }

  mutating func block(_ number: Int) throws(StorageError) -> ColumnVector {
    if let last = kept.last, last.block == number { return last.vector }
    if let found = kept.firstIndex(where: { $0.block == number }) {
      let entry = kept.remove(at: found)
      kept.append(entry)
      return entry.vector
    }
    let vector = try read(number)
    if kept.count >= Self.keptBlocks { kept.removeFirst() }
    kept.append((number, vector))
    return vector
  }

  private mutating func read(_ number: Int) throws(StorageError) -> ColumnVector {
    switch place {
    case nil:
      return .nulls(physical, count: reader.rowCount(ofBlock: number))
    case .column(let index):
      let dictionary = try loadDictionary()
      return try reader.block(number, ofStored: index, dictionary: dictionary, cached: false)
    case .tail(let key):
      return try reader.tailBlockOnce(number, key: key)
    }
  }
}

/// A stretch of a run that lies in one block of its source.
struct RunPiece {
  var source: Int
  var block: Int
  /// Rows within the block.
  var rows: Range<Int>
}

/// Walks along a plan in steps of output blocks.
struct PlanCursor {
  private let runs: [MergePlan.Run]
  private let blockRows: [Int]
  private var run = 0
  private var taken = 0

  init(_ plan: MergePlan, sources: [PartReader]) {
    runs = plan.runs
    blockRows = sources.map(\.blockRows)
  }

  /// The pieces that make up the next `count` rows, in order.
  mutating func next(_ count: Int, into pieces: inout [RunPiece]) {
    pieces.removeAll(keepingCapacity: true)
    var missing = count
    while missing > 0, run < runs.count {
      let current = runs[run]
      let source = Int(current.source)
      let row = Int(current.start) + taken
      let block = row / blockRows[source]
      let start = row - block * blockRows[source]
      let length = min(missing, min(Int(current.count) - taken, blockRows[source] - start))
      pieces.append(RunPiece(source: source, block: block, rows: start..<(start + length)))
      missing -= length
      taken += length
      if taken == Int(current.count) {
        run += 1
        taken = 0
      }
    }
  }
}
