import Testing

@testable import LintelColumns

@Suite struct BuilderTests {
  @Test(arguments: [81, 82, 83, 84] as [UInt64])
  func builtRowsAreTheAppendedOnes(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for distinct in [1, 3, 50, 100_000] {
      var strings = BytesColumnBuilder()
      var ints = Int64ColumnBuilder()
      var expectedStrings: [String?] = []
      var expectedInts: [Int64?] = []
      while expectedInts.count < 700 {
        let value = random.below(distinct)
        let count = random.chance(10) ? random.below(80) : 1
        switch random.below(5) {
        case 0 where count == 1:
          strings.appendNull()
          ints.appendNull()
          expectedStrings.append(nil)
          expectedInts.append(nil)
        case 1:
          strings.pad(to: expectedInts.count + count)
          ints.pad(to: expectedInts.count + count)
          expectedStrings += Array(repeating: nil, count: count)
          expectedInts += Array(repeating: nil, count: count)
        case 2:
          strings.append("value \(value)", count: count)
          ints.append(Int64(value), count: count)
          expectedStrings += Array(repeating: "value \(value)", count: count)
          expectedInts += Array(repeating: Int64(value), count: count)
        default:
          strings.append("value \(value)")
          ints.append(Int64(value))
          expectedStrings.append("value \(value)")
          expectedInts.append(Int64(value))
        }
        #expect(strings.count == expectedInts.count && ints.count == expectedInts.count)
      }
      let nullCount = expectedInts.count { $0 == nil }
      #expect(strings.nullCount == nullCount && ints.nullCount == nullCount)
      let stringVector = strings.finish()
      let intVector = ints.finish()
      #expect((0..<stringVector.count).map { stringVector.string(at: $0) } == expectedStrings, "seed \(seed)")
      #expect((0..<intVector.count).map { intVector.int64(at: $0) } == expectedInts, "seed \(seed)")
      #expect(strings.count == 0 && ints.count == 0 && strings.nullCount == 0)
    }
  }

  @Test func dictionariesStopWhenTheyDoNotPay() {
    func form(_ distinct: Int, rows: Int) -> ColumnVector {
      var builder = BytesColumnBuilder()
      for row in 0..<rows { builder.append("v\(row % distinct)") }
      return builder.finish()
    }
    #expect(form(10, rows: 1000).isCoded)
    #expect(form(499, rows: 1000).isCoded == false)
    #expect(form(60, rows: 1000).isCoded)
    #expect(form(1000, rows: 1000).isCoded == false)
    #expect(form(2, rows: 3).isCoded == false)
  }

  @Test func longRepeatedValuesStayInTheDictionary() {
    var builder = BytesColumnBuilder()
    let long = String(repeating: "x", count: 100_000)
    for row in 0..<300 { builder.append(row % 3 == 0 ? long : "v\(row)") }
    let vector = builder.finish()
    #expect(vector.isCoded)
    #expect(vector.byteCount < 200_000)
    #expect(vector.string(at: 297) == long && vector.string(at: 298) == "v298")
  }

  @Test func columnsOfNullsOnly() {
    var strings = BytesColumnBuilder()
    strings.pad(to: 500)
    let vector = strings.finish()
    #expect(vector.isAllNull && vector.count == 500)
    var ids = Id128ColumnBuilder()
    #expect(ids.finish().validity == nil)
    ids.append(7)
    ids.appendNull()
    let column = ids.finish()
    #expect(column.id128(at: 0) == 7 && column.id128(at: 1) == nil)
  }

  @Test func dictionaryCodesFollowFirstAppearance() {
    var random = SplitMix64(seed: 85)
    var builder = DictionaryBuilder()
    var ids = DictionaryBuilder(.id128)
    var known: [String: UInt32] = [:]
    for _ in 0..<20_000 {
      let value = random.below(5000)
      let text = String(repeating: "k", count: value % 40) + "\(value)"
      let expected = known[text] ?? UInt32(known.count)
      known[text] = expected
      #expect(builder.code(for: text) == expected)
      #expect(ids.code(for: UInt128(value) << 70) == expected)
    }
    #expect(builder.count == known.count && ids.count == known.count)
    let dictionary = builder.finish()
    var again = DictionaryBuilder(dictionary)
    for (text, code) in known { #expect(again.code(for: text) == code) }
    #expect(again.count == known.count)
  }

  @Test func hashesOfPrefixesAndPaddingDiffer() {
    let bytes = [UInt8](repeating: 0, count: 200)
    var seen: Set<UInt64> = []
    var digests: Set<UInt64> = []
    bytes.withUnsafeBytes { bytes in
      for count in 0...200 {
        let slice = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        seen.insert(ByteHash.hash(slice, seed: 1))
        digests.insert(ByteHash.digest(slice, seed: 1).low)
        digests.insert(ByteHash.digest(slice, seed: 1).high)
      }
    }
    #expect(seen.count == 201)
    #expect(digests.count == 402)
  }
}
