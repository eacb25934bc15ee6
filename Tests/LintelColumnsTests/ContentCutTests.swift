import Testing

@testable import LintelColumns

@Suite("Cutting content") struct ContentCutTests {
  private func pieces(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBytes { ContentCut.pieces(ofText: $0) }.map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  private static let filling = String(repeating: "la ", count: 30)

  private func message(_ number: Int) -> String {
    "{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"\(number) \(Self.filling)\"}]}"
  }

  @Test func aListOfMessagesIsCutAtEach() {
    let messages = (0..<4).map(message)
    #expect(pieces("[" + messages.joined(separator: ", ") + "]") == messages)
    #expect(pieces(" [\n  " + messages.joined(separator: ",\n  ") + "\n]\n") == messages)
  }

  @Test func listsInAnObjectAreCutToo() {
    let messages = (0..<3).map(message)
    let list = messages.joined(separator: ",")
    #expect(pieces("{\"model\":\"m\",\"messages\":[\(list)],\"n\":1}") == messages)
  }

  @Test func bracketsAndQuotesWithinStringsDontCount() {
    let odd = "{\"content\": \"]}{[ \\\" \\\\\\\" \\\\\", \"more\": \"\(Self.filling)\"}"
    #expect(pieces("[\(odd), \(odd)]") == [odd, odd])
  }

  @Test func whatIsNoListOfMessagesIsOnePiece() {
    let other = [
      "plain text \(Self.filling)", "\"a JSON string \(Self.filling)\"", "{\"key\": \"\(Self.filling)\"}",
      "[\"\(Self.filling)\", \"unfinished", "[{\"a\": \"\(Self.filling)\"}", "]]]]\(Self.filling)",
      "[1, 2, \(Self.filling)]",
      "[{\"a\":1}, {\"b\":2}, {\"c\":3}, {\"d\":4}, {\"e\":5}, {\"f\":6}, {\"g\":7}, {\"h\":8}]",
    ]
    for text in other { #expect(pieces(text) == [text]) }
  }

  @Test func whatIsShortIsNoPiece() {
    #expect(pieces("") == [])
    #expect(pieces("[{\"role\": \"user\", \"content\": \"hi\"}]") == [])
    let long = message(1)
    #expect(pieces("[{\"a\": 1}, \(long), {\"b\": 2}]") == [long])
  }

  @Test func aTurnAddsItsOwnPiecesOnly() {
    var known: Set<String> = []
    var messages: [String] = []
    for turn in 0..<20 {
      messages.append(message(turn))
      let new = Set(pieces("[" + messages.joined(separator: ", ") + "]")).subtracting(known)
      #expect(new.count == 1)
      known.formUnion(new)
    }
  }

  @Test func structuredMessagesAreCutLikewise() throws {
    let messages = (0..<5).map { number -> Variant in
      .map([.init("role", .string("user")), .init("content", .string("\(number) \(Self.filling)"))])
    }
    let bytes = Variant.array(messages + [.int(3), .array([.string(Self.filling)])]).encoded
    let ranges = bytes.withUnsafeBytes { ContentCut.pieces(ofVariant: $0) }
    #expect(ranges.count == 6)
    for (range, message) in zip(ranges, messages) { #expect(Array(bytes[range]) == message.encoded) }
  }

  /// Whatever the bytes are: pieces ascend, don't overlap, and aren't short.
  @Test func anyBytesAreCutWithoutHarm() {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array("{}[]\"\\,: a".utf8)
    for round in 0..<3000 {
      let count = Int.random(in: 0...300, using: &random)
      let bytes = (0..<count).map { _ in
        round % 3 == 0 ? UInt8.random(in: 0...255, using: &random) : alphabet.randomElement(using: &random) ?? 0
      }
      let prefixed = round % 3 == 1 ? [VariantTag.array] + bytes : bytes
      for ranges in prefixed.withUnsafeBytes({ [ContentCut.pieces(ofText: $0), ContentCut.pieces(ofVariant: $0)] }) {
        var end = 0
        for range in ranges {
          #expect(range.lowerBound >= end && range.count >= ContentCut.minimumBytes, "\(prefixed)")
          end = range.upperBound
        }
        #expect(end <= prefixed.count)
      }
    }
  }
}
