internal import LintelColumns

/// One column of one source of a merge, read by runs of rows; keeps the blocks used last.
struct SourceColumn {
  let reader: PartReader
  let place: PartReader.Place?
  let physical: PhysicalType
  private let keeping: BlockKeeping
  /// The column's dictionary, once asked for.
  private(set) var dictionary: ValueDictionary?
  /// Translates the dictionary's codes into the merged ones.
  var table: [UInt32] = []
  /// The blocks in merged codes, which need no translation, where the column has no dictionary itself.
  private var codes: [ColumnVector]?
  private var kept: [(block: Int, vector: ColumnVector)] = []

  /// Traces that reach over the seam of two sources make a merge jump a little to and fro.
  private static let keptBlocks = 4

  init(_ reader: PartReader, _ place: PartReader.Place?, _ physical: PhysicalType, _ keeping: BlockKeeping) {
    self.reader = reader
    self.place = place
    self.physical = physical
    self.keeping = keeping
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

  /// Gives the values of a column without a dictionary codes of the merged one.
  mutating func encode(with union: inout DictionaryUnion) throws(StorageError) {
    var codes: [ColumnVector] = []
    // What the codes refer to isn't known before the last source has been read.
    let later = ValueDictionary(physical == .id128 ? .id128([]) : .bytes(ByteStrings()))
    for block in 0..<reader.blockCount {
      let vector = try read(block)
      codes.append(ColumnVector(.codes(union.codes(of: vector), later), validity: vector.validity))
    }
    self.codes = codes
    kept = []
  }

  mutating func forgetCodes() {
    table = []
    codes = nil
    kept = []
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
      if let codes { return codes[number] }
      let dictionary = try loadDictionary()
      return try reader.block(number, ofStored: index, dictionary: dictionary, keeping: keeping)
    case .tail(let key):
      return try reader.tailBlockOnce(number, key: key)
    }
  }
}
