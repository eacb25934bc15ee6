import Testing

@testable import LintelColumns

/// Strings of literals and digits, and strings that only look like them.
@Suite struct TemplateTests {
  enum Shape: CaseIterable {
    case chatIds, uuids, upperHex, hex32, users, hosts, padded, mixed, withExceptions, numbers, versions, zeros, edges

    func values(_ count: Int, _ random: inout SplitMix64) -> [String] {
      (0..<count).map { index in
        let hex = TemplateTests.hex(random.next(), 16)
        let more = TemplateTests.hex(random.next(), 16)
        switch self {
        case .chatIds: return "chatcmpl-" + hex.dropLast()
        case .uuids:
          return
            "\(hex.prefix(8))-\(hex.dropFirst(8).prefix(4))-4\(hex.suffix(3))-a\(more.prefix(3))-\(more.suffix(12))"
        case .upperHex: return "ID:" + hex.uppercased() + "!"
        case .hex32: return hex + more
        case .users: return "user-\(random.below(1 << random.below(20)))"
        case .hosts: return "host-\(random.below(101)).internal"
        case .padded: return "svc-" + String(1000 + random.below(200)).dropFirst()
        case .mixed:
          return [
            "chatcmpl-\(hex.dropFirst())", "msg_01\(random.below(1_000_000))x", "run/\(more)", "\(index)",
          ][random.below(4)]
        case .withExceptions:
          return random.chance(4) ? ["", "unknown", "user-", "user-007"][random.below(4)] : "user-\(index)"
        case .numbers: return "\(random.below(1 << 59))"
        case .versions: return "v\(random.below(3)).\(random.below(30)).\(random.below(1000))-rc\(random.below(9))"
        case .zeros: return String(repeating: "0", count: 7) + "\(random.below(10))"
        case .edges:
          return [
            "n-999999999999999999", "n-0", "n-9", "n-10", "n-99999999", "n-100000000", "n-123456789012345678",
            random.chance(4) ? "n-1000000000000000000" : "n-1",
          ][random.below(8)]
        }
      }
    }
  }

  static func hex(_ value: UInt64, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }

  @Test(arguments: [61, 62] as [UInt64])
  func everyShapeComesBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for shape in Shape.allCases {
      for count in [1, 64, 65, 1000, 5000] {
        let vector = ColumnVector(.bytes(ByteStrings(shape.values(count, &random))))
        let bytes = encoded(vector, effort: .compact)
        #expect(try decoded(bytes, like: vector).rows == vector.rows, "seed \(seed), \(shape), \(count)")
        if count == 5000, ![.zeros, .edges, .padded, .hosts].contains(shape) {
          #expect(encodingName(bytes) == "template", "seed \(seed), \(shape)")
        }
        let nulls = vector.withNulls(40, &random)
        let back = try decoded(encoded(nulls, effort: .compact), like: nulls)
        #expect(back.rows == nulls.rows, "seed \(seed), \(shape), \(count)")
      }
    }
  }

  @Test func kernelsAgreeWithTheirTwins() throws {
    var random = SplitMix64(seed: 66)
    for _ in 0..<300 {
      var template = StringTemplate()
      for _ in 0...random.below(5) {
        let pieces: [StringTemplate.Piece] = [
          .literal(Array("abcdefghijklmnopqrstu-".utf8.prefix(1 + random.below(22)))),
          .hex(digits: 1 + random.below(16), isUpper: random.chance(50)), .decimal,
          .fixedDecimal(digits: 1 + random.below(18)),
        ]
        template.append(pieces[random.below(4)])
      }
      let strings = (0..<70).map { _ in
        let numbers = template.pieces.filter(\.isField).map { piece -> UInt64 in
          let number = random.next() >> UInt64(random.below(64))
          switch piece {
          case .hex(let digits, _): return digits == 16 ? number : number % (1 << UInt64(4 * digits))
          case .fixedDecimal(let digits): return (0..<digits).reduce(0) { sum, _ in sum * 10 + random.next() % 10 }
          default: return number % 1_000_000_000_000_000_000
          }
        }
        var text = TemplateTwin.string(numbers, template)
        if random.chance(20) { text = String(decoding: mutate(Array(text.utf8), &random), as: UTF8.self) }
        return text
      }
      let expected = strings.filter { TemplateTwin.parse($0, template) == nil }
      let bytes = strings.map { Array($0.utf8) }
      let others = bytes.filter { bytes in
        bytes.withUnsafeBytes { !TemplateMachines.others(template, [$0]).isEmpty }
      }
      #expect(others == expected.map { Array($0.utf8) }, "\(template)")
      let vector = ColumnVector(.bytes(ByteStrings(strings)))
      #expect(try decoded(encoded(vector, effort: .compact), like: vector).rows == vector.rows)
    }
  }

  @Test func digitsTakeFourBits() {
    var random = SplitMix64(seed: 63)
    func size(_ shape: Shape) -> Int {
      encoded(ColumnVector(.bytes(ByteStrings(shape.values(16384, &random)))), effort: .compact).count
    }
    #expect(size(.chatIds) < 16384 * 60 / 8 + 400)
    #expect(size(.hex32) < 16384 * 16 + 600)
    #expect(size(.uuids) < 16384 * 120 / 8 + 1200)
    #expect(size(.users) < 16384 * 2)
  }

  @Test func theBytesNeverChange() throws {
    // Seven strings of a template with every kind of piece, and an exception.
    var template = StringTemplate()
    for piece: StringTemplate.Piece in [
      .literal(Array("a-".utf8)), .hex(digits: 3, isUpper: false), .hex(digits: 2, isUpper: true), .literal([46]),
      .decimal, .literal([47]), .fixedDecimal(digits: 3),
    ] {
      template.append(piece)
    }
    let body: [UInt8] =
      [29, 0, 0, 0, 1, 7, 0, 2, 97, 45, 1, 3, 2, 2, 0, 1, 46, 3, 0, 1, 47, 4, 3]
      + [3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0b100]
      + [0, 0xBC, 0x0A, 0, 0, 0, 0, 0, 0, 0x2F, 0, 0, 0, 0, 0, 0, 0]
      + [1, 0xEF, 0, 0, 0, 0, 0, 0, 0]
      + [3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0xA9]
      + [1, 7, 0, 0, 0, 0, 0, 0, 0]
      + [8, 2, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 63, 33]
    var written: [UInt8] = []
    template.write(into: &written)
    #expect(Array(body[5..<23]) == written)
    let block: [UInt8] = [14, 3] + body
    let back = try decoded(block, like: ColumnVector(.bytes(ByteStrings(["", "", ""]))))
    #expect(back.string(at: 0) == "a-abcEF.9/007")
    #expect(back.string(at: 1) == "a-02fEF.10/007")
    #expect(back.string(at: 2) == "?!")
  }

  @Test func dictionariesAreTemplatedToo() throws {
    var random = SplitMix64(seed: 64)
    for shape in Shape.allCases {
      var builder = DictionaryBuilder()
      for value in shape.values(4000, &random) { _ = builder.code(for: value) }
      let dictionary = builder.finish()
      var out: [UInt8] = []
      DictionaryCodec.encode(dictionary, effort: .compact, into: &out)
      let back = try out.withUnsafeBytes { try DictionaryCodec.decode($0) }
      guard case .bytes(let left) = back.values, case .bytes(let right) = dictionary.values else {
        Issue.record("not byte strings")
        continue
      }
      #expect(left == right, "\(shape)")
    }
  }

  @Test func damagedBytesAreRefusedOrSound() throws {
    var random = SplitMix64(seed: 65)
    for shape in Shape.allCases {
      let vector = ColumnVector(.bytes(ByteStrings(shape.values(300, &random))))
      let bytes = encoded(vector, effort: .compact)
      for _ in 0..<400 {
        guard let back = try? decoded(mutate(bytes, &random), like: vector) else { continue }
        try back.check(named: "x", type: .bytes, count: 300)
      }
      for end in stride(from: 0, to: bytes.count, by: 5) {
        #expect(throws: ColumnError.self) { try decoded(Array(bytes[..<end]), like: vector) }
      }
    }
  }

  @Test func hugeClaimsCostNothing() {
    // 16,384 strings of 4 GiB together in a few bytes.
    let block: [UInt8] = [14, 3, 255, 255, 255, 255, 1, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    #expect(throws: ColumnError.self) {
      try block.withUnsafeBytes { try BlockCodec.decode($0, type: .bytes, rowCount: 16384, dictionary: nil) }
    }
  }
}
