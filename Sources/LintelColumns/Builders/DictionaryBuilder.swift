/// Gives equal values equal codes, counted from 0 in the order of first appearance.
///
/// An open-addressing table of (high half of the hash, code), so that a look-up that hits compares bytes once. One
/// builder takes either byte strings or 128-bit ids.
public struct DictionaryBuilder: Sendable {
  /// Returned for a value that doesn't fit any more: beyond 4 GiB of bytes, or 2^32 - 2 values.
  public static let noRoom = UInt32.max

  private var strings = ByteStrings()
  private var ids: [UInt128] = []
  private let physicalType: PhysicalType
  /// `hash high half << 32 | code + 1`; 0 is free. A power of two of slots, at most half of them taken.
  private var slots: [UInt64] = []
  private let seed = ByteHash.processSeed

  /// A builder of byte strings.
  public init() { physicalType = .bytes }

  /// `type` is `.bytes` or `.id128`.
  public init(_ type: PhysicalType) { physicalType = type == .id128 ? .id128 : .bytes }

  /// Starts with the values of `dictionary`, which keep their codes.
  public init(_ dictionary: ValueDictionary) {
    self.init(dictionary.physicalType)
    switch dictionary.values {
    case .bytes(let values): strings = values
    case .id128(let values): ids = values
    }
    if count > 0 { rehash(slotCount: DictionaryBuilder.slotCount(for: count)) }
  }

  /// Distinct values so far.
  public var count: Int { physicalType == .bytes ? strings.count : ids.count }

  /// Bytes of the distinct values so far.
  public var byteCount: Int { physicalType == .bytes ? strings.bytes.count : ids.count &* 16 }

  /// The code of a byte string, new or known; ``noRoom`` when it is new and doesn't fit.
  public mutating func code(for bytes: UnsafeRawBufferPointer) -> UInt32 {
    if slots.isEmpty { rehash(slotCount: 64) }
    let hash = ByteHash.hash(bytes, seed: seed)
    let (found, slot) = DictionaryBuilder.find(bytes, hash, slots, strings)
    if let found { return found }
    guard strings.hasRoom(for: bytes.count), strings.count < Int(UInt32.max) &- 1 else {
      return DictionaryBuilder.noRoom
    }
    let code = UInt32(truncatingIfNeeded: strings.count)
    strings.append(bytes)
    occupy(slot, hash, code)
    return code
  }

  /// The code of a byte string, new or known; ``noRoom`` when it is new and doesn't fit.
  public mutating func code(for text: String) -> UInt32 {
    var text = text
    return text.withUTF8 { code(for: UnsafeRawBufferPointer($0)) }
  }

  /// The code of an id, new or known; ``noRoom`` when it is new and doesn't fit.
  public mutating func code(for id: UInt128) -> UInt32 {
    if slots.isEmpty { rehash(slotCount: 64) }
    let hash = ByteHash.hash(id, seed: seed)
    let (found, slot) = DictionaryBuilder.find(id, hash, slots, ids)
    if let found { return found }
    guard ids.count < Int(UInt32.max) &- 1 else { return DictionaryBuilder.noRoom }
    let code = UInt32(truncatingIfNeeded: ids.count)
    ids.append(id)
    occupy(slot, hash, code)
    return code
  }

  /// The code of a byte string that is known.
  public func existingCode(for bytes: UnsafeRawBufferPointer) -> UInt32? {
    guard !slots.isEmpty, physicalType == .bytes else { return nil }
    return DictionaryBuilder.find(bytes, ByteHash.hash(bytes, seed: seed), slots, strings).code
  }

  /// Whether the value `code` is `bytes`.
  @inline(__always)
  func matches(_ code: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    strings.equals(Int(truncatingIfNeeded: code), bytes)
  }

  /// The values in the order of their codes. The builder is empty afterwards.
  public mutating func finish() -> ValueDictionary {
    let dictionary = ValueDictionary(physicalType == .bytes ? .bytes(strings) : .id128(ids))
    self = DictionaryBuilder(physicalType)
    return dictionary
  }

  /// Gives the byte strings away. The builder is empty afterwards.
  mutating func takeStrings() -> ByteStrings {
    let taken = strings
    self = DictionaryBuilder(physicalType)
    return taken
  }

  private static func slotCount(for count: Int) -> Int {
    var slots = 64
    while slots < count &* 2 { slots &*= 2 }
    return slots
  }

  @inline(__always)
  private static func find(
    _ bytes: UnsafeRawBufferPointer, _ hash: UInt64, _ slots: [UInt64], _ strings: ByteStrings
  ) -> (code: UInt32?, slot: Int) {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = slots[slot]
      if entry == 0 { return (nil, slot) }
      if (entry ^ hash) &>> 32 == 0 {
        let code = UInt32(truncatingIfNeeded: entry) &- 1
        if strings.equals(Int(code), bytes) { return (code, slot) }
      }
      slot = (slot &+ 1) & mask
    }
  }

  @inline(__always)
  private static func find(
    _ id: UInt128, _ hash: UInt64, _ slots: [UInt64], _ ids: [UInt128]
  ) -> (code: UInt32?, slot: Int) {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = slots[slot]
      if entry == 0 { return (nil, slot) }
      if (entry ^ hash) &>> 32 == 0 {
        let code = UInt32(truncatingIfNeeded: entry) &- 1
        if ids[Int(code)] == id { return (code, slot) }
      }
      slot = (slot &+ 1) & mask
    }
  }

  private mutating func occupy(_ slot: Int, _ hash: UInt64, _ code: UInt32) {
    slots[slot] = hash & ~0xFFFF_FFFF | UInt64(code &+ 1)
    if count &* 2 > slots.count { rehash(slotCount: slots.count &* 4) }
  }

  private mutating func rehash(slotCount: Int) {
    var fresh = [UInt64](repeating: 0, count: slotCount)
    let mask = slotCount &- 1
    func place(_ hash: UInt64, _ code: Int) {
      var slot = Int(truncatingIfNeeded: hash) & mask
      while fresh[slot] != 0 { slot = (slot &+ 1) & mask }
      fresh[slot] = hash & ~0xFFFF_FFFF | UInt64(code &+ 1)
    }
    if physicalType == .bytes {
      strings.withEach { code, bytes in place(ByteHash.hash(bytes, seed: seed), code) }
    } else {
      for (code, id) in ids.enumerated() { place(ByteHash.hash(id, seed: seed), code) }
    }
    slots = fresh
  }
}
