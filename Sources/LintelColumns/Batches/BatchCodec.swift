/// The bytes of a ``Batch``, as the write-ahead log keeps them. Written and read at memory speed; columns go by name, so
/// that a schema may gain columns between writing and reading.
///
///     batch     := version:u8 (1), compression:u8 (0 none, 1 LZ4 block), rawLength:u64, body
///     body      := rowCount:u32, columnCount:u32, attributeCount:u32, column*, attribute*
///     column    := name, vector of rowCount lanes; one without a name is padding
///     attribute := name, kind:u8, valueCount:u32, rows:lanes, vector of valueCount lanes
///     name      := varint length, UTF-8
///     vector    := form:u8, validity, values (nothing where validity is 2)
///     form      := 0 int64 | 1 float64 | 2 bool | 3 bytes | 4 id128 | 5 codes over bytes | 6 codes over id128
///     validity  := 0 (no nulls) | 1, a bit a lane in 64-bit words | 2 (all null)
///     int64     := lanes          float64 := 8 bytes a lane      bool := 1 byte a lane       id128 := 16 bytes a lane
///     bytes     := byteLength:u32, lengths:lanes, bytes
///     codes     := entryCount:u32, bytes or id128 of entryCount lanes, codes:lanes
///     lanes     := base:i64, width:u8 (0, 1, 2, 4 or 8), one unsigned number of that width a lane, added to the base
///
/// All numbers are little-endian. Tags never change. A body has at least a byte a row beyond ``freeRows`` rows.
public enum BatchCodec {
  static let version: UInt8 = 1
  static let headerSize = 10
  /// Rows that a body may claim however short it is.
  static let freeRows = 1 << 16
  /// LZ4's trade of size for speed. On spans 8 takes a tenth more bytes than 1 and half the time, which costs less than
  /// the bytes do.
  private static let acceleration: Int32 = 8

  /// Appends the bytes of the batch.
  public static func encode(_ batch: Batch, into out: inout [UInt8]) {
    var writer = BatchWriter()
    writer.append(batch)
    let body = writer.bytes
    body.withUnsafeBytes { body in
      let limit = body.count - body.count / 8
      let compressed = body.count < 128 ? nil : Compression.lz4(body, limit: limit, acceleration: acceleration)
      out.append(version)
      out.append(compressed == nil ? 0 : 1)
      out.append(littleEndian: UInt64(body.count))
      if let compressed { out.append(contentsOf: compressed) } else { out.append(contentsOf: body) }
    }
  }

  /// The batch in `bytes`, in the columns of `schema`: what the bytes lack is null (zero or empty where the column takes
  /// no nulls), columns that the schema doesn't know are left out.
  ///
  /// Throws `.truncated`, `.malformed`, `.unsupportedEncoding` or `.limitExceeded`; the batch returned is valid.
  public static func decode(_ bytes: UnsafeRawBufferPointer, schema: TableSchema) throws(ColumnError) -> Batch {
    var reader = ByteReader(bytes)
    let version = try reader.byte()
    guard version == BatchCodec.version else {
      throw ColumnError(.unsupportedEncoding, "batch version \(version) was written by a newer Lintel")
    }
    let compression = try reader.byte()
    let rawLength = try reader.integer(UInt64.self)
    guard rawLength <= UInt64(Int.max) else { throw ColumnError(.malformed, "a batch of \(rawLength) bytes") }
    let rest = try reader.take(reader.remaining)
    switch compression {
    case 0:
      guard rest.count == Int(rawLength) else {
        throw ColumnError(.truncated, "\(rest.count) bytes of a batch of \(rawLength)")
      }
      return try BatchReader.batch(rest, schema)
    case 1:
      let body = try Compression.lz4Decoded(rest, rawCount: Int(rawLength))
      return try body.withUnsafeBufferPointer { (body) throws(ColumnError) in
        try BatchReader.batch(UnsafeRawBufferPointer(body), schema)
      }
    default: throw ColumnError(.malformed, "there is no batch compression \(compression)")
    }
  }

  enum Form {
    static let int64: UInt8 = 0
    static let float64: UInt8 = 1
    static let bool: UInt8 = 2
    static let bytes: UInt8 = 3
    static let id128: UInt8 = 4
    static let codedBytes: UInt8 = 5
    static let codedIds: UInt8 = 6
  }

  enum Validity {
    static let none: UInt8 = 0
    static let bitmap: UInt8 = 1
    static let allNull: UInt8 = 2
  }
}
