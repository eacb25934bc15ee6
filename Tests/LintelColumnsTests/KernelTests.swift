import CLintelKernels
import Testing

@testable import LintelColumns

/// Every C kernel against a twin that a reader can check by eye.
@Suite struct KernelTests {
  @Test func crcOfKnownVectors() {
    #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(Checksum.crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(Checksum.crc32c([UInt8](0..<32)) == 0x46DD_794E)
    #expect(Checksum.crc32c([]) == 0)
  }

  @Test func crcAgreesWithItsTwinAndContinues() {
    var random = SplitMix64(seed: 51)
    let sizes = Array(0..<40) + [255, 256, 257, 1000, 1535, 1536, 1537, 3071, 3072, 4096, 8191, 20_000, 100_001]
    for size in sizes {
      let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let seed = UInt32(truncatingIfNeeded: random.next())
      let twin = bytes.withUnsafeBytes { Checksum.crc32cPortable($0, seed: seed) }
      #expect(Checksum.crc32c(bytes, seed: seed) == twin, "\(size) bytes")
      let cut = random.below(size + 1)
      let first = Checksum.crc32c(Array(bytes[..<cut]))
      #expect(Checksum.crc32c(Array(bytes[cut...]), seed: first) == Checksum.crc32c(bytes))
    }
  }

  @Test(arguments: Array(0...64))
  func packingAgreesWithItsTwin(width: Int) throws {
    var random = SplitMix64(seed: UInt64(width) + 60)
    let base = Int64(bitPattern: random.next())
    let mask = width == 0 ? 0 : UInt64.max >> UInt64(64 - width)
    for count in [1, 31, 500, 1023, 1024] {
      let values = (0..<count).map { _ in base &+ Int64(bitPattern: random.next() & mask) }
      var packed: [UInt8] = []
      values.withUnsafeBufferPointer { BitPacking.pack($0, width: width, base: base, into: &packed) }
      #expect(packed == PackingTwin.pack(values, width, base), "\(count) values of \(width) bits")
      #expect(packed.count == BitPacking.byteCount(count, width: width))
      #expect(try unpacked(packed, count, width, base) == values)
      if width <= 32 {
        let narrow = try unpacked(packed, count, width, UInt32(truncatingIfNeeded: base))
        #expect(narrow == values.map { UInt32(truncatingIfNeeded: $0) })
      }
    }
  }

  private func unpacked<Lane: PackedLane>(
    _ packed: [UInt8], _ count: Int, _ width: Int, _ base: Lane
  ) throws -> [Lane] {
    try packed.withUnsafeBytes { packed in
      var reader = ByteReader(packed)
      return try filledLanes(count) { (out) throws(ColumnError) in
        try BitPacking.unpack(&reader, width: width, base: base, into: out)
      }
    }
  }

  @Test func profilesAgreeWithTheirTwin() {
    var random = SplitMix64(seed: 52)
    for shape in IntegerShape.allCases {
      for count in [1, 2, 7, 64, 1000] {
        let values = shape.values(count, &random)
        var profile = lintel_profile()
        values.withUnsafeBufferPointer { lintel_profile_i64($0.baseAddress, count, &profile) }
        let deltas = zip(values, values.dropFirst()).map { $1 &- $0 }
        #expect(profile.minimum == values.min())
        #expect(profile.maximum == values.max())
        #expect(profile.minimum_delta == deltas.min() ?? 0)
        #expect(profile.maximum_delta == deltas.max() ?? 0)
        #expect(profile.changes == deltas.count { $0 != 0 })
        let bounds = values.withUnsafeBufferPointer { Kernels.bounds($0) }
        #expect(bounds.minimum == values.min() && bounds.maximum == values.max())
        var histogram = [UInt32](repeating: 0, count: 65)
        values.withUnsafeBufferPointer { lintel_count_widths($0.baseAddress, count, bounds.minimum, &histogram) }
        var expected = [UInt32](repeating: 0, count: 65)
        for value in values { expected[64 - UInt64(bitPattern: value &- bounds.minimum).leadingZeroBitCount] += 1 }
        #expect(histogram == expected)
      }
    }
    let codes: [UInt32] = (0..<1000).map { _ in UInt32(truncatingIfNeeded: random.next()) }
    #expect(Kernels.maximum(codes) == codes.max())
    #expect(Kernels.maximum([]) == 0)
  }
}

/// Places every bit by itself, as the layout is written down.
enum PackingTwin {
  static func pack(_ values: [Int64], _ width: Int, _ base: Int64) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: (values.count * width + 7) / 8)
    let wordBits = width <= 32 ? 32 : 64
    let lanes = 1024 / wordBits
    for (index, value) in values.enumerated() {
      for bit in 0..<width where UInt64(bitPattern: value &- base) >> UInt64(bit) & 1 != 0 {
        var position = index * width + bit
        if values.count == 1024 {
          let inLane = index / lanes * width + bit
          position = (inLane / wordBits * lanes + index % lanes) * wordBits + inLane % wordBits
        }
        out[position / 8] |= 1 << UInt8(position % 8)
      }
    }
    return out
  }
}

enum DigestTwin {
  static func digest(_ value: UInt64, seed: UInt64) -> (low: UInt64, high: UInt64) {
    var low = (value ^ seed) &* 0x9E6C_63D0_876A_3F6B
    low ^= low >> 32
    low &*= 0xD1B5_4A32_D192_ED03
    low ^= low >> 29
    var high = (low &+ seed) &* 0xAEF1_7502_108E_F2D9
    high ^= high >> 31
    high &*= 0xF135_7AEA_2E62_A9C5
    high ^= high >> 32
    return (low, high)
  }
}
