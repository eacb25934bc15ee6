/// Numbers distinct 128-bit keys 0, 1, 2 .. in order of appearance: an open-addressing hash table that only grows. Keys lie
/// in the slots, so that a look-up touches one cache line.
final class IdentifierTable: @unchecked Sendable {
  static let none = UInt32.max

  private struct Slot {
    var key: UInt128
    /// ``none`` where the slot is free.
    var number: UInt32
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
    slots = .allocate(capacity: 256)
    slots.initialize(repeating: Slot(key: 0, number: Self.none), count: 256)
  }

  deinit { slots.deallocate() }

  /// In no particular order.
  var keys: [UInt128] { (0...mask).compactMap { slots[$0].number == Self.none ? nil : slots[$0].key } }

  var byteCount: Int { (mask + 1) * MemoryLayout<Slot>.stride }

  /// The number of a key that has been interned; ``none`` of others.
  @inline(__always)
  func find(_ key: UInt128) -> UInt32 {
    var index = Int(truncatingIfNeeded: ValueHash.hash(key)) & mask
    while true {
      let slot = slots[index]
      if slot.number == Self.none || slot.key == key { return slot.number }
      index = (index &+ 1) & mask
    }
  }

  @inline(__always)
  func intern(_ key: UInt128) -> UInt32 {
    var index = Int(truncatingIfNeeded: ValueHash.hash(key)) & mask
    while slots[index].number != Self.none {
      if slots[index].key == key { return slots[index].number }
      index = (index &+ 1) & mask
    }
    let number = UInt32(truncatingIfNeeded: count)
    slots[index] = Slot(key: key, number: number)
    count += 1
    if count * 2 > mask { grow() }
    return number
  }

  private func grow() {
    let old = slots
    let oldCount = mask + 1
    mask = oldCount * 4 - 1
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: Slot(key: 0, number: Self.none), count: mask + 1)
    for place in 0..<oldCount {
      if place & (Interrupt.interval - 1) == 0, interrupt.isRaised { break }
      if old[place].number == Self.none { continue }
      var index = Int(truncatingIfNeeded: ValueHash.hash(old[place].key)) & mask
      while slots[index].number != Self.none { index = (index &+ 1) & mask }
      slots[index] = old[place]
    }
    old.deallocate()
  }
}
