internal import LintelColumns

extension PartDirectory {
  func encoded() -> [UInt8] {
    var writer = PartBytesWriter()
    writer.string(table)
    writer.count(rowCount)
    writer.count(blockRows)
    writer.signed(minTime)
    writer.signed(maxTime)
    writer.count(columns.count)
    for column in columns { column.encode(into: &writer) }
    writer.count(tailKeys.count)
    for tail in tailKeys {
      writer.string(tail.key.name)
      writer.fixed(tail.key.kind.rawValue)
      writer.count(tail.valueCount)
    }
    return writer.bytes
  }

  /// - Parameter fileLength: Where chunks must end at the latest.
  init(decoding bytes: [UInt8], fileLength: Int) throws(ColumnError) {
    var reader = PartBytesReader(bytes)
    table = try reader.string()
    rowCount = try reader.count(limit: PartFormat.maximumRows)
    blockRows = try reader.count(limit: PartFormat.maximumBlockRows)
    guard blockRows > 0, blockRows & (blockRows - 1) == 0 else {
      throw ColumnError(.malformed, "\(blockRows) rows a block is not a power of two")
    }
    minTime = try reader.signed()
    maxTime = try reader.signed()
    let columnCount = try reader.count(limit: PartFormat.maximumColumns)
    columns = []
    for _ in 0..<columnCount {
      columns.append(try PartColumn(&reader, rowCount: rowCount, fileLength: fileLength))
    }
    // A key takes three bytes at least, so that a forged count can't make us allocate more than the file is long.
    let tailCount = try reader.count(limit: reader.remaining / 3)
    tailKeys = []
    tailKeys.reserveCapacity(tailCount)
    for _ in 0..<tailCount {
      let key = AttributeKey(try reader.string(), try reader.attributeKind())
      tailKeys.append(TailKey(key: key, valueCount: try reader.count(limit: rowCount)))
    }
    guard reader.remaining == 0 else { throw ColumnError(.malformed, "\(reader.remaining) bytes too many") }
  }
}

extension PartColumn {
  fileprivate func encode(into writer: inout PartBytesWriter) {
    switch role {
    case .schema(let name):
      writer.fixed(UInt8(0))
      writer.string(name)
      writer.fixed(UInt8(0))
    case .attribute(let key):
      writer.fixed(UInt8(1))
      writer.string(key.name)
      writer.fixed(key.kind.rawValue)
    case .tail:
      writer.fixed(UInt8(2))
      writer.string("")
      writer.fixed(UInt8(0))
    }
    writer.string(typeName)
    writer.fixed(physical.rawValue)
    writer.count(valueCount)
    writer.count(dataOffset)
    writer.count(dataLength)
    writer.count(rawLength)
    writer.chunk(index)
    writer.fixed(UInt8((dictionary == nil ? 0 : 1) + (filters == nil ? 0 : 2)))
    if let dictionary {
      writer.chunk(dictionary)
      writer.count(dictionaryCount)
    }
    if let filters { writer.chunk(filters) }
    writer.count(encodings.count)
    for (name, blocks) in encodings.sorted(by: { $0.key < $1.key }) {
      writer.string(name)
      writer.count(blocks)
    }
  }

  fileprivate init(_ reader: inout PartBytesReader, rowCount: Int, fileLength: Int) throws(ColumnError) {
    let roleNumber = try reader.byte()
    let name = try reader.string()
    let kind = try reader.attributeKind()
    switch roleNumber {
    case 0: role = .schema(name)
    case 1: role = .attribute(AttributeKey(name, kind))
    case 2: role = .tail
    default: throw ColumnError(.malformed, "a column's role is \(roleNumber)")
    }
    typeName = try reader.string()
    let type = try reader.byte()
    guard let physical = PhysicalType(rawValue: type) else {
      throw ColumnError(.malformed, "a column's physical type is \(type)")
    }
    self.physical = physical
    valueCount = try reader.count(limit: rowCount)
    dataOffset = try reader.count(limit: fileLength)
    dataLength = try reader.count(limit: fileLength - dataOffset)
    rawLength = try reader.count(limit: 1 << 48)
    index = try reader.chunk(fileLength: fileLength)
    dictionaryCount = 0
    let extras = try reader.byte()
    guard extras < 4 else { throw ColumnError(.unsupportedEncoding, "a column has chunks of a kind not known here") }
    if extras & 1 != 0 {
      dictionary = try reader.chunk(fileLength: fileLength)
      dictionaryCount = try reader.count(limit: PartFormat.maximumRows)
    }
    if extras & 2 != 0 { filters = try reader.chunk(fileLength: fileLength) }
    encodings = [:]
    for _ in 0..<(try reader.count(limit: 256)) {
      let encoding = try reader.string()
      encodings[encoding] = try reader.count(limit: PartFormat.maximumRows)
    }
  }
}

extension PartBytesWriter {
  fileprivate mutating func chunk(_ chunk: PartChunk) {
    count(chunk.offset)
    count(chunk.length)
    fixed(chunk.checksum)
  }
}

extension PartBytesReader {
  fileprivate mutating func chunk(fileLength: Int) throws(ColumnError) -> PartChunk {
    let offset = try count(limit: fileLength)
    let length = try count(limit: fileLength - offset)
    return PartChunk(offset: offset, length: length, checksum: try fixed(UInt32.self))
  }

  fileprivate mutating func attributeKind() throws(ColumnError) -> AttributeKind {
    let number = try byte()
    guard let kind = AttributeKind(rawValue: number) else {
      throw ColumnError(.malformed, "an attribute's kind is \(number)")
    }
    return kind
  }
}
