extension Bitmap {
  /// Bits `range`, as a bitmap of their own.
  public func slice(_ range: Range<Int>) -> Bitmap {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "the slice lies outside the bitmap")
    var result = Bitmap(count: 0)
    result.append(self, range)
    return result
  }

  /// Bit `rows[i]` becomes bit `i`.
  public func gather(_ rows: [UInt32]) -> Bitmap {
    var words = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
    for (index, row) in rows.enumerated() {
      precondition(Int(row) < count, "a gathered row lies outside the bitmap")
      words[index >> 6] |= (self.words[Int(row) >> 6] >> UInt64(row & 63) & 1) << UInt64(index & 63)
    }
    return Bitmap(words: words, count: rows.count) ?? Bitmap(count: rows.count)
  }

  /// Appends bits `range` of another bitmap, a word at a time.
  public mutating func append(_ other: Bitmap, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= other.count, "the range lies outside the bitmap")
    var row = range.lowerBound
    while row < range.upperBound {
      let lanes = min(64, range.upperBound &- row)
      append(word: other.word(from: row), bits: lanes)
      row &+= lanes
    }
  }

  /// Appends `bits` equal bits.
  public mutating func append(repeating bit: Bool, count bits: Int) {
    var left = bits
    while left > 0 {
      append(word: bit ? ~0 : 0, bits: min(64, left))
      left &-= 64
    }
  }

  /// The 64 bits from bit `start` on; zeros past the end.
  func word(from start: Int) -> UInt64 {
    let index = start &>> 6
    let shift = UInt64(start & 63)
    let low = words[index] &>> shift
    guard shift > 0, index &+ 1 < words.count else { return low }
    return low | words[index &+ 1] &<< (64 &- shift)
  }

  /// Appends the low `bits` (1 to 64) bits of `word`.
  private mutating func append(word: UInt64, bits: Int) {
    let kept = bits == 64 ? word : word & ((1 &<< UInt64(bits)) &- 1)
    let shift = UInt64(count & 63)
    if shift == 0 {
      words.append(kept)
    } else {
      words[words.count &- 1] |= kept &<< shift
      if Int(shift) &+ bits > 64 { words.append(kept &>> (64 &- shift)) }
    }
    setCount(count &+ bits)
  }

  /// Whether no bit is set.
  public var isAllClear: Bool { words.allSatisfy { $0 == 0 } }

  /// Whether every bit is set.
  public var isAllSet: Bool { setCount == count }

  /// Calls `body` with the index of every set bit, ascending.
  @inline(__always)
  func forEachSet(_ body: (Int) -> Void) {
    words.withUnsafeBufferPointer { words in
      for index in 0..<words.count {
        var word = words[index]
        while word != 0 {
          body(index &* 64 &+ word.trailingZeroBitCount)
          word &= word &- 1
        }
      }
    }
  }
}
