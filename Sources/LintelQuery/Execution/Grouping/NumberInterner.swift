#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Numbers 64-bit values 0, 1, 2 .. in order of appearance: an open-addressing hash table that only grows.
final class NumberInterner: @unchecked Sendable {
  // Unchecked exclusivity: checks would cost more than the look-up, and one thread uses this at a time.
  @exclusivity(unchecked) private var table: UnsafeMutablePointer<UInt32>
  @exclusivity(unchecked) private var mask: Int
  @exclusivity(unchecked) private(set) var values: UnsafeMutablePointer<UInt64>
  private var capacity: Int
  @exclusivity(unchecked) private(set) var count = 0
  private let interrupt: Interrupt

  /// - Parameter interrupt: ends the query that this is for; then values may get more than one number.
  init(_ interrupt: Interrupt = .never) {
    self.interrupt = interrupt
    capacity = 256
    mask = 511
    table = Memory.zeros(512)
    values = Memory.resize(nil, to: 256)
  }

  deinit {
    Memory.freeZeros(table, mask + 1)
    free(values)
  }

  var byteCount: Int { capacity * 8 + (mask + 1) * 4 }

  @inline(__always)
  func intern(_ value: UInt64) -> UInt32 {
    var slot = Int(truncatingIfNeeded: Self.spread(value)) & mask
    while true {
      let entry = table[slot]
      if entry == 0 { return insert(value, slot) }
      if values[Int(entry &- 1)] == value { return entry &- 1 }
      slot = (slot &+ 1) & mask
    }
  }

  /// A multiply and a fold: cheap, and enough for keys that are counters, codes or times.
  @inline(__always)
  private static func spread(_ value: UInt64) -> UInt64 {
    let (high, low) = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return high ^ low
  }

  @inline(never)
  private func insert(_ value: UInt64, _ slot: Int) -> UInt32 {
    let number = UInt32(truncatingIfNeeded: count)
    values[count] = value
    count += 1
    table[slot] = number &+ 1
    if count == capacity { grow() }
    return number
  }

  private func grow() {
    capacity *= 2
    values = Memory.resize(values, to: capacity)
    Memory.freeZeros(table, mask + 1)
    mask = capacity * 2 - 1
    table = Memory.zeros(mask + 1)
    for index in 0..<count {
      if index & (Interrupt.tableInterval - 1) == 0, interrupt.isRaised { return }
      var slot = Int(truncatingIfNeeded: Self.spread(values[index])) & mask
      while table[slot] != 0 { slot = (slot &+ 1) & mask }
      table[slot] = UInt32(truncatingIfNeeded: index &+ 1)
    }
  }
}
