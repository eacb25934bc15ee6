internal import LintelColumns

/// Walks an encoded ``Variant`` and writes it as JSON. The grammar stands at ``Variant``.
struct VariantReader {
  private let encoded: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(_ encoded: UnsafeBufferPointer<UInt8>) { self.encoded = encoded }

  var isAtEnd: Bool { position == encoded.count }

  /// `false` when the bytes are no encoding; then `out` holds a fragment.
  mutating func write(into out: inout TextBuffer, depth: Int) -> Bool {
    guard depth <= Variant.maximumDepth, let tag = byte() else { return false }
    switch tag {
    case 0: out.append("null")
    case 1: out.append("false")
    case 2: out.append("true")
    case 3:
      guard let zigzag = varint() else { return false }
      out.append(decimal: Int64(bitPattern: (zigzag >> 1) ^ (0 &- (zigzag & 1))))
    case 4:
      guard let bits = run(8) else { return false }
      var pattern: UInt64 = 0
      for (index, byte) in bits.enumerated() { pattern |= UInt64(byte) << UInt64(8 * index) }
      out.append(jsonDouble: Double(bitPattern: pattern))
    case 5:
      guard let text = lengthAndRun() else { return false }
      out.append(jsonString: text)
    case 6:
      guard let bytes = lengthAndRun() else { return false }
      out.append(jsonBase64: bytes)
    case 7: return writeArray(into: &out, depth: depth)
    case 8: return writeMap(into: &out, depth: depth)
    default: return false
    }
    return true
  }

  private mutating func writeArray(into out: inout TextBuffer, depth: Int) -> Bool {
    guard let count = varint(), count <= UInt64(encoded.count - position) else { return false }
    out.append(UInt8(ascii: "["))
    for index in 0..<count {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      guard write(into: &out, depth: depth + 1) else { return false }
    }
    out.append(UInt8(ascii: "]"))
    return true
  }

  private mutating func writeMap(into out: inout TextBuffer, depth: Int) -> Bool {
    guard let count = varint(), count <= UInt64(encoded.count - position) else { return false }
    out.append(UInt8(ascii: "{"))
    for index in 0..<count {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      guard let key = lengthAndRun() else { return false }
      out.append(jsonString: key)
      out.append(UInt8(ascii: ":"))
      guard write(into: &out, depth: depth + 1) else { return false }
    }
    out.append(UInt8(ascii: "}"))
    return true
  }

  private mutating func byte() -> UInt8? {
    guard position < encoded.count else { return nil }
    defer { position += 1 }
    return encoded[position]
  }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let next = byte() {
      let bits = UInt64(next & 0x7F)
      guard shift < 63 || bits <= 1 else { return nil }
      value |= bits << shift
      if next < 0x80 { return value }
      shift += 7
      guard shift < 70 else { return nil }
    }
    return nil
  }

  private mutating func run(_ length: Int) -> UnsafeBufferPointer<UInt8>? {
    guard length <= encoded.count - position else { return nil }
    defer { position += length }
    return UnsafeBufferPointer(rebasing: encoded[position..<position + length])
  }

  private mutating func lengthAndRun() -> UnsafeBufferPointer<UInt8>? {
    guard let length = varint(), length <= UInt64(encoded.count) else { return nil }
    return run(Int(length))
  }
}
