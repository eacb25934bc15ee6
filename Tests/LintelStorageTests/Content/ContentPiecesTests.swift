import LintelColumns
import Testing

@testable import LintelStorage

@Suite("Pieces of content") struct ContentPiecesTests {
  @Test func recipesGiveBytesBack() throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    var dice = Dice(seed)
    for _ in 0..<500 {
      let bytes = (0..<dice.below(400)).map { _ in UInt8(truncatingIfNeeded: dice.below(3)) }
      var ranges: [Range<Int>] = []
      var ids: [UInt64] = []
      var end = 0
      while end < bytes.count {
        let start = min(bytes.count, end + dice.below(4))
        end = min(bytes.count, start + 1 + dice.below(90))
        if start < end, dice.chance(80) {
          ranges.append(start..<end)
          ids.append(dice.chance(10) ? dice.next() >> 3 : UInt64(1 + dice.below(1000)))
        }
      }
      var recipe: [UInt8] = []
      bytes.withUnsafeBytes { ContentRecipe.append($0, pieces: ranges, ids: ids, to: &recipe) }
      var rebuilt: [UInt8] = []
      var next = 0
      let isWhole = recipe.withUnsafeBytes { recipe in
        ContentRecipe.forEachItem(recipe) { (item) throws(Never) in
          switch item {
          case .literal(let range): rebuilt += recipe[range]
          case .piece(let id):
            #expect(id == ids[next], "seed \(seed)")
            rebuilt += bytes[ranges[next]]
            next += 1
          }
        }
      }
      #expect(isWhole && rebuilt == bytes, "seed \(seed)")
      #expect(recipe.withUnsafeBytes { ContentRecipe.ids($0) } == ids, "seed \(seed)")
    }
  }

  @Test func damagedRecipesAreNoticedOrHarmless() {
    var dice = Dice(5)
    for _ in 0..<5000 {
      let bytes = (0..<dice.below(30)).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
      _ = bytes.withUnsafeBytes { ContentRecipe.ids($0) }
    }
    #expect([0].withUnsafeBytes { ContentRecipe.ids($0) } == nil)
    #expect([200, 1, 3].withUnsafeBytes { ContentRecipe.ids($0) } == nil)
  }

  @Test func tenantsShareNoDigests() {
    let hasher = ContentHasher(secret: Array(0..<32))
    let text = Array("what somebody said".utf8)
    let digests = [nil, [], [97], [98]].map { tenant in text.withUnsafeBytes { hasher.key(tenant: tenant).digest($0) } }
    #expect(Set(digests).count == 4)
    let again = ContentHasher(secret: Array(0..<32))
    #expect(text.withUnsafeBytes { again.key(tenant: [97]).digest($0) } == digests[2])
    let other = ContentHasher(secret: Array(1..<33))
    #expect(text.withUnsafeBytes { other.key(tenant: [97]).digest($0) } != digests[2])
  }

  // MARK: Segments

  private static func pieces(_ dice: inout Dice, _ count: Int) -> [ContentPiece] {
    var id: UInt64 = 0
    return (0..<count).map { number in
      id += 1 + UInt64(dice.below(3))
      let text = Samples.history(number, turns: dice.below(5)) + "\(dice.next())"
      return ContentPiece(id: id, digest: UInt128(dice.next()) << 64 | UInt128(id), bytes: Array(text.utf8)[...])
    }
  }

  private static func write(_ pieces: [ContentPiece], _ path: String, groupBytes: Int) throws -> ContentSummary {
    let file = try PosixFileSystem().create(path)
    var writer = try ContentWriter(file, groupBytes: groupBytes, level: 3)
    for piece in pieces { try writer.append(piece) }
    return try writer.finish()
  }

  private static func open(_ path: String, _ summary: ContentSummary) throws -> ContentReader {
    try ContentReader(
      file: try PosixFileSystem().open(path), name: "c", number: 1, expectedChecksum: summary.checksum,
      cache: ContentCache(capacity: 2000))
  }

  @Test func segmentsGivePiecesBack() throws {
    let directory = ScratchDirectory()
    try PosixFileSystem().createDirectory(directory.path)
    var dice = Dice(9)
    for (round, count) in [1, 2, 50, 300].enumerated() {
      let pieces = Self.pieces(&dice, count)
      let path = "\(directory.path)/\(round)"
      let summary = try Self.write(pieces, path, groupBytes: [1, 100, 1000, 1 << 20][round])
      let reader = try Self.open(path, summary)
      #expect(reader.pieceCount == count && reader.rawBytes == pieces.reduce(0) { $0 + $1.bytes.count })
      var read: [ContentPiece] = []
      try reader.forEachPiece { (piece) throws(StorageError) in read.append(piece) }
      #expect(read.map(\.id) == pieces.map(\.id) && read.map(\.digest) == pieces.map(\.digest))
      #expect(read.map { Array($0.bytes) } == pieces.map { Array($0.bytes) })
      for _ in 0..<100 {
        let id = UInt64(dice.below(3 * count + 3))
        let expected = pieces.first { $0.id == id }
        let group = try reader.group(of: id).map { try reader.group($0) }
        #expect(group?.find(id).map(Array.init) == expected.map { Array($0.bytes) })
      }
    }
  }

  /// A flipped bit anywhere is noticed by whoever reads everything, and never gives other bytes.
  @Test func damageIsNoticed() throws {
    let directory = ScratchDirectory()
    try PosixFileSystem().createDirectory(directory.path)
    var dice = Dice(10)
    let pieces = Self.pieces(&dice, 12)
    let path = "\(directory.path)/whole"
    let summary = try Self.write(pieces, path, groupBytes: 300)
    let bytes = try PosixFileSystem().readAll(path, limit: 1 << 20)
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8(dice.below(8))
      let copy = "\(directory.path)/\(place)"
      try PosixFileSystem().create(copy).append(damaged)
      var error: StorageError?
      do throws(StorageError) {
        let reader = try ContentReader(
          file: try PosixFileSystem().open(copy), name: "c", number: 1, expectedChecksum: summary.checksum,
          cache: ContentCache(capacity: 0))
        try reader.forEachPiece { (_) throws(StorageError) in }
      } catch let caught { error = caught }
      #expect(error?.code == .corrupt || error?.code == .incompatible, "at \(place)")
      try PosixFileSystem().remove(copy)
    }
    for length in 0..<bytes.count where dice.chance(5) {
      let copy = "\(directory.path)/short-\(length)"
      try PosixFileSystem().create(copy).append(Array(bytes.prefix(length)))
      #expect(throws: StorageError.self) {
        try ContentReader(
          file: try PosixFileSystem().open(copy), name: "c", number: 1, expectedChecksum: summary.checksum,
          cache: ContentCache(capacity: 0))
      }
    }
  }

  /// What is forgotten is stored once more, under another id; what is remembered isn't.
  @Test func poolsForgetTheOldest() throws {
    let pool = ContentPool(nextID: 1, capacity: 4)
    func piece(_ number: Int) throws -> ContentPiece {
      let digest = UInt128(number)
      return ContentPiece(id: try #require(pool.id(digest)), digest: digest, bytes: [1])
    }
    var ids: Set<UInt64> = []
    for number in 0..<20 {
      let piece = try piece(number)
      #expect(ids.insert(piece.id).inserted && pool.missing([piece]).count == 1)
      pool.remember([(piece.id, piece.digest)], generation: 0)
      #expect(pool.missing([piece]).isEmpty)
    }
    #expect(try ids.contains(piece(19).id) && !ids.contains(piece(0).id))
    let last = try piece(19)
    #expect(pool.missing([last]).isEmpty)
    #expect(pool.forget() == 1 && pool.missing([last]).count == 1)
    // Of a generation that is over nothing counts.
    pool.remember([(last.id, last.digest)], generation: 0)
    #expect(pool.missing([last]).count == 1)
    pool.remember([(last.id, last.digest)], generation: 1)
    #expect(try pool.missing([last]).isEmpty && piece(19).id == last.id)
  }

  @Test func setsOfIDsHoldWhatWasPutIn() {
    var dice = Dice(11)
    var ids = ContentIDs()
    var twin: Set<UInt64> = []
    for _ in 0..<2000 {
      let id = dice.chance(5) ? dice.next() : UInt64(dice.below(20_000))
      ids.insert(id)
      twin.insert(id)
    }
    for _ in 0..<30 {
      let first = UInt64(dice.below(19_000))
      let run = first..<first + UInt64(dice.below(dice.chance(50) ? 70 : 900))
      ids.insert(run)
      twin.formUnion(run)
    }
    for id in 0..<20_000 { #expect(ids.contains(UInt64(id)) == twin.contains(UInt64(id))) }
    #expect(twin.allSatisfy(ids.contains))
  }
}
