#if Server
  import NIOCore
  import Testing

  @testable import LintelServer

  @Suite struct ExpanderTests {
    static let codings: [(ContentCoding, @Sendable ([UInt8]) -> [UInt8])] = [
      (.gzip, Compress.gzip), (.deflate, Compress.zlib), (.deflate, Compress.rawDeflate),
      (.zstd, { Compress.zstd($0) }),
    ]

    func expand(
      _ bytes: [UInt8], _ coding: ContentCoding, limit: Int = 1 << 20, budget: Int = 1 << 24
    ) throws(ExpansionError) -> [UInt8] {
      let expander = Expander(limit: limit, reservation: BodyReservation(BodyBudget(limit: budget)))
      return Array(try expander.expand(ByteBuffer(bytes: bytes), coding).readableBytesView)
    }

    /// Text of a few letters: compressible, and different for each seed.
    func text(_ count: Int, seed: UInt64) -> [UInt8] {
      var random = SplitMix64(state: seed)
      return (0..<count).map { _ in UInt8.random(in: 97...103, using: &random) }
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 300_000])
    func whatWasCompressedComesBack(count: Int) throws {
      let bytes = text(count, seed: UInt64(count))
      #expect(try expand(bytes, .identity) == bytes)
      for (coding, compress) in Self.codings { #expect(try expand(compress(bytes), coding) == bytes) }
    }

    @Test func membersAndFramesFollowEachOther() throws {
      let (one, two) = (text(1000, seed: 1), text(2000, seed: 2))
      #expect(try expand(Compress.gzip(one) + Compress.gzip([]) + Compress.gzip(two), .gzip) == one + two)
      #expect(try expand(Compress.zstd(one) + Compress.zstd(two), .zstd) == one + two)
    }

    @Test func everyCutIsNoticed() throws {
      let bytes = text(500, seed: 3)
      for (coding, compress) in Self.codings {
        let whole = compress(bytes)
        for length in 0..<whole.count {
          #expect(throws: ExpansionError.self) { try expand(Array(whole[..<length]), coding) }
        }
      }
    }

    /// Gzip's CRC-32 finds every flipped bit, except those of the header that say nothing of the content (time, operating
    /// system, extra flags). The other checksums are weaker, or absent: there it is enough that nothing traps.
    @Test func everyFlippedBitIsNoticedOrHarmless() {
      let bytes = text(300, seed: 4)
      for (coding, compress) in Self.codings {
        let whole = compress(bytes)
        for bit in 0..<whole.count * 8 {
          var broken = whole
          broken[bit / 8] ^= 1 << UInt8(bit % 8)
          guard let result = try? expand(broken, coding), coding == .gzip else { continue }
          #expect(result == bytes, "bit \(bit)")
        }
      }
    }

    @Test func garbageNeverTraps() {
      for seed in 0..<200 as Range<UInt64> {
        var random = SplitMix64(state: seed)
        var bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        // Half of them with a header that leads the decoder on.
        if seed % 4 == 0 { bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + bytes }
        if seed % 4 == 1 { bytes = [0x28, 0xb5, 0x2f, 0xfd] + bytes }
        for coding in ContentCoding.allCases { _ = try? expand(bytes, coding) }
      }
    }

    @Test func trailingGarbageIsRefused() {
      for (coding, compress) in Self.codings {
        #expect(throws: ExpansionError.self) { try expand(compress(text(10, seed: 5)) + [1, 2, 3], coding) }
      }
    }

    @Test func theLimitIsExact() throws {
      for (coding, compress) in Self.codings {
        let bytes = [UInt8](repeating: 0, count: 200_000)
        #expect(try expand(compress(bytes), coding, limit: 200_000) == bytes)
        #expect(throws: ExpansionError.tooLarge) { try expand(compress(bytes), coding, limit: 199_999) }
      }
    }

    @Test func aBombCostsNoMoreThanTheLimit() throws {
      let bomb = Compress.gzip([UInt8](repeating: 0, count: 50 << 20))
      #expect(throws: ExpansionError.tooLarge) { try expand(bomb, .gzip, limit: 100_000) }
      #expect(throws: ExpansionError.noMemory) { try expand(bomb, .gzip, limit: 60 << 20, budget: 100_000) }
    }

    @Test func aFrameCanNotAskForALargeWindow() throws {
      let bytes = text(1000, seed: 6)
      #expect(try expand(Compress.zstd(bytes, windowLog: 23), .zstd) == bytes)
      #expect(throws: ExpansionError.self) { try expand(Compress.zstd(bytes, windowLog: 27), .zstd) }
    }

    @Test func reservationsAreGivenBack() throws {
      let budget = BodyBudget(limit: 100)
      do {
        let reservation = BodyReservation(budget)
        #expect(reservation.grow(by: 60))
        #expect(!reservation.grow(by: 41))
        #expect(budget.used == 60)
        #expect(!budget.hasRoom(for: 41))
      }
      #expect(budget.used == 0)
    }
  }
#endif
