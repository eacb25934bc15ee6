/// Which rows of a block are null.
///
///     none    := nothing          allNull := nothing
///     bitmap  := (rowCount + 63) / 64 words of 8 bytes; bit i % 64 of word i / 64 is set where row i has a value
///     runs    := count:varint, length:varint for each run; runs of valid and of null rows take turns, valid first
enum BlockValidity {
  /// Raw values are on disk, in bits 4 and 5 of a block's flags, and never change.
  enum Form: UInt8 {
    case none = 0
    case allNull = 1
    case bitmap = 2
    case runs = 3
  }

  /// Appends the validity of a vector that has nulls and values.
  static func encode(_ validity: Bitmap, into out: inout [UInt8]) -> Form {
    let start = out.count
    let bitmapSize = validity.words.count * 8
    if changes(validity) < bitmapSize / 2 {
      encodeRuns(validity, into: &out)
      if out.count - start <= bitmapSize { return .runs }
      out.removeLast(out.count - start)
    }
    out.append(memoryOf: validity.words)
    return .bitmap
  }

  /// A lower bound of the bytes that ``encode(_:into:)`` takes.
  static func leastSize(_ validity: Bitmap) -> Int { min(validity.words.count * 8, changes(validity) + 2) }

  static func decode(_ form: Form, _ reader: inout ByteReader, rowCount: Int) throws(ColumnError) -> Bitmap? {
    switch form {
    case .none: return nil
    case .allNull: return Bitmap(repeating: false, count: rowCount)
    case .bitmap:
      let source = try reader.take((rowCount + 63) / 64, of: 8)
      let words: [UInt64] = try filledLanes(source.count / 8) { (out) throws(ColumnError) in
        UnsafeMutableRawBufferPointer(out).copyMemory(from: source)
      }
      return Bitmap(words: words, count: rowCount)
    case .runs: return try decodeRuns(&reader, rowCount)
    }
  }

  /// How many rows differ from the row before.
  private static func changes(_ validity: Bitmap) -> Int {
    var carry = validity.words.first.map { $0 & 1 } ?? 0
    var changes = 0
    for word in validity.words {
      changes &+= (word ^ (word &<< 1 | carry)).nonzeroBitCount
      carry = word &>> 63
    }
    return changes
  }

  private static func encodeRuns(_ validity: Bitmap, into out: inout [UInt8]) {
    var runs: [UInt64] = []
    var isValid = true
    var start = 0
    while start < validity.count {
      let end = validity.end(ofRun: isValid, from: start)
      runs.append(UInt64(end - start))
      start = end
      isValid.toggle()
    }
    out.append(varint: UInt64(runs.count))
    for run in runs { out.append(varint: run) }
  }

  private static func decodeRuns(_ reader: inout ByteReader, _ rowCount: Int) throws(ColumnError) -> Bitmap {
    var bitmap = Bitmap(count: 0)
    var isValid = true
    for _ in 0..<(try reader.count()) {
      let length = try reader.varint()
      guard length <= UInt64(rowCount - bitmap.count) else {
        throw ColumnError(.malformed, "validity runs go beyond the \(rowCount) rows")
      }
      bitmap.append(repeating: isValid, count: Int(length))
      isValid.toggle()
    }
    guard bitmap.count == rowCount else {
      throw ColumnError(.malformed, "validity runs cover \(bitmap.count) of \(rowCount) rows")
    }
    return bitmap
  }
}

extension Bitmap {
  /// The first row from `start` on that isn't `bit`; `count` when there is none.
  fileprivate func end(ofRun bit: Bool, from start: Int) -> Int {
    var row = start
    while row < count {
      let word = word(from: row)
      let same = (bit ? ~word : word).trailingZeroBitCount
      if same < 64 { return min(row &+ same, count) }
      row &+= 64
    }
    return count
  }

  /// Puts `zero` into the lanes of clear bits.
  @inline(__always)
  func clear<Lane: BitwiseCopyable>(_ lanes: UnsafeMutableBufferPointer<Lane>, to zero: Lane) {
    words.withUnsafeBufferPointer { words in
      for index in 0..<words.count {
        let word = words[index]
        if word == ~0 { continue }
        let start = index &* 64
        for lane in 0..<min(64, lanes.count &- start) {
          let isSet = word &>> UInt64(lane) & 1 != 0
          lanes[start &+ lane] = isSet ? lanes[start &+ lane] : zero
        }
      }
    }
  }

  /// The rows of the set bits with the given ranks, ascending and below the number of set bits.
  func rows(ofRanks ranks: [UInt32]) -> [Int] {
    var rows: [Int] = []
    rows.reserveCapacity(ranks.count)
    var index = 0
    var before = 0
    for rank in ranks {
      while index < words.count, before &+ words[index].nonzeroBitCount <= Int(rank) {
        before &+= words[index].nonzeroBitCount
        index &+= 1
      }
      guard index < words.count else { break }
      var word = words[index]
      for _ in 0..<(Int(rank) &- before) { word &= word &- 1 }
      rows.append(index &* 64 &+ word.trailingZeroBitCount)
    }
    return rows
  }

  /// Moves the lanes of set bits to the front; how many there are. `target` has a lane for each set bit and one more.
  @inline(__always)
  func compact<Lane: BitwiseCopyable>(
    _ lanes: UnsafeBufferPointer<Lane>, into target: UnsafeMutableBufferPointer<Lane>
  ) {
    var next = 0
    words.withUnsafeBufferPointer { words in
      for index in 0..<words.count {
        let start = index &* 64
        let word = words[index]
        if word == 0 { continue }
        let end = min(64, lanes.count &- start)
        if word == ~0 {
          for lane in 0..<64 { target[next &+ lane] = lanes[start &+ lane] }
          next &+= 64
        } else {
          for lane in 0..<end {
            target[next] = lanes[start &+ lane]
            next &+= Int(truncatingIfNeeded: word &>> UInt64(lane) & 1)
          }
        }
      }
    }
  }

  /// Spreads values over the set bits: `lanes` holds them at its end, in order, and gets a lane for each row. Reading
  /// stays ahead of writing, because there are at least as many rows left as values.
  @inline(__always)
  func spread<Lane: BitwiseCopyable>(_ lanes: UnsafeMutableBufferPointer<Lane>, valueCount: Int, zero: Lane) {
    let last = lanes.count &- 1
    var next = lanes.count &- valueCount
    words.withUnsafeBufferPointer { words in
      for index in 0..<words.count {
        let start = index &* 64
        let end = min(64, lanes.count &- start)
        let word = words[index]
        if word == ~0 {
          for lane in 0..<64 { lanes[start &+ lane] = lanes[next &+ lane] }
          next &+= 64
        } else if word == 0 {
          for lane in 0..<end { lanes[start &+ lane] = zero }
        } else {
          for lane in 0..<end {
            let isSet = word &>> UInt64(lane) & 1 != 0
            let value = lanes[min(next, last)]
            lanes[start &+ lane] = isSet ? value : zero
            next &+= Int(truncatingIfNeeded: word &>> UInt64(lane) & 1)
          }
        }
      }
    }
  }
}

/// Calls `body` with the lanes of the valid rows.
@inline(__always)
func withValidLanes<Lane: BitwiseCopyable, Result>(
  _ lanes: [Lane], _ validity: Bitmap?, count: Int, _ body: (UnsafeBufferPointer<Lane>) -> Result
) -> Result {
  lanes.withUnsafeBufferPointer { lanes in
    guard let validity else { return body(lanes) }
    return withScratch(of: Lane.self, count: count + 64) { target in
      validity.compact(lanes, into: target)
      return body(UnsafeBufferPointer(rebasing: target[..<count]))
    }
  }
}

/// `rowCount` lanes, of which `fill` writes those of the valid rows, in order.
@inline(__always)
func validLanes<Lane: BitwiseCopyable>(
  _ rowCount: Int, _ validity: Bitmap?, zero: Lane,
  _ fill: (UnsafeMutableBufferPointer<Lane>) throws(ColumnError) -> Void
) throws(ColumnError) -> [Lane] {
  guard let validity else { return try filledLanes(rowCount, fill) }
  let valueCount = validity.setCount
  return try filledLanes(rowCount) { (lanes) throws(ColumnError) in
    try fill(UnsafeMutableBufferPointer(rebasing: lanes[(rowCount - valueCount)...]))
    validity.spread(lanes, valueCount: valueCount, zero: zero)
  }
}
