import LintelColumns
import Testing

@testable import LintelIngest

/// What the transcoder writes, byte for byte; what the spans become is tested with the decoder.
@Suite struct OTLPJSONTests {
  private func protobuf(_ text: String) throws -> [UInt8] {
    try Array(text.utf8).withUnsafeBytes { try OTLPJSON.protobuf($0) }
  }

  /// A message as the transcoder writes it: tag, length as a padded five-byte varint, content.
  private func message(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    let length = content.count
    let head: [UInt8] = [number << 3 | 2, UInt8(length & 0x7F) | 0x80, UInt8(length >> 7 & 0x7F) | 0x80, 0x80, 0x80, 0]
    return head + content
  }

  private func span(_ json: String) throws -> [UInt8] {
    let whole = try protobuf(#"{"resourceSpans":[{"scopeSpans":[{"spans":["# + json + "]}]}]}")
    return Array(whole.dropFirst(18))
  }

  private func value(_ json: String) throws -> [UInt8] {
    Array(try span(#"{"attributes":[{"value":"# + json + "}]}").dropFirst(12))
  }

  @Test func anEmptyRequestIsEmpty() throws {
    #expect(try protobuf("{}") == [])
    #expect(try protobuf(" { \"resourceSpans\" : [ ] } ") == [])
    #expect(try protobuf(#"{"resourceSpans":null,"unknown":{"deep":[1,2,{}]}}"#) == [])
  }

  @Test func nestsMessages() throws {
    let inner = message(2, [10, 2, 0xAB, 0xCD])
    #expect(
      try protobuf(#"{"resourceSpans":[{"scopeSpans":[{"scope":{},"spans":[]}]}]}"#)
        == message(1, message(2, message(1, []))))
    #expect(
      try protobuf(#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"aBcD"}]}]}]}"#)
        == message(1, message(2, inner)))
  }

  @Test func idsThatAreNoHexBecomeIdsOfNoLength() throws {
    for text in [#""abc""#, #""0x12""#, #""zz""#, "12", "[1]"] {
      #expect(try span(#"{"traceId":"# + text + "}") == [10, 1, 0])
    }
    #expect(try span(#"{"parentSpanId":""}"#) == [34, 0])
  }

  @Test func integersComeAsNumbersOrStrings() throws {
    let expected: [UInt8] = [57, 0, 0, 100, 167, 179, 182, 224, 13]
    for text in ["1000000000000000000", "\"1000000000000000000\"", "1e18"] {
      #expect(try span(#"{"startTimeUnixNano":"# + text + "}") == expected)
    }
    for text in ["18446744073709551616", "-1", "1.5", "\"\"", "\" 1\"", "true", "\"1x\""] {
      #expect(throws: JSONError.self) { try span(#"{"startTimeUnixNano":"# + text + "}") }
    }
    #expect(try value(#"{"intValue":"-1"}"#) == [24] + Array(repeating: 0xFF, count: 9) + [1])
    #expect(throws: JSONError.self) { try value(#"{"intValue":9223372036854775808}"#) }
  }

  @Test func enumerationsComeAsNumbersOrNames() throws {
    for text in ["3", "\"SPAN_KIND_CLIENT\""] { #expect(try span(#"{"kind":"# + text + "}") == [48, 3]) }
    #expect(try span(#"{"kind":-1}"#) == [48] + Array(repeating: 0xFF, count: 9) + [1])
    #expect(throws: JSONError.self) { try span(#"{"kind":"CLIENT"}"#) }
  }

  @Test func valuesKeepTheirKind() throws {
    #expect(try value(#"{"stringValue":""}"#) == [10, 0])
    #expect(try value(#"{"boolValue":false}"#) == [16, 0])
    #expect(try value(#"{"bytesValue":"AQI="}"#) == [58, 2, 1, 2])
    #expect(try value(#"{"doubleValue":-0.0}"#) == [33, 0, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(try value(#"{"doubleValue":"Infinity"}"#) == [33, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F])
    #expect(try value("{}") == [])
    #expect(
      try value(#"{"arrayValue":{"values":[{"boolValue":true},{}]}}"#)
        == message(5, message(1, [16, 1]) + message(1, [])))
    for text in [
      #"{"doubleValue":1e400}"#, #"{"doubleValue":NaN}"#, #"{"boolValue":"true"}"#, #"{"intValue":1,"boolValue":true}"#,
      "1",
    ] {
      #expect(throws: JSONError.self) { try value(text) }
    }
  }

  @Test func ofARepeatedKeyTheLastCounts() throws {
    #expect(try span(#"{"name":"first","kind":1,"name":"b"}"#) == [48, 1, 42, 1, UInt8(ascii: "b")])
    #expect(try span(#"{"kind":1,"name":"a","kind":2,"name":"b","kind":3}"#) == [42, 1, UInt8(ascii: "b"), 48, 3])
    #expect(try span(#"{"attributes":[{"key":"a"}],"attributes":[]}"#) == [])
  }

  @Test(arguments: [
    "", "null", "[]", "{", "{}{}", "{} x", "{\"resourceSpans\":{}}", "{\"resourceSpans\":[null]}",
    "{\"resourceSpans\":[1]}",
    "{,}", "{\"a\":1,}", "/* */{}", "\u{FEFF}{}",
  ])
  func refusesWhatIsNoRequest(_ text: String) {
    #expect(throws: JSONError.self) { try protobuf(text) }
  }

  @Test func refusesWhatIsNotUTF8() {
    #expect(throws: JSONError.self) { try [0x7B, 0xFF, 0x7D].withUnsafeBytes { try OTLPJSON.protobuf($0) } }
  }

  @Test func nestingIsLimited() throws {
    func kvlist(_ depth: Int) -> String {
      String(repeating: #"{"kvlistValue":{"values":[{"key":"k","value":"#, count: depth) + #"{"intValue":1}"#
        + String(repeating: "}]}}", count: depth)
    }
    _ = try value(kvlist(30))
    #expect(throws: JSONError.self) { try value(kvlist(1000)) }
  }

  /// Any damage gives an error or bytes, never a trap.
  @Test func mutationsNeverTrap() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix(state: seed)
    let good = Array(
      #"{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"doubleValue":1.5e3}}]},"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","name":"é\u00e9\ud83d\ude00","kind":2,"startTimeUnixNano":"5","attributes":[{"key":"b","value":{"bytesValue":"AQI="}}]}]}]}]}"#
        .utf8)
    for round in 0..<20_000 {
      var bytes = good
      for _ in 0...(round % 4) {
        let at = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 3 {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: at)
        default: bytes.insert(bytes[Int(random.next() % UInt64(bytes.count))], at: at)
        }
      }
      do {
        _ = try bytes.withUnsafeBytes { try OTLPJSON.protobuf($0) }
      } catch {
        #expect(error is JSONError, "seed \(seed), round \(round): \(error)")
      }
    }
  }
}

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
