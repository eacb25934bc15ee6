internal import LintelColumns

extension JSONScanner {
  /// Appends the ``Variant`` encoding of the JSON value that stands here. Numbers without fraction or exponent are ints
  /// where 64 bits hold them; byte strings and NaN, which the format shows as strings, come back as strings.
  mutating func variant(into out: inout [UInt8], depth: Int = 0) throws(ResultDecodingError) {
    guard depth <= Variant.maximumDepth else { throw failure("at most \(Variant.maximumDepth) levels of nesting") }
    switch peek() {
    case UInt8(ascii: "\""):
      out.append(5)
      try variantText(into: &out)
    case UInt8(ascii: "["):
      var count: UInt64 = 0
      var elements: [UInt8] = []
      try array { scanner throws(ResultDecodingError) in
        count += 1
        try scanner.variant(into: &elements, depth: depth + 1)
      }
      out.append(7)
      Self.append(varint: count, to: &out)
      out.append(contentsOf: elements)
    case UInt8(ascii: "{"):
      var count: UInt64 = 0
      var entries: [UInt8] = []
      try object { scanner, key throws(ResultDecodingError) in
        count += 1
        Self.append(varint: UInt64(key.utf8.count), to: &entries)
        entries.append(contentsOf: key.utf8)
        try scanner.variant(into: &entries, depth: depth + 1)
      }
      out.append(8)
      Self.append(varint: count, to: &out)
      out.append(contentsOf: entries)
    case UInt8(ascii: "n") where takeWord("null"): out.append(0)
    case UInt8(ascii: "f") where takeWord("false"): out.append(1)
    case UInt8(ascii: "t") where takeWord("true"): out.append(2)
    default: try variantNumber(into: &out)
    }
  }

  private mutating func variantText(into out: inout [UInt8]) throws(ResultDecodingError) {
    var text: [UInt8] = []
    try string(into: &text)
    Self.append(varint: UInt64(text.count), to: &out)
    out.append(contentsOf: text)
  }

  private mutating func variantNumber(into out: inout [UInt8]) throws(ResultDecodingError) {
    let digits = String(decoding: try number(), as: UTF8.self)
    if let integer = Int64(digits) {
      out.append(3)
      Self.append(varint: UInt64(bitPattern: integer << 1 ^ integer >> 63), to: &out)
    } else if let double = Double(digits) {
      out.append(4)
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        out.append(UInt8(truncatingIfNeeded: double.bitPattern >> shift))
      }
    } else {
      throw failure("a number")
    }
  }

  private static func append(varint value: UInt64, to out: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: rest))
  }
}
