/// The bytes of a dictionary.
///
///     dictionary := type:u8 (3 byte strings, 4 ids), count:varint, values
///     values     := for byte strings: encoding:u8 and body as ``StringCodec`` writes them
///                   for ids: 16 bytes each, little-endian
public enum DictionaryCodec {
  /// Appends the bytes of the dictionary.
  public static func encode(
    _ dictionary: ValueDictionary, effort: EncodingEffort = .light, into out: inout [UInt8]
  ) {
    out.append(dictionary.physicalType.rawValue)
    out.append(varint: UInt64(dictionary.count))
    switch dictionary.values {
    case .id128(let ids): out.append(memoryOf: ids)
    case .bytes(let strings):
      let tag = out.count
      out.append(0)
      out[tag] = strings.withValid(nil) { StringCodec.encodeBody($0, $1, effort: effort, into: &out) }.rawValue
    }
  }

  /// The dictionary that takes up all of `bytes`. Throws `.truncated`, `.malformed` or `.unsupportedEncoding`.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws(ColumnError) -> ValueDictionary {
    var reader = ByteReader(bytes)
    let type = try reader.byte()
    let count = try reader.varint()
    switch PhysicalType(rawValue: type) {
    case .id128:
      let source = try reader.take(Int(clamping: count), of: 16)
      let ids: [UInt128] = try filledLanes(Int(count)) { (out) throws(ColumnError) in
        UnsafeMutableRawBufferPointer(out).copyMemory(from: source)
      }
      try reader.expectEnd()
      return ValueDictionary(.id128(ids))
    case .bytes: return try decodeStrings(&reader, count)
    default: throw ColumnError(.malformed, "a dictionary of values of type \(type)")
    }
  }

  private static func decodeStrings(_ reader: inout ByteReader, _ count: UInt64) throws(ColumnError) -> ValueDictionary
  {
    let encoding = try BlockEncoding.read(&reader)
    // Distinct values: one may be empty, the others take a byte each, and no compression exceeds the greatest ratio.
    let most = UInt64(reader.remaining) &* UInt64(Compression.maximumRatio + 1) &+ 1
    guard count <= most, count < UInt64(UInt32.max) else {
      throw ColumnError(.truncated, "\(reader.remaining) bytes can't hold \(count) distinct values")
    }
    var bytes: [UInt8] = []
    let lengths: [UInt32] = try filledLanes(Int(count)) { (lengths) throws(ColumnError) in
      bytes = try StringCodec.decodeBody(encoding, &reader, lengths: lengths)
    }
    try reader.expectEnd()
    return ValueDictionary(.bytes(ByteStrings(checkedLengths: lengths, bytes: bytes)))
  }
}
