/// What a read returns instead of what was written.
package enum Misread: Sendable, Hashable {
  /// One bit is another.
  case flippedBit(seed: UInt64)
  /// The bytes at the same place of another file.
  case misdirected(seed: UInt64)
}
