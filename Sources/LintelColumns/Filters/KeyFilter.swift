/// A set of 64-bit keys in about nine bits each, or fewer, which answers "surely not" or "perhaps".
///
/// A key that was put in is always found. One that was not is found with a probability of 1/256, or more where fewer bits
/// were asked for. Keys must be hashes: every
/// bit of theirs is taken to be random.
///
///     filter       := 1 fingerprints:u16*      ascending: bits 48-63 of every key; to 256 keys
///                   | 2 fingerprints:u32*      ascending: bits 32-63 of every key; where 3 can't be built
///                   | 3 seed:u64 segment shift:u8 fingerprints:u8*        see ``BinaryFuseFilter``
///                   | 4 bits:u8 seed:u64 segment shift:u8 fingerprints    of so many bits each, 1 to 7, in one stream of bits
///
/// The first byte is the form; a filter ends where its bytes end.
public struct KeyFilter: Sendable, Hashable {
  private enum Form: Sendable, Hashable {
    case short([UInt16])
    case long([UInt32])
    case fuse(BinaryFuseFilter)
  }

  /// To this many keys a list of 16-bit fingerprints errs no more often than a fuse filter, which pays for its fixed parts.
  static let shortListLimit = 256

  private let form: Form

  /// Any number of keys, in any order; repeats are dropped.
  /// - Parameter fingerprintBits: Of a key where there are many, 1 to 8.
  public init(_ keys: [UInt64], fingerprintBits: Int = 8) {
    if keys.count <= KeyFilter.shortListLimit {
      form = .short(KeyFilter.fingerprints(keys))
    } else if let filter = BinaryFuseFilter(keys, bits: fingerprintBits) {
      form = .fuse(filter)
    } else {
      form = .long(KeyFilter.fingerprints(keys))
    }
  }

  /// The high bits of each key, ascending and without repeats.
  private static func fingerprints<Lane: FixedWidthInteger & UnsignedInteger>(_ keys: [UInt64]) -> [Lane] {
    let all = keys.map { Lane(truncatingIfNeeded: $0 &>> UInt64(64 &- Lane.bitWidth)) }.sorted()
    var result: [Lane] = []
    result.reserveCapacity(all.count)
    for lane in all where lane != result.last { result.append(lane) }
    return result
  }

  /// False when the key is surely not among those put in.
  @inline(__always)
  public func mayContain(_ key: UInt64) -> Bool {
    switch form {
    case .fuse(let filter): filter.mayContain(key)
    case .short(let lanes): KeyFilter.contains(lanes, UInt16(truncatingIfNeeded: key &>> 48))
    case .long(let lanes): KeyFilter.contains(lanes, UInt32(truncatingIfNeeded: key &>> 32))
    }
  }

  private static func contains<Lane: FixedWidthInteger>(_ lanes: [Lane], _ lane: Lane) -> Bool {
    var low = 0
    var high = lanes.count
    while low < high {
      let middle = (low &+ high) &>> 1
      if lanes[middle] < lane { low = middle &+ 1 } else { high = middle }
    }
    return low < lanes.count && lanes[low] == lane
  }

  /// Bytes in memory.
  public var byteCount: Int {
    switch form {
    case .short(let lanes): lanes.count &* 2
    case .long(let lanes): lanes.count &* 4
    case .fuse(let filter): filter.fingerprints.count
    }
  }
}

extension KeyFilter {
  /// Appends the filter's bytes.
  public func encode(into out: inout [UInt8]) {
    switch form {
    case .short(let lanes):
      out.append(1)
      out.append(memoryOf: lanes)
    case .long(let lanes):
      out.append(2)
      out.append(memoryOf: lanes)
    case .fuse(let filter):
      out.append(filter.bits == 8 ? 3 : 4)
      filter.encode(into: &out)
    }
  }

  /// Reads a filter that takes all of `bytes`, which may be anything.
  ///
  /// Bytes that no encoder wrote throw or give some filter; no key makes it trap.
  public init(decoding bytes: UnsafeRawBufferPointer) throws(ColumnError) {
    var reader = ByteReader(bytes)
    let tag = try reader.byte()
    switch tag {
    case 1: form = .short(try KeyFilter.lanes(&reader))
    case 2: form = .long(try KeyFilter.lanes(&reader))
    case 3: form = .fuse(try BinaryFuseFilter(&reader, bits: 8))
    case 4: form = .fuse(try BinaryFuseFilter(&reader, bits: Int(try reader.byte())))
    default: throw ColumnError(.unsupportedEncoding, "a filter of form \(tag)")
    }
  }

  private static func lanes<Lane: FixedWidthInteger & BitwiseCopyable>(
    _ reader: inout ByteReader
  ) throws(ColumnError) -> [Lane] {
    let width = MemoryLayout<Lane>.size
    let bytes = try reader.take(reader.remaining)
    guard bytes.count % width == 0 else { throw ColumnError(.malformed, "a filter's list ends within a fingerprint") }
    return (0..<bytes.count / width).map {
      Lane(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 &* width, as: Lane.self))
    }
  }
}
