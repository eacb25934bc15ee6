internal import LintelColumns

/// What a log record holds.
///
///     payload := table:string, batch              the batch as ``BatchCodec`` writes it; `string` as in ``PartFormat``
enum LogPayload {
  /// The log record's kind. Never changes.
  static let rows: UInt8 = 1

  static func encode(_ batch: Batch) -> [UInt8] {
    var writer = PartBytesWriter()
    writer.string(batch.schema.name)
    BatchCodec.encode(batch, into: &writer.bytes)
    return writer.bytes
  }

  static func decode(_ record: LogRecord, schemas: [String: TableSchema]) throws(StorageError) -> Batch {
    guard record.kind == rows else {
      throw StorageError(.incompatible, "the log holds a record of kind \(record.kind): use a newer Lintel")
    }
    var reader = PartBytesReader(record.payload)
    do throws(ColumnError) {
      let table = try reader.string()
      guard let schema = schemas[table] else {
        throw ColumnError(.unsupportedEncoding, "of table '\(table)', whose schema wasn't given at opening")
      }
      let start = reader.position
      return try record.payload.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
        try BatchCodec.decode(UnsafeRawBufferPointer(rebasing: bytes[start...]), schema: schema)
      }
    } catch {
      let code: StorageError.Code = error.code == .unsupportedEncoding ? .incompatible : .corrupt
      let position = record.position
      throw StorageError(
        code, "the log's record at \(position.offset) of segment \(position.segment) can't be used: \(error.message)")
    }
  }
}
