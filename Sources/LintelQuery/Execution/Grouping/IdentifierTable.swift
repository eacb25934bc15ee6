/// Numbers distinct 128-bit keys 0, 1, 2 .. in order of appearance: an open-addressing hash table that only grows. Keys lie
/// in the slots, so that a look-up touches one cache line.
final class IdentifierTable: @unchecked Sendable {
  static let none = UInt32.max

  fileprivate struct Slot {
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
  private let memory: MemoryBudget?

  /// - Parameters:
  ///   - interrupt: ends the query that this is for; growing then stops.
  ///   - memory: what growing asks for room, for who accounts for the table as it grows; `nil` for who may put it on disk.
  init(_ interrupt: Interrupt = .never, memory: MemoryBudget? = nil) {
    self.interrupt = interrupt
    self.memory = memory
    mask = 255
    slots = Memory.zeros(256)
  }

  deinit { Memory.freeZeros(slots, mask + 1) }

  /// In no particular order.
  var keys: [UInt128] { (0...mask).compactMap { slots[$0].tag == 0 ? nil : slots[$0].key } }

  var byteCount: Int { (mask + 1) * MemoryLayout<Slot>.stride }

  /// The number of a key that has been interned; ``none`` of others.
  @inline(__always)
  func find(_ key: UInt128) -> UInt32 { reader.find(key, ValueHash.hash(key)) }

  /// Looks keys up while none comes; valid as long as the table lives. Unlike that it isn't counted by those who use it, as
  /// many threads at once may.
  struct Reader {
    fileprivate let slots: UnsafePointer<Slot>
    fileprivate let mask: Int

    /// - Parameter hash: That of the key.
    @inline(__always)
    func find(_ key: UInt128, _ hash: UInt64) -> UInt32 {
      var index = Int(truncatingIfNeeded: hash) & mask
      while true {
        let slot = slots[index]
        if slot.tag == 0 || slot.key == key { return slot.tag &- 1 }
        index = (index &+ 1) & mask
      }
    }
  }

  var reader: Reader { Reader(slots: slots, mask: mask) }

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
    let (slotCount, slots) = (mask + 1, slots)
    growsAt = TableGrowth.room(slotCount)
    // Half full is full: four times the slots are seldom wasted on few keys, but are on many.
    let nextCount = slotCount * (slotCount < 1 << 22 ? 4 : 2)
    let nextMask = nextCount - 1
    let next = TableGrowth.table(
      of: nextCount, from: slotCount, count: count, places: slotCount, interrupt, memory: memory
    ) { (place, next: UnsafeMutablePointer<Slot>) in
      if slots[place].tag == 0 { return }
      var index = Int(truncatingIfNeeded: ValueHash.hash(slots[place].key)) & nextMask
      while next[index].tag != 0 { index = (index &+ 1) & nextMask }
      next[index] = slots[place]
    }
    guard let next else { return }
    Memory.freeZeros(slots, slotCount)
    self.slots = next
    mask = nextMask
    growsAt = nextCount / 2
  }
}
