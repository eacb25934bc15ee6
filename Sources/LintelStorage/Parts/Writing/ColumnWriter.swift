internal import LintelColumns

/// Encodes one column of a part, block by block, into memory; ``PartWriter/take(_:)`` moves into the file what has come
/// together. So several threads may encode a column each while the file gets one after the other.
///
///     var column = part.column(.schema("name"), typeName: "string", physical: .bytes)
///     column.write(block)              // as many rows as the part's blocks have each, the last one the rest
///     column.finish(dictionary: nil)
///     try part.add(&column)
struct ColumnWriter {
  /// What the directory will list; offsets count from the column's first byte.
  private(set) var column: PartColumn
  /// What hasn't gone into the file yet.
  private(set) var buffer: [UInt8] = []
  /// Bytes that have.
  private(set) var takenBytes = 0
  private var entries: [BlockIndex.Entry] = []
  private var filters: FilterWriter?

  /// - Parameters:
  ///   - blockCount: Blocks of the part.
  ///   - fingerprintBits: Of the column's filters.
  init(
    _ role: PartColumnRole, typeName: String, physical: PhysicalType, blockCount: Int, fingerprintBits: Int = 8
  ) {
    column = PartColumn(
      role: role, typeName: typeName, physical: physical, valueCount: 0, dataOffset: 0, dataLength: 0, rawLength: 0,
      index: PartChunk(offset: 0, length: 0, checksum: 0), dictionary: nil, dictionaryCount: 0, encodings: [:])
    entries.reserveCapacity(blockCount)
    filters = FilterWriter(
      typeName: typeName, role: role, physical: physical, blockCount: blockCount, fingerprintBits: fingerprintBits)
  }

  private var position: Int { takenBytes + buffer.count }

  /// Writes the next block. Vectors of codes must all refer to the dictionary given to ``finish(dictionary:)``.
  mutating func write(_ block: ColumnVector) { write(block) { BlockCodec.encode($0, into: &$1) } }

  /// The same for a block that `encode` may write as what follows from other columns' blocks.
  mutating func write(_ block: ColumnVector, encode: (ColumnVector, inout [UInt8]) -> BlockStatistics) {
    let rows = block.count
    let nulls = block.validity.map { rows - $0.setCount } ?? 0
    guard nulls < rows else { return skip(rows) }
    let start = buffer.count
    let statistics = encode(block, &buffer)
    let encoding = buffer.withUnsafeBytes { BlockCodec.encodingName(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    entries.append(BlockIndex.Entry(chunk: chunk(from: start), statistics: statistics))
    filters?.add(block)
    column.valueCount += rows - nulls
    column.rawLength += block.plainByteCount
    column.encodings[encoding, default: 0] += 1
  }

  /// Writes a block of `rows` nulls.
  mutating func skip(_ rows: Int) {
    filters?.skip()
    entries.append(
      BlockIndex.Entry(
        chunk: PartChunk(offset: position, length: 0, checksum: 0),
        statistics: BlockStatistics(rowCount: rows, nullCount: rows, bounds: .none)))
  }

  /// Writes what follows the blocks. Of a column without any value nothing is written: it reads as nulls anyway.
  /// - Parameter effort: How hard the dictionary is encoded.
  mutating func finish(dictionary: ValueDictionary?, effort: EncodingEffort = .light) {
    guard column.valueCount > 0 else { return }
    column.dataLength = position
    if let dictionary {
      let start = buffer.count
      DictionaryCodec.encode(dictionary, effort: effort, into: &buffer)
      column.dictionary = chunk(from: start)
      column.dictionaryCount = dictionary.count
    }
    if let filters = filters?.finish(dictionary: dictionary) {
      let start = buffer.count
      filters.encode(into: &buffer)
      column.filters = chunk(from: start)
    }
    let start = buffer.count
    buffer.append(contentsOf: BlockIndex(entries: entries).encoded())
    column.index = chunk(from: start)
  }

  /// The end of the buffer, as the directory lists it.
  private func chunk(from start: Int) -> PartChunk {
    let checksum = buffer.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    return PartChunk(offset: takenBytes + start, length: buffer.count - start, checksum: checksum)
  }

  /// What hasn't gone into the file yet, which from now on has.
  mutating func takeBuffer(_ body: ([UInt8]) -> Void) {
    body(buffer)
    takenBytes += buffer.count
    buffer.removeAll(keepingCapacity: true)
  }
}

extension PartColumn {
  /// The same column in a file in which its first byte lies at `base`.
  func moved(by base: Int) -> PartColumn {
    var moved = self
    moved.dataOffset += base
    moved.index.offset += base
    moved.dictionary?.offset += base
    moved.filters?.offset += base
    return moved
  }
}
