import Testing

@testable import LintelColumns

@Suite struct UTF8CheckTests {
  private func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { UTF8Check.isValid($0) } }

  /// The standard library as the plain twin.
  private func twin(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

  @Test func everySequenceOfTwoBytesAndMore() {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        for tail in [[], [0x80], [0x80, 0x80], [0xbf, 0xbf], [0x41]] as [[UInt8]] {
          let bytes = [first, second] + tail
          if isValid(bytes) != twin(bytes) { Issue.record("\(bytes)") }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func mutatedText(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let alphabet = Array("abcdefghijklmnop._-/ \"\\\u{1}\u{7f}äß→🔑한\u{10FFFF}\n\t\0")
    for _ in 0..<5_000 {
      var bytes = Array(String((0...random.below(40)).map { _ in alphabet[random.below(alphabet.count)] }).utf8)
      if random.chance(50) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if isValid(bytes) != twin(bytes) { Issue.record("seed \(seed): \(bytes)") }
    }
  }

  @Test func theFirstInvalidByteIsFound() {
    func first(_ bytes: [UInt8]) -> Int? { bytes.withUnsafeBytes { UTF8Check.firstInvalid($0) } }
    #expect(first([]) == nil)
    #expect(first(Array("größe und 🦊 mehr".utf8)) == nil)
    for prefix in ["", "a", "sieben.", "größe 🦊", String(repeating: "x", count: 40)] {
      #expect(first(Array(prefix.utf8) + [0xc3]) == prefix.utf8.count)
      #expect(first(Array(prefix.utf8) + [0xff, 65]) == prefix.utf8.count)
    }
  }
}
