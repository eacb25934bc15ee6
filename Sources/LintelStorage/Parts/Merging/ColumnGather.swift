internal import LintelColumns

/// Collects one output block of one column from blocks of several sources, whose values arrive in any order.
///
/// Made for one column and used for block after block. Values are copied piece by piece between plain buffers: no
/// reference is counted and nothing allocated per piece.
struct ColumnGather {
  let physical: PhysicalType
  /// Whether the values come, and go, as codes of a merged dictionary.
  let isCoded: Bool
  private var rowCount = 0
  private var int64: [Int64] = []
  private var float64: [Double] = []
  private var bool: [Bool] = []
  private var id128: [UInt128] = []
  private var codes: [UInt32] = []
  /// Plain byte strings are put together at the end, when their lengths are known.
  private var strings: [(values: ByteStrings, pieces: [MergeLayout.Piece])] = []
  private var validity: [UInt64] = []
  private var validCount = 0

  init(_ physical: PhysicalType, isCoded: Bool) {
    self.physical = physical
    self.isCoded = isCoded
  }

  private mutating func begin(rowCount: Int) {
    self.rowCount = rowCount
    validity = Array(repeating: 0, count: (rowCount + 63) / 64)
    validCount = 0
    strings.removeAll(keepingCapacity: true)
    if isCoded {
      codes = Array(repeating: 0, count: rowCount)
      return
    }
    switch physical {
    case .int64: int64 = Array(repeating: 0, count: rowCount)
    case .float64: float64 = Array(repeating: 0, count: rowCount)
    case .bool: bool = Array(repeating: false, count: rowCount)
    case .id128: id128 = Array(repeating: 0, count: rowCount)
    case .bytes: break
    }
  }

  /// One block of the merged column, from the sources that have rows of it; `nil` when no row has a value.
  mutating func block(
    _ block: MergeLayout.Block, of layout: MergeLayout, from columns: inout [SourceColumn],
    dictionary: ValueDictionary?
  ) throws(StorageError) -> ColumnVector? {
    begin(rowCount: block.rowCount)
    for group in layout.groups[block.groups] {
      let vector = try columns[group.source].block(group.block)
      add(vector, layout.pieces[group.pieces], table: columns[group.source].table)
    }
    return try finish(dictionary)
  }

  /// - Parameter table: Translates codes into merged ones; empty where they are that already.
  private mutating func add(_ vector: ColumnVector, _ pieces: ArraySlice<MergeLayout.Piece>, table: [UInt32]) {
    if vector.isAllNull { return }
    addValidity(vector.validity, pieces)
    pieces.withUnsafeBufferPointer { pieces in
      switch vector.storage {
      case .int64(let lanes): copyLanes(lanes, pieces, into: &int64)
      case .float64(let lanes): copyLanes(lanes, pieces, into: &float64)
      case .bool(let lanes): copyLanes(lanes, pieces, into: &bool)
      case .id128(let lanes): copyLanes(lanes, pieces, into: &id128)
      case .bytes(let values): strings.append((values, Array(pieces)))
      case .codes(let lanes, _):
        if isCoded, table.isEmpty { return copyLanes(lanes, pieces, into: &codes) }
        if isCoded { return translate(lanes, pieces, table, into: &codes) }
        switch vector.plain().storage {
        case .bytes(let values): strings.append((values, Array(pieces)))
        case .id128(let lanes): copyLanes(lanes, pieces, into: &id128)
        default: break
        }
      }
    }
  }

  private mutating func addValidity(_ bitmap: Bitmap?, _ pieces: ArraySlice<MergeLayout.Piece>) {
    validity.withUnsafeMutableBufferPointer { target in
      pieces.withUnsafeBufferPointer { pieces in
        guard let bitmap else {
          for piece in pieces {
            setBits(target, Int(piece.to), Int(piece.count))
            validCount &+= Int(piece.count)
          }
          return
        }
        bitmap.words.withUnsafeBufferPointer { source in
          for piece in pieces {
            validCount &+= copyBits(source, Int(piece.from), target, Int(piece.to), Int(piece.count))
          }
        }
      }
    }
  }

  /// The block; `nil` when no row has a value.
  /// - Parameter dictionary: What codes refer to.
  private mutating func finish(_ dictionary: ValueDictionary?) throws(StorageError) -> ColumnVector? {
    guard validCount > 0 else { return nil }
    let bitmap = validCount == rowCount ? nil : Bitmap(words: validity, count: rowCount)
    if isCoded, let dictionary { return ColumnVector(.codes(codes, dictionary), validity: bitmap) }
    switch physical {
    case .int64: return ColumnVector(.int64(int64), validity: bitmap)
    case .float64: return ColumnVector(.float64(float64), validity: bitmap)
    case .bool: return ColumnVector(.bool(bool), validity: bitmap)
    case .id128: return ColumnVector(.id128(id128), validity: bitmap)
    case .bytes: return ColumnVector(.bytes(try joinStrings()), validity: bitmap)
    }
  }

  private func joinStrings() throws(StorageError) -> ByteStrings {
    var offsets = [UInt32](repeating: 0, count: rowCount + 1)
    var total = 0
    for (values, pieces) in strings {
      for piece in pieces {
        for index in 0..<Int(piece.count) {
          let length = values.offsets[Int(piece.from) + index + 1] &- values.offsets[Int(piece.from) + index]
          offsets[Int(piece.to) + index + 1] = length
          total += Int(length)
        }
      }
    }
    guard total <= Int(UInt32.max) else {
      throw StorageError(.invalid, "a block of strings would take more than 4 GiB; the parts stay apart")
    }
    for row in 0..<rowCount { offsets[row + 1] &+= offsets[row] }
    let bytes = [UInt8](unsafeUninitializedCapacity: total) { target, count in
      for (values, pieces) in strings {
        values.bytes.withUnsafeBytes { source in
          for piece in pieces {
            let start = Int(values.offsets[Int(piece.from)])
            let end = Int(values.offsets[Int(piece.from) + Int(piece.count)])
            let place = UnsafeMutableRawBufferPointer(target)[Int(offsets[Int(piece.to)])...]
            UnsafeMutableRawBufferPointer(rebasing: place).copyMemory(
              from: UnsafeRawBufferPointer(rebasing: source[start..<end]))
          }
        }
      }
      count = total
    }
    guard let result = ByteStrings(offsets: offsets, bytes: bytes) else {
      throw StorageError(.invalid, "the strings of a block don't fit together")
    }
    return result
  }
}

/// Copies every piece's lanes to where they go. Pieces lie inside both blocks: the layout was made from their row counts.
private func copyLanes<Lane: BitwiseCopyable>(
  _ lanes: [Lane], _ pieces: UnsafeBufferPointer<MergeLayout.Piece>, into target: inout [Lane]
) {
  guard fits(pieces, lanes.count, target.count) else { return }
  lanes.withUnsafeBufferPointer { lanes in
    target.withUnsafeMutableBufferPointer { target in
      for piece in pieces {
        let (from, to) = (Int(piece.from), Int(piece.to))
        for index in 0..<Int(piece.count) { target[to &+ index] = lanes[from &+ index] }
      }
    }
  }
}

/// The same for codes; those that the table doesn't know, as null rows may hold, become 0.
private func translate(
  _ codes: [UInt32], _ pieces: UnsafeBufferPointer<MergeLayout.Piece>, _ table: [UInt32], into target: inout [UInt32]
) {
  guard fits(pieces, codes.count, target.count), !table.isEmpty else { return }
  codes.withUnsafeBufferPointer { codes in
    table.withUnsafeBufferPointer { table in
      target.withUnsafeMutableBufferPointer { target in
        for piece in pieces {
          let (from, to) = (Int(piece.from), Int(piece.to))
          for index in 0..<Int(piece.count) {
            let code = Int(codes[from &+ index])
            target[to &+ index] = code < table.count ? table[code] : 0
          }
        }
      }
    }
  }
}

private func fits(_ pieces: UnsafeBufferPointer<MergeLayout.Piece>, _ source: Int, _ target: Int) -> Bool {
  pieces.allSatisfy { Int($0.from) &+ Int($0.count) <= source && Int($0.to) &+ Int($0.count) <= target }
}

/// Sets `count` bits from bit `start` on.
func setBits(_ words: UnsafeMutableBufferPointer<UInt64>, _ start: Int, _ count: Int) {
  var bit = start
  let end = start &+ count
  while bit < end {
    let offset = bit & 63
    let chunk = min(64 &- offset, end &- bit)
    words[bit >> 6] |= (UInt64.max >> UInt64(64 &- chunk)) << UInt64(offset)
    bit &+= chunk
  }
}

/// Copies `count` bits onto clear ones; answers how many of them are set.
func copyBits(
  _ source: UnsafeBufferPointer<UInt64>, _ from: Int, _ target: UnsafeMutableBufferPointer<UInt64>, _ to: Int,
  _ count: Int
) -> Int {
  var done = 0
  var set = 0
  while done < count {
    let (read, write) = ((from &+ done) & 63, (to &+ done) & 63)
    let chunk = min(count &- done, min(64 &- read, 64 &- write))
    let bits = source[(from &+ done) >> 6] >> UInt64(read) & (UInt64.max >> UInt64(64 &- chunk))
    target[(to &+ done) >> 6] |= bits << UInt64(write)
    set &+= bits.nonzeroBitCount
    done &+= chunk
  }
  return set
}
