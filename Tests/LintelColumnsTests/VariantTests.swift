import Testing

@testable import LintelColumns

@Suite struct VariantTests {
  static let samples: [Variant] = [
    .empty, .bool(false), .bool(true), .int(0), .int(-1), .int(.min), .int(.max), .double(0), .double(-0.0),
    .double(.infinity), .string(""), .string("größe 🦊"), .bytes([]), .bytes([0, 255]), .array([]), .map([]),
    .array([.int(1), .array([.empty]), .map([.init("k", .string("v"))])]),
    .map([.init("a", .int(1)), .init("a", .int(2)), .init("", .empty)]),
    .array((0..<300).map { .int(Int64($0)) }),
  ]

  @Test(arguments: samples)
  func valuesComeBack(value: Variant) throws {
    #expect(try Variant(decoding: value.encoded) == value)
    #expect(try Variant(decoding: value.encoded[...]) == value)
  }

  @Test func theEncodingNeverChanges() {
    let value = Variant.map([
      .init("k", .array([.empty, .bool(false), .bool(true), .int(-3), .double(1.5)])), .init("s", .string("ab")),
      .init("b", .bytes([9])),
    ])
    #expect(
      value.encoded == [
        8, 3, 1, 107, 7, 5, 0, 1, 2, 3, 5, 4, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 1, 115, 5, 2, 97, 98, 1, 98, 6, 1, 9,
      ])
  }

  @Test func nanPayloadsAndSignsSurvive() throws {
    for bits in [0x7FF8_0000_0000_BEEF, 0xFFF0_0000_0000_0001, 0x8000_0000_0000_0000] as [UInt64] {
      guard case .double(let back) = try Variant(decoding: Variant.double(Double(bitPattern: bits)).encoded) else {
        Issue.record("not a double")
        return
      }
      #expect(back.bitPattern == bits)
    }
  }

  @Test func jsonIsWhatTheTypeSays() {
    #expect(
      Variant.array([.empty, .bool(true), .int(-5), .double(1), .double(1e20)]).json() == "[null,true,-5,1.0,1e+20]")
    #expect(Variant.array([.double(.nan), .double(-.infinity)]).json() == #"["NaN","-Infinity"]"#)
    #expect(Variant.string("a\"b\\c\n\u{1}é").json() == #""a\"b\\c\n\u0001é""#)
    let base64 = ["", "AQ==", "AQI=", "AQID", "AQIDBA=="]
    for count in 0..<5 {
      #expect(Variant.bytes((0..<UInt8(count)).map { $0 + 1 }).json() == "\"\(base64[count])\"")
    }
    #expect(Variant.map([.init("a", .int(1)), .init("a", .empty)]).json() == #"{"a":1,"a":null}"#)
  }

  @Test func nestingIsLimited() throws {
    func nested(_ depth: Int) -> Variant { (1..<depth).reduce(Variant.int(1)) { value, _ in .array([value]) } }
    let deepest = nested(Variant.maximumDepth)
    #expect(!deepest.isTooDeep)
    #expect(try Variant(decoding: deepest.encoded) == deepest)
    #expect(nested(Variant.maximumDepth + 1).isTooDeep)
    // What can't be read back is written as the empty value.
    #expect(try Variant(decoding: nested(Variant.maximumDepth + 1).encoded) != nested(Variant.maximumDepth + 1))
    let bomb: [UInt8] = (0..<400_000).map { $0 % 2 == 0 ? 7 : 1 } + [0]
    #expect(throws: ColumnError.self) { try Variant(decoding: bomb) }
  }

  /// Each level claims all the bytes that follow it; believing them all would take memory for 63 times as many values.
  @Test func nestedCountsAreNotBelievedBeforehand() {
    for tag in [7, 8] as [UInt8] {
      var bytes: [UInt8] = []
      let filler = 1 << 24
      for _ in 1..<Variant.maximumDepth {
        bytes.append(tag)
        bytes.append(varint: UInt64(filler / 2))
        if tag == 8 { bytes.append(0) }
      }
      bytes.append(contentsOf: repeatElement(9, count: filler))
      #expect(throws: ColumnError(.malformed, "there is no value of kind 9")) { try Variant(decoding: bytes) }
    }
  }

  @Test func damagedBytesNeverTrap() {
    var random = SplitMix64(seed: 71)
    for value in VariantTests.samples {
      let bytes = value.encoded
      for _ in 0..<400 {
        let damaged = mutate(bytes, &random)
        guard let back = try? Variant(decoding: damaged) else { continue }
        _ = back.json()
      }
      for end in bytes.indices {
        #expect(throws: ColumnError.self) { try Variant(decoding: bytes[..<end]) }
      }
      #expect(throws: ColumnError.self) { try Variant(decoding: bytes + [0]) }
    }
  }

  @Test func writingWithMarksGivesTheSameBytes() {
    for count in [0, 1, 127, 128, 20_000] {
      var known = VariantWriter()
      known.beginMap(count: 1)
      known.append(key: "list")
      known.beginArray(count: count)
      for index in 0..<count { known.append(int: Int64(index)) }

      var marked = VariantWriter(appendingTo: [])
      let map = marked.beginMap()
      marked.append(key: "list")
      let array = marked.beginArray()
      for index in 0..<count { marked.append(int: Int64(index)) }
      marked.end(array, count: count)
      marked.end(map, count: 1)
      #expect(known.bytes == marked.bytes)
      #expect(Variant.map([.init("list", .array((0..<count).map { .int(Int64($0)) }))]).encoded == known.bytes)
    }
  }
}
