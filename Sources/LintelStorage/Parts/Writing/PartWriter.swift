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

/// Writes one part from front to back: column after column, as a ``ColumnWriter`` encodes them.
///
///     let writer = try PartWriter(fileSystem: .., path: .., table: "spans", rowCount: n, blockRows: 16384)
///     var column = writer.column(.schema("name"), typeName: "string", physical: .bytes)
///     column.write(block)
///     try writer.take(&column)          // now and then, lest it grows
///     column.finish(dictionary: nil)
///     try writer.add(&column)
///     let summary = try writer.finish(minTime: .., maxTime: .., tailKeys: [])
///
/// Used by one thread at a time; the bytes of a column must not come between those of another. After an error the file is
/// worthless: call ``discard()``.
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
  /// By their numbers in the directory.
  private var columns: [Int: PartColumn] = [:]

  /// Bytes collected before the file is touched.
  static let bufferBytes = 1 << 20

  var blockCount: Int { (rowCount + blockRows - 1) / blockRows }

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

  func column(_ role: PartColumnRole, typeName: String, physical: PhysicalType) -> ColumnWriter {
    ColumnWriter(role, typeName: typeName, physical: physical, blockCount: blockCount)
  }

  /// Moves what a column has encoded so far into the file.
  func take(_ column: inout ColumnWriter) throws(StorageError) {
    column.takeBuffer { emit($0) }
    try drain(above: Self.bufferBytes)
  }

  /// Completes a finished column. Returns false, and leaves it out, when it has no value.
  /// - Parameter number: Where it stands in the directory; `nil` for behind those that have been added.
  @discardableResult
  func add(_ column: inout ColumnWriter, number: Int? = nil) throws(StorageError) -> Bool {
    guard column.column.valueCount > 0 else { return false }
    let base = position - column.takenBytes
    try take(&column)
    columns[number ?? columns.count] = column.column.moved(by: base)
    return true
  }

  /// Writes directory and trailer, syncs and closes the file. The directory entry is the caller's to sync.
  func finish(minTime: Int64, maxTime: Int64, tailKeys: [TailKey]) throws(StorageError) -> PartSummary {
    let directory = PartDirectory(
      table: table, rowCount: rowCount, blockRows: blockRows, minTime: minTime, maxTime: maxTime,
      columns: columns.sorted { $0.key < $1.key }.map(\.value), tailKeys: tailKeys
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

  private func drain(above limit: Int) throws(StorageError) {
    guard buffer.count > limit else { return }
    try file.append(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
