internal import LintelColumns

/// What a log record holds.
///
///     rows       := table:string, batch           the batch as ``BatchCodec`` writes it; `string` as in ``PartFormat``
///     content    := pieces:varint piece*, rows:varint digest*, rows
///     piece      := id:varint, digest, length:varint, bytes
///
/// `content` has rows that refer to content, with the pieces that weren't stored before, and each row's digest, which goes by
/// what the row was before its content was taken out. Digests are 16 bytes, the highest first.
enum LogPayload {
  // The log record's kind. Never changes.
  static let rows: UInt8 = 1
  static let rowsWithContent: UInt8 = 2

  static func encode(_ batch: Batch) -> [UInt8] {
    var writer = PartBytesWriter()
    writer.string(batch.schema.name)
    BatchCodec.encode(batch, into: &writer.bytes)
    return writer.bytes
  }

  /// What goes before the rows in a record of ``rowsWithContent``.
  static func content(_ pieces: [ContentPiece], digests: [UInt128]) -> [UInt8] {
    var writer = PartBytesWriter()
    writer.bytes.reserveCapacity(
      pieces.reduce(64) { $0 + $1.bytes.count + 32 } + digests.count * ContentFormat.digestLength)
    writer.count(pieces.count)
    for piece in pieces {
      writer.varint(piece.id)
      writer.wideBigEndian(piece.digest)
      writer.count(piece.bytes.count)
      writer.bytes.append(contentsOf: piece.bytes)
    }
    writer.count(digests.count)
    for digest in digests { writer.wideBigEndian(digest) }
    return writer.bytes
  }

  /// A record's rows, and what came with them.
  struct Logged: Sendable {
    var batch: Batch
    var pieces: [ContentPiece] = []
    /// One a row; `nil` where they follow from the rows.
    var digests: [UInt128]?
    /// The greatest id that rows of the record refer to, those that aren't taken in included; 0 where none does.
    var greatestID: UInt64 = 0
  }

  static func decode(_ record: LogRecord, schemas: [String: TableSchema]) throws(StorageError) -> Logged {
    guard record.kind == rows || record.kind == rowsWithContent else {
      throw StorageError(.incompatible, "the log holds a record of kind \(record.kind): use a newer Lintel")
    }
    var reader = PartBytesReader(record.payload)
    do throws(ColumnError) {
      var pieces: [ContentPiece] = []
      var digests: [UInt128]?
      if record.kind == rowsWithContent {
        for _ in 0..<(try reader.count(limit: reader.remaining)) {
          let id = try reader.varint()
          guard ContentRecipe.isID(id) else { throw ColumnError(.malformed, "no piece of content has the id \(id)") }
          let digest = try reader.wideBigEndian()
          let bytes = Array(record.payload[try reader.run()])
          pieces.append(ContentPiece(id: id, digest: digest, bytes: bytes[...]))
        }
        var list: [UInt128] = []
        for _ in 0..<(try reader.count(limit: reader.remaining / ContentFormat.digestLength)) {
          list.append(try reader.wideBigEndian())
        }
        digests = list
      }
      let table = try reader.string()
      guard let schema = schemas[table] else {
        throw ColumnError(.unsupportedEncoding, "of table '\(table)', whose schema wasn't given at opening")
      }
      let start = reader.position
      let batch = try record.payload.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
        try BatchCodec.decode(UnsafeRawBufferPointer(rebasing: bytes[start...]), schema: schema)
      }
      guard digests?.count ?? batch.rowCount == batch.rowCount else {
        throw ColumnError(.malformed, "it has \(digests?.count ?? 0) digests for \(batch.rowCount) rows")
      }
      return Logged(batch: batch, pieces: pieces, digests: digests, greatestID: batch.contentIDs.max() ?? 0)
    } catch {
      let code: StorageError.Code = error.code == .unsupportedEncoding ? .incompatible : .corrupt
      let position = record.position
      throw StorageError(
        code, "the log's record at \(position.offset) of segment \(position.segment) can't be used: \(error.message)")
    }
  }
}

extension PartBytesWriter {
  /// 16 bytes, the highest first.
  fileprivate mutating func wideBigEndian(_ value: UInt128) { bytes += value.bigEndianBytes }
}

extension PartBytesReader {
  fileprivate mutating func wideBigEndian() throws(ColumnError) -> UInt128 {
    var value: UInt128 = 0
    for _ in 0..<ContentFormat.digestLength { value = value << 8 | UInt128(try byte()) }
    return value
  }
}
