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
  private let interrupt: Interrupt

  /// - Parameter interrupt: ends the query that this is for; then keys may be missing, or have more than one number.
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
    if count * 2 > mask { grow() }
    return number
  }

  private func grow() {
    let old = slots
    let oldCount = mask + 1
    mask = oldCount * 4 - 1
    slots = Memory.zeros(mask + 1)
    for place in 0..<oldCount {
      if place & (Interrupt.tableInterval - 1) == 0, interrupt.isRaised { break }
      if old[place].tag == 0 { continue }
      var index = Int(truncatingIfNeeded: ValueHash.hash(old[place].key)) & mask
      while slots[index].tag != 0 { index = (index &+ 1) & mask }
      slots[index] = old[place]
    }
    Memory.freeZeros(old, oldCount)
  }
}
