internal import LintelColumns

/// One column's blocks: where each lies, what its bytes must sum to, and its zone map.
///
///     index  := entry*                                  one per block, in row order
///     entry  := length:varint, [CRC32C:u32, nulls:varint, bounds]
///     bounds := 0 | 1 min:zigzag max:zigzag sum:zigzag | 2 min:u64 max:u64 NaN seen:u8 | 3 min:u128 max:u128
///
/// Length 0 stands for a block without any value: it has no bytes in the file and its entry ends there. A block begins
/// where the one before it ends, the first at the column's data offset. Floats are bit patterns; a `u128` is two `u64`,
/// the higher first. A sum is exact, of up to 128 bits.
struct BlockIndex: Sendable, Hashable {
  struct Entry: Sendable, Hashable {
    var chunk: PartChunk
    var statistics: BlockStatistics
  }

  var entries: [Entry]

  func encoded() -> [UInt8] {
    var writer = PartBytesWriter()
    for entry in entries {
      writer.count(entry.chunk.length)
      if entry.chunk.length == 0 { continue }
      writer.fixed(entry.chunk.checksum)
      writer.count(entry.statistics.nullCount)
      writer.bounds(entry.statistics)
    }
    return writer.bytes
  }

  init(entries: [Entry] = []) { self.entries = entries }

  init(decoding bytes: [UInt8], column: PartColumn, rowCount: Int, blockRows: Int) throws(ColumnError) {
    var reader = PartBytesReader(bytes)
    let blockCount = (rowCount + blockRows - 1) / blockRows
    // An entry takes a byte at least.
    guard blockCount <= bytes.count else { throw ColumnError(.truncated, "the index has too few entries") }
    entries = []
    entries.reserveCapacity(blockCount)
    var offset = column.dataOffset
    let end = column.dataOffset + column.dataLength
    for block in 0..<blockCount {
      let rows = min(blockRows, rowCount - block * blockRows)
      let length = try reader.count(limit: end - offset)
      var entry = Entry(
        chunk: PartChunk(offset: offset, length: length, checksum: 0),
        statistics: BlockStatistics(rowCount: rows, nullCount: rows, bounds: .none))
      if length > 0 {
        entry.chunk.checksum = try reader.fixed(UInt32.self)
        entry.statistics.nullCount = try reader.count(limit: rows)
        try reader.bounds(&entry.statistics)
      }
      offset += length
      entries.append(entry)
    }
    guard reader.remaining == 0, offset == end else {
      throw ColumnError(.malformed, "the index doesn't match the column's \(column.dataLength) bytes")
    }
  }
}

extension PartBytesWriter {
  fileprivate mutating func bounds(_ statistics: BlockStatistics) {
    switch statistics.bounds {
    case .none:
      fixed(UInt8(0))
    case .int64(let min, let max):
      fixed(UInt8(1))
      signed(min)
      signed(max)
      wideSigned(statistics.sum ?? 0)
    case .float64(let min, let max, let hasNaN):
      fixed(UInt8(2))
      fixed(min.bitPattern)
      fixed(max.bitPattern)
      fixed(UInt8(hasNaN ? 1 : 0))
    case .id128(let min, let max):
      fixed(UInt8(3))
      wide(min)
      wide(max)
    }
  }
}

extension PartBytesReader {
  fileprivate mutating func bounds(_ statistics: inout BlockStatistics) throws(ColumnError) {
    let tag = try byte()
    switch tag {
    case 0: break
    case 1:
      statistics.bounds = .int64(min: try signed(), max: try signed())
      statistics.sum = try wideSigned()
    case 2:
      let min = Double(bitPattern: try fixed(UInt64.self))
      let max = Double(bitPattern: try fixed(UInt64.self))
      statistics.bounds = .float64(min: min, max: max, hasNaN: try byte() != 0)
    case 3: statistics.bounds = .id128(min: try wide(), max: try wide())
    default: throw ColumnError(.malformed, "bounds of kind \(tag)")
    }
  }
}
