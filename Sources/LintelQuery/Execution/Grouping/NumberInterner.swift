/// Numbers 64-bit values 0, 1, 2 .. in order of appearance: an open-addressing hash table that only grows.
final class NumberInterner: @unchecked Sendable {
  // Unchecked exclusivity: checks would cost more than the look-up, and one thread uses this at a time.
  @exclusivity(unchecked) private var table: UnsafeMutablePointer<UInt32>
  @exclusivity(unchecked) private var mask: Int
  /// Room for three quarters as many as the table has slots.
  @exclusivity(unchecked) private(set) var values: UnsafeMutablePointer<UInt64>
  @exclusivity(unchecked) private(set) var count = 0
  /// So many values, and the table grows: half of its slots, or three quarters once a growth has been left undone.
  @exclusivity(unchecked) private var growsAt: Int
  private let interrupt: Interrupt

  /// - Parameter interrupt: ends the query that this is for; growing then stops.
  init(_ interrupt: Interrupt = .never) {
    self.interrupt = interrupt
    mask = 511
    growsAt = 256
    table = Memory.zeros(512)
    values = Memory.resize(nil, from: 0, to: TableGrowth.room(512))
  }

  deinit {
    Memory.freeZeros(table, mask + 1)
    Memory.free(values, TableGrowth.room(mask + 1))
  }

  var byteCount: Int { count * 8 + (mask + 1) * 4 }

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

  /// Looks values up while none comes; valid as long as the table lives. Unlike that it isn't counted by those who use it, as
  /// many threads at once may.
  struct Reader {
    fileprivate let table: UnsafePointer<UInt32>
    fileprivate let mask: Int
    fileprivate let values: UnsafePointer<UInt64>

    @inline(__always)
    func contains(_ value: UInt64) -> Bool {
      var slot = Int(truncatingIfNeeded: NumberInterner.spread(value)) & mask
      while table[slot] != 0 {
        if values[Int(table[slot] &- 1)] == value { return true }
        slot = (slot &+ 1) & mask
      }
      return false
    }
  }

  var reader: Reader { Reader(table: table, mask: mask, values: values) }

  /// A multiply and a fold: cheap, and enough for keys that are counters, codes or times.
  @inline(__always)
  fileprivate static func spread(_ value: UInt64) -> UInt64 {
    let (high, low) = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return high ^ low
  }

  @inline(never)
  private func insert(_ value: UInt64, _ slot: Int) -> UInt32 {
    let number = UInt32(truncatingIfNeeded: count)
    values[count] = value
    count += 1
    table[slot] = number &+ 1
    if count == growsAt { grow() }
    return number
  }

  private func grow() {
    let (slots, values) = (mask + 1, values)
    growsAt = TableGrowth.room(slots)
    let nextMask = slots * 2 - 1
    let next = TableGrowth.table(of: slots * 2, from: slots, count: count, places: count, interrupt) {
      (index, next: UnsafeMutablePointer<UInt32>) in
      var slot = Int(truncatingIfNeeded: Self.spread(values[index])) & nextMask
      while next[slot] != 0 { slot = (slot &+ 1) & nextMask }
      next[slot] = UInt32(truncatingIfNeeded: index &+ 1)
    }
    guard let next else { return }
    Memory.freeZeros(table, slots)
    self.values = Memory.resize(values, from: TableGrowth.room(slots), to: TableGrowth.room(slots * 2))
    table = next
    mask = nextMask
    growsAt = slots
  }
}
