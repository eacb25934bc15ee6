internal import LintelColumns

/// The values of rare attributes, one byte string per row.
///
///     row     := entry*                            none: the row is null
///     entry   := key:varint, payload               `key` numbers the directory's tail keys; ascending within a row
///     payload := length:varint, bytes              string (UTF-8), variant (``Variant``'s encoding), content
///              | zigzag | bits:u64 | 0 or 1        int | double | bool
enum AttributeTail {
  /// Appends one entry to a row's bytes.
  static func append(key: Int, value vector: ColumnVector, at index: Int, kind: AttributeKind, to bytes: inout [UInt8])
  {
    var writer = PartBytesWriter()
    swap(&writer.bytes, &bytes)
    defer { swap(&writer.bytes, &bytes) }
    writer.count(key)
    switch vector.storage {
    case .int64(let lanes): writer.signed(lanes[index])
    case .float64(let lanes): writer.fixed(lanes[index].bitPattern)
    case .bool(let lanes): writer.fixed(UInt8(lanes[index] ? 1 : 0))
    case .bytes(let strings): append(strings[index], to: &writer)
    case .codes(let codes, let dictionary):
      guard case .bytes(let strings) = dictionary.values, Int(codes[index]) < strings.count else {
        return writer.count(0)
      }
      append(strings[Int(codes[index])], to: &writer)
    case .id128: writer.count(0)
    }
  }

  private static func append(_ value: ArraySlice<UInt8>, to writer: inout PartBytesWriter) {
    writer.count(value.count)
    writer.bytes.append(contentsOf: value)
  }

  /// One entry of a row: the key's number and where its payload lies.
  struct Entry {
    var key: Int
    var payload: Range<Int>
  }

  /// Walks over the entries of one row, which are bytes from disk.
  /// - Parameter kinds: The kind of each key, by number.
  static func forEachEntry(
    _ bytes: [UInt8], _ range: Range<Int>, kinds: [AttributeKind], _ body: (Entry) throws(ColumnError) -> Void
  ) throws(ColumnError) {
    var reader = PartBytesReader(bytes, from: range.lowerBound, to: range.upperBound)
    while reader.remaining > 0 {
      let key = try reader.varint()
      guard key < UInt64(kinds.count) else { throw ColumnError(.malformed, "there is no rare attribute \(key)") }
      let start = reader.position
      try reader.skipPayload(kinds[Int(key)])
      try body(Entry(key: Int(key), payload: start..<reader.position))
    }
  }

  /// The values of one key, as a dense vector.
  static func unfold(_ folded: ColumnVector, key: Int, kinds: [AttributeKind]) throws(ColumnError) -> ColumnVector {
    let folded = folded.plain()
    guard case .bytes(let rows) = folded.storage, key < kinds.count else {
      throw ColumnError(.malformed, "rare attributes are not byte strings")
    }
    var column = TailColumn(kinds[key], rowCount: rows.count)
    for row in 0..<rows.count where folded.isValid(row) && rows.length(row) > 0 {
      try forEachEntry(rows.bytes, rows.range(row), kinds: kinds) { (entry) throws(ColumnError) in
        if entry.key == key { try column.set(row, rows.bytes, entry.payload) }
      }
    }
    return column.finish()
  }
}

/// Collects the values of one unfolded key.
private struct TailColumn {
  let kind: AttributeKind
  let rowCount: Int
  private var int64: [Int64] = []
  private var float64: [Double] = []
  private var bool: [Bool] = []
  private var bytes = ByteStrings()
  private var validity: Bitmap

  init(_ kind: AttributeKind, rowCount: Int) {
    self.kind = kind
    self.rowCount = rowCount
    validity = Bitmap(count: rowCount)
    switch kind {
    case .int: int64 = Array(repeating: 0, count: rowCount)
    case .double: float64 = Array(repeating: 0, count: rowCount)
    case .bool: bool = Array(repeating: false, count: rowCount)
    case .string, .variant, .textContent, .variantContent: break
    }
  }

  mutating func set(_ row: Int, _ source: [UInt8], _ payload: Range<Int>) throws(ColumnError) {
    guard !validity[row] else { throw ColumnError(.malformed, "a rare attribute occurs twice in a row") }
    validity[row] = true
    var reader = PartBytesReader(source, from: payload.lowerBound, to: payload.upperBound)
    switch kind {
    case .int: int64[row] = try reader.signed()
    case .double: float64[row] = Double(bitPattern: try reader.fixed(UInt64.self))
    case .bool: bool[row] = try reader.byte() != 0
    case .string, .variant, .textContent, .variantContent:
      fill(to: row)
      bytes.append(source[try reader.run()])
    }
  }

  /// Empty strings for the rows before `row` that have none.
  private mutating func fill(to row: Int) {
    let missing = row - bytes.count
    guard missing > 0 else { return }
    bytes.offsets.append(contentsOf: repeatElement(bytes.offsets[bytes.count], count: missing))
  }

  mutating func finish() -> ColumnVector {
    switch kind {
    case .int: return ColumnVector(.int64(int64), validity: validity)
    case .double: return ColumnVector(.float64(float64), validity: validity)
    case .bool: return ColumnVector(.bool(bool), validity: validity)
    case .string, .variant, .textContent, .variantContent:
      fill(to: rowCount)
      return ColumnVector(.bytes(bytes), validity: validity)
    }
  }
}

extension PartBytesReader {
  fileprivate mutating func skipPayload(_ kind: AttributeKind) throws(ColumnError) {
    switch kind {
    case .string, .variant, .textContent, .variantContent: _ = try run()
    case .int: _ = try varint()
    case .double: try skip(8)
    case .bool: try skip(1)
    }
  }
}
