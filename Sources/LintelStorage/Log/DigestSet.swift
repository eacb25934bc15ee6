internal import CLintelKernels

/// A set of 128-bit digests: open addressing with linear probing in one flat table, at most 5/8 full.
///
/// Digests are uniform already, so their low bits choose the slot. A slot of 0 is free; the digest 0 is a flag of its own.
struct DigestSet: Sendable {
  private var slots: [UInt128] = []
  private var hasZero = false
  private var used = 0

  var count: Int { used + (hasZero ? 1 : 0) }

  func contains(_ digest: UInt128) -> Bool {
    guard digest != 0 else { return hasZero }
    guard !slots.isEmpty else { return false }
    return slots.withUnsafeBufferPointer { slots in slots[Self.slot(of: digest, in: slots)] == digest }
  }

  /// Has the slot where the digest belongs brought into the cache: to be called some digests ahead of the look-up.
  @inline(__always)
  func prefetch(_ digest: UInt128) {
    slots.withUnsafeBufferPointer { slots in
      guard let base = slots.baseAddress else { return }
      lintel_prefetch(base + (Int(truncatingIfNeeded: digest) & (slots.count &- 1)))
    }
  }

  /// False when the digest was there.
  mutating func insert(_ digest: UInt128) -> Bool {
    guard digest != 0 else {
      defer { hasZero = true }
      return !hasZero
    }
    if (used + 1) * 8 > slots.count * 5 { grow() }
    let inserted = slots.withUnsafeMutableBufferPointer { slots in
      let slot = Self.slot(of: digest, in: UnsafeBufferPointer(slots))
      if slots[slot] == digest { return false }
      slots[slot] = digest
      return true
    }
    if inserted { used += 1 }
    return inserted
  }

  mutating func remove(_ digest: UInt128) {
    guard digest != 0 else {
      hasZero = false
      return
    }
    guard !slots.isEmpty else { return }
    let removed = slots.withUnsafeMutableBufferPointer { slots -> Bool in
      let slot = Self.slot(of: digest, in: UnsafeBufferPointer(slots))
      guard slots[slot] == digest else { return false }
      Self.vacate(slot, slots)
      return true
    }
    if removed { used -= 1 }
  }

  /// The slot that holds the digest, or the free one where it belongs. There is always a free one.
  @inline(__always)
  private static func slot(of digest: UInt128, in slots: UnsafeBufferPointer<UInt128>) -> Int {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: digest) & mask
    while slots[slot] != 0, slots[slot] != digest { slot = (slot &+ 1) & mask }
    return slot
  }

  /// Frees a slot and moves back those behind it that a search would no longer find.
  private static func vacate(_ slot: Int, _ slots: UnsafeMutableBufferPointer<UInt128>) {
    let mask = slots.count &- 1
    var free = slot
    var next = (slot &+ 1) & mask
    while slots[next] != 0 {
      let home = Int(truncatingIfNeeded: slots[next]) & mask
      if (next &- home) & mask >= (next &- free) & mask {
        slots[free] = slots[next]
        free = next
      }
      next = (next &+ 1) & mask
    }
    slots[free] = 0
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: 0, count: max(64, old.count * 2))
    slots.withUnsafeMutableBufferPointer { slots in
      for digest in old where digest != 0 { slots[Self.slot(of: digest, in: UnsafeBufferPointer(slots))] = digest }
    }
  }
}
