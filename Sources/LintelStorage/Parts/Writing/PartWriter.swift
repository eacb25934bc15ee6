internal import LintelColumns

/// What a finished part is, for the manifest.
struct PartSummary: Sendable, Hashable {
  var length: Int
  /// The trailer's checksum.
  var checksum: UInt32
  var rowCount: Int
  var minTime: Int64
  var maxTime: Int64
}

/// Writes one part from front to back: column after column, each block by block.
///
///     let writer = try PartWriter(fileSystem: .., path: .., table: "spans", rowCount: n, blockRows: 16384)
///     try writer.beginColumn(.schema("name"), typeName: "string", physical: .bytes)
///     try writer.write(block)          // blockRows rows each, the last one the rest
///     try writer.endColumn(dictionary: nil)
///     let summary = try writer.finish(minTime: .., maxTime: .., tailKeys: [])
///
/// Used by one thread. After an error the file is worthless: call ``discard()``.
final class PartWriter {
  private let fileSystem: any FileSystem
  let path: String
  let rowCount: Int
  let blockRows: Int
  private let table: String
  private let file: any WritableFile
  private var buffer: [UInt8] = []
  /// Bytes written so far, those in the buffer included.
  private var position = 0
  private var columns: [PartColumn] = []
  private var current: PartColumn?
  private var entries: [BlockIndex.Entry] = []
  private var filters: FilterWriter?

  /// Bytes collected before the file is touched.
  private static let bufferBytes = 1 << 20

  init(fileSystem: any FileSystem, path: String, table: String, rowCount: Int, blockRows: Int) throws(StorageError) {
    guard rowCount <= PartFormat.maximumRows else {
      throw StorageError(.invalid, "a part of \(rowCount) rows is too large", path: path)
    }
    self.fileSystem = fileSystem
    self.path = path
    self.table = table
    self.rowCount = rowCount
    self.blockRows = blockRows
    file = try fileSystem.create(path)
    buffer.reserveCapacity(2 * Self.bufferBytes)
    emit(PartFormat.header())
  }

  func beginColumn(_ role: PartColumnRole, typeName: String, physical: PhysicalType) {
    current = PartColumn(
      role: role, typeName: typeName, physical: physical, valueCount: 0, dataOffset: position, dataLength: 0,
      rawLength: 0,
      index: PartChunk(offset: 0, length: 0, checksum: 0), dictionary: nil, dictionaryCount: 0, encodings: [:])
    entries.removeAll(keepingCapacity: true)
    filters = FilterWriter(
      typeName: typeName, role: role, physical: physical, blockCount: (rowCount + blockRows - 1) / blockRows)
  }

  /// Writes the column's next block. Vectors of codes must all refer to the dictionary given to ``endColumn(dictionary:)``.
  func write(_ block: ColumnVector) throws(StorageError) {
    try write(block) { BlockCodec.encode($0, into: &$1) }
  }

  /// The same for a block that `encode` may write as what follows from other columns' blocks.
  func write(
    _ block: ColumnVector, encode: (ColumnVector, inout [UInt8]) -> BlockStatistics
  ) throws(StorageError) {
    let rows = block.count
    let nulls = block.validity.map { rows - $0.setCount } ?? 0
    guard nulls < rows else { return skip(rows) }
    let start = buffer.count
    let statistics = encode(block, &buffer)
    let length = buffer.count - start
    let (checksum, encoding) = buffer.withUnsafeBytes { bytes in
      let encoded = UnsafeRawBufferPointer(rebasing: bytes[start...])
      return (Checksum.crc32c(encoded), BlockCodec.encodingName(encoded))
    }
    entries.append(
      BlockIndex.Entry(
        chunk: PartChunk(offset: position, length: length, checksum: checksum), statistics: statistics))
    position += length
    filters?.add(block)
    current?.valueCount += rows - nulls
    current?.rawLength += block.plainByteCount
    current?.encodings[encoding, default: 0] += 1
    try drain(above: Self.bufferBytes)
  }

  /// Writes a block of `rows` nulls.
  func skip(_ rows: Int) {
    filters?.skip()
    entries.append(
      BlockIndex.Entry(
        chunk: PartChunk(offset: position, length: 0, checksum: 0),
        statistics: BlockStatistics(rowCount: rows, nullCount: rows, bounds: .none)))
  }

  /// Completes the column, and answers its number in the directory. One without any value leaves no trace: it reads as
  /// nulls anyway.
  @discardableResult
  func endColumn(dictionary: ValueDictionary?) throws(StorageError) -> Int? {
    guard var column = current else { return nil }
    current = nil
    guard column.valueCount > 0 else { return nil }
    column.dataLength = position - column.dataOffset
    if let dictionary {
      column.dictionary = chunk { DictionaryCodec.encode(dictionary, into: &$0) }
      column.dictionaryCount = dictionary.count
    }
    if let filters = filters?.finish(dictionary: dictionary) {
      column.filters = chunk { filters.encode(into: &$0) }
    }
    column.index = chunk { $0.append(contentsOf: BlockIndex(entries: entries).encoded()) }
    columns.append(column)
    try drain(above: Self.bufferBytes)
    return columns.count - 1
  }

  /// Writes directory and trailer, syncs and closes the file. The directory entry is the caller's to sync.
  func finish(minTime: Int64, maxTime: Int64, tailKeys: [TailKey]) throws(StorageError) -> PartSummary {
    let directory = PartDirectory(
      table: table, rowCount: rowCount, blockRows: blockRows, minTime: minTime, maxTime: maxTime, columns: columns,
      tailKeys: tailKeys
    ).encoded()
    let trailer = PartFormat.trailer(directory: directory, at: position)
    emit(directory)
    emit(trailer.bytes)
    try drain(above: 0)
    try file.sync()
    try file.close()
    return PartSummary(
      length: position, checksum: trailer.checksum, rowCount: rowCount, minTime: minTime, maxTime: maxTime)
  }

  /// Gives the part up and removes the file; what fails here leaves an orphan that the next opening removes.
  func discard() {
    try? file.close()
    try? fileSystem.remove(path)
  }

  private func emit(_ bytes: [UInt8]) {
    buffer.append(contentsOf: bytes)
    position += bytes.count
  }

  private func chunk(_ write: (inout [UInt8]) -> Void) -> PartChunk {
    let start = buffer.count
    write(&buffer)
    let length = buffer.count - start
    let checksum = buffer.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    defer { position += length }
    return PartChunk(offset: position, length: length, checksum: checksum)
  }

  private func drain(above limit: Int) throws(StorageError) {
    guard buffer.count > limit else { return }
    try file.append(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
