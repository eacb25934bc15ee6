/// Writes the encoding of ``Variant`` values straight into bytes, with no tree between.
///
/// Containers whose size is known beforehand take `beginArray(count:)` and then that many values. Where it isn't, take
/// a mark and hand it back with the count:
///
///     let mark = writer.beginMap()
///     while let pair = next() { writer.append(key: pair.key); writer.append(int: pair.value); count += 1 }
///     writer.end(mark, count: count)
///
/// Both give the same bytes. The writer doesn't check nesting: the caller keeps to ``Variant/maximumDepth``.
public struct VariantWriter: Sendable {
  public var bytes: [UInt8]

  public init() { bytes = [] }

  /// Takes over `bytes` and appends to them.
  public init(appendingTo bytes: [UInt8]) { self.bytes = bytes }

  /// Where the count of a container stands that was begun without one.
  public struct Mark: Sendable {
    let position: Int
  }

  public var count: Int { bytes.count }

  /// Forgets everything written, keeping the memory.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Forgets what was written after the first `count` bytes.
  public mutating func truncate(to count: Int) { bytes.removeLast(max(0, bytes.count - max(0, count))) }

  public mutating func appendEmpty() { bytes.append(VariantTag.empty) }

  public mutating func append(bool value: Bool) { bytes.append(value ? VariantTag.yes : VariantTag.no) }

  public mutating func append(int value: Int64) {
    bytes.append(VariantTag.int)
    bytes.append(varint: zigZagEncoded(value))
  }

  public mutating func append(double value: Double) {
    bytes.append(VariantTag.double)
    bytes.append(littleEndian: value.bitPattern)
  }

  /// `utf8` must be valid UTF-8, or reading repairs it.
  public mutating func append(utf8: UnsafeRawBufferPointer) {
    bytes.append(VariantTag.string)
    bytes.append(lengthAndBytes: utf8)
  }

  public mutating func append(string value: String) {
    bytes.append(VariantTag.string)
    appendText(value)
  }

  public mutating func append(bytes value: UnsafeRawBufferPointer) {
    bytes.append(VariantTag.bytes)
    bytes.append(lengthAndBytes: value)
  }

  /// Appends a value that is encoded already.
  public mutating func append(encoded value: UnsafeRawBufferPointer) { bytes.append(contentsOf: value) }

  /// The key of a map's next entry; its value follows.
  public mutating func append(key utf8: UnsafeRawBufferPointer) { bytes.append(lengthAndBytes: utf8) }

  /// The key of a map's next entry; its value follows.
  public mutating func append(key: String) { appendText(key) }

  public mutating func beginArray(count: Int) {
    bytes.append(VariantTag.array)
    bytes.append(varint: UInt64(max(0, count)))
  }

  public mutating func beginMap(count: Int) {
    bytes.append(VariantTag.map)
    bytes.append(varint: UInt64(max(0, count)))
  }

  public mutating func beginArray() -> Mark { begin(VariantTag.array) }

  public mutating func beginMap() -> Mark { begin(VariantTag.map) }

  /// Closes the container begun at `mark`, which got `count` values or entries.
  public mutating func end(_ mark: Mark, count: Int) {
    let count = UInt64(max(0, count))
    guard mark.position < bytes.count else { return }
    // Nearly every count fits the byte left for it; a larger one makes room, so that the bytes don't tell who wrote them.
    if count < 0x80 {
      bytes[mark.position] = UInt8(truncatingIfNeeded: count)
    } else {
      var varint: [UInt8] = []
      varint.append(varint: count)
      bytes.replaceSubrange(mark.position...mark.position, with: varint)
    }
  }

  private mutating func begin(_ tag: UInt8) -> Mark {
    bytes.append(tag)
    bytes.append(0)
    return Mark(position: bytes.count - 1)
  }

  private mutating func appendText(_ text: String) {
    var text = text
    text.withUTF8 { bytes.append(lengthAndBytes: UnsafeRawBufferPointer($0)) }
  }
}
