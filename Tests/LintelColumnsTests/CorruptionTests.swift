import Testing

@testable import LintelColumns

/// Damaged bytes give an error or a sound vector, and never a trap or more memory than the rows need.
@Suite struct CorruptionTests {
  @Test(arguments: [21, 22] as [UInt64])
  func mutatedBlocks(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for plain in sampleVectors(&random, sizes: [1, 70, 1100]) {
      let vector = plain.withNulls([0, 30][random.below(2)], &random)
      let bytes = encoded(vector, effort: random.chance(50) ? .light : .compact)
      for _ in 0..<60 {
        let damaged = mutate(bytes, &random)
        do {
          let back = try decoded(damaged, like: vector)
          #expect(back.count == vector.count, "seed \(seed)")
          try back.check(named: "x", type: vector.physicalType, count: vector.count)
          _ = back.rows
        } catch {
          #expect(error is ColumnError, "seed \(seed): \(error)")
        }
      }
    }
  }

  @Test func truncatedBlocksAreRefused() {
    var random = SplitMix64(seed: 23)
    for vector in sampleVectors(&random, sizes: [1, 70, 1100]) {
      let bytes = encoded(vector, effort: .compact)
      for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) {
        #expect(throws: ColumnError.self) { try decoded(Array(bytes[..<end]), like: vector) }
      }
    }
  }

  @Test func randomBytesAreNoBlock() {
    var random = SplitMix64(seed: 24)
    for _ in 0..<5000 {
      var bytes = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      // Get past the header more often than chance would.
      if bytes.count > 2 {
        bytes[0] %= 20
        bytes[1] &= 0x3F
      }
      for type in PhysicalType.allCases {
        let vector = try? bytes.withUnsafeBytes { bytes in
          try BlockCodec.decode(bytes, type: type, rowCount: 100, dictionary: nil)
        }
        #expect(vector.map { $0.count == 100 } ?? true)
      }
    }
  }

  @Test func mutatedDictionaries() {
    var random = SplitMix64(seed: 25)
    for shape in StringShape.allCases {
      guard case .codes(_, let dictionary) = ColumnVector.strings(shape.values(500, &random)).coded().storage else {
        continue
      }
      var bytes: [UInt8] = []
      DictionaryCodec.encode(dictionary, into: &bytes)
      for _ in 0..<500 {
        let damaged = mutate(bytes, &random)
        guard let back = try? damaged.withUnsafeBytes({ try DictionaryCodec.decode($0) }) else { continue }
        guard case .bytes(let strings) = back.values else { continue }
        #expect(ByteStrings(offsets: strings.offsets, bytes: strings.bytes) != nil)
      }
    }
  }

  @Test func hugeClaimsCostNothing() {
    // A dictionary of 2^31 entries in a few bytes, a batch of 2^40 bytes, a variant of 2^60 values.
    let dictionary: [UInt8] = [3, 0x80, 0x80, 0x80, 0x80, 0x08, 8, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(throws: ColumnError.self) { try dictionary.withUnsafeBytes { try DictionaryCodec.decode($0) } }
    let batch: [UInt8] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3]
    #expect(throws: ColumnError.self) { try batch.withUnsafeBytes { try BatchCodec.decode($0, schema: sampleSchema) } }
    let variant: [UInt8] = [7, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]
    #expect(throws: ColumnError.self) { try Variant(decoding: variant) }
  }
}

/// One to three random changes: bytes flipped, set, cut or repeated.
func mutate(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
  var bytes = bytes
  for _ in 0...random.below(3) {
    guard !bytes.isEmpty else { return bytes }
    // The header decides most, so that it gets its share.
    let position = random.chance(50) ? random.below(min(24, bytes.count)) : random.below(bytes.count)
    switch random.below(5) {
    case 0: bytes[position] ^= 1 << UInt8(random.below(8))
    case 1: bytes[position] = UInt8(truncatingIfNeeded: random.next())
    case 2: bytes[position] = [0, 0xFF, 0x7F, 0x80][random.below(4)]
    case 3: bytes.remove(at: position)
    default: bytes.insert(bytes[position], at: position)
    }
  }
  return bytes
}
