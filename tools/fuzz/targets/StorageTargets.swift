import LintelSimulation
@testable import Lintel
@testable import LintelColumns
@testable import LintelIngest
@testable import LintelStorage

let storageTargets: [String: FuzzTarget] = [
  "batch": { _, bytes in
    guard let batch = try? BatchCodec.decode(bytes, schema: SpanSchema.table) else { return }
    precondition(batch.columns.allSatisfy { $0.count == batch.rowCount })
    // Whatever the rows are, they leave as lines of JSON, or not at all.
    guard let lines = try? SpanExporter().lines(batch) else { return }
    for line in lines.split(separator: 10) {
      let isWhole = line.withUnsafeBytes { line in
        var scanner = JSONScanner(line)
        return (try? scanner.skipValue()) != nil && scanner.isAtEnd
      }
      precondition(isWhole, "a span is exported as what is no JSON")
    }
  },
  "directory": { _, bytes in
    guard let directory = try? PartDirectory(decoding: Array(bytes), fileLength: 1 << 20) else { return }
    let again = try? PartDirectory(decoding: directory.encoded(), fileLength: 1 << 20)
    precondition(again?.rowCount == directory.rowCount)
  },
  "manifest": { _, bytes in
    // The sum at the end holds, so that what is above it is read.
    var text = Array(bytes)
    let sum = String(text.withUnsafeBytes { Checksum.crc32c($0) }, radix: 16)
    text += Array("end \(String(repeating: "0", count: 8 - sum.utf8.count))\(sum)\n".utf8)
    if let manifest = try? ManifestCodec.decode(text, path: "manifest") { _ = ManifestCodec.encode(manifest) }
    _ = try? ManifestCodec.decode(Array(bytes), path: "manifest")
  },
  "part": { table, bytes in readPart(Array(bytes), table & 1 == 0 ? SpanSchema.table : Samples.schema) },
  "log": { shape, bytes in recoverLog(shape, bytes) },
]

/// Reads everything of a part whose checksums were made to hold.
private func readPart(_ bytes: [UInt8], _ schema: TableSchema) {
  var bytes = bytes
  guard restoreChecksums(&bytes) else { return }
  let file = MemoryFile(bytes)
  guard
    let reader = try? PartReader(
      file: file, name: "part", schema: schema, expectedChecksum: nil, cache: BlockCache(capacity: 1 << 20),
      cacheID: 1, onDamage: { _ in })
  else { return }
  // A few bytes may stand for many rows, legally.
  guard reader.rowCount <= 1 << 16 else { return }
  let columns =
    schema.columns.indices.map { ColumnReference.column($0) }
    + reader.attributeKeys.prefix(20).map { .attribute($0) }
  for column in columns {
    let filters = reader.filters(column)
    for block in 0..<min(reader.blockCount, 8) {
      let vector = try? reader.read(column, block: block)
      precondition(vector.map { $0.count == reader.rowCount(ofBlock: block) } ?? true)
      _ = reader.statistics(column, block: block)
      _ = filters?.mayContain(7, block: block)
    }
  }
}

/// Makes every checksum of a part right, from the blocks to the trailer, so that damage gets past them.
private func restoreChecksums(_ bytes: inout [UInt8]) -> Bool {
  let end = bytes.count - PartFormat.trailerLength
  guard end >= PartFormat.headerLength else { return false }
  let offset = bytes[end..<end + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  guard offset >= UInt64(PartFormat.headerLength), offset <= UInt64(end),
    var directory = try? PartDirectory(decoding: Array(bytes[Int(offset)..<end]), fileLength: bytes.count)
  else { return false }
  func sum(_ chunk: PartChunk) -> UInt32 {
    bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[chunk.offset..<chunk.end])) }
  }
  for number in directory.columns.indices {
    var column = directory.columns[number]
    if let dictionary = column.dictionary { column.dictionary?.checksum = sum(dictionary) }
    if let filters = column.filters { column.filters?.checksum = sum(filters) }
    let encoded = Array(bytes[column.index.offset..<column.index.end])
    if var index = try? BlockIndex(
      decoding: encoded, column: column, rowCount: directory.rowCount, blockRows: directory.blockRows)
    {
      for block in index.entries.indices { index.entries[block].chunk.checksum = sum(index.entries[block].chunk) }
      let restored = index.encoded()
      if restored.count == encoded.count {
        bytes.replaceSubrange(column.index.offset..<column.index.end, with: restored)
      }
    }
    column.index.checksum = sum(column.index)
    directory.columns[number] = column
  }
  let encoded = directory.encoded()
  bytes.replaceSubrange(Int(offset)..., with: encoded)
  bytes += PartFormat.trailer(directory: encoded, at: Int(offset)).bytes
  bytes.replaceSubrange(..<PartFormat.headerLength, with: PartFormat.header())
  return true
}

/// Recovers a log of two segments: the input as it is, and as payloads of whole records (cut at bytes 255), the last of
/// them torn.
private func recoverLog(_ shape: Int, _ bytes: UnsafeRawBufferPointer) {
  var first = LogSegmentHeader(shard: 0, segment: 1, previous: 0).encoded()
  for piece in bytes.split(separator: 255) {
    let piece = UnsafeRawBufferPointer(rebasing: bytes[piece.startIndex..<piece.endIndex])
    let position = LogPosition(segment: 1, offset: first.count)
    let kind = shape & 128 != 0 ? LogPayload.rowsWithContent : LogPayload.rows
    let header = LogRecordHeader(piece, kind: kind, at: position, shard: 0)
    let start = first.count
    first += [UInt8](repeating: 0, count: LogFormat.recordHeaderSize)
    first.withUnsafeMutableBytes { header.encode(into: UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    first += Array(piece)
  }
  if shape & 1 != 0 { first.removeLast(min(first.count, shape >> 1 & 63)) }
  var second = LogSegmentHeader(shard: 0, segment: 2, previous: 1).encoded()
  second += Array(bytes)
  let files = MemoryFiles(["log/" + LogFormat.fileName(1): first, "log/" + LogFormat.fileName(2): second])
  _ = try? LogRecovery.recover("log", shard: 0, fileSystem: files, floor: 1) { (record) throws(StorageError) in
    guard let logged = try? LogPayload.decode(record, schemas: ["spans": SpanSchema.table]) else { return }
    precondition(logged.batch.columns.allSatisfy { $0.count == logged.batch.rowCount })
  }
  // What was recovered is recovered again, with nothing to cut.
  let again = try? LogRecovery.recover("log", shard: 0, fileSystem: files, floor: 1) { (_) throws(StorageError) in }
  precondition(again.map { $0.cutBytes == 0 } ?? true)
}
