/// Numbers distinct 128-bit keys 0, 1, 2 .. in order of appearance: an open-addressing hash table that only grows. Keys lie
/// in the slots, so that a look-up touches one cache line.
final class IdentifierTable: @unchecked Sendable {
  static let none = UInt32.max

  private struct Slot {
    var key: UInt128
    /// One more than the key's number; 0 where the slot is free.
    var tag: UInt32
  }

  // Unchecked exclusivity: one thread fills the table, and reading while it does would be a bug with checks as without.
  @exclusivity(unchecked) private var slots: UnsafeMutablePointer<Slot>
  @exclusivity(unchecked) private var mask: Int
  private(set) var count = 0
  /// So many keys, and the table grows: half of its slots, or three quarters once a growth has been left undone.
  @exclusivity(unchecked) private var growsAt = 128
  private let interrupt: Interrupt

  /// - Parameter interrupt: ends the query that this is for; growing then stops.
  init(_ interrupt: Interrupt = .never) {
    self.interrupt = interrupt
    mask = 255
    slots = Memory.zeros(256)
  }

  deinit { Memory.freeZeros(slots, mask + 1) }

  /// In no particular order.
  var keys: [UInt128] { (0...mask).compactMap { slots[$0].tag == 0 ? nil : slots[$0].key } }

  var byteCount: Int { (mask + 1) * MemoryLayout<Slot>.stride }

  /// The number of a key that has been interned; ``none`` of others.
  @inline(__always)
  func find(_ key: UInt128) -> UInt32 {
    var index = Int(truncatingIfNeeded: ValueHash.hash(key)) & mask
    while true {
      let slot = slots[index]
      if slot.tag == 0 || slot.key == key { return slot.tag &- 1 }
      index = (index &+ 1) & mask
    }
  }

  @inline(__always)
  func intern(_ key: UInt128) -> UInt32 {
    var index = Int(truncatingIfNeeded: ValueHash.hash(key)) & mask
    while slots[index].tag != 0 {
      if slots[index].key == key { return slots[index].tag &- 1 }
      index = (index &+ 1) & mask
    }
    let number = UInt32(truncatingIfNeeded: count)
    slots[index] = Slot(key: key, tag: number &+ 1)
    count += 1
    if count == growsAt { grow() }
    return number
  }

  private func grow() {
    let slotCount = mask + 1
    growsAt = slotCount / 4 * 3
    let isOver = { [interrupt, count] in interrupt.endsGrowth(count: count, slots: slotCount) }
    guard !isOver() else { return }
    let (next, nextMask) = (Memory.zeros(slotCount * 4) as UnsafeMutablePointer<Slot>, slotCount * 4 - 1)
    guard Memory.touch(next, slotCount * 4, unless: isOver) else { return Memory.freeZeros(next, slotCount * 4) }
    for place in 0..<slotCount {
      if place & (Interrupt.tableInterval - 1) == 0, isOver() {
        return Memory.freeZeros(next, slotCount * 4)
      }
      if slots[place].tag == 0 { continue }
      var index = Int(truncatingIfNeeded: ValueHash.hash(slots[place].key)) & nextMask
      while next[index].tag != 0 { index = (index &+ 1) & nextMask }
      next[index] = slots[place]
    }
    Memory.freeZeros(slots, slotCount)
    slots = next
    mask = nextMask
    growsAt = slotCount * 2
  }
}
