internal import CLintelKernels

/// Rows found and lanes picked without unpacking the rest.
extension PackedVector {
  /// The valid rows, ascending, whose integer (or code) lies between two, both included.
  public func rows(from low: Int64, through high: Int64) -> [UInt32] {
    guard low <= high else { return [] }
    return rows { chunk in
      if chunk.high < low || chunk.base > high { return .none }
      if chunk.base >= low, chunk.high <= high { return .all }
      return .some
    } flags: { chunk, packed, scratch, flags in
      let from = max(low, chunk.base)
      let span = UInt64(bitPattern: min(high, chunk.high) &- from)
      if chunk.width <= 32 {
        Self.unpackOffsets(chunk, packed, scratch)
        lintel_between_u32(
          scratch.words, BitPacking.chunk, UInt32(truncatingIfNeeded: from &- chunk.base),
          UInt32(truncatingIfNeeded: span), flags)
      } else {
        lintel_unpack_i64(packed, UInt32(chunk.width), chunk.base, scratch.lanes)
        lintel_between_i64(scratch.lanes, BitPacking.chunk, from, span, flags)
      }
    }
  }

  /// How many rows lie in chunks that ``rows(from:through:)`` would have to unpack or take whole.
  public func candidates(from low: Int64, through high: Int64) -> Int {
    chunks.reduce(0) { $1.high < low || $1.base > high ? $0 : $0 &+ BitPacking.chunk }
  }

  /// The valid rows, ascending, whose code's entry is 1; a code past the table's end has none.
  ///
  /// - Parameter entries: Zeros and ones by code.
  public func rows(whereCode entries: [UInt8]) -> [UInt32] {
    guard let last = entries.indices.last else { return [] }
    let members = entries.prefix(64).indices.reduce(UInt64(0)) { $0 | UInt64(entries[$1] & 1) << UInt64($1) }
    return entries.withUnsafeBufferPointer { table in
      guard let start = table.baseAddress else { return [] }
      return rows { chunk in
        guard chunk.base >= 0, chunk.base <= Int64(last) else { return .none }
        guard chunk.width == 0 else { return .some }
        return table[Int(chunk.base)] != 0 ? .all : .none
      } flags: { chunk, packed, scratch, flags in
        Self.unpackOffsets(chunk, packed, scratch)
        let base = UInt32(truncatingIfNeeded: chunk.base)
        if last < 64, chunk.high <= Int64(last) {
          lintel_member_u32(scratch.words, nil, BitPacking.chunk, members >> UInt64(base), 63, flags)
        } else {
          lintel_entry_u32(scratch.words, BitPacking.chunk, start + Int(base), UInt32(last) &- base, flags)
        }
      }
    }
  }

  private enum Verdict { case none, some, all }

  /// Where a chunk is unpacked to.
  private struct Scratch {
    let lanes: UnsafeMutablePointer<Int64>
    let words: UnsafeMutablePointer<UInt32>
  }

  /// A chunk's lanes less its base, of at most 32 bits.
  private static func unpackOffsets(_ chunk: Chunk, _ packed: UnsafeRawPointer, _ scratch: Scratch) {
    if chunk.runs > 0 {
      ChunkRuns(packed, count: Int(chunk.runs)).spread(base: 0, into: scratch.words)
    } else {
      lintel_unpack_u32(packed, UInt32(chunk.width), 0, scratch.words)
    }
  }

  private func rows(
    _ verdict: (Chunk) -> Verdict,
    flags makeFlags: (Chunk, UnsafeRawPointer, Scratch, UnsafeMutablePointer<UInt8>) -> Void
  ) -> [UInt32] {
    // The kernel writes up to sixteen rows beyond the last.
    [UInt32](unsafeUninitializedCapacity: count + BitPacking.chunk + 16) { out, initialized in
      withChunks { packed, scratch, flags in
        guard let start = out.baseAddress else { return }
        var length = 0
        for (number, chunk) in chunks.enumerated() {
          let first = number &* BitPacking.chunk
          switch verdict(chunk) {
          case .none: continue
          case .all: flags.update(repeating: 1, count: BitPacking.chunk)
          case .some: makeFlags(chunk, packed + Int(chunk.offset), scratch, flags)
          }
          length &+= select(flags, first: first, into: start + length)
        }
        initialized = length
      }
    }
  }

  /// The rows of the chunk from row `first` on that are flagged and valid; how many.
  private func select(
    _ flags: UnsafeMutablePointer<UInt8>, first: Int, into out: UnsafeMutablePointer<UInt32>
  ) -> Int {
    let lanes = min(BitPacking.chunk, count &- first)
    guard let validity else { return lintel_select_words(flags, nil, lanes, UInt32(truncatingIfNeeded: first), out) }
    return validity.words.withUnsafeBufferPointer { words in
      guard let start = words.baseAddress else { return 0 }
      return lintel_select_words(flags, start + first >> 6, lanes, UInt32(truncatingIfNeeded: first), out)
    }
  }

  private func withChunks(
    _ body: (UnsafeRawPointer, Scratch, UnsafeMutablePointer<UInt8>) -> Void
  ) {
    withScratch(of: Int64.self, count: BitPacking.chunk) { lanes in
      withScratch(of: UInt32.self, count: BitPacking.chunk + ChunkRuns.slack) { words in
        withScratch(of: UInt8.self, count: BitPacking.chunk) { flags in
          packed.withUnsafeBytes { packed in
            guard let lanes = lanes.baseAddress, let words = words.baseAddress, let flags = flags.baseAddress else {
              return
            }
            // Vectors whose chunks are all of width 0 hold no bytes at all; nothing is read of them then.
            let start = packed.baseAddress ?? UnsafeRawPointer(flags)
            body(start, Scratch(lanes: lanes, words: words), flags)
          }
        }
      }
    }
  }

  /// The lanes `rows`, in that order, each below ``count``.
  public func gather(_ rows: [UInt32]) -> ColumnVector {
    let picked = validity?.gather(rows)
    if let dictionary { return ColumnVector(.codes(lanes(rows), dictionary), validity: picked) }
    return ColumnVector(.int64(lanes(rows)), validity: picked)
  }

  /// Rows of a chunk from which on it is unpacked to pick them.
  private static let manyRows = 64

  private func lanes<Lane: PackedLane>(_ rows: [UInt32]) -> [Lane] {
    precondition(rows.allSatisfy { Int($0) < count }, "a picked row lies outside the vector")
    return [Lane](unsafeUninitializedCapacity: rows.count) { out, initialized in
      withScratch(of: Lane.self, count: BitPacking.chunk + ChunkRuns.slack) { scratch in
        packed.withUnsafeBytes { packed in
          rows.withUnsafeBufferPointer { rows in
            var index = 0
            while index < rows.count {
              let number = Int(rows[index]) >> 10
              var end = index &+ 1
              while end < rows.count, Int(rows[end]) >> 10 == number { end &+= 1 }
              pick(chunks[number], packed, rows, index..<end, scratch, out)
              index = end
            }
          }
        }
      }
      initialized = rows.count
    }
  }

  /// Picks the rows `range` of the list, all of one chunk.
  @inline(__always)
  private func pick<Lane: PackedLane>(
    _ chunk: Chunk, _ packed: UnsafeRawBufferPointer, _ rows: UnsafeBufferPointer<UInt32>, _ range: Range<Int>,
    _ scratch: UnsafeMutableBufferPointer<Lane>, _ out: UnsafeMutableBufferPointer<Lane>
  ) {
    let base = Lane(truncatingIfNeeded: chunk.base)
    let width = Int(chunk.width)
    guard width > 0, let start = packed.baseAddress else {
      for index in range { out[index] = base }
      return
    }
    if range.count >= Self.manyRows {
      chunk.unpack(packed, into: scratch)
      for index in range { out[index] = scratch[Int(rows[index]) & (BitPacking.chunk - 1)] }
    } else if chunk.runs > 0 {
      let runs = ChunkRuns(start + Int(chunk.offset), count: Int(chunk.runs))
      for index in range {
        out[index] = base &+ Lane(truncatingIfNeeded: runs.value(ofLane: Int(rows[index]) & (BitPacking.chunk - 1)))
      }
    } else {
      for index in range {
        let place = Int(rows[index]) & (BitPacking.chunk - 1)
        let bits = BitPacking.bits(packed, at: Int(chunk.offset), width: width, place: place)
        out[index] = base &+ Lane(truncatingIfNeeded: bits)
      }
    }
  }
}
