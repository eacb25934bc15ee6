import Testing

@testable import LintelColumns

/// Binned integers, also where another encoding would be chosen.
@Suite struct BinnedTests {
  /// The body, whatever it takes; `nil` where the encoder declines.
  private func forced(_ values: [Int64]) -> [UInt8]? {
    var out: [UInt8] = []
    let isWritten = values.withUnsafeBufferPointer { values in
      BinnedEncoder.encodeBody(
        values, minimum: Kernels.bounds(values).minimum, rival: .init(size: 1 << 40), into: &out)
    }
    return isWritten ? out : nil
  }

  private func decoded<Lane: PackedLane>(_ bytes: [UInt8], _ count: Int, as lane: Lane.Type) throws -> [Lane] {
    try bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      let lanes: [Lane] = try filledLanes(count) { (out) throws(ColumnError) in
        try BinnedDecoder.decodeBody(&reader, into: out)
      }
      try reader.expectEnd()
      return lanes
    }
  }

  @Test(arguments: [31, 32] as [UInt64])
  func everyShapeComesBackAndAgreesWithTheTwin(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for shape in IntegerShape.allCases {
      for count in [256, 257, 258, 259, 1023, 1024, 1025, 5000, 16384] {
        let values = shape.values(count, &random)
        guard let bytes = forced(values) else { continue }
        #expect(try decoded(bytes, count, as: Int64.self) == values, "seed \(seed), \(shape), \(count)")
        let narrow = values.map { UInt32(truncatingIfNeeded: $0) }
        #expect(try decoded(bytes, count, as: UInt32.self) == narrow, "seed \(seed), \(shape), \(count)")
        if count < 6000 { #expect(BinnedTwin.decode(bytes, count) == values, "seed \(seed), \(shape), \(count)") }
      }
    }
  }

  @Test func theBytesNeverChange() throws {
    let values = (0..<256 as Range<Int64>).map { $0 % 8 == 7 ? 1000 + $0 / 8 * 10 : 50 as Int64 }
    let bytes: [UInt8] = [
      0, 50, 0, 0, 0, 0, 0, 0, 0, 10, 7, 2, 7, 19, 0, 0, 0, 28, 0, 0, 0, 128, 247, 131, 35, 0, 192, 15, 144, 244, 22,
      222, 58, 90, 144, 194, 194, 91, 64, 235, 82, 95, 120, 139, 103, 3, 0, 222, 47, 56, 44, 30, 147, 203, 230, 51, 58,
      173, 94, 179, 219, 238, 55, 60, 46, 159, 211, 235, 246, 59, 62, 175, 223, 243, 1, 33, 0, 33, 0, 33, 0, 102, 0,
    ]
    #expect(forced(values) == bytes)
    #expect(try decoded(bytes, 256, as: Int64.self) == values)
    let deltas = (0..<256 as Range<Int64>).map { $0 % 64 == 0 ? 5 : $0 * 100 }
    let deltaBytes: [UInt8] = [
      1, 5, 0, 0, 0, 0, 0, 0, 0, 105, 181, 255, 255, 255, 255, 255, 255, 5, 6, 6, 13, 10, 0, 0, 0, 3, 0, 0, 0, 0, 32, 3,
      8, 0, 248, 59, 64, 30, 0, 240, 159, 0, 128, 63, 6, 0, 252, 59, 196, 217, 115, 124, 55, 217, 94, 146, 228, 1, 255,
      249, 79, 22, 0, 10, 0, 10, 0, 57, 0,
    ]
    #expect(forced(deltas) == deltaBytes)
    #expect(try decoded(deltaBytes, 256, as: Int64.self) == deltas)
  }

  @Test func sizesComeNearTheEntropy() throws {
    var random = SplitMix64(seed: 33)
    // Geometric: 2 bits a value; the sum of its entropy is known.
    let geometric = (0..<16384).map { _ in Int64(random.next().trailingZeroBitCount) }
    let geometricBytes = try #require(forced(geometric))
    #expect(Double(geometricBytes.count) * 8 / 16384 < 2 * 1.02)
    // Triangular over 2^30, in steps of 1,000: 30 - 0.28 bits.
    let triangular = (0..<16384).map { _ in Int64(random.below(1 << 29) + random.below(1 << 29)) * 1000 }
    let triangularBytes = try #require(forced(triangular))
    #expect(Double(triangularBytes.count) * 8 / 16384 < 29.72 * 1.015)
  }

  @Test func binnedIsChosenWhereItPays() {
    var random = SplitMix64(seed: 34)
    func name(_ shape: IntegerShape) -> String {
      encodingName(encoded(ColumnVector(.int64(shape.values(16384, &random))), effort: .compact))
    }
    #expect(name(.wide) == "binned")
    #expect(name(.multiples) == "binned")
    #expect(name(.small) == "bitpack")
    #expect(name(.constant) == "constant")
    #expect(name(.longRuns) == "rle")
    #expect(name(.random) == "plain")
    // Two bits at most: packed, however uneven.
    let flags = (0..<16384).map { _ in Int64(random.chance(40) ? 3 : 0) }
    #expect(encodingName(encoded(ColumnVector(.int64(flags)), effort: .compact)) == "bitpack")
    // A flush doesn't try.
    let wide = ColumnVector(.int64(IntegerShape.wide.values(16384, &random)))
    #expect(encodingName(encoded(wide)) == "bitpack")
  }

  @Test func damagedBytesAreRefusedOrSound() throws {
    var random = SplitMix64(seed: 35)
    for shape in IntegerShape.allCases {
      for count in [256, 1500] {
        guard let bytes = forced(shape.values(count, &random)) else { continue }
        for _ in 0..<300 {
          _ = try? decoded(mutate(bytes, &random), count, as: Int64.self)
          _ = try? decoded(mutate(bytes, &random), count, as: UInt32.self)
        }
        for end in stride(from: 0, to: bytes.count, by: 7) {
          #expect(throws: ColumnError.self) { try decoded(Array(bytes[..<end]), count, as: Int64.self) }
        }
        // Sequences without entropy, like constants, are as long as the reader believes.
        guard bytes.count > count else { continue }
        #expect(throws: ColumnError.self) { try decoded(bytes, count - 9, as: Int64.self) }
        #expect(throws: ColumnError.self) { try decoded(bytes, count + 9, as: Int64.self) }
      }
    }
  }

  @Test func weightsAddUp() {
    var random = SplitMix64(seed: 36)
    for log in 5...12 {
      for symbols in [1, 2, 3, 17, 1 << min(log, 8)] where symbols <= 1 << log {
        let counts = (0..<symbols).map { _ in UInt32(1 + random.below(1 << random.below(20))) }
        let weights = StateTable.weights(counts, log: log)
        #expect(weights.reduce(0, +) == 1 << log)
        #expect(weights.allSatisfy { $0 > 0 })
      }
    }
  }

  @Test func sortingAgreesWithTheLibrary() {
    var random = SplitMix64(seed: 37)
    for count in [0, 1, 2, 100, 5000] {
      for bits in [1, 8, 33, 64] {
        var values = (0..<count).map { _ in random.next() >> UInt64(64 - bits) }
        var other = values
        let expected = values.sorted()
        values.withUnsafeMutableBufferPointer { values in
          other.withUnsafeMutableBufferPointer { other in #expect(Array(RadixSort.sort(values, other)) == expected) }
        }
      }
    }
  }
}

/// Reads binned integers bit by bit, as the layout is written down.
enum BinnedTwin {
  struct Bits {
    var bytes: ArraySlice<UInt8>
    var position = 0

    mutating func take(_ width: Int) -> UInt64 {
      var value: UInt64 = 0
      for bit in 0..<width {
        let byte = bytes[bytes.startIndex + position / 8]
        value |= UInt64(byte >> UInt8(position % 8) & 1) << UInt64(bit)
        position += 1
      }
      return value
    }
  }

  static func decode(_ bytes: [UInt8], _ count: Int) -> [Int64] {
    var header = Bits(bytes: bytes[...])
    let isDelta = header.take(8) == 1
    let first = isDelta ? header.take(64) : 0
    let base = header.take(64)
    var divisor: UInt64 = 0
    for shift in stride(from: 0 as UInt64, to: 70, by: 7) {
      let byte = header.take(8)
      divisor |= (byte & 0x7F) << shift
      if byte < 0x80 { break }
    }
    let log = Int(header.take(8))
    let binCount = Int(header.take(8)) + 1
    let range = Int(header.take(8))
    let codeBytes = Int(header.take(32))
    let offsetBytes = Int(header.take(32))
    var bins: [(lower: UInt64, width: Int, weight: Int)] = []
    for _ in 0..<binCount {
      let width = Int(header.take(7))
      let weight = Int(header.take(log)) + 1
      var lower = bins.last.map { $0.width < 64 ? $0.lower &+ 1 << UInt64($0.width) : $0.lower } ?? 0
      if header.take(1) == 0 { lower = header.take(range) }
      bins.append((lower, width, weight))
    }
    let start = (header.position + 7) / 8
    var codes = Bits(bytes: bytes[start..<start + codeBytes])
    var offsets = Bits(bytes: bytes[(start + codeBytes)..<(start + codeBytes + offsetBytes)])
    var tail = Bits(bytes: bytes[(start + codeBytes + offsetBytes)...])
    var states = (0..<4).map { _ in Int(tail.take(16)) }
    let table = table(of: bins.map(\.weight), log)
    let latents = (0..<(isDelta ? count - 1 : count)).map { index -> UInt64 in
      let (symbol, width, next) = table[states[index % 4]]
      states[index % 4] = next + Int(codes.take(width))
      return base &+ divisor &* (bins[symbol].lower &+ offsets.take(bins[symbol].width))
    }
    guard isDelta else { return latents.map { Int64(bitPattern: $0) } }
    var value = first
    return [Int64(bitPattern: first)]
      + latents.map { delta in
        value &+= delta
        return Int64(bitPattern: value)
      }
  }

  private static func table(of weights: [Int], _ log: Int) -> [(symbol: Int, width: Int, next: Int)] {
    let size = 1 << log
    var owners = [Int](repeating: 0, count: size)
    var position = 0
    for (symbol, weight) in weights.enumerated() {
      for _ in 0..<weight {
        owners[position] = symbol
        position = (position + size / 2 + size / 8 + 3) % size
      }
    }
    var counts = weights
    return owners.map { symbol in
      let count = counts[symbol]
      counts[symbol] += 1
      var width = 0
      while count << width < size { width += 1 }
      return (symbol, width, count << width - size)
    }
  }
}
