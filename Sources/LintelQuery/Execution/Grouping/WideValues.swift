import LintelColumns

/// Numbers distinct byte strings or ids in order of appearance: an open-addressing hash table over a growing store.
final class WideValues: @unchecked Sendable {
  private let type: PhysicalType
  /// Values one behind the other, and where each ends: unlike arrays these don't move their bytes to grow.
  private let bytes = StateBuffer<UInt8>(0)
  private let offsets = StateBuffer<UInt32>(0)
  private let ids = StateBuffer<UInt128>(0)
  private let hashes = StateBuffer<UInt64>(0)
  /// One more than the entry; 0 where the slot is free.
  @exclusivity(unchecked) private var table: UnsafeMutablePointer<UInt32>
  @exclusivity(unchecked) private var mask = 511
  /// So many values, and the table grows: half of its slots, or three quarters once a growth has been left undone.
  @exclusivity(unchecked) private var growsAt = 256

  private let interrupt: Interrupt

  /// - Parameter interrupt: ends the query that this is for; growing then stops.
  init(_ type: PhysicalType, _ interrupt: Interrupt = .never) {
    self.type = type
    self.interrupt = interrupt
    table = Memory.zeros(512)
    offsets.append(0)
  }

  deinit { Memory.freeZeros(table, mask + 1) }

  var count: Int { hashes.count }

  var byteCount: Int { bytes.count + hashes.count * 12 + ids.count * 16 + (mask + 1) * 4 }

  /// Valid until the next value comes.
  private var strings: BytesView {
    BytesView(
      base: bytes.pointer, offsets: UnsafeBufferPointer(start: offsets.pointer, count: offsets.count), codes: nil)
  }

  func intern(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 { intern(bytes, ValueHash.hash(bytes)) }

  /// - Parameter hash: That of the bytes.
  func intern(_ bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> UInt32 {
    let slot = slot(of: bytes, hash)
    if table[slot] != 0 { return table[slot] &- 1 }
    self.bytes.append(contentsOf: bytes)
    offsets.append(UInt32(truncatingIfNeeded: self.bytes.count))
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

  /// Looks byte strings up while none comes; valid as long as the table lives. Unlike that it isn't counted by those who use
  /// it, as many threads at once may.
  struct Reader {
    fileprivate let table: UnsafePointer<UInt32>
    fileprivate let mask: Int
    fileprivate let hashes: UnsafePointer<UInt64>
    fileprivate let strings: BytesView

    /// - Parameter hash: That of the bytes.
    @inline(__always)
    func contains(_ bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Bool {
      var slot = Int(truncatingIfNeeded: hash) & mask
      while table[slot] != 0 {
        let entry = Int(table[slot] &- 1)
        if hashes[entry] == hash, equalBytes(strings[entry], bytes) { return true }
        slot = (slot &+ 1) & mask
      }
      return false
    }
  }

  var reader: Reader { Reader(table: table, mask: mask, hashes: hashes.pointer, strings: strings) }

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
      if hashes[entry] == hash, equalBytes(strings[entry], bytes) { break }
      slot = (slot &+ 1) & mask
    }
    return slot
  }

  private func insert(_ hash: UInt64, _ slot: Int) -> UInt32 {
    let entry = UInt32(truncatingIfNeeded: hashes.count)
    hashes.append(hash)
    table[slot] = entry &+ 1
    if hashes.count == growsAt { grow() }
    return entry
  }

  private func grow() {
    let (slots, hashes) = (mask + 1, hashes.pointer)
    growsAt = TableGrowth.room(slots)
    let nextMask = slots * 4 - 1
    let next = TableGrowth.table(of: slots * 4, from: slots, count: count, places: count, interrupt) {
      (entry, next: UnsafeMutablePointer<UInt32>) in
      var slot = Int(truncatingIfNeeded: hashes[entry]) & nextMask
      while next[slot] != 0 { slot = (slot &+ 1) & nextMask }
      next[slot] = UInt32(truncatingIfNeeded: entry &+ 1)
    }
    guard let next else { return }
    Memory.freeZeros(table, slots)
    table = next
    mask = nextMask
    growsAt = slots * 2
  }

  /// The values of the entries; `UInt32.max` reads as nothing.
  func lanes(_ entries: [UInt32]) -> Vector.Lanes {
    if type == .id128 { return .id128(mapLanes(entries) { $0 == .max ? 0 : ids[Int($0)] }) }
    var result = ByteStrings()
    result.reserveCapacity(entries.count, bytes: 0)
    let strings = strings
    for entry in entries {
      result.append(
        UnsafeRawBufferPointer(entry == .max ? UnsafeBufferPointer(start: nil, count: 0) : strings[Int(entry)]))
    }
    return .bytes(result)
  }
}
