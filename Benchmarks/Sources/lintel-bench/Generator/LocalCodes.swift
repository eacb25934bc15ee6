import LintelColumns

/// The rows of a batch while its columns are made.
typealias Rows = UnsafeBufferPointer<SpanRow>

/// Gives the names that a batch uses codes of its own, counted from 0 in the order of first appearance, as a decoder of
/// requests would: a batch's dictionary holds what occurs in it.
struct LocalCodes {
  private static let unused = UInt32.max

  private let vocabulary: ByteStrings
  private var codes: [UInt32]
  private var used: [Int] = []

  /// - Parameter vocabulary: All names there are.
  init(_ vocabulary: some Sequence<String>) { self.init(encoded: ByteStrings(vocabulary)) }

  init(encoded vocabulary: ByteStrings) {
    self.vocabulary = vocabulary
    codes = Array(repeating: Self.unused, count: vocabulary.count)
  }

  /// The names with the numbers that `name` gives, row by row.
  @inline(__always)
  mutating func column(_ rows: Rows, _ name: (SpanRow) -> Int) -> ColumnVector {
    ColumnVector(.codes(lanes(rows.count) { name(rows[$0]) }, finish()))
  }

  /// The names with the numbers that `name` gives; null where `isPresent` says no.
  @inline(__always)
  mutating func column(
    _ rows: Rows, where isPresent: (SpanRow) -> Bool, _ name: (SpanRow) -> Int
  ) -> ColumnVector {
    let lanes = lanes(rows.count) { isPresent(rows[$0]) ? name(rows[$0]) : -1 }
    return ColumnVector(.codes(lanes, finish()), validity: Bitmap.of(rows, isPresent))
  }

  /// The names with the numbers that `name` gives, for some of the rows.
  @inline(__always)
  mutating func column(_ rows: Rows, at places: [UInt32], _ name: (SpanRow) -> Int) -> ColumnVector {
    ColumnVector(.codes(lanes(places.count) { name(rows[Int(places[$0])]) }, finish()))
  }

  /// Codes of numbers; 0 for a negative one.
  @inline(__always)
  private mutating func lanes(_ count: Int, _ number: (Int) -> Int) -> [UInt32] {
    codes.withUnsafeMutableBufferPointer { codes in
      [UInt32](unsafeUninitializedCapacity: count) { lanes, initialized in
        for index in 0..<count {
          let number = number(index)
          guard number >= 0 else {
            lanes[index] = 0
            continue
          }
          if codes[number] == Self.unused {
            codes[number] = UInt32(used.count)
            used.append(number)
          }
          lanes[index] = codes[number]
        }
        initialized = count
      }
    }
  }

  private mutating func finish() -> ValueDictionary {
    var values = ByteStrings()
    for number in used {
      values.append(vocabulary[number])
      codes[number] = Self.unused
    }
    used.removeAll(keepingCapacity: true)
    return ValueDictionary(.bytes(values))
  }
}

extension Bitmap {
  /// Which rows have something; `nil` when all have.
  @inline(__always)
  static func of(_ rows: Rows, _ isPresent: (SpanRow) -> Bool) -> Bitmap? {
    var present = 0
    let words = [UInt64](unsafeUninitializedCapacity: (rows.count + 63) / 64) { words, initialized in
      for word in words.indices {
        var bits: UInt64 = 0
        for index in (word * 64)..<min(rows.count, word * 64 + 64) where isPresent(rows[index]) {
          bits |= 1 &<< UInt64(index & 63)
        }
        words[word] = bits
        present += bits.nonzeroBitCount
      }
      initialized = words.count
    }
    return present == rows.count ? nil : Bitmap(words: words, count: rows.count)
  }
}
