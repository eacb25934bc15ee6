public import LintelQuery

extension QueryResult {
  /// The rows as values of a `Decodable` type whose properties are named like the columns.
  ///
  ///     struct Usage: Decodable { let request_model: String?; let n: Int }
  ///     let usage = try result.decode(Usage.self)
  ///
  /// Integers, times (ns), durations (ns), money (nano-USD) and token counts decode as any integer type that holds them;
  /// enumerations as their label or number; ids as lower-case hex; `any` and `map` values as JSON text; a one-column
  /// result also as that column's bare values.
  ///
  /// - Throws: ``LintelError/decoding(_:)``, naming the row, the column and the type.
  public func decode<Row: Decodable>(_ type: Row.Type) throws(LintelError) -> [Row] {
    var index: [String: Int] = [:]
    for (position, column) in columns.enumerated() where index[column.name] == nil { index[column.name] = position }
    var rows: [Row] = []
    rows.reserveCapacity(rowCount)
    for row in 0..<rowCount {
      do {
        rows.append(try Row(from: RowDecoder(result: self, index: index, row: row)))
      } catch {
        throw .decoding("row \(row) is not a \(Row.self): \(error)")
      }
    }
    return rows
  }
}

/// Decodes one row; keys are column names.
struct RowDecoder: Decoder {
  let result: QueryResult
  let index: [String: Int]
  let row: Int
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RowContainer<Key>(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw LintelError.decoding("a row is decoded by column name, not as an array")
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    guard result.columns.count == 1 else {
      throw LintelError.decoding("a bare value needs a result of one column, this has \(result.columns.count)")
    }
    return CellContainer(cell: Cell(column: result.columns[0], row: row))
  }
}

private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: RowDecoder
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { decoder.result.columns.compactMap { Key(stringValue: $0.name) } }

  func contains(_ key: Key) -> Bool { decoder.index[key.stringValue] != nil }

  private func cell(_ key: Key) throws -> Cell {
    guard let position = decoder.index[key.stringValue] else {
      let names = decoder.result.columns.map(\.name).joined(separator: ", ")
      throw LintelError.decoding("the result has no column \(key.stringValue); it has \(names)")
    }
    return Cell(column: decoder.result.columns[position], row: decoder.row)
  }

  func decodeNil(forKey key: Key) throws -> Bool { try cell(key).isNull }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try cell(key).bool() }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try cell(key).text() }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try cell(key).double() }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try cell(key).double()) }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try Value(from: CellDecoder(cell: try cell(key)))
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    throw LintelError.decoding("column \(key.stringValue) holds a value, not a record")
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    throw LintelError.decoding("column \(key.stringValue) holds a value, not an array")
  }
  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { CellDecoder(cell: try cell(key)) }
}

private struct CellDecoder: Decoder {
  let cell: Cell
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    throw LintelError.decoding("column \(cell.column.name) holds a value, not a record")
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw LintelError.decoding("column \(cell.column.name) holds a value, not an array")
  }
  func singleValueContainer() throws -> any SingleValueDecodingContainer { CellContainer(cell: cell) }
}

private struct CellContainer: SingleValueDecodingContainer {
  let cell: Cell
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { cell.isNull }
  func decode(_ type: Bool.Type) throws -> Bool { try cell.bool() }
  func decode(_ type: String.Type) throws -> String { try cell.text() }
  func decode(_ type: Double.Type) throws -> Double { try cell.double() }
  func decode(_ type: Float.Type) throws -> Float { Float(try cell.double()) }
  func decode(_ type: Int.Type) throws -> Int { try cell.integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try cell.integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try cell.integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try cell.integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try cell.integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try cell.integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try cell.integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try cell.integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try cell.integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try cell.integer(type) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: CellDecoder(cell: cell)) }
}
