/// What filters tell of one column: in which of its blocks a value may occur.
///
///     filters := group*                                  in block order; together they cover every block
///     group   := blocks:varint length:varint filter      one ``KeyFilter`` of so many bytes for so many blocks
///
/// A filter of few keys takes more bits a key than one of many, and the traces of a block are few: so blocks share a
/// filter, whose keys (``FilterHash/key(_:block:)``) name the block with the value. A value that is in one block of many
/// costs one key, and is asked for once a block.
public struct BlockFilters: Sendable, Hashable {
  private let filters: [KeyFilter]
  /// The filter of each block.
  private let places: [UInt32]
  /// Where the blocks that a caller counts from 0 begin.
  private let firstBlock: Int

  fileprivate init(_ groups: [(blocks: Int, filter: KeyFilter)]) {
    filters = groups.map(\.filter)
    var places: [UInt32] = []
    for (index, group) in groups.enumerated() {
      places.append(contentsOf: repeatElement(UInt32(truncatingIfNeeded: index), count: group.blocks))
    }
    self.places = places
    firstBlock = 0
  }

  private init(_ other: BlockFilters, droppingFirst blocks: Int) {
    filters = other.filters
    places = other.places
    firstBlock = other.firstBlock + max(0, blocks)
  }

  /// The same filters for one who counts the blocks from `first` on.
  public func dropFirst(_ first: Int) -> BlockFilters { BlockFilters(self, droppingFirst: first) }

  /// False when no row of the block has a value with this hash (``FilterHash``).
  public func mayContain(_ hash: UInt64, block: Int) -> Bool {
    let place = firstBlock &+ block
    guard place >= 0, place < places.count else { return true }
    return filters[Int(places[place])].mayContain(FilterHash.key(hash, block: place))
  }

  /// Bytes in memory, roughly.
  public var byteCount: Int { filters.reduce(4 * places.count) { $0 + $1.byteCount + 64 } }
}

extension BlockFilters {
  /// Appends the bytes of the filters of all blocks.
  public func encode(into out: inout [UInt8]) {
    var start = 0
    for (index, filter) in filters.enumerated() {
      var end = start
      while end < places.count, Int(places[end]) == index { end += 1 }
      var bytes: [UInt8] = []
      filter.encode(into: &bytes)
      out.append(varint: UInt64(end - start))
      bytes.withUnsafeBytes { out.append(lengthAndBytes: $0) }
      start = end
    }
  }

  /// Reads the filters of a column of `blockCount` blocks from bytes that may be anything.
  public init(decoding bytes: UnsafeRawBufferPointer, blockCount: Int) throws(ColumnError) {
    var reader = ByteReader(bytes)
    var groups: [(blocks: Int, filter: KeyFilter)] = []
    var remaining = UInt64(max(0, blockCount))
    while reader.remaining > 0 {
      let blocks = try reader.varint()
      guard blocks > 0, blocks <= remaining else {
        throw ColumnError(.malformed, "a filter is for \(blocks) blocks where \(remaining) are left")
      }
      remaining -= blocks
      let length = try reader.count()
      groups.append((Int(blocks), try KeyFilter(decoding: try reader.take(length))))
    }
    guard remaining == 0 else { throw ColumnError(.malformed, "\(remaining) blocks have no filter") }
    self.init(groups)
  }
}

/// Builds the filters of a column, block after block.
///
///     var builder = BlockFilterBuilder()
///     for block in blocks { builder.add(FilterHash.values(of: block)) }
///     let filters = builder.finish()
public struct BlockFilterBuilder {
  /// From so many keys on a filter is closed: nearly as small as it gets, and built within the processor's cache.
  static let keysPerFilter = 65_536

  private let fingerprintBits: Int
  private var groups: [(blocks: Int, filter: KeyFilter)] = []
  private var keys: [UInt64] = []
  /// Blocks whose keys wait, and those before them.
  private var blocks = 0
  private var closedBlocks = 0

  /// - Parameter fingerprintBits: 1 to 8: a value that isn't in a block is taken to be with a probability of 1 in 2^bits.
  public init(fingerprintBits: Int = 8) { self.fingerprintBits = fingerprintBits }

  /// Adds the next block: hashes of its values, which repeat as seldom as can be had cheaply.
  public mutating func add(_ hashes: [UInt64]) {
    let block = closedBlocks + blocks
    keys.append(contentsOf: hashes.lazy.map { FilterHash.key($0, block: block) })
    blocks += 1
    if keys.count >= Self.keysPerFilter { close() }
  }

  public mutating func finish() -> BlockFilters {
    if blocks > 0 { close() }
    return BlockFilters(groups)
  }

  private mutating func close() {
    groups.append((blocks, KeyFilter(keys, fingerprintBits: fingerprintBits)))
    keys.removeAll(keepingCapacity: true)
    closedBlocks += blocks
    blocks = 0
  }
}
