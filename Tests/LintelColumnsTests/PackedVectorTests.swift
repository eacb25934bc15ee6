import Testing

@testable import LintelColumns

/// Cached vectors against the vectors they were made of.
@Suite struct PackedVectorTests {
  /// - Parameter run: Rows with the same number, on average.
  private func numbers(_ count: Int, bits: Int, run: Int = 1, _ random: inout SplitMix64) -> ColumnVector {
    let base = Int64(bitPattern: random.next())
    var value: Int64 = 0
    return ColumnVector(
      .int64(
        (0..<count).map { row in
          if row == 0 || random.below(run) == 0 {
            value = base &+ (bits == 0 ? 0 : Int64(bitPattern: random.next() >> UInt64(64 - bits)))
          }
          return value
        }))
  }

  @Test func runsTakeLessThanBits() throws {
    var random = SplitMix64(seed: 9)
    for run in [12, 40, 900, 5000] {
      let vector = numbers(5000, bits: 30, run: run, &random)
      let packed = try #require(PackedVector(vector))
      #expect(packed.chunks.contains { $0.runs > 0 || $0.width == 0 })
      #expect(packed.byteCount < 1000 + 6 * 2 * 5000 / run + 128)
    }
    let packed = try #require(PackedVector(numbers(5000, bits: 30, &random)))
    #expect(packed.chunks.allSatisfy { $0.runs == 0 })
  }

  @Test(arguments: [1, 2] as [UInt64])
  func integersComeBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for count in [1024, 1025, 2048, 5000] {
      for (bits, run) in [0, 1, 7, 31, 32, 33, 48, 55].flatMap({ bits in [1, 9, 100].map { (bits, $0) } }) {
        let plain = numbers(count, bits: bits, run: run, &random)
        for vector in [plain, plain.withNulls(30, &random), plain.withNulls(100, &random)] {
          guard let packed = PackedVector(vector) else {
            // Around the wrap from the greatest to the least number a chunk takes all 64 bits.
            continue
          }
          #expect(packed.unpacked().rows == vector.rows, "seed \(seed), \(count) rows of \(bits) bits")
        }
      }
    }
  }

  @Test func codesComeBack() throws {
    var random = SplitMix64(seed: 3)
    let dictionary = ValueDictionary(.id128((0..<70_000).map { UInt128($0) }))
    for distinct in [1, 2, 300, 70_000] {
      let codes = (0..<3000).map { _ in UInt32(random.below(distinct)) }
      let plain = ColumnVector(.codes(codes, dictionary))
      for vector in [plain, plain.withNulls(50, &random)] {
        let packed = try #require(PackedVector(vector))
        #expect(packed.unpacked().rows == vector.rows, "\(distinct) codes")
        #expect(packed.byteCount < 3000 * 4)
      }
    }
  }

  @Test func nullsWidenNothing() throws {
    // Builders put zero into null lanes, far from any time of day.
    var lanes = [Int64](repeating: 1_700_000_000_000_000_000, count: 1024)
    var validity = Bitmap(repeating: true, count: 1024)
    for row in stride(from: 0, to: 1024, by: 3) {
      lanes[row] = 0
      validity[row] = false
    }
    let packed = try #require(PackedVector(ColumnVector(.int64(lanes), validity: validity)))
    #expect(packed.byteCount < 256)
  }

  @Test func whatSavesNothingStaysAsItIs() {
    var random = SplitMix64(seed: 4)
    #expect(PackedVector(ColumnVector(.int64((0..<1023).map { Int64($0) }))) == nil)
    #expect(PackedVector(ColumnVector(.int64((0..<4096).map { _ in Int64(bitPattern: random.next()) }))) == nil)
    #expect(PackedVector(ColumnVector(.float64(Array(repeating: 1, count: 2048)))) == nil)
  }

  /// Rows found and picked in packed lanes, against the same over plain ones.
  @Test(arguments: [5, 6, 7] as [UInt64])
  func rowsAreFoundAndPicked(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for count in [1024, 1100, 5000] {
      for (bits, run) in [0, 1, 9, 31, 32, 33, 50].flatMap({ bits in [1, 9, 200].map { (bits, $0) } }) {
        let plain = numbers(count, bits: bits, run: run, &random)
        for vector in [plain, plain.withNulls(40, &random)] {
          guard let packed = PackedVector(vector) else { continue }
          let values = (0..<count).map { vector.int64(at: $0) }
          let known = values.compactMap(\.self).sorted()
          let middle = known[known.count / 2]
          let bounds: [(Int64, Int64)] = [
            (middle, middle), (.min, middle), (middle, .max), (known[known.count / 3], middle), (.min, .max), (1, 0),
            (known[0], known[known.count - 1]), (.min, .min), (.max, .max),
          ]
          for (low, high) in bounds {
            let expected = (0..<count).filter { row in values[row].map { $0 >= low && $0 <= high } ?? false }
            let found = packed.rows(from: low, through: high)
            #expect(found == expected.map { UInt32($0) }, "seed \(seed), \(count) rows, \(bits) bits, \(low)...\(high)")
            #expect(packed.candidates(from: low, through: high) >= found.count)
          }
          for share in [1, 2, 30] {
            let rows = (0..<count).filter { _ in random.below(share) == 0 }.map { UInt32($0) }
            for picked in [rows, rows.reversed()] {
              let gathered = packed.gather(picked)
              #expect(
                (0..<picked.count).map { gathered.int64(at: $0) } == picked.map { values[Int($0)] },
                "seed \(seed), \(count) rows, \(bits) bits")
            }
          }
        }
      }
    }
  }

  @Test(arguments: [1, 40, 63, 64, 65, 3000]) func codesAreFoundByTheirEntries(distinct: Int) throws {
    var random = SplitMix64(seed: 8)
    let dictionary = ValueDictionary(.id128((0..<distinct).map { UInt128($0) }))
    // Runs of one code make chunks of one value, or of few; the last code is beyond the dictionary.
    var codes = (0..<6000).map { $0 < 2100 ? UInt32(0) : UInt32(random.below(distinct + 1)) }
    for row in 4000..<6000 where row % 50 != 0 { codes[row] = codes[row - 1] }
    let plain = ColumnVector(.codes(codes, dictionary))
    for vector in [plain, plain.withNulls(40, &random)] {
      let packed = try #require(PackedVector(vector))
      for share in [1, 2, 9] {
        let entries = (0..<distinct).map { _ in UInt8(random.below(share) == 0 ? 1 : 0) } + [0]
        let expected = (0..<codes.count).filter { vector.isValid($0) && entries[Int(codes[$0])] == 1 }
        #expect(packed.rows(whereCode: entries) == expected.map { UInt32($0) }, "\(distinct) codes")
      }
      #expect(packed.rows(whereCode: []).isEmpty)
    }
  }
}
