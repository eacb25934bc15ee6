import Testing

@testable import LintelColumns

/// Lists by their elements, and what only looks like lists.
@Suite struct ListTests {
  enum Shape: CaseIterable {
    case history, tokens, extremes, embeddings, special, words, ids, kinds, others, empty, single

    func values(_ count: Int, _ random: inout SplitMix64) -> [[UInt8]] {
      var conversations = [[Variant]](repeating: [.int(0)], count: 20)
      var block: Int64 = 0
      return (0..<count).map { row in
        switch self {
        case .history:
          let number = random.below(20)
          if random.chance(10) { conversations[number] = [.int(0)] }
          for _ in 0...random.below(20) {
            block += 1
            conversations[number].append(.int(block))
          }
          return Variant.array(conversations[number]).encoded
        case .tokens: return list(random.below(40)) { .int(Int64(random.below(50_000))) }
        case .extremes: return list(random.below(9)) { .int([Int64.min, .max, 0, -1, 63, 64][random.below(6)]) }
        case .embeddings: return list(16) { .double(Double(random.below(2000)) / 1000) }
        case .special: return list(1 + random.below(4)) { .double([.nan, -0.0, .infinity, 0.1][random.below(4)]) }
        case .words: return list(random.below(6)) { .string(["chat", "tool", "", "größe"][random.below(4)]) }
        case .ids: return list(3) { .string("call_" + TemplateTests.hex(random.next(), 16)) }
        case .kinds: return Shape.allCases[row % 7].values(1, &random)[0]
        case .others: return random.chance(30) ? other(&random) : list(4) { .int(Int64(random.below(1 << 30))) }
        case .empty: return Variant.array([]).encoded
        case .single: return Variant.array([.int(Int64(row))]).encoded
        }
      }
    }

    private func list(_ count: Int, _ element: () -> Variant) -> [UInt8] {
      Variant.array((0..<count).map { _ in element() }).encoded
    }

    /// What isn't a list of one kind of element, or isn't written as one is.
    private func other(_ random: inout SplitMix64) -> [UInt8] {
      let samples: [[UInt8]] = [
        [], [7], [7, 0, 0], Variant.map([.init("k", .int(1))]).encoded, Variant.array([.int(1), .bool(true)]).encoded,
        Variant.array([.array([.int(1)])]).encoded, Variant.array([.string("a"), .int(1)]).encoded,
        [7, 0x81, 0, 3, 2], [7, 1, 3, 0x82, 0], [7, 1, 5, 0x81, 0, 97], [7, 2, 3, 2], [7, 1, 3, 2, 3],
        [7, 1, 4, 0, 0, 0], [7, 1, 5, 4, 97], [7, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 3, 2],
        [7, 1, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
      ]
      return random.chance(50)
        ? samples[random.below(samples.count)]
        : mutate(list(3) { .int(Int64(random.below(1 << 20))) }, &random)
    }
  }

  @Test(arguments: [81, 82] as [UInt64])
  func everyShapeComesBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for shape in Shape.allCases {
      for count in [1, 64, 65, 300, 2000] {
        let vector = ColumnVector.strings(shape.values(count, &random))
        let bytes = encoded(vector, effort: .compact)
        #expect(try decoded(bytes, like: vector).rows == vector.rows, "seed \(seed), \(shape), \(count)")
        if count == 2000, ![.empty, .words, .special, .extremes, .kinds, .others].contains(shape) {
          #expect(encodingName(bytes) == "lists", "seed \(seed), \(shape)")
        }
        let nulls = vector.withNulls(40, &random)
        let back = try decoded(encoded(nulls, effort: .compact), like: nulls)
        #expect(back.rows == nulls.rows, "seed \(seed), \(shape), \(count)")
      }
    }
  }

  /// Also those that the shorter encoding isn't chosen for.
  @Test(arguments: [83, 84] as [UInt64])
  func theBodyAloneComesBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for shape in Shape.allCases {
      let values = shape.values(500, &random)
      let lengths = values.map { UInt32($0.count) }
      let bytes = values.flatMap { $0 }
      var body: [UInt8] = []
      guard bytes.withUnsafeBytes({ ListCodec.encodeBody(lengths, $0, into: &body) }) else {
        #expect(shape == .empty, "seed \(seed), \(shape)")
        continue
      }
      let back = try body.withUnsafeBytes { body in
        var reader = ByteReader(body)
        var lengths = [UInt32](repeating: 0, count: values.count)
        let bytes = try lengths.withUnsafeMutableBufferPointer { try ListCodec.decodeBody(&reader, lengths: $0) }
        try reader.expectEnd()
        return (lengths, bytes)
      }
      #expect(back.0 == lengths && back.1 == bytes, "seed \(seed), \(shape)")
    }
  }

  @Test func takingApartAgreesWithItsTwin() throws {
    var random = SplitMix64(seed: 85)
    for _ in 0..<200 {
      let values = Shape.tokens.values(40, &random) + Shape.kinds.values(40, &random) + Shape.others.values(60, &random)
      let bytes = values.flatMap { $0 }
      let lists = try #require(bytes.withUnsafeBytes { ParsedLists(values.map { UInt32($0.count) }, $0) })
      #expect(lists.forms == values.map { Int64(ListTwin.form($0).rawValue) })
      #expect(lists.integers == values.filter { ListTwin.form($0) == .integers }.flatMap { ListTwin.integers($0) })
      #expect(lists.others.count == values.count { ListTwin.form($0) == .other })
    }
  }

  @Test func beginningsAgreeWithTheirTwin() {
    var random = SplitMix64(seed: 86)
    for shape in [Shape.history, .tokens, .extremes, .single] {
      let lists = shape.values(400, &random).map { ListTwin.integers($0) }
      let shared = SharedBeginnings(of: lists.map(\.count), elements: lists.flatMap { $0 })
      let expected = ListTwin.beginnings(lists)
      #expect(shared.distances == expected.map { Int64($0.distance) }, "\(shape)")
      #expect(shared.lengths == expected.filter { $0.length > 0 }.map { Int64($0.length) }, "\(shape)")
    }
  }

  @Test func aHistoryCostsWhatIsNew() {
    var random = SplitMix64(seed: 87)
    let vector = ColumnVector.strings(Shape.history.values(10_000, &random))
    // About ten new numbers a list, each the one before and one more.
    #expect(encoded(vector, effort: .compact).count < 10_000 * 5)
  }

  @Test func theBytesNeverChange() throws {
    // [5, 6, 7], "other", [5, 6, 9, 10], [0.5], ["ab", "c"], []
    let body: [UInt8] =
      [45, 0, 0, 0]
      + [3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0b10_01_00_01, 0b0111]
      + [3, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0b01_100_011, 0b000_010_0]
      + [3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0b010] + [1, 2, 0, 0, 0, 0, 0, 0, 0]
      + [3, 5, 0, 0, 0, 0, 0, 0, 0, 3, 0b10_001_000, 0b0_101_100_0]
      + [6, 1, 1, 5, 0, 0, 0, 0, 0, 0, 0]
      + [8, 3, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0b01, 97, 98, 99]
      + [8, 5, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 111, 116, 104, 101, 114]
    let values: [[UInt8]] = [
      Variant.array([.int(5), .int(6), .int(7)]).encoded, Array("other".utf8),
      Variant.array([.int(5), .int(6), .int(9), .int(10)]).encoded, Variant.array([.double(0.5)]).encoded,
      Variant.array([.string("ab"), .string("c")]).encoded, Variant.array([]).encoded,
    ]
    let back = try decoded([15, 3] + body, like: ColumnVector.strings(values))
    #expect(back.rows == values)
  }

  @Test func dictionariesOfListsComeBack() throws {
    var random = SplitMix64(seed: 88)
    for shape in Shape.allCases {
      guard case .codes(_, let dictionary) = ColumnVector.strings(shape.values(800, &random)).coded().storage,
        case .bytes(let strings) = dictionary.values
      else { continue }
      var out: [UInt8] = []
      DictionaryCodec.encode(dictionary, effort: .compact, into: &out)
      guard case .bytes(let back) = try out.withUnsafeBytes({ try DictionaryCodec.decode($0) }).values else {
        Issue.record("not byte strings")
        continue
      }
      #expect(back == strings, "\(shape)")
    }
  }

  @Test func damagedBytesAreRefusedOrSound() throws {
    var random = SplitMix64(seed: 89)
    for shape in Shape.allCases {
      let vector = ColumnVector.strings(shape.values(200, &random))
      let bytes = encoded(vector, effort: .compact)
      for _ in 0..<400 {
        guard let back = try? decoded(mutate(bytes, &random), like: vector) else { continue }
        try back.check(named: "x", type: .bytes, count: 200)
      }
      for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 50)) {
        #expect(throws: ColumnError.self) { try decoded(Array(bytes[..<end]), like: vector) }
      }
    }
  }

  @Test func hugeClaimsCostNothing() {
    // 16,384 lists of 2^32 - 1 integers each in a few bytes, and then of 2^16.
    for count in [[255, 255, 255, 255], [0, 0, 1, 0]] as [[UInt8]] {
      let block: [UInt8] =
        [15, 3, 255, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1] + count + [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
        + [11, 1, 1, 0, 0, 0, 0, 0, 0, 0]
      #expect(throws: ColumnError.self) {
        try block.withUnsafeBytes { try BlockCodec.decode($0, type: .bytes, rowCount: 16384, dictionary: nil) }
      }
    }
  }
}
