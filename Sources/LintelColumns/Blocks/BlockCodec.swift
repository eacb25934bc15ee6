/// The bytes of one block of one column.
///
///     block    := encoding:u8, flags:u8, validity, body
///     encoding := a raw value of ``BlockEncoding``
///     flags    := bits 0 to 2: physical type; bit 3: the values are codes of the column's dictionary; bits 4 and 5: form
///                 of the validity (0 none, 1 all null, 2 bitmap, 3 runs); bit 6: the validity is keyed, bits 4 and 5
///                 are 0; bit 7 is 0
///     validity := see ``BlockValidity`` and ``KeyedValidity``
///     body     := the values of the valid rows, and no others: integers and codes as ``IntegerEncoder`` writes them,
///                 doubles ``DoubleCodec``, booleans ``BoolCodec``, ids ``IdCodec``, byte strings ``StringCodec``;
///                 nothing where no row is valid
///
/// The number of rows stands outside, as do the checksum and the dictionary. All numbers are little-endian.
public enum BlockCodec {
  static let codesFlag: UInt8 = 1 << 3
  static let validityShift: UInt8 = 4
  static let keyedValidityFlag: UInt8 = 1 << 6

  /// Appends the block; its bounds, sum and null count come back. Of dictionary-coded vectors the codes are written only.
  public static func encode(
    _ vector: ColumnVector, effort: EncodingEffort = .light, into out: inout [UInt8]
  ) -> BlockStatistics {
    let rowCount = vector.count
    let nullCount = vector.nullCount
    let start = out.count
    out.append(BlockEncoding.empty.rawValue)
    out.append(0)
    var form = BlockValidity.Form.none
    let validity = nullCount > 0 ? vector.validity : nil
    if nullCount == rowCount {
      form = nullCount > 0 ? .allNull : .none
    } else if let validity {
      form = BlockValidity.encode(validity, into: &out)
    }
    out[start + 1] = flags(vector) | form.rawValue << validityShift
    var statistics = BlockStatistics(rowCount: rowCount, nullCount: nullCount, bounds: .none)
    if nullCount < rowCount {
      let (encoding, bounds) = encodeBody(vector, validity, count: rowCount - nullCount, effort, into: &out)
      out[start] = encoding.rawValue
      statistics.bounds = bounds
      statistics.sum = BlockStatistics.sum(of: vector, bounds)
    }
    return statistics
  }

  static func flags(_ vector: ColumnVector) -> UInt8 {
    vector.physicalType.rawValue | (vector.isCoded ? codesFlag : 0)
  }

  static func encodeBody(
    _ vector: ColumnVector, _ validity: Bitmap?, count: Int, _ effort: EncodingEffort, into out: inout [UInt8]
  ) -> (BlockEncoding, BlockStatistics.Bounds) {
    switch vector.storage {
    case .int64(let lanes):
      let result = withValidLanes(lanes, validity, count: count) {
        IntegerEncoder.encodeBody($0, effort: effort, into: &out)
      }
      guard let bounds = result.bounds else { return (result.encoding, .none) }
      return (result.encoding, .int64(min: bounds.minimum, max: bounds.maximum))
    case .float64(let lanes):
      let result = withValidLanes(lanes, validity, count: count) {
        DoubleCodec.encodeBody($0, effort: effort, into: &out)
      }
      return (result.encoding, result.bounds)
    case .bool(let lanes):
      return (withValidLanes(lanes, validity, count: count) { BoolCodec.encodeBody($0, into: &out) }, .none)
    case .id128(let lanes):
      let result = withValidLanes(lanes, validity, count: count) { IdCodec.encodeBody($0, effort: effort, into: &out) }
      return (result.encoding, result.bounds)
    case .bytes(let strings):
      return (strings.withValid(validity) { StringCodec.encodeBody($0, $1, effort: effort, into: &out) }, .none)
    case .codes(let codes, _):
      let encoding = withValidLanes(codes, validity, count: count) { codes in
        withScratch(of: Int64.self, count: count) { wide in
          for index in 0..<count { wide[index] = Int64(codes[index]) }
          return encodeCodes(UnsafeBufferPointer(wide), effort, into: &out)
        }
      }
      return (encoding, .none)
    }
  }

  static func encodeCodes(
    _ codes: UnsafeBufferPointer<Int64>, _ effort: EncodingEffort, into out: inout [UInt8]
  ) -> BlockEncoding {
    let start = out.count
    let encoding = IntegerEncoder.encodeBody(codes, effort: effort, into: &out).encoding
    guard effort != .light else { return encoding }
    let end = out.count
    guard FreshCodec.encodeBody(codes, rivalSize: end - start, into: &out) else { return encoding }
    out.removeSubrange(start..<end)
    return .fresh
  }

  /// The vector of `rowCount` rows that take up all of `bytes`. `dictionary` is the column's, for blocks of codes;
  /// `related` the blocks of other columns that this one may refer to.
  ///
  /// Takes memory for `rowCount` rows and for at most 256 times `bytes`. Throws `.truncated`, `.malformed`, or
  /// `.unsupportedEncoding`; whatever the bytes, the vector returned is sound.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, type: PhysicalType, rowCount: Int, dictionary: ValueDictionary?,
    related: some RelatedBlocks
  ) throws(ColumnError) -> ColumnVector {
    var reader = ByteReader(bytes)
    let head = try BlockHead(&reader, type: type, rowCount: rowCount)
    if head.form == .allNull || rowCount == 0 {
      guard head.encoding == .empty else { throw ColumnError(.malformed, "a block with values for no rows") }
      try reader.expectEnd()
      let known = head.isCoded ? dictionary : nil
      return nulls(type, rowCount, known)
    }
    let validity = try head.validity(&reader, related, rowCount: rowCount)
    let storage: ColumnVector.Storage
    if head.isCoded {
      guard let dictionary, dictionary.physicalType == type else {
        throw ColumnError(.malformed, "a block of codes without its dictionary")
      }
      let codes = try decodeCodes(head.encoding, &reader, rowCount, validity, dictionary.count, related)
      storage = .codes(codes, dictionary)
    } else {
      storage = try decodeBody(head.encoding, &reader, type, rowCount, validity, related)
    }
    try reader.expectEnd()
    return ColumnVector(storage, validity: validity)
  }

  /// A block that refers to no other.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, type: PhysicalType, rowCount: Int, dictionary: ValueDictionary?
  ) throws(ColumnError) -> ColumnVector {
    try decode(bytes, type: type, rowCount: rowCount, dictionary: dictionary, related: NoRelatedBlocks())
  }

  /// The keys of the values of a block of codes, without its dictionary at hand.
  /// - Parameter dictionaryCount: Entries of the dictionary.
  public static func decodeKeys(
    _ bytes: UnsafeRawBufferPointer, type: PhysicalType, rowCount: Int, dictionaryCount: Int,
    kind: BlockReference.Kind, related: some RelatedBlocks
  ) throws(ColumnError) -> RowKeys {
    var reader = ByteReader(bytes)
    let head = try BlockHead(&reader, type: type, rowCount: rowCount)
    guard head.isCoded else { throw ColumnError(.malformed, "keys of a block that has no codes") }
    var validity: Bitmap? = Bitmap(count: rowCount)
    var codes = [UInt32](repeating: 0, count: rowCount)
    if head.form != .allNull, rowCount > 0 {
      validity = try head.validity(&reader, related, rowCount: rowCount)
      codes = try decodeCodes(head.encoding, &reader, rowCount, validity, dictionaryCount, related)
    }
    try reader.expectEnd()
    let keys: RowKeys? =
      switch kind {
      case .runs: RowKeys(runsOfCodes: codes, validity: validity)
      case .values: RowKeys(codes: codes, validity: validity, dictionaryCount: dictionaryCount)
      }
    guard let keys else { throw ColumnError(.malformed, "keys of a block that can't have any") }
    return keys
  }

  /// Where the ids of a block are found that is stored as ``BlockEncoding/ordinals``; `nil` for any other.
  static func decodeLinks(
    _ bytes: UnsafeRawBufferPointer, rowCount: Int, related: some RelatedBlocks
  ) throws(ColumnError) -> OrdinalCodec.Links? {
    var reader = ByteReader(bytes)
    let head = try BlockHead(&reader, type: .int64, rowCount: rowCount)
    guard head.encoding == .ordinals, head.form != .allNull, rowCount > 0, !head.isCoded else { return nil }
    let validity = try head.validity(&reader, related, rowCount: rowCount)
    let links = try OrdinalCodec.decodeLinks(&reader, related, validity, rowCount: rowCount)
    try reader.expectEnd()
    return links
  }

  private static func nulls(_ type: PhysicalType, _ rowCount: Int, _ dictionary: ValueDictionary?) -> ColumnVector {
    var vector = ColumnVector.nulls(type, count: rowCount)
    if rowCount == 0 { vector.validity = nil }
    if let dictionary, dictionary.physicalType == type {
      vector.storage = .codes(Array(repeating: 0, count: rowCount), dictionary)
    }
    return vector
  }

  private static func decodeBody(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, _ type: PhysicalType, _ rowCount: Int, _ validity: Bitmap?,
    _ related: some RelatedBlocks
  ) throws(ColumnError) -> ColumnVector.Storage {
    switch type {
    case .int64:
      switch encoding {
      case .keyed:
        return .int64(
          try KeyedCodec.decodeLanes(&reader, related, validity, rowCount: rowCount) {
            (reader, table) throws(ColumnError) in try IntegerDecoder.decode(&reader, into: table)
          })
      case .ordinals: return .int64(try OrdinalCodec.decodeLanes(&reader, related, validity, rowCount: rowCount))
      case .linear: return .int64(try LinearCodec.decodeLanes(&reader, related, validity, rowCount: rowCount))
      default:
        return .int64(
          try validLanes(rowCount, validity, zero: 0) { (out) throws(ColumnError) in
            switch encoding {
            case .offsets: try OffsetCodec.decodeBody(&reader, related, into: out)
            case .enclosing: try EnclosingCodec.decodeBody(&reader, related, into: out)
            case .classes: try ClassedCodec.decodeBody(&reader, related, validity, rowCount: rowCount, into: out)
            default: try IntegerDecoder.decodeBody(encoding, &reader, into: out)
            }
          })
      }
    case .float64:
      return .float64(
        try validLanes(rowCount, validity, zero: 0) { (out) throws(ColumnError) in
          try DoubleCodec.decodeBody(encoding, &reader, into: out)
        })
    case .bool:
      return .bool(
        try validLanes(rowCount, validity, zero: false) { (out) throws(ColumnError) in
          try BoolCodec.decodeBody(encoding, &reader, into: out)
        })
    case .id128:
      return .id128(
        try validLanes(rowCount, validity, zero: 0) { (out) throws(ColumnError) in
          try IdCodec.decodeBody(encoding, &reader, into: out)
        })
    case .bytes:
      var bytes: [UInt8] = []
      let lengths: [UInt32] = try validLanes(rowCount, validity, zero: 0) { (out) throws(ColumnError) in
        bytes = try StringCodec.decodeBody(encoding, &reader, lengths: out)
      }
      return .bytes(ByteStrings(checkedLengths: lengths, bytes: bytes))
    }
  }

  private static func decodeCodes(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, _ rowCount: Int, _ validity: Bitmap?,
    _ dictionaryCount: Int, _ related: some RelatedBlocks
  ) throws(ColumnError) -> [UInt32] {
    let codes: [UInt32]
    if encoding == .keyed {
      codes = try KeyedCodec.decodeLanes(&reader, related, validity, rowCount: rowCount) {
        (reader, table) throws(ColumnError) in
        try decodeCodes(try BlockEncoding.read(&reader), &reader, into: table)
      }
    } else if encoding == .classes {
      codes = try validLanes(rowCount, validity, zero: 0) { (out) throws(ColumnError) in
        let lanes: [Int64] = try filledLanes(out.count) { (lanes) throws(ColumnError) in
          try ClassedCodec.decodeBody(&reader, related, validity, rowCount: rowCount, into: lanes)
        }
        for row in 0..<out.count { out[row] = UInt32(truncatingIfNeeded: lanes[row]) }
      }
    } else {
      codes = try validLanes(rowCount, validity, zero: 0) { (out) throws(ColumnError) in
        try decodeCodes(encoding, &reader, into: out)
      }
    }
    // Null rows have code 0, which only matters where there is no entry at all.
    let isInRange = Int(Kernels.maximum(codes)) < max(dictionaryCount, validity?.isAllClear ?? codes.isEmpty ? 1 : 0)
    guard isInRange else { throw ColumnError(.malformed, "a code beyond the \(dictionaryCount) dictionary entries") }
    return codes
  }

  private static func decodeCodes(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<UInt32>
  ) throws(ColumnError) {
    if encoding == .fresh {
      try FreshCodec.decodeBody(&reader, into: out)
    } else {
      try IntegerDecoder.decodeBody(encoding, &reader, into: out)
    }
  }

  /// What DESCRIBE shows for a block: `bitpack`, `rle`, `delta` and so on; `unknown` for bytes that are no block.
  public static func encodingName(_ bytes: UnsafeRawBufferPointer) -> String {
    guard bytes.count >= 2 else { return "unknown" }
    return BlockEncoding(rawValue: bytes[0])?.name ?? "unknown"
  }
}

/// The first two bytes of a block.
private struct BlockHead {
  let encoding: BlockEncoding
  let form: BlockValidity.Form
  let isCoded: Bool
  private let hasKeyedValidity: Bool

  init(_ reader: inout ByteReader, type: PhysicalType, rowCount: Int) throws(ColumnError) {
    encoding = try BlockEncoding.read(&reader)
    let flags = try reader.byte()
    guard flags & 7 == type.rawValue, flags >> 7 == 0 else {
      throw ColumnError(.malformed, "a block with flags \(flags) in a column of \(type)")
    }
    hasKeyedValidity = flags & BlockCodec.keyedValidityFlag != 0
    guard let form = BlockValidity.Form(rawValue: flags >> BlockCodec.validityShift & 3), rowCount >= 0,
      form == .none || !hasKeyedValidity
    else { throw ColumnError(.malformed, "a block of \(rowCount) rows with flags \(flags)") }
    self.form = form
    isCoded = flags & BlockCodec.codesFlag != 0
  }

  func validity(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, rowCount: Int
  ) throws(ColumnError) -> Bitmap? {
    guard hasKeyedValidity else { return try BlockValidity.decode(form, &reader, rowCount: rowCount) }
    return try KeyedValidity.decode(&reader, related, rowCount: rowCount)
  }
}
