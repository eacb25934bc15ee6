internal import LintelColumns

/// Collects the filters of one column while its blocks are written, and gives up where they would not pay.
///
/// A filter pays where a value is in few of the blocks: ids of traces, users, sessions and responses, and also the few
/// values of a column that the rows are sorted by, which cost next to nothing. It doesn't where the commonest case is a
/// value in most blocks, and nobody asks for equality with a long text.
struct FilterWriter {
  /// Parts of fewer blocks are read about as fast as they are looked up.
  private static let minimumBlocks = 4
  /// Longer values, on average, are texts.
  private static let maximumValueBytes = 256
  /// Blocks with values after which a column that doesn't pay is given up.
  private static let trialBlocks = 8
  /// Plain values that repeat more often than this within a block are few, and found in most blocks.
  private static let maximumRepeats = 32

  private let blockCount: Int
  private let fingerprintBits: Int
  private var isGivenUp = false
  /// For plain columns: built as blocks come.
  private var builder: BlockFilterBuilder
  private var distinct = DistinctHashes()
  /// For coded columns, whose dictionary comes last: the codes of each block, and where those of the next begin.
  private var codes: [UInt32] = []
  private var ends: [Int] = []
  private var lastSeen: [UInt32] = []
  private var valueBlocks = 0
  private var values = 0
  /// Distinct values a block, added up.
  private var pairs = 0

  /// `nil` for columns that never get filters.
  init?(
    typeName: String, role: PartColumnRole, physical: PhysicalType, blockCount: Int, fingerprintBits: Int = 8
  ) {
    self.fingerprintBits = fingerprintBits
    builder = BlockFilterBuilder(fingerprintBits: fingerprintBits)
    guard blockCount >= Self.minimumBlocks, physical == .bytes || physical == .id128 else { return nil }
    guard role != .tail, typeName != ColumnType.variant.name, typeName != ColumnType.map.name else { return nil }
    if case .attribute(let key) = role, key.kind != .string { return nil }
    self.blockCount = blockCount
  }

  /// The next block.
  mutating func add(_ block: ColumnVector) {
    guard !isGivenUp else { return }
    valueBlocks += 1
    if case .codes(let lanes, _) = block.storage {
      add(codes: lanes, block.validity)
      // Codes are given in the order of first use, so that the greatest tells how many values there have been.
      if valueBlocks == Self.trialBlocks, !pays(distinct: lastSeen.count, blocks: valueBlocks) { giveUp() }
    } else {
      add(plain: block)
    }
  }

  /// The next block has no values.
  mutating func skip() {
    if isGivenUp { return }
    builder.add([])
    ends.append(codes.count)
  }

  private mutating func giveUp() {
    isGivenUp = true
    codes = []
    builder = BlockFilterBuilder(fingerprintBits: fingerprintBits)
  }

  /// Whether a value is in half of the blocks at most, on average.
  private func pays(distinct: Int, blocks: Int) -> Bool {
    // Of very few values nothing is known yet: one may fill the first blocks of many.
    distinct < 8 && blocks < blockCount || 2 * pairs <= distinct * blocks
  }

  private mutating func add(codes lanes: [UInt32], _ validity: Bitmap?) {
    let stamp = UInt32(truncatingIfNeeded: ends.count + 1)
    let places = Int(lanes.max() ?? 0) + 1
    if places > lastSeen.count { lastSeen.append(contentsOf: repeatElement(0, count: places - lastSeen.count)) }
    var found: [UInt32] = []
    lastSeen.withUnsafeMutableBufferPointer { lastSeen in
      lanes.withUnsafeBufferPointer { lanes in
        for row in 0..<lanes.count where lastSeen[Int(lanes[row])] != stamp && validity?[row] ?? true {
          lastSeen[Int(lanes[row])] = stamp
          found.append(lanes[row])
        }
      }
    }
    codes += found
    pairs = codes.count
    ends.append(codes.count)
  }

  private mutating func add(plain block: ColumnVector) {
    let hashes = FilterHash.values(of: block)
    values += hashes.count
    if case .bytes(let strings) = block.storage, strings.bytes.count > Self.maximumValueBytes * hashes.count {
      return giveUp()
    }
    let kept = distinct.keep(hashes)
    pairs += kept.count
    if values > Self.maximumRepeats * pairs { return giveUp() }
    builder.add(kept)
  }

  /// The filters, where they pay.
  mutating func finish(dictionary: ValueDictionary?) -> BlockFilters? {
    guard !isGivenUp, pairs > 0 else { return nil }
    guard let dictionary else { return builder.finish() }
    if case .bytes(let strings) = dictionary.values,
      strings.bytes.count > Self.maximumValueBytes * dictionary.count
    {
      return nil
    }
    guard pays(distinct: dictionary.count, blocks: blockCount) else { return nil }
    let hashes = FilterHash.values(of: dictionary)
    guard lastSeen.count <= hashes.count else { return nil }
    var coded = BlockFilterBuilder(fingerprintBits: fingerprintBits)
    var start = 0
    for end in ends {
      coded.add(codes[start..<end].map { hashes[Int($0)] })
      start = end
    }
    return coded.finish()
  }
}

/// Drops repeats from the hashes of a block.
private struct DistinctHashes {
  private var slots: [UInt64] = []

  /// The hashes without repeats, in the order of their first occurrence.
  mutating func keep(_ hashes: [UInt64]) -> [UInt64] {
    var slotCount = 64
    while slotCount < 2 * hashes.count { slotCount *= 2 }
    // 0 marks a free slot; a hash of 0 is kept as often as it comes.
    slots = [UInt64](repeating: 0, count: slotCount)
    let mask = slotCount - 1
    var kept: [UInt64] = []
    kept.reserveCapacity(hashes.count)
    slots.withUnsafeMutableBufferPointer { slots in
      for hash in hashes {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0, slots[slot] != hash { slot = (slot &+ 1) & mask }
        if slots[slot] == hash, hash != 0 { continue }
        slots[slot] = hash
        kept.append(hash)
      }
    }
    return kept
  }
}
