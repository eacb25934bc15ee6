import Testing

@testable import LintelColumns

@Suite struct Base64Tests {
  @Test func readsBase64OfBothAlphabets() {
    #expect(Base64.decoded(Array("+/+/".utf8)) == Base64.decoded(Array("-_-_".utf8)))
    #expect(Base64.decoded(Array("AQ==".utf8)) == [1])
    #expect(Base64.decoded(Array("AQ".utf8)) == [1])
    #expect(Base64.decoded([]) == [])
    #expect(Base64.decoded(Array("A".utf8)) == nil)
    #expect(Base64.decoded(Array("A*==".utf8)) == nil)
    #expect(Base64.decoded(Array("====".utf8)) == nil)
  }

  @Test func whatIsWrittenComesBack() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
      var text: [UInt8] = []
      bytes.withUnsafeBytes { Base64.append($0, to: &text) }
      #expect(text.count == (count + 2) / 3 * 4)
      #expect(Base64.decoded(text) == bytes)
    }
  }
}
