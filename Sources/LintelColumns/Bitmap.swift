/// A fixed-length sequence of bits; bit `i` lives in `words[i / 64]` at `1 << (i % 64)`. Bits past `count` are zero.
public struct Bitmap: Hashable, Sendable {
  public private(set) var count: Int
  public var words: [UInt64]

  public init(repeating bit: Bool = false, count: Int) {
    self.count = count
    words = Array(repeating: bit ? ~0 : 0, count: (count + 63) / 64)
    clearPadding()
  }

  /// Takes over `words`, which must hold exactly `(count + 63) / 64` of them; padding bits are cleared.
  public init?(words: [UInt64], count: Int) {
    guard count >= 0, words.count == (count + 63) / 64 else { return nil }
    self.words = words
    self.count = count
    clearPadding()
  }

  private mutating func clearPadding() {
    if count & 63 != 0 { words[words.count - 1] &= (1 << UInt64(count & 63)) &- 1 }
  }

  @inlinable
  public subscript(index: Int) -> Bool {
    get { words[index >> 6] >> UInt64(index & 63) & 1 != 0 }
    set {
      let mask: UInt64 = 1 << UInt64(index & 63)
      if newValue { words[index >> 6] |= mask } else { words[index >> 6] &= ~mask }
    }
  }

  public mutating func append(_ bit: Bool) {
    if count & 63 == 0 { words.append(0) }
    count += 1
    if bit { self[count - 1] = true }
  }

  /// For extensions that have appended to `words`.
  mutating func setCount(_ count: Int) { self.count = count }

  /// How many bits are set.
  public var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
