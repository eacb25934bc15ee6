import LintelColumns
import Testing

@testable import LintelIngest

/// Which spans are left out, and that their neighbours aren't.
@Suite struct RejectionTests {
  static let cases: [(TestSpan, RejectionReason)] = [
    (TestSpan(traceID: []), .traceID), (TestSpan(traceID: [UInt8](repeating: 1, count: 15)), .traceID),
    (TestSpan(traceID: [UInt8](repeating: 1, count: 17)), .traceID),
    (TestSpan(traceID: [UInt8](repeating: 0, count: 16)), .traceID),
    (TestSpan(traceID: [UInt8](repeating: 1, count: 1 << 20)), .traceID),
    (TestSpan(spanID: []), .spanID), (TestSpan(spanID: [UInt8](repeating: 2, count: 7)), .spanID),
    (TestSpan(spanID: [UInt8](repeating: 0, count: 8)), .spanID),
    (TestSpan(parentID: [1, 2, 3]), .parentSpanID),
    (TestSpan(parentID: [UInt8](repeating: 1, count: 16)), .parentSpanID),
    (TestSpan(start: 0), .noStartTime), (TestSpan(start: 0, end: 0), .noStartTime),
    (TestSpan(start: 1 << 63), .timeOutOfRange), (TestSpan(start: .max, end: 0), .timeOutOfRange),
    (TestSpan(end: .max), .timeOutOfRange),
  ]

  @Test(arguments: cases.indices)
  func aBadSpanCostsItselfOnly(index: Int) throws {
    let (bad, reason) = Self.cases[index]
    let before = TestSpan(
      name: "before", attributes: [TestAttribute("k", 1), TestAttribute("gen_ai.request.model", "m")])
    let after = TestSpan(name: "after", attributes: [TestAttribute("k", 2)])
    var noisy = bad
    noisy.attributes = [TestAttribute("only.here", "x"), TestAttribute("k", 3), TestAttribute("user.id", "u")]
    noisy.events = [TestEvent(name: "e")]
    let result = try decode(request(before, noisy, after))
    #expect(result.rejected == [reason: 1])
    #expect(result.accepted == 2)
    #expect(result.message == "1 of 3 spans rejected (1: \(reason))")
    // As if the bad one had never been there.
    let without = try decode(request(before, after)).batch
    #expect(RowDigest.digests(of: result.batch) == RowDigest.digests(of: without))
    #expect(result.batch.attributes.map(\.key) == without.attributes.map(\.key))
    try result.batch.validate()
  }

  @Test func manyReasonsAreCountedTheCommonestFirst() throws {
    var spans = [TestSpan(start: 0)]
    for _ in 0..<1000 { spans.append(TestSpan(traceID: [1])) }
    let bytes = encoded([TestResource(scopes: [TestScope(spans: spans)])])
    let result = try decode(bytes)
    #expect(result.accepted == 0)
    #expect(
      result.message
        == "1001 of 1001 spans rejected (1000: trace id isn't 16 bytes or is all zero; 1: no start time)")
  }

  @Test func nothingIsFine() throws {
    let result = try decode([])
    #expect(result.accepted == 0)
    #expect(result.rejectedCount == 0)
    #expect(result.message.isEmpty)
    try result.batch.validate()
  }

  static let brokenText: [[UInt8]] = [
    [0x61, 0x80, 0x62], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3], [0xff, 0xfe],
  ]

  /// A request whose second span of three has `text` in one of the places that hold text.
  private func bytes(with text: [UInt8], place: Int) -> [UInt8] {
    ProtobufWriter {
      $0.message(1) {
        $0.message(2) {
          $0.message(2) { $0.span(TestSpan(name: "before")) }
          $0.message(2) {
            $0.span(TestSpan())
            switch place {
            case 0: $0.bytes(5, text)
            case 1: $0.bytes(3, text)
            case 2: $0.message(15) { $0.bytes(2, text) }
            case 3: $0.message(9) { $0.bytes(1, text) }
            case 4: $0.message(9) { $0.message(2) { $0.bytes(1, text) } }
            case 5: $0.message(9) { $0.message(2) { $0.message(5) { $0.message(1) { $0.bytes(1, text) } } } }
            case 6: $0.message(9) { $0.message(2) { $0.message(6) { $0.message(1) { $0.bytes(1, text) } } } }
            case 7: $0.message(11) { $0.bytes(2, text) }
            case 8: $0.message(11) { $0.message(3) { $0.bytes(1, text) } }
            case 9: $0.message(13) { $0.bytes(3, text) }
            case 10:
              $0.message(9) {
                $0.string(1, "user.id")
                $0.message(2) { $0.bytes(1, text) }
              }
            default:
              $0.message(9) {
                $0.string(1, "gen_ai.request.model"); $0.message(2) { $0.bytes(1, text) }
              }
            }
          }
          $0.message(2) { $0.span(TestSpan(name: "after")) }
        }
      }
    }.bytes
  }

  @Test(arguments: 0..<12)
  func textThatIsNoUTF8(place: Int) throws {
    for text in Self.brokenText {
      let bytes = self.bytes(with: text, place: place)
      #expect(throws: OTLPError.self) { try decode(bytes) }
      var limits = OTLPLimits()
      limits.invalidText = .rejectSpan
      let result = try decode(bytes, limits: limits)
      #expect(result.rejected == [.invalidText: 1])
      #expect(result.batch["name"].string(at: 0) == "before")
      #expect(result.batch["name"].string(at: 1) == "after")
    }
    #expect(try decode(bytes(with: Array("fein ä".utf8), place: place)).accepted == 3)
  }

  @Test func brokenTextOfAResourceOrScopeTouchesItsSpansOnly() throws {
    var limits = OTLPLimits()
    limits.invalidText = .rejectSpan
    let bytes = ProtobufWriter {
      $0.message(1) {
        $0.message(1) { $0.message(1) { $0.bytes(1, [0xff]) } }
        $0.message(2) { $0.message(2) { $0.span(TestSpan()) } }
      }
      $0.message(1) {
        $0.message(2) {
          $0.message(1) { $0.bytes(1, [0xff]) }
          $0.message(2) { $0.span(TestSpan()) }
        }
        $0.message(2) { $0.message(2) { $0.span(TestSpan(name: "good")) } }
      }
    }.bytes
    let result = try decode(bytes, limits: limits)
    #expect(result.rejected == [.invalidText: 2])
    #expect(result.batch["name"].string(at: 0) == "good")
  }

  @Test func linksMayHaveOddIDsButNotInJSON() throws {
    let link = TestLink(traceID: [1, 2, 3], spanID: [])
    #expect(try decode(request(TestSpan(links: [link]))).accepted == 1)
    let json = { (id: String) in
      """
      {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",
      "spanId":"0102030405060708","startTimeUnixNano":"5","links":[{"traceId":"\(id)"}]}]}]}]}
      """
    }
    #expect(try decode(json: json("0aff")).accepted == 1)
    #expect(try decode(json: json("xy")).rejected == [.linkID: 1])
  }
}
