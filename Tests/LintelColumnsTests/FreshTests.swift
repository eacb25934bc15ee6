import Testing

@testable import LintelColumns

/// Codes numbered by first use.
@Suite struct FreshTests {
  /// A block somewhere in a part: each row has a new value with the given chance, otherwise an older one.
  private func codes(_ count: Int, seen: Int, newPercent: Int, _ random: inout SplitMix64) -> [UInt32] {
    var next = seen
    return (0..<count).map { _ in
      if next == 0 || random.chance(newPercent) {
        next += 1
        return UInt32(next - 1)
      }
      return UInt32(random.below(next))
    }
  }

  private func vector(_ codes: [UInt32]) -> ColumnVector {
    let count = Int(codes.max() ?? 0) + 1
    return ColumnVector(.codes(codes, ValueDictionary(.id128((0..<count).map { UInt128($0) }))))
  }

  @Test(arguments: [71, 72] as [UInt64])
  func codesComeBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for count in [1, 2, 300, 2500, 16384] {
      for seen in [0, 1, 100_000] {
        for percent in [0, 3, 40, 90, 100] {
          let vector = vector(codes(count, seen: seen, newPercent: percent, &random))
          let bytes = encoded(vector, effort: .compact)
          #expect(try decoded(bytes, like: vector).rows == vector.rows, "seed \(seed), \(count), \(seen), \(percent)")
          if count == 16384, seen > 1, percent == 40 || percent == 90 { #expect(encodingName(bytes) == "fresh") }
          let nulls = vector.withNulls(30, &random)
          #expect(try decoded(encoded(nulls, effort: .compact), like: nulls).rows == nulls.rows)
        }
      }
    }
  }

  @Test func freshCodesCostAFlag() {
    var random = SplitMix64(seed: 73)
    let vector = vector(codes(16384, seen: 200_000, newPercent: 80, &random))
    let bits = encoded(vector, effort: .compact).count * 8
    // 0.72 bits for the flag of each row, 18 for one in five.
    #expect(Double(bits) < 16384 * (0.73 + 0.2 * 18.2))
  }

  @Test func theBytesNeverChange() throws {
    let codes: [UInt32] = [7, 8, 2, 9]
    let block: [UInt8] = [13, 0x0C, 7, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0b1011, 1, 2, 0, 0, 0, 0, 0, 0, 0]
    #expect(try decoded(block, like: vector(codes)).rows == vector(codes).rows)
    let long = (0..<160 as Range<UInt32>).map { $0 % 5 == 4 ? $0 % 3 : 1000 + $0 - $0 / 5 }
    #expect(
      encoded(vector(long), effort: .compact) == [
        13, 12, 232, 7, 128, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 239, 189, 247, 222, 123, 239, 189, 247, 222, 123, 239,
        189, 247, 222, 123, 239, 189, 247, 222, 123, 3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 97, 24, 134, 97, 24, 134, 97, 24,
      ])
  }

  @Test func damagedBytesAreRefusedOrSound() throws {
    var random = SplitMix64(seed: 74)
    for percent in [10, 50, 95] {
      let vector = vector(codes(1200, seen: 5000, newPercent: percent, &random))
      let bytes = encoded(vector, effort: .compact)
      for _ in 0..<500 {
        guard let back = try? decoded(mutate(bytes, &random), like: vector) else { continue }
        try back.check(named: "x", type: .id128, count: 1200)
      }
      for end in 0..<bytes.count where end % 3 == 0 {
        #expect(throws: ColumnError.self) { try decoded(Array(bytes[..<end]), like: vector) }
      }
    }
  }
}
