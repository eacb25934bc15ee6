import Testing

@testable import LintelColumns

@Suite struct BlockCodecTests {
  @Test(arguments: [1, 2, 3] as [UInt64], [EncodingEffort.light, .compact])
  func everyShapeComesBack(seed: UInt64, effort: EncodingEffort) throws {
    var random = SplitMix64(seed: seed)
    for plain in sampleVectors(&random) {
      for percent in [0, 5, 60, 100] {
        let vector = plain.withNulls(percent, &random)
        let bytes = encoded(vector, effort: effort)
        let back = try decoded(bytes, like: vector)
        #expect(back.rows == vector.rows, "seed \(seed), \(encodingName(bytes)), \(percent) % null")
        #expect(back.isCoded == vector.isCoded)
      }
    }
  }

  @Test func nullLanesReadAsZero() throws {
    var vector = ColumnVector(.int64([1, 2, 3, 4]))
    vector.validity = Bitmap(words: [0b1001], count: 4)
    guard case .int64(let lanes) = try decoded(encoded(vector), like: vector).storage else {
      Issue.record("not integers")
      return
    }
    #expect(lanes == [1, 0, 0, 4])
  }

  @Test func nullRowsOfStringsTakeNoBytes() throws {
    var vector = ColumnVector.strings([Array("secret".utf8), Array("kept".utf8)])
    vector.validity = Bitmap(words: [0b10], count: 2)
    let bytes = encoded(vector)
    #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
    #expect(try decoded(bytes, like: vector).string(at: 1) == "kept")
  }

  @Test func encodingsAreChosenByTheData() {
    var random = SplitMix64(seed: 9)
    func name(_ shape: IntegerShape) -> String {
      encodingName(encoded(ColumnVector(.int64(shape.values(16384, &random)))))
    }
    #expect(name(.constant) == "constant")
    #expect(name(.longRuns) == "rle")
    #expect(name(.small) == "bitpack")
    #expect(name(.timestamps) == "delta")
    #expect(name(.outliers) == "patched")
    #expect(name(.random) == "plain")
    #expect(encodingName(encoded(ColumnVector(.float64(DoubleShape.money.values(16384, &random))))) == "scaled")
    #expect(encodingName(encoded(ColumnVector(.float64(DoubleShape.random.values(16384, &random))))) == "plain")
    #expect(encodingName(encoded(ColumnVector(.bool([true, false])))) == "bitmap")
    #expect(encodingName(encoded(ColumnVector.nulls(.bytes, count: 10))) == "null")
  }

  @Test func smallValuesTakeTheirBitsOnly() {
    var random = SplitMix64(seed: 10)
    let bytes = encoded(ColumnVector(.int64((0..<16384).map { _ in Int64(random.below(128)) })))
    #expect(bytes.count <= 16384 * 7 / 8 + 16 * 9 + 2)
  }

  @Test func statisticsCoverTheValidRows() {
    var random = SplitMix64(seed: 11)
    for shape in IntegerShape.allCases {
      let vector = ColumnVector(.int64(shape.values(3000, &random))).withNulls(20, &random)
      var out: [UInt8] = []
      let statistics = BlockCodec.encode(vector, into: &out)
      let values = (0..<3000).compactMap { vector.int64(at: $0) }
      #expect(statistics.bounds == .int64(min: values.min() ?? 0, max: values.max() ?? 0))
      #expect(statistics.nullCount == vector.nullCount)
      #expect(statistics.rowCount == 3000)
    }
    var out: [UInt8] = []
    let doubles = ColumnVector(.float64([.nan, 2, -1, .infinity]))
    #expect(BlockCodec.encode(doubles, into: &out).bounds == .float64(min: -1, max: .infinity, hasNaN: true))
    #expect(BlockCodec.encode(ColumnVector(.float64([.nan])), into: &out).bounds == .none)
    #expect(BlockCodec.encode(ColumnVector(.id128([5, 3, 3])), into: &out).bounds == .id128(min: 3, max: 5))
    #expect(BlockCodec.encode(.nulls(.int64, count: 5), into: &out).bounds == .none)
  }

  @Test func codesBeyondTheDictionaryAreRefused() {
    let dictionary = ValueDictionary(.bytes(ByteStrings(["a", "b"])))
    let bytes = encoded(ColumnVector(.codes([0, 1, 1], dictionary)))
    let smaller = ValueDictionary(.bytes(ByteStrings(["a"])))
    #expect(throws: ColumnError.self) { try decoded(bytes, like: ColumnVector(.codes([0, 0, 0], smaller))) }
    #expect(throws: ColumnError.self) { try decoded(bytes, like: ColumnVector(.int64([0, 0, 0]))) }
  }

  @Test func dictionariesComeBack() throws {
    var random = SplitMix64(seed: 12)
    for shape in StringShape.allCases {
      guard case .codes(_, let dictionary) = ColumnVector.strings(shape.values(3000, &random)).coded().storage else {
        continue
      }
      var out: [UInt8] = []
      DictionaryCodec.encode(dictionary, into: &out)
      let back = try out.withUnsafeBytes { try DictionaryCodec.decode($0) }
      guard case .bytes(let left) = back.values, case .bytes(let right) = dictionary.values else {
        Issue.record("not byte strings")
        continue
      }
      #expect(left == right)
    }
    var out: [UInt8] = []
    DictionaryCodec.encode(ValueDictionary(.id128([1, 2, .max])), into: &out)
    let back = try out.withUnsafeBytes { try DictionaryCodec.decode($0) }
    guard case .id128(let ids) = back.values else {
      Issue.record("not ids")
      return
    }
    #expect(ids == [1, 2, .max])
  }
}
