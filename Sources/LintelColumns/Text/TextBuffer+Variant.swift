/// ``Variant`` bytes as JSON, without building the tree.
extension TextBuffer {
  /// The JSON of an encoded ``Variant``: the empty value is `null`, byte strings are base64, repeated keys stay repeated.
  /// Bytes that are no encoding become `null`.
  package mutating func append(jsonVariant encoded: UnsafeRawBufferPointer) {
    let start = bytes.count
    var reader = ByteReader(encoded)
    do throws(ColumnError) {
      try appendVariant(&reader, depth: 1)
      try reader.expectEnd()
    } catch {
      bytes.removeSubrange(start...)
      append("null")
    }
  }

  private mutating func appendVariant(_ reader: inout ByteReader, depth: Int) throws(ColumnError) {
    guard depth <= Variant.maximumDepth else {
      throw ColumnError(.limitExceeded, "values nest deeper than \(Variant.maximumDepth)")
    }
    let tag = try reader.byte()
    switch tag {
    case VariantTag.empty: append("null")
    case VariantTag.no: append("false")
    case VariantTag.yes: append("true")
    case VariantTag.int: append(decimal: zigZagDecoded(try reader.varint()))
    case VariantTag.double: append(jsonDouble: Double(bitPattern: try reader.integer()))
    case VariantTag.string: append(jsonString: try text(&reader))
    case VariantTag.bytes: append(jsonBase64: try reader.take(try reader.count()))
    case VariantTag.array:
      bytes.append(UInt8(ascii: "["))
      for index in 0..<(try reader.count()) {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        try appendVariant(&reader, depth: depth + 1)
      }
      bytes.append(UInt8(ascii: "]"))
    case VariantTag.map:
      bytes.append(UInt8(ascii: "{"))
      for index in 0..<(try reader.count(minimumSize: 2)) {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        append(jsonString: try text(&reader))
        bytes.append(UInt8(ascii: ":"))
        try appendVariant(&reader, depth: depth + 1)
      }
      bytes.append(UInt8(ascii: "}"))
    default: throw ColumnError(.malformed, "there is no value of kind \(tag)")
    }
  }

  private func text(_ reader: inout ByteReader) throws(ColumnError) -> UnsafeBufferPointer<UInt8> {
    try reader.take(try reader.count()).assumingMemoryBound(to: UInt8.self)
  }
}
