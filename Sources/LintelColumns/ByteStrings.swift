/// A column of byte strings laid end to end: value `i` is `bytes[offsets[i] ..< offsets[i + 1]]`.
///
/// At most 4 GiB of bytes; builders refuse more (``ByteStrings/hasRoom(for:)``).
public struct ByteStrings: Sendable, Hashable {
  /// `count + 1` ascending offsets, the first 0.
  public var offsets: [UInt32]
  public var bytes: [UInt8]

  public init() {
    offsets = [0]
    bytes = []
  }

  public init(_ values: some Sequence<String>) {
    self.init()
    for value in values { append(value) }
  }

  /// `nil` when the offsets are not ascending from 0 to `bytes.count`.
  public init?(offsets: [UInt32], bytes: [UInt8]) {
    guard offsets.first == 0, let last = offsets.last, Int(last) == bytes.count else { return nil }
    var previous: UInt32 = 0
    for offset in offsets {
      guard offset >= previous else { return nil }
      previous = offset
    }
    self.offsets = offsets
    self.bytes = bytes
  }

  @inlinable public var count: Int { offsets.count - 1 }

  @inlinable
  public func range(_ index: Int) -> Range<Int> { Int(offsets[index])..<Int(offsets[index + 1]) }

  @inlinable
  public func length(_ index: Int) -> Int { Int(offsets[index + 1] &- offsets[index]) }

  /// The bytes of one value.
  @inlinable
  public subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

  /// The value as text; invalid UTF-8 is repaired with U+FFFD (stored text has been validated on the way in).
  public func string(_ index: Int) -> String { String(decoding: bytes[range(index)], as: UTF8.self) }

  public func hasRoom(for length: Int) -> Bool { length <= Int(UInt32.max) - bytes.count }

  @inlinable
  public mutating func append(_ value: some Collection<UInt8>) {
    bytes.append(contentsOf: value)
    offsets.append(UInt32(truncatingIfNeeded: bytes.count))
  }

  public mutating func append(_ value: String) {
    var value = value
    value.withUTF8 { append($0) }
  }

  @inlinable
  public mutating func append(_ value: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: value)
    offsets.append(UInt32(truncatingIfNeeded: bytes.count))
  }

  public mutating func reserveCapacity(_ count: Int, bytes byteCount: Int) {
    offsets.reserveCapacity(count + 1)
    bytes.reserveCapacity(byteCount)
  }
}
