/// A merge plan cut into output blocks: which rows of which source blocks make up each of them.
///
/// Within an output block the rows are grouped by source block, so that a column's values are copied from one block after
/// the other; where they go is part of each piece.
struct MergeLayout {
  /// Adjacent rows of a source block that stay adjacent.
  struct Piece {
    /// Within the source block.
    var from: UInt32
    /// Within the output block.
    var to: UInt32
    var count: UInt32
  }

  /// The pieces that come from one block of one source.
  struct Group {
    var source: Int
    var block: Int
    var pieces: Range<Int>
  }

  struct Block {
    var rowCount: Int
    var groups: Range<Int>
  }

  private(set) var blocks: [Block] = []
  private(set) var groups: [Group] = []
  private(set) var pieces: [Piece] = []
  let rowCount: Int

  /// - Parameters:
  ///   - sourceBlockRows: Rows a block of each source.
  ///   - blockRows: Rows a block of the output.
  init(_ plan: MergePlan, sourceBlockRows: [Int], blockRows: Int) {
    rowCount = plan.rowCount
    pieces.reserveCapacity(plan.runs.count)
    var loose: [LoosePiece] = []
    var filled = 0
    for run in plan.runs {
      var start = Int(run.start)
      let end = start + Int(run.count)
      let rows = sourceBlockRows[Int(run.source)]
      while start < end {
        let block = start / rows
        let count = min(end - start, rows - start % rows, blockRows - filled)
        let piece = Piece(from: UInt32(start % rows), to: UInt32(filled), count: UInt32(count))
        loose.append(LoosePiece(place: UInt64(run.source) << 32 | UInt64(block), piece: piece))
        start += count
        filled += count
        if filled == blockRows { close(&loose, &filled) }
      }
    }
    if filled > 0 { close(&loose, &filled) }
  }

  private struct LoosePiece {
    /// Source, then block.
    var place: UInt64
    var piece: Piece
  }

  private mutating func close(_ loose: inout [LoosePiece], _ filled: inout Int) {
    loose.sort { ($0.place, $0.piece.to) < ($1.place, $1.piece.to) }
    let firstGroup = groups.count
    var start = 0
    while start < loose.count {
      let place = loose[start].place
      let firstPiece = pieces.count
      while start < loose.count, loose[start].place == place {
        pieces.append(loose[start].piece)
        start += 1
      }
      groups.append(
        Group(source: Int(place >> 32), block: Int(place & 0xffff_ffff), pieces: firstPiece..<pieces.count))
    }
    blocks.append(Block(rowCount: filled, groups: firstGroup..<groups.count))
    loose.removeAll(keepingCapacity: true)
    filled = 0
  }
}
