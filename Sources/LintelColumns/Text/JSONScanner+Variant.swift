extension JSONScanner {
  /// Appends the JSON value at the cursor as a ``Variant``. Numbers without fraction or exponent are ints where 64 bits
  /// hold them; byte strings and NaN, which ``Variant/json()`` shows as strings, come back as strings.
  package mutating func variant(into out: inout VariantWriter, depth: Int = 1) throws(JSONError) {
    guard depth <= Variant.maximumDepth else { throw error("values nest deeper than \(Variant.maximumDepth)") }
    var count = 0
    switch try peek() {
    case UInt8(ascii: "["):
      let mark = out.beginArray()
      try array { scanner throws(JSONError) in
        count += 1
        try scanner.variant(into: &out, depth: depth + 1)
      }
      out.end(mark, count: count)
    case UInt8(ascii: "{"):
      let mark = out.beginMap()
      try object { scanner, key throws(JSONError) in
        count += 1
        out.append(key: key)
        try scanner.variant(into: &out, depth: depth + 1)
      }
      out.end(mark, count: count)
    case UInt8(ascii: "\""): out.append(string: try string())
    case UInt8(ascii: "n"):
      try literal("null")
      out.appendEmpty()
    case UInt8(ascii: "t"):
      try literal("true")
      out.append(bool: true)
    case UInt8(ascii: "f"):
      try literal("false")
      out.append(bool: false)
    default:
      let digits = String(decoding: try number(), as: UTF8.self)
      if let integer = Int64(digits) {
        out.append(int: integer)
      } else if let double = Double(digits) {
        out.append(double: double)
      } else {
        throw error("expected a number")
      }
    }
  }
}
