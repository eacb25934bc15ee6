import Testing

@testable import LintelIngest

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

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("18446744073709551616", 18_446_744_073_709_551_616), ("1e18", 1_000_000_000_000_000_000),
      ("12.50e1", 125), ("5.0", 5), ("-100e-2", -1), ("0.0e99999999", 0),
    ] as [(String, Int128)])
  func readsWholeNumbersExactly(_ text: String, _ value: Int128) {
    #expect(Array(text.utf8).withUnsafeBytes { wholeNumber($0) } == value)
  }

  @Test(arguments: ["0.5", "1e-1", "1e31", "1e99999999999999999999", "1234567890123456789012345678901"])
  func seesWhenANumberIsNotWholeOrTooLarge(_ text: String) {
    #expect(Array(text.utf8).withUnsafeBytes { wholeNumber($0) } == nil)
  }

  @Test func readsBase64OfBothAlphabets() {
    #expect(base64(Array("+/+/".utf8)) == base64(Array("-_-_".utf8)))
    #expect(base64(Array("AQ==".utf8)) == [1])
    #expect(base64(Array("AQ".utf8)) == [1])
    #expect(base64([]) == [])
    #expect(base64(Array("A".utf8)) == nil)
    #expect(base64(Array("A*==".utf8)) == nil)
    #expect(base64(Array("====".utf8)) == nil)
  }
}
