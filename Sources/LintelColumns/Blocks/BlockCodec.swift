/// The bytes of one block of one column.
public enum BlockCodec {
  /// Appends the block to `out`. Dictionary-coded vectors write their codes only; the dictionary is stored apart.
  public static func encode(_ vector: ColumnVector, into out: inout [UInt8]) -> BlockStatistics {
    var writer = BatchWriter()
    switch vector.storage {
    case .codes(let codes, _):
      let lanes = ColumnVector(.int64(codes.map { Int64($0) }), validity: vector.validity)
      out.append(1)
      writer.append(vector: lanes)
    default:
      out.append(0)
      writer.append(vector: vector)
    }
    out.append(contentsOf: writer.bytes)
    return BlockStatistics(rowCount: vector.count, nullCount: vector.nullCount, bounds: .none)
  }

  /// The vector of `rowCount` rows that `bytes` hold. Takes no more memory than that many rows need.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, type: PhysicalType, rowCount: Int, dictionary: ValueDictionary?
  ) throws(ColumnError) -> ColumnVector {
    var reader = ByteReader(bytes)
    let isCoded = try reader.byte() == 1
    var vector = try BatchReader.vector(try reader.take(reader.remaining), rowCount)
    if isCoded {
      guard let dictionary else { throw ColumnError(.malformed, "the block needs a dictionary") }
      if case .int64(let lanes) = vector.storage {
        vector.storage = .codes(lanes.map { UInt32(truncatingIfNeeded: $0) }, dictionary)
      }
    }
    try vector.check(named: "", type: type, count: rowCount)
    return vector
  }

  /// What DESCRIBE shows: `bitpack`, `runs` and so on.
  public static func encodingName(_ bytes: UnsafeRawBufferPointer) -> String { "plain" }
}

/// The bytes of a dictionary.
public enum DictionaryCodec {
  public static func encode(_ dictionary: ValueDictionary, into out: inout [UInt8]) {
    var writer = BatchWriter()
    out.append(littleEndian: UInt32(truncatingIfNeeded: dictionary.count))
    switch dictionary.values {
    case .bytes(let strings): writer.append(vector: ColumnVector(.bytes(strings)))
    case .id128(let ids): writer.append(vector: ColumnVector(.id128(ids)))
    }
    out.append(contentsOf: writer.bytes)
  }

  public static func decode(_ bytes: UnsafeRawBufferPointer) throws(ColumnError) -> ValueDictionary {
    var reader = ByteReader(bytes)
    let count = Int(try reader.integer(UInt32.self))
    guard count <= bytes.count else { throw ColumnError(.truncated, "a dictionary of \(count) entries") }
    switch try BatchReader.vector(try reader.take(reader.remaining), count).storage {
    case .bytes(let strings): return ValueDictionary(.bytes(strings))
    case .id128(let ids): return ValueDictionary(.id128(ids))
    default: throw ColumnError(.malformed, "a dictionary holds byte strings or ids")
    }
  }
}
