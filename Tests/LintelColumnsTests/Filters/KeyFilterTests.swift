import Testing

@testable import LintelColumns

/// What filters promise: no key that was put in is ever denied, few others are let through, and how few bytes that takes.
@Suite struct KeyFilterTests {
  static let sizes = [0, 1, 2, 3, 17, 255, 256, 257, 258, 300, 599, 600, 1801, 2000, 5000, 8000, 20_001, 70_000]

  private func keys(_ count: Int, _ random: inout SplitMix64) -> [UInt64] { (0..<count).map { _ in random.next() } }

  private func bytes(_ filter: KeyFilter) -> [UInt8] {
    var out: [UInt8] = []
    filter.encode(into: &out)
    return out
  }

  private func decoded(_ bytes: [UInt8]) throws -> KeyFilter {
    try bytes.withUnsafeBytes { try KeyFilter(decoding: $0) }
  }

  @Test(arguments: sizes, [1, 2, 3] as [UInt64])
  func noKeyIsDenied(count: Int, seed: UInt64) throws {
    var random = SplitMix64(seed: seed &* 1_000_003 &+ UInt64(count))
    let keys = keys(count, &random)
    let filter = KeyFilter(keys)
    #expect(keys.allSatisfy(filter.mayContain), "seed \(seed)")
    let copy = try decoded(bytes(filter))
    #expect(copy == filter)
    #expect(keys.allSatisfy(copy.mayContain), "seed \(seed)")
  }

  @Test(arguments: [1, 10, 300, 2500, 30_000])
  func repeatsAreDropped(count: Int) {
    var random = SplitMix64(seed: UInt64(count) + 7)
    let once = keys(count, &random)
    let repeated = (once + once.filter { $0 % 3 == 0 } + once.filter { $0 % 7 == 0 }).shuffled(using: &random)
    let filter = KeyFilter(repeated)
    #expect(once.allSatisfy(filter.mayContain))
    #expect(filter.byteCount <= KeyFilter(once).byteCount * 11 / 10 + 8)
  }

  @Test func aKeyMillionsOfTimes() {
    let filter = KeyFilter([UInt64](repeating: 42, count: 70_000) + [7])
    #expect(filter.mayContain(42) && filter.mayContain(7))
  }

  /// Not hashes at all: slower or larger perhaps, never wrong.
  @Test func unmixedKeys() {
    for step in [1, 1 << 20, 1 << 40] as [UInt64] {
      let keys = (0..<5000).map { UInt64($0) &* step }
      #expect(keys.allSatisfy(KeyFilter(keys).mayContain))
    }
  }

  @Test(arguments: [256, 2000, 20_001, 100_000])
  func fewOthersAreLetThrough(count: Int) {
    var random = SplitMix64(seed: UInt64(count) + 70)
    let filter = KeyFilter(keys(count, &random))
    let probes = 200_000
    let hits = (0..<probes).count { _ in filter.mayContain(random.next()) }
    #expect(Double(hits) / Double(probes) < 0.0048, "\(hits) of \(probes)")
  }

  @Test(arguments: [(2000, 10.8), (5000, 10.5), (8000, 10), (20_000, 9.9), (65_000, 9.6), (130_000, 9.6)])
  func bitsAKey(count: Int, limit: Double) {
    var random = SplitMix64(seed: UInt64(count))
    let size = (0..<3).map { _ in bytes(KeyFilter(keys(count, &random))).count }.reduce(0, +)
    #expect(Double(size) * 8 / Double(3 * count) < limit)
  }

  /// Fewer bits let more through, and no key out.
  @Test(arguments: 1...8)
  func fewerBitsAreAFilterToo(bits: Int) throws {
    var random = SplitMix64(seed: UInt64(bits) + 170)
    for count in [257, 3000, 70_000] {
      let keys = keys(count, &random)
      let filter = KeyFilter(keys, fingerprintBits: bits)
      #expect(keys.allSatisfy(filter.mayContain))
      let written = bytes(filter)
      #expect(written[0] == (bits == 8 ? 3 : 4))
      #expect(try decoded(written) == filter)
      let whole = bytes(KeyFilter(keys)).count
      #expect(written.count <= whole * bits / 8 + 12)
      let hits = (0..<50_000).count { _ in filter.mayContain(random.next()) }
      let expected = 50_000 / Double(1 << bits)
      #expect(abs(Double(hits) - expected) < 8 * expected.squareRoot() + 10, "\(hits), not \(expected)")
      for length in stride(from: 0, to: written.count, by: max(1, written.count / 100)) {
        _ = try? decoded(Array(written[..<length])).mayContain(keys[0])
      }
    }
  }

  /// The twin says what the paper says: exclusive or of three fingerprints, places worked out by hand.
  @Test func placesFollowTheirDefinition() throws {
    var random = SplitMix64(seed: 91)
    let filter = try #require(BinaryFuseFilter(keys(3000, &random)))
    let geometry = filter.geometry
    let length = 1 << Int(geometry.segmentShift)
    #expect(filter.fingerprints.count == (geometry.segmentCount + 2) * length)
    for _ in 0..<5000 {
      let key = random.next()
      let product = (key ^ geometry.seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
      let mixed = product.high ^ product.low
      let start = Int((UInt128(mixed) * UInt128(geometry.segmentCount * length)) >> 64)
      let segment = start / length
      let second = (segment + 1) * length + (start % length ^ Int(mixed >> 18) % length)
      let third = (segment + 2) * length + (start % length ^ Int(mixed % UInt64(length)))
      #expect(geometry.places(mixed) == (start, second, third))
      let found = filter.fingerprints[start] ^ filter.fingerprints[second] ^ filter.fingerprints[third]
      #expect(filter.mayContain(key) == (found == UInt8((mixed ^ mixed >> 32) & 0xFF)))
    }
  }

  // MARK: On disk

  @Test func goldenBytes() throws {
    #expect(bytes(KeyFilter([])) == [1])
    #expect(bytes(KeyFilter([0x0203 << 48 | 9, 0x0102 << 48, 0x0203 << 48])) == [1, 2, 1, 3, 2])
    let long = try decoded([2, 1, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(long.mayContain(1 << 32 | 5) && long.mayContain(1 << 63) && !long.mayContain(2 << 32))
    let keys = (0..<1000).map { FilterHash.value(UInt128($0)) }
    let fuse = bytes(KeyFilter(keys))
    #expect(fuse.count == 1418)
    #expect(
      Array(fuse[..<24]) == [
        3, 51, 126, 176, 234, 53, 209, 75, 56, 6, 0, 103, 70, 0, 0, 0, 229, 0, 103, 227, 0, 12, 133, 0,
      ])
    #expect(Checksum.crc32c(fuse) == 3_074_373_638)
  }

  @Test func goldenHashes() {
    func value(_ text: String) -> UInt64 { Array(text.utf8).withUnsafeBytes { FilterHash.value($0) } }
    #expect(value("") == 0xBE02_4B77_D446_1579)
    #expect(value("a") == 0x3C49_3DCB_F42D_EBD4)
    #expect(value("lintel") == 0xA2CA_3787_FA96_0A11)
    #expect(value("chatcmpl-0123456789abcde") == 0x0DB5_8EE0_3BF4_AB99)
    #expect(FilterHash.value(UInt128(0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF)) == 0x8D1C_AD54_8C3C_A95E)
    #expect(FilterHash.key(1, block: 0) == 0xF3EB_7349_E656_3BC0)
    #expect(FilterHash.key(1, block: 7) == 0x9DEA_AF3B_C342_3BBE)
  }

  @Test func damagedBytesNeverTrap() {
    var random = SplitMix64(seed: 5)
    for count in [0, 3, 200, 300, 900] {
      let good = bytes(KeyFilter(keys(count, &random)))
      for _ in 0..<400 {
        let damaged = mutate(good, &random)
        guard let filter = try? decoded(damaged) else { continue }
        for _ in 0..<50 { _ = filter.mayContain(random.next()) }
      }
    }
    for _ in 0..<3000 {
      var noise = (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if noise.count > 9 {
        noise[0] = UInt8(random.below(5))
        noise[9] = UInt8(random.below(20))
      }
      guard let filter = try? decoded(noise) else { continue }
      for _ in 0..<20 { _ = filter.mayContain(random.next()) }
    }
    #expect(throws: ColumnError.self) { try decoded([]) }
    #expect(throws: ColumnError.self) { try decoded([4, 0, 0]) }
    #expect(throws: ColumnError.self) { try decoded([1, 0]) }
    #expect(throws: ColumnError.self) { try decoded([3, 0, 0, 0, 0, 0, 0, 0, 0, 63, 1, 2, 3]) }
    #expect(throws: ColumnError.self) { try decoded([3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4]) }
  }
}
