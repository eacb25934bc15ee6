import Testing

@testable import LintelColumns

@Suite struct JSONScannerTests {
  private func withScanner<T>(_ text: String, _ body: (inout JSONScanner) throws -> T) rethrows -> T {
    try Array(text.utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      return try body(&scanner)
    }
  }

  private func string(_ text: String) throws -> [UInt8] {
    try withScanner(text) { scanner in
      var out: [UInt8] = []
      try scanner.string(into: &out)
      return out
    }
  }

  @Test func readsEveryEscape() throws {
    #expect(try string(#""a\"\\\/\b\f\n\r\t\u0041""#) == Array("a\"\\/\u{8}\u{C}\n\r\tA".utf8))
    #expect(try string(#""\u00e9\u20AC\uD83D\uDE00""#) == Array("é€😀".utf8))
  }

  @Test func keepsHalfASurrogatePairAsBytesThatAreNoUTF8() throws {
    #expect(try string(#""\ud800x""#) == [0xED, 0xA0, 0x80, UInt8(ascii: "x")])
    #expect(try string(#""\ud800\u0041""#) == [0xED, 0xA0, 0x80, UInt8(ascii: "A")])
  }

  @Test(arguments: [#""open"#, #""\q""#, #""\u12g4""#, #""\u12"#, "\"raw\ncontrol\"", #""\"#])
  func refusesBrokenStrings(_ text: String) {
    #expect(throws: JSONError.self) { try string(text) }
  }

  @Test(arguments: ["0", "-0", "12", "1.5", "1e5", "1E+5", "-1.25e-3"])
  func readsNumbers(_ text: String) throws {
    let count = try withScanner(text) { try $0.number().count }
    #expect(count == text.utf8.count)
  }

  @Test(arguments: ["", "-", "01", "1.", ".5", "1e", "+1", "NaN", "e5"])
  func refusesWhatIsNoNumber(_ text: String) {
    #expect(throws: JSONError.self) { _ = try withScanner(text) { try $0.number().count } }
  }

  @Test(arguments: [
    "{}", "[]", "[[],{}]", #"{"a":[1,{"b":null}],"c":"]}"}"#, "true", " [ 1 , 2 ] ", #"{"":{"":{}}}"#,
    "[false,\"x\",-1e3]",
  ])
  func skipsAnyValue(_ text: String) throws {
    try withScanner(text) { scanner in
      try scanner.skipValue()
      scanner.skipWhiteSpace()
      #expect(scanner.isAtEnd)
    }
  }

  @Test(arguments: [
    "[", "{", "[1", "[1,", "{\"a\"", "{\"a\":", "{\"a\":1,", "{1:2}", "[1 2]", "[}", "{]", "tru", ",", "[,]",
  ])
  func refusesToSkipWhatIsNoValue(_ text: String) {
    #expect(throws: JSONError.self) { try withScanner(text) { try $0.skipValue() } }
  }

  @Test func refusesToSkipAHundredThousandBrackets() {
    #expect(throws: JSONError.self) {
      try withScanner(String(repeating: "[", count: 100_000)) { try $0.skipValue() }
    }
  }

  @Test func readsValuesOfEveryKind() throws {
    try withScanner(#"{"a":[1,-2],"b":true,"c":"NaN","d":2.5e0}"#) { scanner in
      var seen: [String] = []
      try scanner.object { scanner, key throws(JSONError) in
        seen.append(key)
        switch key {
        case "a": try scanner.array { scanner throws(JSONError) in seen.append(String(try scanner.int64())) }
        case "b": seen.append(String(try scanner.takeWord("true")))
        default: seen.append(String(try scanner.float64()))
        }
      }
      #expect(seen == ["a", "1", "-2", "b", "true", "c", "nan", "d", "2.5"])
      #expect(scanner.isAtEnd)
    }
  }

  @Test(arguments: ["1.5", "9223372036854775808", "1e3", "x"])
  func refusesWhatIsNo64BitInteger(_ text: String) {
    #expect(throws: JSONError.self) { try withScanner(text) { _ = try $0.int64() } }
  }

  @Test func readsVariants() throws {
    let text = #"[null,true,false,-5,1.5,9223372036854775808,"é\n",{"k":{},"k":[]}]"#
    let value = Variant.array([
      .empty, .bool(true), .bool(false), .int(-5), .double(1.5), .double(0x1p63), .string("é\n"),
      .map([.init("k", .map([])), .init("k", .array([]))]),
    ])
    try withScanner(text) { scanner in
      var writer = VariantWriter()
      try scanner.variant(into: &writer)
      #expect(try Variant(decoding: writer.bytes) == value)
    }
  }

  @Test func refusesVariantsThatNestTooDeeply() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    try withScanner(nested(Variant.maximumDepth)) { scanner in
      var writer = VariantWriter()
      try scanner.variant(into: &writer)
    }
    #expect(throws: JSONError.self) {
      try withScanner(nested(100_000)) { scanner in
        var writer = VariantWriter()
        try scanner.variant(into: &writer)
      }
    }
  }
}
