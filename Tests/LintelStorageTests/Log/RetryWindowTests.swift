import Testing

@testable import LintelStorage

@Suite struct RetryWindowTests {
  private static let second: Int64 = 1_000_000_000

  private func digest(_ generator: inout Dice, range: Int) -> UInt128 {
    // A few values, so that they repeat; multiples of a power of two, so that slots collide; and 0.
    UInt128(Int.random(in: 0..<range, using: &generator)) << 4
  }

  @Test(arguments: 0..<50)
  func theSetAgreesWithAPlainSet(seed: UInt64) {
    var generator = Dice(seed)
    var set = DigestSet()
    var twin: Set<UInt128> = []
    for _ in 0..<2000 {
      let value = digest(&generator, range: 300)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0:
        set.remove(value)
        twin.remove(value)
      case 1: #expect(set.contains(value) == twin.contains(value), "seed \(seed)")
      default: #expect(set.insert(value) == twin.insert(value).inserted, "seed \(seed)")
      }
      #expect(set.count == twin.count, "seed \(seed)")
    }
    for value in 0..<300 { #expect(set.contains(UInt128(value) << 4) == twin.contains(UInt128(value) << 4)) }
  }

  @Test(arguments: 0..<30)
  func theWindowAgreesWithAPlainSetUntilItForgets(seed: UInt64) {
    var generator = Dice(seed)
    var window = RetryWindow(seconds: 1000, rows: 1 << 20, now: 0)
    var twin: Set<UInt128> = []
    for _ in 0..<60 {
      let batch = (0..<Int.random(in: 0..<80, using: &generator)).map { _ in digest(&generator, range: 2000) }
      let rows = window.insertNew(batch, now: 0)
      let expected = batch.indices.filter { twin.insert(batch[$0]).inserted }
      #expect(rows.map(Int.init) == expected, "seed \(seed)")
      if Bool.random(using: &generator) {
        // The batch could not be stored.
        window.forget(rows.map { batch[Int($0)] })
        for row in expected { twin.remove(batch[row]) }
      }
    }
    #expect(window.count == twin.count)
  }

  @Test func recognisesForTheWindowsLengthAndForgetsAfterTwice() {
    var window = RetryWindow(seconds: 10, rows: 1000, now: 0)
    #expect(window.insertNew([1], now: 9 * Self.second) == [0])
    #expect(window.insertNew([1], now: 19 * Self.second) == [])
    #expect(window.insertNew([1], now: 40 * Self.second) == [0])
    #expect(window.insertNew([1], now: 400 * Self.second) == [0])
  }

  @Test func keepsNoMoreThanTheLimitButHalfOfItForSure() {
    var window = RetryWindow(seconds: 1e9, rows: 100, now: 0)
    for value in 0..<1000 {
      #expect(window.insertNew([UInt128(value)], now: 0) == [0])
      #expect(window.count <= 100)
      #expect(window.insertNew((max(0, value - 49)...value).map { UInt128($0) }, now: 0) == [])
    }
  }

  @Test func aClockSetBackDoesNoHarm() {
    var window = RetryWindow(seconds: 10, rows: 1000, now: 1000 * Self.second)
    _ = window.insertNew([1], now: 1000 * Self.second)
    #expect(window.insertNew([1], now: 0) == [])
    #expect(window.insertNew([1], now: .min) == [])
    _ = window.insertNew([2], now: 30 * Self.second)
    _ = window.insertNew([3], now: 60 * Self.second)
    #expect(window.insertNew([1], now: 61 * Self.second) == [0])
  }
}
