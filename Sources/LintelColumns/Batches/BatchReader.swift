/// Reads the body of ``BatchCodec``.
struct BatchReader {
  private var reader: ByteReader
  private let rowCount: Int

  static func batch(_ body: UnsafeRawBufferPointer, _ schema: TableSchema) throws(ColumnError) -> Batch {
    var reader = ByteReader(body)
    let rowCount = Int(try reader.integer(UInt32.self))
    guard rowCount <= Batch.maximumRows else {
      throw ColumnError(.limitExceeded, "a batch of \(rowCount) rows; the most is \(Batch.maximumRows)")
    }
    // What a few bytes claim must not take gigabytes to hold.
    guard rowCount <= max(BatchCodec.freeRows, body.count) else {
      throw ColumnError(.malformed, "a batch of \(rowCount) rows in \(body.count) bytes")
    }
    let columnCount = Int(try reader.integer(UInt32.self))
    let attributeCount = Int(try reader.integer(UInt32.self))
    var decoder = BatchReader(reader: reader, rowCount: rowCount)
    let columns = try decoder.columns(columnCount, schema)
    let attributes = try decoder.attributes(attributeCount)
    try decoder.reader.expectEnd()
    let batch = Batch(schema: schema, rowCount: rowCount, columns: columns, attributes: attributes)
    try batch.validate()
    return batch
  }

  private mutating func columns(_ count: Int, _ schema: TableSchema) throws(ColumnError) -> [ColumnVector] {
    var found = [ColumnVector?](repeating: nil, count: schema.columns.count)
    for _ in 0..<count {
      let name = try name()
      let index = schema.index(of: name)
      if let index, found[index] != nil { throw ColumnError(.malformed, "column \(name) is repeated") }
      let vector = try vector(rowCount)
      if let index { found[index] = vector }
    }
    return zip(schema.columns, found).map { definition, vector in
      if let vector { return vector }
      var missing = ColumnVector.nulls(definition.type.physical, count: rowCount)
      if !definition.isNullable { missing.validity = nil }
      return missing
    }
  }

  private mutating func attributes(_ count: Int) throws(ColumnError) -> [AttributeColumn] {
    var attributes: [AttributeColumn] = []
    for _ in 0..<count {
      let name = try name()
      guard let kind = AttributeKind(rawValue: try reader.byte()) else {
        throw ColumnError(.malformed, "attribute \(name) has an unknown kind")
      }
      let values = Int(try reader.integer(UInt32.self))
      guard values <= rowCount else {
        throw ColumnError(.malformed, "attribute \(name) has \(values) values in \(rowCount) rows")
      }
      let rows = try codeLanes(values)
      attributes.append(AttributeColumn(key: AttributeKey(name, kind), rows: rows, values: try vector(values)))
    }
    return attributes
  }

  private mutating func name() throws(ColumnError) -> String {
    String(decoding: try reader.take(try reader.count()), as: UTF8.self)
  }

  private mutating func vector(_ count: Int) throws(ColumnError) -> ColumnVector {
    let form = try reader.byte()
    let validityForm = try reader.byte()
    var validity: Bitmap?
    switch validityForm {
    case BatchCodec.Validity.none: break
    case BatchCodec.Validity.allNull: return .nulls(try physicalType(form), count: count)
    case BatchCodec.Validity.bitmap:
      let words = try memory((count + 63) / 64, of: UInt64.self)
      validity = Bitmap(words: words, count: count)
    default: throw ColumnError(.malformed, "there is no validity form \(validityForm)")
    }
    return ColumnVector(try storage(form, count), validity: validity)
  }

  private func physicalType(_ form: UInt8) throws(ColumnError) -> PhysicalType {
    switch form {
    case BatchCodec.Form.int64: return .int64
    case BatchCodec.Form.float64: return .float64
    case BatchCodec.Form.bool: return .bool
    case BatchCodec.Form.bytes, BatchCodec.Form.codedBytes: return .bytes
    case BatchCodec.Form.id128, BatchCodec.Form.codedIds: return .id128
    default: throw ColumnError(.malformed, "there is no vector form \(form)")
    }
  }

  private mutating func storage(_ form: UInt8, _ count: Int) throws(ColumnError) -> ColumnVector.Storage {
    switch form {
    case BatchCodec.Form.int64: return .int64(try intLanes(count))
    case BatchCodec.Form.float64: return .float64(try memory(count, of: Double.self))
    case BatchCodec.Form.bool: return .bool(try reader.take(count).map { $0 != 0 })
    case BatchCodec.Form.bytes: return .bytes(try strings(count))
    case BatchCodec.Form.id128: return .id128(try memory(count, of: UInt128.self))
    case BatchCodec.Form.codedBytes, BatchCodec.Form.codedIds: return try codes(form, count)
    default: throw ColumnError(.malformed, "there is no vector form \(form)")
    }
  }

  private mutating func codes(_ form: UInt8, _ count: Int) throws(ColumnError) -> ColumnVector.Storage {
    let entries = Int(try reader.integer(UInt32.self))
    // A dictionary has at most one empty value, so that every other entry takes a byte at least.
    guard entries <= reader.remaining + 1 else {
      throw ColumnError(.truncated, "a dictionary of \(entries) entries in \(reader.remaining) bytes")
    }
    let values: ValueDictionary.Values =
      form == BatchCodec.Form.codedBytes
      ? .bytes(try strings(entries)) : .id128(try memory(entries, of: UInt128.self))
    return .codes(try codeLanes(count), ValueDictionary(values))
  }

  private mutating func strings(_ count: Int) throws(ColumnError) -> ByteStrings {
    let byteCount = Int(try reader.integer(UInt32.self))
    let lengths = try codeLanes(count)
    let bytes = try reader.take(byteCount)
    guard let strings = ByteStrings(lengths: lengths, bytes: bytes) else {
      throw ColumnError(.malformed, "the lengths of \(count) strings don't add up to \(byteCount) bytes")
    }
    return strings
  }

  private mutating func memory<Value: BitwiseCopyable>(
    _ count: Int, of type: Value.Type
  ) throws(ColumnError) -> [Value] {
    let source = try reader.take(count, of: MemoryLayout<Value>.size)
    return [Value](unsafeUninitializedCapacity: count) { out, initialized in
      UnsafeMutableRawBufferPointer(out).copyMemory(from: source)
      initialized = count
    }
  }

  private mutating func intLanes(_ count: Int) throws(ColumnError) -> [Int64] { try lanes(count) }

  private mutating func codeLanes(_ count: Int) throws(ColumnError) -> [UInt32] { try lanes(count) }

  @inline(__always)
  private mutating func lanes<Lane: FixedWidthInteger>(_ count: Int) throws(ColumnError) -> [Lane] {
    let base = Lane(truncatingIfNeeded: try reader.integer(Int64.self))
    let width = Int(try reader.byte())
    guard width <= 8, width.nonzeroBitCount <= 1 else {
      throw ColumnError(.malformed, "there are no lanes of \(width) bytes")
    }
    let source = try reader.take(count, of: width)
    return [Lane](unsafeUninitializedCapacity: count) { out, initialized in
      switch width {
      case 0: out.initialize(repeating: base)
      case 1: BatchReader.widen(source, UInt8.self, base, out, count)
      case 2: BatchReader.widen(source, UInt16.self, base, out, count)
      case 4: BatchReader.widen(source, UInt32.self, base, out, count)
      default: BatchReader.widen(source, UInt64.self, base, out, count)
      }
      initialized = count
    }
  }

  @inline(__always)
  private static func widen<Lane: FixedWidthInteger, Narrow: FixedWidthInteger & UnsignedInteger>(
    _ source: UnsafeRawBufferPointer, _ narrow: Narrow.Type, _ base: Lane,
    _ out: UnsafeMutableBufferPointer<Lane>, _ count: Int
  ) {
    guard count > 0, let bytes = source.baseAddress else { return }
    for index in 0..<count {
      let value = bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<Narrow>.size, as: Narrow.self)
      out[index] = Lane(truncatingIfNeeded: value) &+ base
    }
  }
}
