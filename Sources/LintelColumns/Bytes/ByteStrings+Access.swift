internal import Glibc

extension ByteStrings {
  /// Whether value `index` is `other`.
  @inline(__always)
  func equals(_ index: Int, _ other: UnsafeRawBufferPointer) -> Bool {
    let range = range(index)
    guard range.count == other.count else { return false }
    guard let right = other.baseAddress, other.count > 0 else { return true }
    return bytes.withUnsafeBytes { left in
      guard let base = left.baseAddress, range.upperBound <= left.count else { return false }
      return memcmp(base + range.lowerBound, right, other.count) == 0
    }
  }

  /// Calls `body` with every index and its bytes.
  @inline(__always)
  func withEach(_ body: (Int, UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { all in
      offsets.withUnsafeBufferPointer { offsets in
        for index in 0..<(offsets.count &- 1) {
          body(index, UnsafeRawBufferPointer(rebasing: all[Int(offsets[index])..<Int(offsets[index &+ 1])]))
        }
      }
    }
  }

  /// Calls `body` with the bytes of one value.
  @inline(__always)
  public func withBytes<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let range = range(index)
    return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// The same value `count` times. The caller has asked ``hasRoom(for:)`` for all of them.
  mutating func append(_ value: UnsafeRawBufferPointer, count: Int) {
    for _ in 0..<max(0, count) { append(value) }
  }

  /// `count` empty strings.
  @usableFromInline
  mutating func appendEmpty(count: Int) {
    let end = UInt32(truncatingIfNeeded: bytes.count)
    offsets.append(contentsOf: repeatElement(end, count: max(0, count)))
  }
}
