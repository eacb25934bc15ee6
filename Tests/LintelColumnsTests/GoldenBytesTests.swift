import Testing

@testable import LintelColumns

/// The bytes of every encoding, as they are on the disks of the world. A change here is a change of the format.
@Suite struct GoldenBytesTests {
  private func expect(_ vector: ColumnVector, _ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) throws {
    #expect(encoded(vector) == bytes, sourceLocation: location)
    #expect(try decoded(bytes, like: vector).rows == vector.rows, sourceLocation: location)
  }

  private func nullable(_ storage: ColumnVector.Storage, _ bits: UInt64, _ count: Int) -> ColumnVector {
    ColumnVector(storage, validity: Bitmap(words: [bits], count: count))
  }

  @Test func integers() throws {
    try expect(ColumnVector(.int64([])), [11, 0])
    try expect(ColumnVector(.int64([-2, -2])), [1, 0, 0xFE, 255, 255, 255, 255, 255, 255, 255])
    try expect(
      ColumnVector(.int64([0, .min])), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80])
    try expect(ColumnVector(.int64([10, 11, 17, 10])), [3, 0, 10, 0, 0, 0, 0, 0, 0, 0, 3, 0b1100_1000, 0b0001])
    try expect(
      ColumnVector(.int64(Array(repeating: 7, count: 200) + Array(repeating: 8, count: 100))),
      [2, 0, 2, 3, 7, 0, 0, 0, 0, 0, 0, 0, 1, 0b10, 3, 100, 0, 0, 0, 0, 0, 0, 0, 7, 0b0110_0100, 0])
    try expect(
      ColumnVector(.int64((0..<40).map { $0 * 1_000_000 })),
      [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x42, 0x0F, 0, 0, 0, 0, 0, 0])
    try expect(
      ColumnVector(.int64((0..<40).map { $0 == 3 ? 1 << 40 : $0 & 1 })),
      [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 40, 0xA2, 0xAA, 0xAA, 0xAA, 0xAA, 3, 0, 0, 0, 0, 0, 0x80])
  }

  @Test func verticalChunks() throws {
    // One bit a value: value i stands at bit i / 32 of word i % 32, so that the last 32 values are the words' top bits.
    let values = (0..<1024).map { Int64($0 >= 992 ? 1 : $0 % 32 == 5 && $0 < 32 ? 1 : 0) }
    let bytes = values.withUnsafeBufferPointer { values in
      var out: [UInt8] = []
      BitPacking.pack(values, width: 1, base: 0, into: &out)
      return out
    }
    #expect(bytes == (0..<32).flatMap { [$0 == 5 ? 1 : 0, 0, 0, 0x80] })
  }

  @Test func nulls() throws {
    try expect(.nulls(.int64, count: 3), [11, 0x10])
    try expect(nullable(.bool([true, false, true]), 0b101, 3), [1, 0x32, 3, 1, 1, 1, 1])
    try expect(
      nullable(.bool(Array(repeating: true, count: 10)), 0b11_0110_1101, 10),
      [1, 0x22, 0b0110_1101, 0b11, 0, 0, 0, 0, 0, 0, 1])
    let words: [UInt64] = [~0, 0, 0, 0]
    let runs = ColumnVector(
      .bool((0..<256).map { $0 < 64 }), validity: Bitmap(words: words, count: 256))
    try expect(runs, [1, 0x32, 2, 64, 0xC0, 1, 1])
  }

  @Test func doubles() throws {
    try expect(ColumnVector(.float64([1, 1])), [1, 1, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
    try expect(
      ColumnVector(.float64([0.5, 0.25, 0.5, 0.75, 1])),
      [6, 1, 2, 3, 25, 0, 0, 0, 0, 0, 0, 0, 7, 25, 0x40, 0x46, 0xB6, 4])
    try expect(
      ColumnVector(.float64([.nan, -0.0])),
      [0, 1, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0x80])
  }

  @Test func booleans() throws {
    try expect(ColumnVector(.bool([true, true])), [1, 2, 1])
    try expect(ColumnVector(.bool([true, false, true, true, false, false, false, false, true])), [7, 2, 0b1101, 1])
  }

  @Test func ids() throws {
    let one: [UInt8] = [1] + Array(repeating: 0, count: 15)
    let two: [UInt8] = [2] + Array(repeating: 0, count: 15)
    try expect(ColumnVector(.id128([1, 1])), [1, 4] + one)
    try expect(ColumnVector(.id128([2, 1])), [0, 4] + two + one)
    try expect(ColumnVector(.id128([1, 1, 2, 2, 2])), [2, 4, 2] + one + two + [3, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0b10])
  }

  @Test func strings() throws {
    try expect(
      .strings([[97], [], [98, 99]]), [8, 3, 3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0b100001, 97, 98, 99])
    let dictionary = ValueDictionary(.bytes(ByteStrings(["a", "b", "c"])))
    try expect(ColumnVector(.codes([2, 0, 1], dictionary)), [3, 0x0B, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0b010010])
    var out: [UInt8] = []
    DictionaryCodec.encode(dictionary, into: &out)
    #expect(out == [3, 3, 8, 3, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 97, 98, 99])
    out = []
    DictionaryCodec.encode(ValueDictionary(.id128([1])), into: &out)
    #expect(out == [4, 1, 1] + Array(repeating: 0, count: 15))
  }

  @Test func compressedStrings() throws {
    // Other versions of the libraries may compress otherwise, so that only what stands before the stored bytes is fixed.
    let text = ColumnVector.strings((0..<100).map { _ in Array("abcdefgh".utf8) })
    let bytes = encoded(text)
    #expect(bytes[..<6] == [9, 3, 0x20, 3, 0, 0])
    #expect(bytes[10...18] == [1, 8, 0, 0, 0, 0, 0, 0, 0])
  }
}
