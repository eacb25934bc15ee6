import LintelColumns

/// Numbers distinct byte strings or ids in order of appearance: an open-addressing hash table over a growing store.
final class WideValues: @unchecked Sendable {
  private let type: PhysicalType
  @exclusivity(unchecked) private var strings = ByteStrings()
  @exclusivity(unchecked) private var ids: [UInt128] = []
  @exclusivity(unchecked) private var hashes: [UInt64] = []
  /// One more than the entry; 0 where the slot is free.
  @exclusivity(unchecked) private var table: UnsafeMutablePointer<UInt32>
  @exclusivity(unchecked) private var mask = 511

  private let interrupt: Interrupt

  /// - Parameter interrupt: ends the query that this is for; then values may be in it twice.
  init(_ type: PhysicalType, _ interrupt: Interrupt = .never) {
    self.type = type
    self.interrupt = interrupt
    table = Memory.zeros(512)
  }

  deinit { Memory.freeZeros(table, mask + 1) }

  var count: Int { hashes.count }

  var byteCount: Int { strings.bytes.count + hashes.count * 12 + ids.count * 16 + (mask + 1) * 4 }

  func intern(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let hash = ValueHash.hash(bytes)
    let slot = slot(of: bytes, hash)
    if table[slot] != 0 { return table[slot] &- 1 }
    strings.append(UnsafeRawBufferPointer(bytes))
    return insert(hash, slot)
  }

  func intern(_ id: UInt128) -> UInt32 {
    let hash = ValueHash.hash(id)
    let slot = slot(of: id, hash)
    if table[slot] != 0 { return table[slot] &- 1 }
    ids.append(id)
    return insert(hash, slot)
  }

  /// The entry of a value that has been interned; `nil` for others.
  @inline(__always)
  func find(_ id: UInt128) -> UInt32? { entry(slot(of: id, ValueHash.hash(id))) }

  @inline(__always)
  func find(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32? { entry(slot(of: bytes, ValueHash.hash(bytes))) }

  @inline(__always)
  private func entry(_ slot: Int) -> UInt32? { table[slot] == 0 ? nil : table[slot] &- 1 }

  /// Where a value is, or would be put.
  @inline(__always)
  private func slot(of id: UInt128, _ hash: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & mask
    while table[slot] != 0, ids[Int(table[slot] &- 1)] != id { slot = (slot &+ 1) & mask }
    return slot
  }

  @inline(__always)
  private func slot(of bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & mask
    while table[slot] != 0 {
      let entry = Int(table[slot] &- 1)
      if hashes[entry] == hash, strings.withView({ equalBytes($0[entry], bytes) }) { break }
      slot = (slot &+ 1) & mask
    }
    return slot
  }

  private func insert(_ hash: UInt64, _ slot: Int) -> UInt32 {
    let entry = UInt32(truncatingIfNeeded: hashes.count)
    hashes.append(hash)
    table[slot] = entry &+ 1
    if hashes.count * 2 > mask { grow() }
    return entry
  }

  private func grow() {
    Memory.freeZeros(table, mask + 1)
    mask = (mask + 1) * 4 - 1
    table = Memory.zeros(mask + 1)
    let (table, mask) = (table, mask)
    hashes.withUnsafeBufferPointer { hashes in
      for entry in 0..<hashes.count {
        if entry & (Interrupt.tableInterval - 1) == 0, interrupt.isRaised { return }
        var slot = Int(truncatingIfNeeded: hashes[entry]) & mask
        while table[slot] != 0 { slot = (slot &+ 1) & mask }
        table[slot] = UInt32(truncatingIfNeeded: entry &+ 1)
      }
    }
  }

  /// The values of the entries; `UInt32.max` reads as nothing.
  func lanes(_ entries: [UInt32]) -> Vector.Lanes {
    if type == .id128 { return .id128(mapLanes(entries) { $0 == .max ? 0 : ids[Int($0)] }) }
    var result = ByteStrings()
    result.reserveCapacity(entries.count, bytes: 0)
    strings.withView { view in
      for entry in entries {
        result.append(
          UnsafeRawBufferPointer(entry == .max ? UnsafeBufferPointer(start: nil, count: 0) : view[Int(entry)]))
      }
    }
    return .bytes(result)
  }
}
