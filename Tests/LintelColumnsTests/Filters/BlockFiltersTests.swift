import Testing

@testable import LintelColumns

/// The filters of a column's blocks, from building to bytes and back.
@Suite struct BlockFiltersTests {
  private func hashes(_ count: Int, _ random: inout SplitMix64) -> [UInt64] { (0..<count).map { _ in random.next() } }

  private func bytes(_ filters: BlockFilters) -> [UInt8] {
    var out: [UInt8] = []
    filters.encode(into: &out)
    return out
  }

  private func decoded(_ bytes: [UInt8], blocks: Int) throws -> BlockFilters {
    try bytes.withUnsafeBytes { try BlockFilters(decoding: $0, blockCount: blocks) }
  }

  private func build(_ blocks: [[UInt64]]) -> BlockFilters {
    var builder = BlockFilterBuilder()
    for block in blocks { builder.add(block) }
    return builder.finish()
  }

  /// Keys a block: none, a few, and so many that filters are closed in between.
  @Test(arguments: [[0, 3, 0], [1500, 1500, 1500, 0, 20], [16_384, 16_000, 12_000, 16_384, 16_384, 16_384, 100]])
  func eachBlockHasItsValuesAndFewOthers(counts: [Int]) throws {
    var random = SplitMix64(seed: UInt64(counts.count) + 300)
    let blocks = counts.map { hashes($0, &random) }
    let filters = build(blocks)
    let copy = try decoded(bytes(filters), blocks: counts.count)
    #expect(copy == filters)
    var hits = 0
    var probes = 0
    for (block, values) in blocks.enumerated() {
      #expect(values.allSatisfy { copy.mayContain($0, block: block) })
      // Those of other blocks are not here.
      for (other, values) in blocks.enumerated() where other != block {
        hits += values.prefix(2000).count { copy.mayContain($0, block: block) }
        probes += min(2000, values.count)
      }
    }
    #expect(Double(hits) <= 0.0055 * Double(probes) + 1)
    let shifted = copy.dropFirst(1)
    #expect(blocks[1].allSatisfy { shifted.mayContain($0, block: 0) })
    // Blocks that it knows nothing of.
    #expect(copy.mayContain(1, block: counts.count) && copy.mayContain(1, block: -1))
  }

  @Test func smallBlocksShareAFilter() {
    var random = SplitMix64(seed: 9)
    let blocks = (0..<40).map { _ in hashes(1500, &random) }
    #expect(Double(bytes(build(blocks)).count) * 8 / 60_000 < 9.7)
  }

  @Test func hashesOfColumns() {
    let texts = ["a", "", "chatcmpl-1", "a"]
    let vector = ColumnVector(.bytes(ByteStrings(texts)), validity: Bitmap(words: [0b1101], count: 4))
    let expected = ["a", "chatcmpl-1", "a"].map { Array($0.utf8).withUnsafeBytes { FilterHash.value($0) } }
    #expect(FilterHash.values(of: vector) == expected)
    let ids = ColumnVector(.id128([1, 2, 3]), validity: Bitmap(words: [0b101], count: 3))
    #expect(FilterHash.values(of: ids) == [FilterHash.value(1), FilterHash.value(3)])
    #expect(FilterHash.values(of: ValueDictionary(.id128([7]))) == [FilterHash.value(7)])
    #expect(FilterHash.values(of: ValueDictionary(.bytes(ByteStrings(["a"])))) == [expected[0]])
  }

  @Test func goldenBytes() throws {
    #expect(bytes(build([])) == [])
    #expect(bytes(build([[], []])) == [2, 1, 1])
    let key = FilterHash.key(5, block: 1) >> 48
    #expect(bytes(build([[], [5], []])) == [3, 3, 1, UInt8(key & 0xFF), UInt8(key >> 8)])
  }

  @Test func damagedBytesNeverTrap() {
    var random = SplitMix64(seed: 77)
    let good = bytes(build((0..<6).map { _ in hashes(100, &random) }))
    for _ in 0..<2000 {
      guard let filters = try? decoded(mutate(good, &random), blocks: 6) else { continue }
      for block in -1..<8 { _ = filters.mayContain(random.next(), block: block) }
    }
    #expect(throws: ColumnError.self) { try decoded(good, blocks: 5) }
    #expect(throws: ColumnError.self) { try decoded(good, blocks: 7) }
    #expect(throws: ColumnError.self) { try decoded([], blocks: 1) }
    #expect(throws: ColumnError.self) { try decoded([1, 200, 200, 200, 200, 200, 200, 200, 200, 200, 1], blocks: 1) }
  }
}
