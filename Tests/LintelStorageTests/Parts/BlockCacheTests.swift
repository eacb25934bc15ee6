import LintelColumns
import Testing

@testable import LintelStorage

@Suite struct BlockCacheTests {
  /// An entry of about `bytes` bytes.
  private static func entry(_ bytes: Int) -> BlockCache.Entry {
    .vector(ColumnVector(.bool(Array(repeating: false, count: bytes))))
  }

  private static func key(_ number: Int, part: UInt64 = 1) -> BlockCache.Key {
    BlockCache.Key(part: part, column: 0, block: UInt32(number))
  }

  private static func holds(_ cache: BlockCache, _ number: Int) -> Bool { cache[key(number)] != nil }

  @Test func whatPassesLeavesThreeFourthsToWhatLasts() {
    let cache = BlockCache(capacity: 100_000)
    for number in 0..<70 { cache.insert(Self.entry(840), for: Self.key(number)) }
    for number in 1000..<1500 { cache.insert(Self.entry(840), for: Self.key(number), isLasting: false) }
    #expect((0..<70).allSatisfy { Self.holds(cache, $0) })
    #expect((1476..<1500).allSatisfy { Self.holds(cache, $0) })
    #expect(cache.cost <= 100_000)
  }

  @Test func whatLastsMayHaveAllOfIt() {
    let cache = BlockCache(capacity: 100_000)
    for number in 1000..<1020 { cache.insert(Self.entry(840), for: Self.key(number), isLasting: false) }
    for number in 0..<98 { cache.insert(Self.entry(840), for: Self.key(number)) }
    #expect((0..<98).allSatisfy { Self.holds(cache, $0) })
    #expect(!(1000..<1018).contains { Self.holds(cache, $0) })
  }

  @Test func whatWasUsedLongestAgoGoesFirst() {
    let cache = BlockCache(capacity: 10_000)
    for number in 0..<10 { cache.insert(Self.entry(800), for: Self.key(number)) }
    #expect(Self.holds(cache, 0))
    cache.insert(Self.entry(800), for: Self.key(10))
    #expect(Self.holds(cache, 0) && !Self.holds(cache, 1) && Self.holds(cache, 10))
  }

  @Test func aPartsEntriesGoWithIt() {
    let cache = BlockCache(capacity: 100_000)
    for number in 0..<10 {
      cache.insert(Self.entry(800), for: Self.key(number, part: 1), isLasting: number % 2 == 0)
      cache.insert(Self.entry(800), for: Self.key(number, part: 2), isLasting: number % 2 == 0)
    }
    let before = cache.cost
    cache.forget(part: 1)
    #expect(cache.cost * 2 == before)
    #expect((0..<10).allSatisfy { cache[Self.key($0, part: 1)] == nil && cache[Self.key($0, part: 2)] != nil })
  }

  @Test func aLargeColumnPasses() {
    let codes = ColumnVector(.int64((0..<2048).map { Int64($0 % 100) }))
    let cache = BlockCache(capacity: 1 << 20)
    // All blocks of a column of so many rows would take the whole cache.
    for number in 0..<200 { cache.insert(codes, for: Self.key(number), columnRows: 1 << 20) }
    for number in 400..<405 { cache.insert(codes, for: Self.key(number), columnRows: 1 << 14) }
    for number in 1000..<2000 { cache.insert(Self.entry(4000), for: Self.key(number), isLasting: false) }
    #expect(!(0..<200).contains { Self.holds(cache, $0) })
    #expect((400..<405).allSatisfy { Self.holds(cache, $0) })
  }

  /// The same rules over an array in the order of use.
  private struct Model {
    var entries: [(number: Int, cost: Int, isLasting: Bool)] = []
    let capacity: Int

    func cost(_ isLasting: Bool) -> Int { entries.reduce(0) { $0 + ($1.isLasting == isLasting ? $1.cost : 0) } }

    mutating func use(_ number: Int) -> Bool {
      guard let place = entries.firstIndex(where: { $0.number == number }) else { return false }
      entries.append(entries.remove(at: place))
      return true
    }

    mutating func insert(_ number: Int, cost: Int, isLasting: Bool) {
      let passage = capacity / 4
      guard cost <= (isLasting ? capacity - passage : passage) / 3 * 2 else { return }
      entries.removeAll { $0.number == number }
      entries.append((number, cost, isLasting))
      while true {
        if self.cost(false) > passage {
          entries.remove(at: entries.firstIndex { !$0.isLasting } ?? 0)
        } else if self.cost(false) + self.cost(true) > capacity {
          entries.removeFirst()
        } else {
          return
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func randomUseKeepsWhatTheModelKeeps(seed: UInt64) {
    var random = Dice(seed)
    let cache = BlockCache(capacity: 50_000)
    var model = Model(capacity: 50_000)
    for step in 0..<5000 {
      let number = Int.random(in: 0..<120, using: &random)
      if Bool.random(using: &random) {
        let bytes = Int.random(in: 0..<(number % 10 == 0 ? 20_000 : 1500), using: &random)
        let isLasting = number % 3 != 0
        cache.insert(Self.entry(bytes), for: Self.key(number), isLasting: isLasting)
        model.insert(number, cost: Self.overhead + bytes, isLasting: isLasting)
      } else {
        let expected = model.use(number)
        #expect(Self.holds(cache, number) == expected, "seed \(seed), step \(step)")
      }
      #expect(cache.cost == model.cost(true) + model.cost(false), "seed \(seed), step \(step)")
    }
  }

  /// What an entry costs beside its bytes.
  private static let overhead: Int = {
    let cache = BlockCache(capacity: 1 << 20)
    cache.insert(entry(0), for: key(0))
    return cache.cost
  }()
}
