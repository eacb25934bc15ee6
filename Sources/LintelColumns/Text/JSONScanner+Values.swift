extension JSONScanner {
  /// Walks over the elements of an array; the body reads one.
  package mutating func array(_ body: (inout JSONScanner) throws(JSONError) -> Void) throws(JSONError) {
    try expect(UInt8(ascii: "["))
    if try take(UInt8(ascii: "]")) { return }
    repeat { try body(&self) } while try take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  /// Walks over the members of an object; the body reads the value.
  package mutating func object(_ body: (inout JSONScanner, String) throws(JSONError) -> Void) throws(JSONError) {
    try expect(UInt8(ascii: "{"))
    if try take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      try expect(UInt8(ascii: ":"))
      try body(&self, key)
    } while try take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// The string at the cursor; what isn't Unicode in it is replaced by U+FFFD.
  package mutating func string() throws(JSONError) -> String {
    var text: [UInt8] = []
    try string(into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Takes `null`, `true` or `false` where it stands at the cursor.
  package mutating func takeWord(_ word: StaticString) throws(JSONError) -> Bool {
    guard try peek() == word.utf8Start.pointee else { return false }
    try literal(word)
    return true
  }

  /// A whole number of 64 bits, without fraction or exponent.
  package mutating func int64() throws(JSONError) -> Int64 {
    let digits = try number()
    guard let value = Int64(String(decoding: digits, as: UTF8.self)) else { throw error("expected a 64-bit integer") }
    return value
  }

  /// A number, or one of the strings that stand for what JSON has no number for.
  package mutating func float64() throws(JSONError) -> Double {
    if try peek() == UInt8(ascii: "\"") {
      switch try string() {
      case "NaN": return .nan
      case "Infinity": return .infinity
      case "-Infinity": return -.infinity
      default: throw error("expected NaN or Infinity")
      }
    }
    let digits = try number()
    guard let value = Double(String(decoding: digits, as: UTF8.self)) else { throw error("expected a number") }
    return value
  }
}
