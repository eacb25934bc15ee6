/// Ids that mostly are those of other rows of their block, as they are kept in memory for being read often: the parents of
/// spans. Each row keeps the few bits that lead to the row whose id it has; the ids are kept once.
public struct LinkedVector: Sendable {
  /// The number of the column that has the ids.
  public let idColumn: Int
  /// How many rows above each row the one lies whose id it has.
  private let steps: PackedVector
  private let exceptions: BlockExceptions.Found<Int64>

  public var count: Int { steps.count }

  /// Bytes of memory, without the ids'.
  public var byteCount: Int { steps.byteCount + exceptions.rows.count * 16 }

  /// The block's links; `nil` for blocks that are stored otherwise, or are so short that little would be saved.
  ///
  /// Throws like ``BlockCodec/decode(_:type:rowCount:dictionary:related:)``; the bytes are those of a block of integers.
  public init?(
    decoding bytes: UnsafeRawBufferPointer, rowCount: Int, related: some RelatedBlocks
  ) throws(ColumnError) {
    // Else the block would be decoded for nothing.
    guard rowCount >= BitPacking.chunk,
      let links = try BlockCodec.decodeLinks(bytes, rowCount: rowCount, related: related),
      let steps = PackedVector(ColumnVector(.int64(links.steps), validity: links.validity))
    else { return nil }
    self.steps = steps
    idColumn = links.idColumn
    exceptions = links.exceptions
  }

  /// The ids themselves, 0 in rows that are null.
  /// - Parameter ids: Those of ``idColumn``, of the same rows; others throw `.malformed`.
  public func vector(ids: ColumnVector) throws(ColumnError) -> ColumnVector {
    let ids = try check(ids)
    var lanes = [Int64](unsafeUninitializedCapacity: count) { out, initialized in
      ids.withUnsafeBufferPointer { ids in
        withScratch(of: Int64.self, count: BitPacking.chunk + ChunkRuns.slack) { scratch in
          steps.forEachChunk { chunk, packed, first in
            chunk.unpack(packed, into: scratch)
            // The steps of null rows may lead anywhere.
            for lane in 0..<min(BitPacking.chunk, ids.count &- first) {
              let row = first &+ lane
              out[row] = ids[max(0, min(row &- Int(scratch[lane]), ids.count &- 1))]
            }
          }
        }
      }
      steps.validity?.clear(UnsafeMutableBufferPointer(rebasing: out[..<count]), to: 0)
      initialized = count
    }
    exceptions.put(into: &lanes)
    return ColumnVector(.int64(lanes), validity: steps.validity)
  }

  /// The ids of some rows, each below ``count``; in their order.
  public func gather(_ rows: [UInt32], ids: ColumnVector) throws(ColumnError) -> ColumnVector {
    let ids = try check(ids)
    let picked = steps.gather(rows)
    guard case .int64(var lanes) = picked.storage else { return picked }
    for (index, row) in rows.enumerated() {
      let isKnown = picked.isValid(index)
      lanes[index] =
        isKnown ? exception(Int(row)) ?? ids[max(0, min(Int(row) &- Int(lanes[index]), ids.count &- 1))] : 0
    }
    return ColumnVector(.int64(lanes), validity: picked.validity)
  }

  private func check(_ ids: ColumnVector) throws(ColumnError) -> [Int64] {
    guard case .int64(let ids) = ids.storage, ids.count == count else {
      throw ColumnError(.malformed, "links without their ids")
    }
    return ids
  }

  /// The value of a row that isn't any other's id.
  private func exception(_ row: Int) -> Int64? {
    var (low, high) = (0, exceptions.rows.count)
    while low < high {
      let middle = (low + high) / 2
      if exceptions.rows[middle] < row { low = middle + 1 } else { high = middle }
    }
    return low < exceptions.rows.count && exceptions.rows[low] == row ? exceptions.values[low] : nil
  }
}
