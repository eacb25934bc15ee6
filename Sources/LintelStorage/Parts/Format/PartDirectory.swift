internal import LintelColumns

/// What stands in a column of a part.
enum PartColumnRole: Sendable, Hashable {
  /// A column of the table's schema, by name.
  case schema(String)
  /// A dynamic column.
  case attribute(AttributeKey)
  /// The dynamic columns that are too rare for a column of their own; see ``AttributeTail``.
  case tail
}

/// One column as the directory lists it.
struct PartColumn: Sendable, Hashable {
  var role: PartColumnRole
  /// The logical type's name, for tools and messages; empty for dynamic columns.
  var typeName: String
  var physical: PhysicalType
  /// Rows that have a value.
  var valueCount: Int
  /// Where the blocks begin, and their bytes together.
  var dataOffset: Int
  var dataLength: Int
  /// Bytes of the blocks' values before encoding; 4 a row where they are codes.
  var rawLength: Int
  var index: PartChunk
  var dictionary: PartChunk?
  var dictionaryCount: Int
  /// Which blocks may have a value, where that is kept; see ``BlockFilters``.
  var filters: PartChunk?
  /// How many blocks use which encoding, by name.
  var encodings: [String: Int]

  var storedBytes: Int { dataLength + index.length + (dictionary?.length ?? 0) + (filters?.length ?? 0) }

  /// For messages.
  var displayName: String {
    switch role {
    case .schema(let name): name
    case .attribute(let key): "attributes['\(key.name)'] (\(key.kind))"
    case .tail: "rare attributes"
    }
  }
}

/// A dynamic column within the tail.
struct TailKey: Sendable, Hashable {
  var key: AttributeKey
  var valueCount: Int
}

/// The part's table of contents.
///
///     directory  := table:string, rows:varint, block rows:varint, first time:zigzag, last time:zigzag,
///                   columns:varint, column*, tail keys:varint, tail key*
///     column     := role:u8, name:string, kind:u8, type name:string, physical type:u8, values:varint,
///                   data offset:varint, data length:varint, raw length:varint, index:chunk,
///                   extras:u8, [dictionary:chunk, entries:varint], [filters:chunk],
///                   encodings:varint, (name:string, blocks:varint)*
///     chunk      := offset:varint, length:varint, CRC32C:u32
///     tail key   := name:string, kind:u8, values:varint
///     role       := 0 schema column | 1 dynamic column | 2 tail
///
/// `extras` is 1 where there is a dictionary, plus 2 where there are filters. `kind` is ``AttributeKind``'s number, 0 where the role isn't 1; `physical type` is ``PhysicalType``'s.
struct PartDirectory: Sendable, Hashable {
  var table: String
  var rowCount: Int
  var blockRows: Int
  /// Bounds of the time column.
  var minTime: Int64
  var maxTime: Int64
  var columns: [PartColumn]
  /// In the order the tail's values number them.
  var tailKeys: [TailKey]

  var blockCount: Int { (rowCount + blockRows - 1) / blockRows }
}
